"""Units of sample values, and the text of a scaled value.

The unit families, their aliases and the choice of the unit are those of pprof's measurement
package (google/pprof internal/measurement), and so is the order in which they are tried.
Values are int64; everything scaled is a float64.
"""

from __future__ import annotations

import math

from pypprof.records import Record

INT64_MIN = -(1 << 63)


class Unit(Record):
    """One unit: its printed name, the spellings that mean it, its size in the family's base."""

    name: str
    aliases: tuple[str, ...]
    factor: float


class Family(Record):
    """Units that convert into each other. `default` serves an unknown target unit."""

    units: tuple[Unit, ...]
    default: Unit

    def find(self, spelling: str) -> Unit | None:
        """The unit that a spelling means, upper case and a plural s ignored; None if not ours."""
        family, unit = lookup(spelling)
        return unit if family is self else None

    def natural(self, value: float) -> tuple[float, str]:
        """`value` (in base units) in the largest unit in which it is at least 1."""
        best: Unit | None = None
        for unit in self.units:
            if unit.factor >= (best.factor if best else 0.0) and value / unit.factor >= 1.0:
                best = unit
        if best is None:
            best = self.default
        return value / best.factor, best.name


_MEMORY = tuple(
    Unit(name, aliases, float(1 << (10 * power)))
    for power, (name, aliases) in enumerate(
        [
            ("B", ("b", "byte")),
            ("kB", ("kb", "kbyte", "kilobyte")),
            ("MB", ("mb", "mbyte", "megabyte")),
            ("GB", ("gb", "gbyte", "gigabyte")),
            ("TB", ("tb", "tbyte", "terabyte")),
            ("PB", ("pb", "pbyte", "petabyte")),
        ]
    )
)
_TIME = (
    Unit("ns", ("ns", "nanosecond"), 1.0),
    Unit("us", ("μs", "us", "microsecond"), 1e3),
    Unit("ms", ("ms", "millisecond"), 1e6),
    Unit("s", ("s", "sec", "second"), 1e9),
    Unit("hrs", ("hour", "hr"), 3600e9),
)
_GCU = tuple(
    Unit(f"{letter}*GCU" if letter else "GCU", (f"{prefix}gcu",), factor)
    for letter, prefix, factor in [
        ("n", "nano", 1e-9),
        ("u", "micro", 1e-6),
        ("m", "milli", 1e-3),
        ("", "", 1.0),
        ("k", "kilo", 1e3),
        ("M", "mega", 1e6),
        ("G", "giga", 1e9),
        ("T", "tera", 1e12),
        ("P", "peta", 1e15),
    ]
)
FAMILIES = (
    Family(_MEMORY, _MEMORY[0]),
    Family(_TIME, Unit("s", (), 1e9)),
    Family(_GCU, Unit("GCU", (), 1.0)),
)
_BY_ALIAS = {alias: (family, unit) for family in FAMILIES for unit in family.units for alias in unit.aliases}
_known: dict[str, tuple[Family | None, Unit | None]] = {}  # spellings met so far
# A target unit that adds nothing to the number is not printed.
_SILENT = frozenset(["count", "sample", "unit", "minimum", "auto"])


def lookup(spelling: str) -> tuple[Family | None, Unit | None]:
    """The family and the unit that a spelling means; (None, None) for an unknown one."""
    found = _known.get(spelling)
    if found is None:
        name = spelling.lower()
        if len(name.encode("utf-8", "surrogateescape")) > 2:
            name = name.removesuffix("s")
        found = _known[spelling] = _BY_ALIAS.get(name, (None, None))
    return found


def scale(value: int, source: str, target: str) -> tuple[float, str]:
    """`value` of unit `source` expressed in `target`, with the unit's printed name.

    A target of "minimum" or "auto" picks the natural unit. An unknown target gives the
    family's default unit; a source of no family leaves the value as it is.
    """
    if INT64_MIN < value < 0:
        number, unit = scale(-value, source, target)
        return -number, unit
    family, known = lookup(source)
    if family is None or known is None:
        return float(value), "" if target in _SILENT else target
    base = float(value) * known.factor
    if target in ("minimum", "auto"):
        return family.natural(base)
    wanted = family.find(target) or family.default
    return base / wanted.factor, wanted.name


def scaled_label(value: int, source: str, target: str) -> str:
    """The text of a value: two decimals at most, the unit behind it, "0" for nothing."""
    number, unit = scale(value, source, target)
    text = f"{number:.2f}".removesuffix(".00")
    return "0" if text in ("0", "-0") else text + unit


def label(value: int, unit: str) -> str:
    """The text of a value in its natural unit."""
    return scaled_label(value, unit, "auto")


def percentage(value: int, total: int) -> str:
    """The share of `total` as six characters: "  100%", "12.34%", "0.056%"."""
    ratio = abs(value / total) * 100 if total else 0.0
    if 99.95 <= ratio <= 100.05:
        return "  100%"
    return f"{ratio:5.2f}%" if ratio >= 1.0 else f"{ratio:5.2g}%"


def same_kind(first: str, second: str) -> bool:
    """Whether two units are equal or of one family, so that their values can be merged."""
    family = lookup(first)[0]
    return first == second or (family is not None and family is lookup(second)[0])


def wrap64(value: int) -> int:
    """An integer as a two's-complement int64, as Go's arithmetic leaves it."""
    return ((value + (1 << 63)) & ((1 << 64) - 1)) - (1 << 63)


def abs64(value: int) -> int:
    """|value|; the smallest int64 stays negative, as in Go."""
    return value if value == INT64_MIN else abs(value)


def truncate64(value: float) -> int:
    """Go's int64(float64) on amd64: toward zero; what does not fit becomes the smallest int64."""
    if math.isnan(value) or not -(2.0**63) <= value < 2.0**63:
        return INT64_MIN
    return int(value)


def divide64(value: int, divisor: int) -> int:
    """Go's integer division: toward zero."""
    quotient = abs(value) // abs(divisor)
    return wrap64(quotient if (value < 0) == (divisor < 0) else -quotient)
