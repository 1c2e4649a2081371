"""What a line of the shell means.

Syntax: google/pprof internal/driver/interactive.go. A line is an assignment (`focus=main`), a
shortcut (a sample type, `:`), one of the shell's own words, or a report with its arguments.
"""

from __future__ import annotations

from collections.abc import Sequence

from pypprof.errors import CommandError
from pypprof.records import Record
from pypprof.reports import COMMANDS
from pypprof.settings import OPTIONS, Settings, is_option, replaced, takes_no_value

_COMMENT = "//:"
_CLEAR = ("focus=", "ignore=", "hide=", "tagfocus=", "tagignore=")


class Assignment(Record):
    """`name=value`, or a bare name (value '')."""

    name: str
    value: str


class Request(Record):
    """A report to make, with the settings that hold for it alone. `format` is "", "json", "csv" or "html"."""

    command: str
    argument: str
    settings: Settings
    format: str = ""


def shortcuts(sample_types: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Lines that stand for others: `:` clears filters, a sample type selects itself."""
    lines: dict[str, tuple[str, ...]] = {":": _CLEAR}
    for name in sample_types:
        select = f"sample_index={name}"
        lines[name] = (select,)
        lines["total_" + name] = ("mean=0", select)
        lines["mean_" + name] = ("mean=1", select)
    return lines


def read_assignment(line: str) -> Assignment | None:
    """The assignment that a line is; None when it is none. CommandError without a needed value."""
    name, equals, value = line.partition("=")
    name = name.strip()
    if not is_option(name):
        return None
    if not equals and not takes_no_value(name):
        raise CommandError(f"please specify a value, e.g. {name}=<val>")
    value = value[: value.rindex(_COMMENT)] if _COMMENT in value else value
    return Assignment(name, value.strip())


def read_request(tokens: Sequence[str], settings: Settings) -> Request:
    """The report that a line asks for. CommandError when it asks for none."""
    name, arguments = _split_number(tokens)
    if name not in COMMANDS:
        raise CommandError(_unknown(name, arguments))
    argument = ""
    if COMMANDS[name][2]:
        if not arguments:
            raise CommandError(f"command {name} requires an argument")
        argument, *arguments = arguments
    if name == "trend" and arguments and _is_directory(arguments[0]):
        argument, *arguments = arguments
    settings, format_ = _read_arguments(name, arguments, settings)
    if settings.nodecount == -1 and name in ("text", "top"):
        settings = settings._replace(nodecount=10)
    return Request(name, argument, settings, format_)


def split_pipe(line: str) -> tuple[str, tuple[str, ...]]:
    """(the line before a lone `|`, the words of the program behind it, quotes as in a shell).

    CommandError when there is no program or a quote is open.
    """
    import shlex

    before, bar, program = line.partition(" | ")
    if not bar:
        before, bar, program = (line[:-2], "|", "") if line.endswith(" |") else (line, "", "")
    if not bar:
        return line, ()
    try:
        words = tuple(shlex.split(program))
    except ValueError as error:
        raise CommandError(f"after |: {error}") from None
    if not words:
        raise CommandError("unexpected end of line after |")
    return before, words


def _is_directory(text: str) -> bool:
    import os

    return os.path.isdir(text)


def _split_number(tokens: Sequence[str]) -> tuple[str, list[str]]:
    """`top10` as `top 10`."""
    name, arguments = tokens[0], list(tokens[1:])
    stem = name.rstrip("0123456789")
    if name not in COMMANDS and stem and stem != name:
        return stem, [name[len(stem) :], *arguments]
    return name, arguments


def _unknown(name: str, arguments: list[str]) -> str:
    choices = {choice for option in OPTIONS.values() for choice in option.choices}
    if (name in OPTIONS or name in choices) and name not in ("sort", "granularity"):
        return f"did you mean: {name}={arguments[0] if arguments else '<val>'}"
    import difflib

    near = difflib.get_close_matches(name, [*COMMANDS, *OPTIONS, "options", "help", "quit"], 1, 0.6)
    hint = f" (did you mean: {near[0]})" if near else ' (type "help" for the commands)'
    return f'unrecognized command: "{name}"{hint}'


def _read_arguments(name: str, arguments: list[str], settings: Settings) -> tuple[Settings, str]:
    """Numbers, filters and redirections behind a command."""
    focus, ignore, format_ = "", "", ""
    rest = iter(arguments)
    for token in rest:
        number = _int32(token)
        if number is not None:
            settings = settings._replace(nodecount=number)
        elif token in ("-json", "-csv", "-html"):
            format_ = token[1:]
        elif token.startswith(">"):
            output = token[1:] or next(rest, "")
            if not output:
                raise CommandError("unexpected end of line after >")
            settings = settings._replace(output=output)
        elif token in ("-cum", "--cum"):
            settings = settings._replace(sort="cum")
        elif token.startswith("-"):
            ignore = _either(ignore, token[1:])
        else:
            focus = _either(focus, token)
    kind = "tag" if name == "tags" else ""
    changes = {kind + "focus": focus, kind + "ignore": ignore}
    return replaced(settings, {option: value for option, value in changes.items() if value}), format_


def _int32(token: str) -> int | None:
    digits = token[1:] if token[:1] in ("+", "-") else token
    if not (digits.isascii() and digits.isdigit()):
        return None
    number = int(token)
    return number if -(1 << 31) <= number < 1 << 31 else None


def _either(first: str, second: str) -> str:
    return f"{first}|{second}" if first and second else first + second
