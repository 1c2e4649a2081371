# Annotations stay real objects here: Settings' own are its options' declarations.
"""Every option, declared once.

An option is a field of Settings with an Option in its annotation. From that follow the
`-name` flag, `name=value` in the shell, validation, completion, help, the row of
docs/options.md, the JSON key and the URL parameter. Settings is immutable and hashable:
what a command overrides is a `replace` of the session's settings, and caches key on it.
"""

import math
from collections.abc import Mapping
from typing import Annotated, get_origin

from pypprof.errors import CommandError
from pypprof.records import Record

Value = str | int | float | bool


class Option(Record):
    """What is known of one option beside its name, type and default."""

    group: str
    help: str
    choices: tuple[str, ...] = ()
    choice_help: tuple[str, ...] = ()
    url: str = ""
    argument: str = ""  # what completes a value: function, tag, sample, unit, file


_FRAME = "Matches function names, file names and the binary's name."
_TAG = "Forms: regexp, name=regexp, 1kb, 1kb:10kb, :64kb, name=32mb: (ranges of numeric tags)."


class Settings(Record):
    """The value of every option. Defaults are pprof's."""

    output: Annotated[str, Option("output", "File that the report is written to", argument="file")] = ""
    call_tree: Annotated[
        bool, Option("graph", "Keep a function reached by different paths apart (graphs only)", url="calltree")
    ] = False
    relative_percentages: Annotated[
        bool, Option("display", "Percentages of what the filters leave, not of the whole profile", url="rel")
    ] = False
    unit: Annotated[
        str,
        Option("display", "Unit of all values: seconds, ms, megabytes, kb ... or auto", url="unit", argument="unit"),
    ] = "minimum"
    compact_labels: Annotated[bool, Option("display", "Leave out the profile's own header lines", url="compact")] = (
        False
    )
    source_path: Annotated[
        str, Option("source", "Directories in which sources are looked for, separated by colons", argument="file")
    ] = ""
    trim_path: Annotated[
        str, Option("source", "Prefixes cut off the recorded source paths, separated by colons", argument="file")
    ] = ""
    intel_syntax: Annotated[bool, Option("display", "Assembly in Intel syntax (disasm and weblist)", url="intel")] = (
        False
    )
    mean: Annotated[
        bool, Option("sample", "Mean: the value divided by the first sample type's (a count)", url="mean")
    ] = False
    sample_index: Annotated[
        str, Option("sample", "Sample type to report, by name or number", url="si", argument="sample")
    ] = ""
    divide_by: Annotated[float, Option("sample", "Number that all values are divided by")] = 1.0
    normalize: Annotated[bool, Option("sample", "Scale the profile to the base profile's total", url="norm")] = False
    sort: Annotated[
        str,
        Option(
            "display",
            "Order of the entries",
            ("cum", "flat"),
            ("Entries in the order of their cumulative value", "Entries in the order of their own value"),
            url="sort",
        ),
    ] = "flat"
    tagroot: Annotated[
        str, Option("tags", "Tag keys, comma separated, whose values become frames at the root", argument="tag")
    ] = ""
    tagleaf: Annotated[
        str, Option("tags", "Tag keys, comma separated, whose values become frames at the leaf", argument="tag")
    ] = ""
    drop_negative: Annotated[bool, Option("filter", "Leave out entries with a negative value", url="dropneg")] = False
    nodecount: Annotated[
        int, Option("trim", "Most entries to show; -1 is the report's own default, 0 all", url="n")
    ] = -1
    nodefraction: Annotated[float, Option("trim", "Hide nodes below this share of the total", url="nf")] = 0.005
    edgefraction: Annotated[float, Option("trim", "Hide edges below this share of the total", url="ef")] = 0.001
    trim: Annotated[
        bool, Option("trim", "Honour nodecount, nodefraction and edgefraction; false shows everything", url="trim")
    ] = True
    focus: Annotated[
        str,
        Option("filter", "Keep samples with a frame that matches. " + _FRAME, url="f", argument="function"),
    ] = ""
    ignore: Annotated[
        str,
        Option("filter", "Drop samples with a frame that matches. " + _FRAME, url="i", argument="function"),
    ] = ""
    prune_from: Annotated[
        str,
        Option(
            "filter", "Drop the frames below (called by) the frame that matches", url="prunefrom", argument="function"
        ),
    ] = ""
    hide: Annotated[
        str, Option("filter", "Leave out the frames that match. " + _FRAME, url="h", argument="function")
    ] = ""
    show: Annotated[
        str, Option("filter", "Leave out the frames that do not match. " + _FRAME, url="s", argument="function")
    ] = ""
    show_from: Annotated[
        str,
        Option(
            "filter", "Drop the frames above (callers of) the highest frame that matches", url="sf", argument="function"
        ),
    ] = ""
    tagfocus: Annotated[
        str, Option("tags", "Keep samples with a tag that matches. " + _TAG, url="tf", argument="tag")
    ] = ""
    tagignore: Annotated[
        str, Option("tags", "Drop samples with a tag that matches. " + _TAG, url="ti", argument="tag")
    ] = ""
    tagshow: Annotated[str, Option("tags", "Leave out the tags whose key does not match", url="ts", argument="tag")] = (
        ""
    )
    taghide: Annotated[str, Option("tags", "Leave out the tags whose key matches", url="th", argument="tag")] = ""
    noinlines: Annotated[
        bool,
        Option("granularity", "Count inlined functions as their first caller that is not inlined", url="noinlines"),
    ] = False
    showcolumns: Annotated[bool, Option("granularity", "Tell columns of a source line apart", url="showcolumns")] = (
        False
    )
    granularity: Annotated[
        str,
        Option(
            "granularity",
            "What an entry of a report is",
            ("functions", "filefunctions", "files", "lines", "addresses"),
            (
                "One entry per function name",
                "One entry per function name and file",
                "One entry per source file",
                "One entry per source line",
                "One entry per address",
            ),
            url="g",
        ),
    ] = ""
    trend_by: Annotated[
        str, Option("trend", "What a row of trend and check is: function, leaf, stack or label:KEY", url="by")
    ] = "function"
    memory_limit: Annotated[
        str, Option("trend", "Memory that the program may use, such as 512MB: trend says when it is full", url="limit")
    ] = ""


