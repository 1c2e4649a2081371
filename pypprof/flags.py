"""The command line: Go's flag syntax over the options, the commands and the source flags.

One dash or two, `-flag value` or `-flag=value`, booleans only as `-flag` or `-flag=false`; the
first argument that is no flag ends them. Source of the flags: google/pprof internal/driver/cli.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pypprof.errors import UsageError
from pypprof.records import Record
from pypprof.reports import COMMANDS
from pypprof.settings import CHOICES, DEFAULTS, OPTIONS, TYPES, Settings, parse_float, parse_go_bool, replaced


class SourceFlag(Record):
    """A flag that is neither an option nor a command."""

    default: str | int | bool
    help: str
    argument: str = ""
    group: str = "source"


SOURCE_FLAGS: dict[str, SourceFlag] = {
    "base": SourceFlag("", "Profile to subtract", "source"),
    "diff_base": SourceFlag("", "Profile to compare with; percentages are of its total", "source"),
    "seconds": SourceFlag(-1, "Length of a profile taken over time", "n"),
    "timeout": SourceFlag(-1, "Seconds to wait for a profile", "n"),
    "header": SourceFlag("", "Where headers for the servers are, a line each, never shown", "file:PATH|env:NAME"),
    "saved": SourceFlag(False, "List the profiles saved from servers"),
    "buildid": SourceFlag("", "Build id of the main binary, where the profile has none", "id"),
    "add_comment": SourceFlag("", "Comment to add to the profile", "text"),
    "all_frames": SourceFlag(False, "Ignore the profile's drop_frames and keep_frames"),
    "symbolize": SourceFlag(
        "", "Where names come from: none, local, fastlocal, remote; force, inlines, demangle=STYLE", "mode"
    ),
    "tools": SourceFlag("", "Accepted for compatibility; no tools are needed", "path"),
    "http": SourceFlag("", "Serve web pages at host:port", "host:port", "misc"),
    "no_browser": SourceFlag(False, "With -http: do not open a browser", "", "misc"),
    "tls_cert": SourceFlag("", "TLS client certificate file", "file"),
    "tls_key": SourceFlag("", "TLS private key file of the certificate", "file"),
    "tls_ca": SourceFlag("", "TLS certificate authority file", "file"),
    "inuse_space": SourceFlag(False, "Same as -sample_index=inuse_space", "", "legacy"),
    "inuse_objects": SourceFlag(False, "Same as -sample_index=inuse_objects", "", "legacy"),
    "alloc_space": SourceFlag(False, "Same as -sample_index=alloc_space", "", "legacy"),
    "alloc_objects": SourceFlag(False, "Same as -sample_index=alloc_objects", "", "legacy"),
    "total_delay": SourceFlag(False, "Same as -sample_index=delay", "", "legacy"),
    "contentions": SourceFlag(False, "Same as -sample_index=contentions", "", "legacy"),
    "mean_delay": SourceFlag(False, "Same as -mean -sample_index=delay", "", "legacy"),
    "strict": SourceFlag(False, "In a script: stop at the first line that fails, with status 1", "", "misc"),
    "json": SourceFlag(False, "The report as JSON (top, tree, peek, tags, traces, list, trend)", "", "misc"),
    "csv": SourceFlag(False, "The report as CSV (top, tree, peek, tags, traces, list, trend)", "", "misc"),
    "html": SourceFlag(False, "The report as a web page in one file (trend)", "", "misc"),
    "version": SourceFlag(False, "Print the version", "", "misc"),
}
# The order in which pprof looks at them: the first one set wins.
_LEGACY = {
    "total_delay": "delay", "mean_delay": "delay", "contentions": "contentions", "inuse_space": "inuse_space",
    "inuse_objects": "inuse_objects", "alloc_space": "alloc_space", "alloc_objects": "alloc_objects",
}  # fmt: skip


FORMATS = ("json", "csv", "html")


class CommandLine(Record):
    """What the flags say. `command` is "" for the shell; `notes` are for stderr."""

    settings: Settings
    command: str
    argument: str
    source: dict[str, str | int | bool]
    arguments: list[str]
    notes: list[str]

    @property
    def format(self) -> str:
        """How the report is written: json, csv, html or, as text, ""."""
        return next((name for name in FORMATS if self.source[name]), "")


class HelpRequested(Exception):
    """-h or -help."""


def parse(argv: Sequence[str], mixed: bool = False) -> CommandLine:
    """Read the command line. UsageError for wrong flags, HelpRequested for -h.

    `mixed`: flags may stand behind arguments too.
    """
    values, arguments = scan(argv, kind_of, mixed)
    settings, choices = DEFAULTS, dict[str, list[str]]()
    source: dict[str, str | int | bool] = {name: flag.default for name, flag in SOURCE_FLAGS.items()}
    commands: list[tuple[str, str]] = []
    for name, value in values.items():
        if name in OPTIONS:
            settings = replaced(settings, {name: value})
        elif name in CHOICES:
            if value:
                choices.setdefault(CHOICES[name], []).append(name)
        elif name in SOURCE_FLAGS:
            source[name] = value  # type: ignore[assignment]
        elif value:
            commands.append((name, str(value) if COMMANDS[name][2] else ""))
    if not arguments and not (source["version"] or source["saved"]):
        raise UsageError("no profile source specified")
    for option, chosen in choices.items():
        if len(chosen) > 1:
            raise UsageError(f"conflicting options set: [{' '.join(chosen)}]")
        settings = replaced(settings, {option: chosen[0]})
    if len(commands) > 1:
        raise UsageError("must set at most one output format")
    command, argument = commands[0] if commands else ("", "")
    settings, notes = _legacy_sample(settings, source)
    _check(command, settings, source)
    return CommandLine(settings, command, argument, source, arguments, notes)


def _legacy_sample(settings: Settings, source: dict[str, str | int | bool]) -> tuple[Settings, list[str]]:
    notes = []
    for flag, sample in _LEGACY.items():
        if source[flag]:
            if settings.sample_index:
                notes.append(f"Multiple value selections, ignoring -{flag}")
            else:
                settings = settings._replace(sample_index=sample)
    return (settings._replace(mean=True) if source["mean_delay"] else settings), notes


def _check(command: str, settings: Settings, source: dict[str, str | int | bool]) -> None:
    if command and source["http"]:
        raise UsageError("-http is not compatible with an output format on the command line")
    if source["no_browser"] and not source["http"]:
        raise UsageError("-no_browser only makes sense with -http")
    if source["base"] and source["diff_base"]:
        raise UsageError("-base and -diff_base flags cannot both be specified")
    if settings.normalize and not (source["base"] or source["diff_base"]):
        raise UsageError("must have base profile to normalize by")
    if sum(bool(source[name]) for name in FORMATS) > 1:
        raise UsageError("must set at most one of -json, -csv and -html")


def kind_of(name: str) -> type | None:
    """The type of a flag's value; None for an unknown flag."""
    if name in OPTIONS:
        # Of an option with choices only the choices are flags.
        return None if OPTIONS[name].choices else TYPES[name]
    if name in CHOICES:
        return bool
    if name in SOURCE_FLAGS:
        return type(SOURCE_FLAGS[name].default)
    if name in COMMANDS:
        return str if COMMANDS[name][2] else bool
    return None


