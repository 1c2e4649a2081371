"""The shell's own words: options, help, quit, undo, and other profiles."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from pypprof.errors import CommandError
from pypprof.output import note
from pypprof.reports import COMMANDS, load
from pypprof.session import Session
from pypprof.settings import CHOICES, OPTIONS, text_of

if TYPE_CHECKING:
    from pypprof.load import Sources

_EMPTY = '""'


class Quit(Exception):
    """The user wants to leave."""


def show_options(session: Session, arguments: list[str]) -> None:
    """The options and their values."""
    types = [t.type for t in session.profile.sample_types]
    lines = []
    for name, option in OPTIONS.items():
        if name == "source_path":
            continue
        value, comment = text_of(session.settings, name), ""
        if option.choices:
            comment = f"[{' | '.join(sorted(option.choices))}]"
            value = value or "(default)"
        elif name == "sample_index":
            value = value or (types[-1] if types else "")
            comment = f"[{' | '.join(types)}]"
        elif name == "nodecount" and value == "-1":
            comment = "default"
        lines.append(f"  {name:<25} = {value or _EMPTY:<20} {comment and '//: ' + comment}")
    note("\n".join(sorted(lines)))


def show_help(session: Session, arguments: list[str]) -> None:
    """Help for everything, or for one command or option."""
    if not arguments:
        note(overview())
        return
    name = " ".join(arguments)
    if name in COMMANDS:
        command = load(name)
        usage = "".join(f"    {line}\n" for line in command.usage.split("\n")) if command.usage else ""
        note(f"{command.summary}\n" + (f"  Usage:\n{usage}" if usage else ""))
    elif name in OPTIONS:
        note(_option_help(session, name))
    elif name in CHOICES:
        option = OPTIONS[CHOICES[name]]
        note(f"{CHOICES[name]}={name}\n  {option.choice_help[option.choices.index(name)]}")
    elif name in WORDS:
        note((WORDS[name].__doc__ or "").strip())
    else:
        raise CommandError(f"Unknown command: {name}")


def _option_help(session: Session, name: str) -> str:
    option = OPTIONS[name]
    text = f"{name}=<{'|'.join(option.choices) or 'value'}>\n  {option.help}"
    for choice, meaning in zip(option.choices, option.choice_help, strict=True):
        text += f"\n    {choice:<16} {meaning}"
    if name == "sample_index":
        text += f"\n  One of: {', '.join(t.type for t in session.profile.sample_types)}"
    return text


def overview() -> str:
    """All commands and options, a line each."""
    lines = ["  Commands:"]
    lines += [f"    {name:<16} {load(name).summary}" for name in sorted(COMMANDS)]
    lines += [f"    {names:<18} {meaning}" for names, meaning in _OWN_WORDS]
    lines += ["", "  Options:"]
    lines += [f"    {name:<20} {option.help}" for name, option in sorted(OPTIONS.items()) if not option.choices]
    lines += ["", "  Option groups (one value each):"]
    for name, option in OPTIONS.items():
        if option.choices:
            lines.append(f"    {name}")
            pairs = zip(option.choices, option.choice_help, strict=True)
            lines += [f"      {choice:<18} {meaning}" for choice, meaning in pairs]
    lines += ["", "  :   Clear focus/ignore/hide/tagfocus/tagignore", ""]
    lines += ['  type "help <cmd|option>" for more information']
    return "\n".join(lines)


def leave(session: Session, arguments: list[str]) -> None:
    """Leave the shell."""
    raise Quit


def undo(session: Session, arguments: list[str]) -> None:
    """Take back the last change of an option."""
    for name in session.undo():
        note(f"{name} = {text_of(session.settings, name) or _EMPTY}")


def fetch(session: Session, arguments: list[str]) -> None:
    """Work on another profile: fetch SOURCE ... (files, addresses); the options, the binary and the base stay."""
    if not arguments:
        raise CommandError("fetch what? A file or an address, e.g. fetch localhost:6060/debug/pprof/heap")
    session.take(_sources(session)._replace(sources=_names(arguments)), note)


def reload(session: Session, arguments: list[str]) -> None:
    """Take the profile again from its sources; the options stay."""
    session.take(_sources(session), note)


def set_base(session: Session, arguments: list[str]) -> None:
    """Subtract another profile: base SOURCE ...; without a source, subtract none."""
    session.rebase(_names(arguments), False, note)


def set_diff_base(session: Session, arguments: list[str]) -> None:
    """As base, with percentages of the base's total: diff_base SOURCE ..."""
    session.rebase(_names(arguments), True, note)


def show_saved(session: Session, arguments: list[str]) -> None:
    """The profiles saved from servers; saved NUMBER works on one of them."""
    from pypprof.fetch import saved

    found = saved.listing()
    if not arguments:
        note("\n".join(saved.lines(found)))
        return
    number = arguments[0]
    if not (number.isascii() and number.isdigit() and 0 < int(number) <= len(found)):
        raise CommandError(f"there is no saved profile {number}")
    session.take(_sources(session)._replace(sources=[found[int(number) - 1].path]), note)


def _sources(session: Session) -> Sources:
    if session.what is None:
        raise CommandError("the profile did not come from a source")
    return session.what


def _names(arguments: list[str]) -> list[str]:
    """File names and addresses; quotes keep blanks."""
    import shlex

    try:
        return [os.path.expanduser(name) for name in shlex.split(" ".join(arguments))]
    except ValueError as error:
        raise CommandError(f"{error}".lower()) from None


def doctor(session: Session, arguments: list[str]) -> None:
    """Look for what makes reports empty or nameless."""
    from pypprof.doctor import checkup

    lines = list(checkup(session.case(session.settings)))
    note("\n".join(lines) or "Nothing is wrong: there are samples, values and names under these settings")


_OWN_WORDS = (
    ("doctor", "Why reports are empty or nameless, and what to type"),
    ("o/options", "The options and their values"),
    ("fetch SOURCE", "Work on another profile, from a file or a server"),
    ("reload", "Take the profile again from its sources"),
    ("base [SOURCE]", "Subtract a profile, or none"),
    ("diff_base [SOURCE]", "Subtract a profile; percentages are of its total"),
    ("saved [NUMBER]", "The profiles saved from servers; work on one of them"),
    ("undo", "Take back the last change of an option"),
    ("help [name]", "This list, or help for a command or option"),
    ("q/quit/exit/^D", "Leave the shell"),
)
WORDS: dict[str, Callable[[Session, list[str]], None]] = {
    "o": show_options,
    "options": show_options,
    "help": show_help,
    "q": leave,
    "quit": leave,
    "exit": leave,
    "undo": undo,
    "fetch": fetch,
    "reload": reload,
    "base": set_base,
    "diff_base": set_diff_base,
    "saved": show_saved,
    "doctor": doctor,
}