def _declared(annotation: object) -> tuple[type, Option]:
    assert get_origin(annotation) is Annotated
    kind, option = annotation.__origin__, annotation.__metadata__[0]  # type: ignore[attr-defined]
    return kind, option


DEFAULTS = Settings()
OPTIONS: dict[str, Option] = {name: _declared(a)[1] for name, a in Settings.__annotations__.items()}
TYPES: dict[str, type] = {name: _declared(a)[0] for name, a in Settings.__annotations__.items()}
# Each choice of a choice option is a name of its own: `-cum` is `-sort=cum`.
CHOICES: dict[str, str] = {c: name for name, option in OPTIONS.items() for c in option.choices}


def is_option(name: str) -> bool:
    """Whether `name` can stand left of an equals sign: an option or a choice."""
    return name in OPTIONS or name in CHOICES


def takes_no_value(name: str) -> bool:
    """Whether the bare name is an assignment."""
    return name in CHOICES or TYPES.get(name) is bool


def text_of(settings: Settings, name: str) -> str:
    """The value of an option as pprof prints it."""
    value = getattr(settings, name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    return str(value)


def replaced(settings: Settings, changes: Mapping[str, Value]) -> Settings:
    """The settings with some options changed; the values must have the options' types."""
    return settings._replace(**changes)  # type: ignore[arg-type]


def assign(settings: Settings, name: str, text: str) -> Settings:
    """The settings after `name=text`. CommandError when the name or the value is wrong."""
    if name in CHOICES:
        # pprof reads `cum=true`; the bare `cum` it refuses, and so do we, with a way out.
        if parse_go_bool(text) is True:
            return replaced(settings, {CHOICES[name]: name})
        raise CommandError(f'unknown config field "{name}" (did you mean: {CHOICES[name]}={name})')
    return replaced(settings, {name: parse_value(name, text)})


def parse_value(name: str, text: str) -> Value:
    """The typed value of an option's text. CommandError when it is not one."""
    kind, option = TYPES[name], OPTIONS[name]
    if option.choices:
        if text in option.choices:
            return text
        raise CommandError(f'invalid "{name}" value "{text}" (one of: {", ".join(option.choices)})')
    if kind is bool:
        return _shell_bool(text)
    if kind is int:
        return parse_int(text)
    if kind is float:
        return parse_float(text)
    return text


_TRUE, _FALSE = ("true", "t", "yes", "y", "1", ""), ("false", "f", "no", "n", "0")


def _shell_bool(text: str) -> bool:
    lower = text.lower()
    if lower in _TRUE or lower in _FALSE:
        return lower in _TRUE
    raise CommandError(f'illegal value "{text}" for bool variable')


def parse_go_bool(text: str) -> bool | None:
    """Go's strconv.ParseBool; None when it is none."""
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    return False if text in ("0", "f", "F", "false", "FALSE", "False") else None


def parse_int(text: str) -> int:
    """Go's strconv.Atoi: decimal, 64 bits."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if digits.isascii() and digits.isdigit() and -(1 << 63) <= int(text) < 1 << 63:
        return int(text)
    raise CommandError(f'"{text}" is not a whole number')


def parse_float(text: str) -> float:
    """Go's strconv.ParseFloat: decimal, hexadecimal with an exponent, inf and nan."""
    lower = text.lower()
    try:
        value = float.fromhex(lower.replace("_", "")) if "0x" in lower and "p" in lower else float(lower)
    except (ValueError, OverflowError):
        value = math.nan
    wrong = (math.isnan(value) and lower != "nan") or (math.isinf(value) and "inf" not in lower)
    if wrong or not text.isascii() or text != text.strip():
        raise CommandError(f'"{text}" is not a number')
    return value


def _float_text(value: float) -> str:
    """Go's %v of a float64: shortest digits, an exponent below 1e-4 and from 1e6 on."""
    if math.isnan(value) or math.isinf(value):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[repr(value)]
    if value == 0:
        return "0"
    mantissa, _, power = f"{value:.16e}".partition("e")
    for digits in range(17):
        shorter = f"{value:.{digits}e}"
        if float(shorter) == value:
            mantissa, _, power = shorter.partition("e")
            break
    if -4 <= int(power) < 6:
        return f"{value:.{max(0, digits - int(power))}f}"
    return f"{mantissa}e{power[0]}{int(power[1:]):02d}"
