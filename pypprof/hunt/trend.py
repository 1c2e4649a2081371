"""`pypprof trend`: the report without a session, for profiles that are never merged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pypprof.errors import UsageError
from pypprof.load import Sources, load_one
from pypprof.output import note, write_file, write_stdout
from pypprof.reports import load
from pypprof.reports.formats import in_format
from pypprof.reports.trend import follow

if TYPE_CHECKING:
    from pypprof.flags import CommandLine


def run(what: Sources, line: CommandLine) -> int:
    """Print the trend. PprofError when there is none, UsageError for a base."""
    if what.base:
        raise UsageError("trend has no base: filters choose what it follows, check compares two sides")
    command = load("trend")
    report = follow(what.sources, partial(load_one, what), command.override(line.settings))
    if line.format:
        for one in report.trends:
            for text in (*one.errors, *one.warnings):
                note(text)
    pieces = in_format(command, report, line.format)
    if line.settings.output:
        write_file(line.settings.output, pieces)
    else:
        write_stdout(list(pieces))
    return 0