def scan(
    argv: Sequence[str], kind_of: Callable[[str], type | None], mixed: bool = False
) -> tuple[dict[str, str | int | float | bool], list[str]]:
    """(value of each flag given, the arguments behind the flags, or between them when `mixed`)."""
    values: dict[str, str | int | float | bool] = {}
    arguments: list[str] = []
    rest = list(argv)
    while rest:
        token = rest[0]
        if len(token) < 2 or token[0] != "-":
            if not mixed:
                break
            arguments.append(rest.pop(0))
            continue
        rest.pop(0)
        if token == "--":
            break
        body = token[2:] if token.startswith("--") else token[1:]
        if not body or body[0] in "-=":
            raise UsageError(f"bad flag syntax: {token}")
        name, equals, text = body.partition("=")
        kind = kind_of(name)
        if kind is None:
            if name in ("h", "help"):
                raise HelpRequested
            raise UsageError(f"flag provided but not defined: -{name}")
        if kind is bool:
            values[name] = _bool(name, text) if equals else True
            continue
        if not equals:
            if not rest:
                raise UsageError(f"flag needs an argument: -{name}")
            text = rest.pop(0)
        values[name] = _value(name, kind, text)
    return values, arguments + rest


def _bool(name: str, text: str) -> bool:
    value = parse_go_bool(text)
    if value is None:
        raise UsageError(f'invalid boolean value "{text}" for -{name}: parse error')
    return value


def _value(name: str, kind: type, text: str) -> str | int | float:
    if kind is str:
        return text
    try:
        return parse_float(text) if kind is float else _flag_int(text)
    except Exception:
        raise UsageError(f'invalid value "{text}" for flag -{name}: parse error') from None


def _flag_int(text: str) -> int:
    """Go's ParseInt with base 0: 0x, 0o, 0b prefixes, a leading 0 for octal, underscores."""
    sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567_":
        digits = "0o" + digits[1:]
    if not digits.isascii() or digits != digits.strip():
        raise ValueError(text)
    value = int(sign + digits, 0)
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(text)
    return value
