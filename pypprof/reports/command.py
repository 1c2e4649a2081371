"""What a report command is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pypprof.profile.model import Profile
from pypprof.records import Record
from pypprof.regex import Regex
from pypprof.settings import Settings
from pypprof.view import View

BROWSER = "browser"  # the viewer of what a browser shows


class Context(Record):
    """What a report may know beside its view: the settings with the command's overrides, the
    command's own argument, what the profile was made from and how to read a part of it again.
    What it wants said on stderr it adds to `notes`."""

    settings: Settings
    argument: str
    regex: Regex | None
    notes: list[str]
    sources: Sequence[str] = ()
    read: Callable[[str], Profile] | None = None


class Command(Record):
    """A report command of the shell and the flag of the same name.

    argument      "" for none, "function" for a regular expression over functions
    nodecount     entries shown when the user set no number (in one-shot mode)
    trim          False: nothing is left out of the report, whatever the options say
    granularity   forced, when not None; noinlines likewise
    build         makes the report's data; raises PprofError before anything is printed
    text          the report as text, piece by piece
    data          the report as bytes, for binary formats (then `text` is unused)
    coloured      the text for a terminal, with colours; names and sources made harmless
    page          the report as a web page of one file
    suffix        a binary or bulky format: in a shell it goes to profile001.<suffix>
    viewer        the program that shows it (BROWSER for any browser), with its arguments
    empty         whether a report has nothing to show; None where that is no reason to wonder
    explain       the report with lines in it that say why it is empty or nameless
    fresh         made anew each time: it depends on files
    """

    name: str
    summary: str
    usage: str
    build: Callable[[View, Context], Any]
    text: Callable[[Any], Iterator[str]] | None = None
    data: Callable[[Any], Iterable[bytes]] | None = None
    coloured: Callable[[Any], Iterator[str]] | None = None
    argument: str = ""
    nodecount: int = 80
    trim: bool = True
    granularity: str | None = None
    noinlines: bool | None = None
    suffix: str = ""
    viewer: str = ""
    empty: Callable[[Any], bool] | None = None
    explain: Callable[[Any, Sequence[str]], Any] | None = None
    fresh: bool = False
    page: Callable[[Any], Iterable[bytes]] | None = None

    def override(self, settings: Settings) -> Settings:
        """The settings as this command reads them."""
        changes: dict[str, Any] = {}
        if settings.nodecount == -1:
            changes["nodecount"] = self.nodecount
        if self.granularity is not None:
            changes["granularity"] = self.granularity
        if self.noinlines is not None:
            changes["noinlines"] = self.noinlines
        if not (self.trim and settings.trim):
            changes.update(nodecount=0, nodefraction=0.0, edgefraction=0.0)
        return settings._replace(**changes)


def graph_usage(name: str, sort: bool, file: bool = True) -> str:
    """Usage of a command that takes a number and filters."""
    cum = " [-cum]" if sort else ""
    to_file = " [>file]" if file else ""
    lines = [
        f"{name} [n] [focus_regex ...] [-ignore_regex ...]{cum}{to_file}",
        "At most n entries, of the samples that go through focus_regex and not through ignore_regex.",
    ]
    if sort:
        lines.append("-cum orders the entries by their cumulative value.")
    return "\n".join(lines)


def listing_usage(name: str) -> str:
    """Usage of a command about some functions."""
    return (
        f"{name} function_regex|address [focus_regex ...] [-ignore_regex ...] [>file]\n"
        "About the functions whose name matches, or that hold the address."
    )


def nothing_shown(report: Any) -> bool:
    """Whether a report with a graph's header shows no node."""
    return not report.header.shown.nodes
