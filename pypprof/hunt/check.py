"""`pypprof check`: the gate of a build pipeline, as Markdown for a pull request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from pypprof import flags
from pypprof.columns import I8, Array
from pypprof.errors import PprofError, UsageError
from pypprof.flags import CommandLine, kind_of
from pypprof.load import Sources, load_one
from pypprof.output import note, write_file, write_stdout
from pypprof.records import Record
from pypprof.reports.trend import files
from pypprof.trend.compare import NEW, REGRESSION, SAME, Change, compare
from pypprof.trend.series import Gathered, Snapshot, complete_numpy, snapshots
from pypprof.trend.words import amount, digits

_SHOWN = 20
_SYMBOL = {REGRESSION: "❌ grown", NEW: "new", SAME: "same"}


class Verdict(Record):
    """What the comparison has found. `changes` hold only sites that matter."""

    type: str
    unit: str
    base: int
    head: int
    max_growth: float
    total: Change
    changes: list[Change]

    def regressions(self) -> list[Change]:
        return [change for change in (self.total, *self.changes) if change.status == REGRESSION]


def run(argv: Sequence[str]) -> int:
    """Print the comparison. The exit status: 1 when something has grown too much."""
    base, head, max_growth, least, rest = _split(argv)
    line = flags.parse([*rest, "--", *head])
    if line.command or line.format not in ("", "json"):
        raise UsageError("check prints Markdown, or JSON with -json")
    verdict = judge(base, head, line, max_growth, least)
    text = _json(verdict) if line.format else markdown(verdict)
    if line.settings.output:
        write_file(line.settings.output, [text.encode("utf-8", "backslashreplace")])
    else:
        write_stdout([text.encode("utf-8", "backslashreplace")])
    return 1 if verdict.regressions() else 0


def _split(argv: Sequence[str]) -> tuple[list[str], list[str], float, float, list[str]]:
    """(base, head, largest growth, least share, the other flags). -base and -head take all up to the next flag."""
    sides: dict[str, list[str]] = {"base": [], "head": []}
    numbers = {"max-growth": 0.1, "min-share": 0.01}
    rest: list[str] = []
    words = list(argv)
    current: list[str] | None = None
    while words:
        word = words.pop(0)
        if word == "-" or not word.startswith("-"):
            if current is None:
                raise UsageError(f"{word}: profiles stand behind -base or -head")
            current.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        name = {"max_growth": "max-growth", "min_share": "min-share"}.get(name, name)
        current = sides.get(name)
        if current is not None:
            current += [value] if equals else []
        elif name in numbers:
            if not equals and not words:
                raise UsageError(f"flag needs an argument: -{name}")
            numbers[name] = _share(name, value if equals else words.pop(0))
        else:
            rest.append(word)
            if not equals and words and kind_of(name) not in (bool, None):
                rest.append(words.pop(0))
    for side, paths in sides.items():
        if not paths:
            raise UsageError(f"check needs profiles behind -{side}")
    return sides["base"], sides["head"], numbers["max-growth"], numbers["min-share"], rest


def _share(name: str, text: str) -> float:
    """10% or 0.1."""
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = math.nan
    if not 0 <= number < 1e6:
        raise UsageError(f"-{name} {text}: a share is written 10% or 0.1")
    return number


def judge(base: Sequence[str], head: Sequence[str], line: CommandLine, max_growth: float, least: float) -> Verdict:
    """Compare the two sides. PprofError when they cannot be compared."""
    complete_numpy()
    source = line.source
    what = Sources((), all_frames=bool(source["all_frames"]), symbolize=str(source["symbolize"]))
    sides = [_read(files(paths), what, line) for paths in (base, head)]
    types = {(one.sites.type, one.sites.unit) for side in sides for one in side if one.sites}
    if len(types) > 1:
        raise PprofError(f"profiles of different kinds: {', '.join(sorted(name for name, _ in types))}")
    gathered = Gathered()
    scales = _scales([one for side in sides for one in side])
    for one in (one for side in sides for one in side):
        assert one.sites is not None
        gathered.add(one.sites)
    names, values, _ = gathered.matrix(list(range(len(gathered.totals))))
    matrix: Array = values * scales
    split = len(sides[0])
    period = max(one.period for side in sides for one in side) if _sampled(gathered.type) else 1
    total = np.array([gathered.totals], I8) * scales
    weight = least * float(max(np.median(total[:, :split]), np.median(total[:, split:])))
    texts = [name if isinstance(name, str) else f"stack {name:016x}" for name in names]
    whole = compare(["total"], total[:, :split], total[:, split:], period, max_growth, 0.0)
    changes = compare(texts, matrix[:, :split], matrix[:, split:], period, max_growth, weight)
    none = Change("total", SAME, 0.0, 0.0, 0.0, 1.0)
    return Verdict(gathered.type, gathered.unit, split, len(sides[1]), max_growth, whole[0] if whole else none, changes)


def _read(paths: Sequence[str], what: Sources, line: CommandLine) -> list[Snapshot]:
    found = []
    for one in snapshots(paths, partial(load_one, what), line.settings):
        if one.sites is None:
            note(f"{one.path}: {one.error}")
        else:
            found.append(one)
    if not found:
        raise PprofError(f"no usable profile among {', '.join(paths[:3])}")
    return found


def _sampled(type_: str) -> bool:
    """Whether the values are sampled once every so many of their own unit."""
    return type_.endswith("_space") or type_ in ("cpu", "delay")


def _scales(all_: list[Snapshot]) -> Array:
    """CPU profiles of different lengths are compared by the second."""
    lengths = np.array([one.duration_nanos for one in all_], float)
    if any("cpu" not in one.kind for one in all_) or not (lengths > 0).all():
        return np.ones(len(all_))
    scales: Array = np.median(lengths) / lengths
    return scales


def markdown(verdict: Verdict) -> str:
    """For a comment on a pull request."""
    bad = verdict.regressions()
    limit = f"{digits(100 * verdict.max_growth)} %"
    names = [change for change in verdict.changes if change.status == REGRESSION]
    if bad:
        what = f"{len(names)} site{'s have' if len(names) != 1 else ' has'}" if names else "the total has"
        head = f"### ❌ {verdict.type}: {what} grown by more than {limit} and beyond noise\n"
    else:
        head = f"### ✅ {verdict.type}: nothing has grown by more than {limit} beyond noise\n"
    count = f"{verdict.base} base and {verdict.head} head profile{'s' if verdict.base + verdict.head > 1 else ''}"
    lines = [head, f"{count}. Noise is one standard error of the difference.\n"]
    if verdict.base + verdict.head == 2:
        lines.append("One profile a side says nothing about run-to-run noise: 5 % is assumed. Give more of each.\n")
    lines += ["| | site | base | head | change | noise |", "|---|---|--:|--:|--:|--:|"]
    noted = [change for change in verdict.changes if change.status != SAME]
    lines += [_row(change, verdict.unit) for change in [verdict.total, *noted[:_SHOWN]]]
    if len(noted) > _SHOWN:
        lines.append(f"\n{len(noted) - _SHOWN} more sites have changed.")
    same = sum(change.status == SAME for change in verdict.changes)
    lines.append(f"\n{same} site{'s' if same != 1 else ''} unchanged.")
    return "\n".join(lines) + "\n"


def _row(change: Change, unit: str) -> str:
    ratio = change.ratio()
    difference = amount(change.head - change.base, unit)
    sign = "+" if change.head > change.base else ""
    share = f" ({'+' if ratio > 0 else ''}{digits(100 * ratio)} %)" if math.isfinite(ratio) and change.base else ""
    cells = (
        _SYMBOL.get(change.status, change.status), f"`{_escaped(change.name)}`", amount(change.base, unit),
        amount(change.head, unit), f"{sign}{difference}{share}", f"± {amount(change.noise, unit)}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _escaped(name: str) -> str:
    """A name inside a code span of a table: neither may be closed by it."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name).replace("`", "'").replace("|", "\\|")


def _json(verdict: Verdict) -> str:
    import json

    def plain(change: Change) -> dict[str, object]:
        return change._asdict()

    whole = {
        "schema": 1, "report": "check", "type": verdict.type, "unit": verdict.unit, "base": verdict.base,
        "head": verdict.head, "max_growth": verdict.max_growth, "regression": bool(verdict.regressions()),
        "total": plain(verdict.total), "changes": [plain(change) for change in verdict.changes],
    }  # fmt: skip
    return json.dumps(whole, ensure_ascii=False) + "\n"
