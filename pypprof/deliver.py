"""Where a report goes: a file, the standard output, or a program that shows it.

Source: google/pprof internal/driver/commands.go (awayFromTTY, invokeVisualizer).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pypprof.output import new_file, note, write_file, write_stdout
from pypprof.reports import load
from pypprof.reports.command import BROWSER
from pypprof.session import Rendered

Emit = Callable[[Iterable[bytes]], None]


def deliver(
    rendered: Rendered,
    name: str,
    output: str,
    format_: str = "",
    for_eyes: bool = True,
    wait: bool = False,
    emit: Emit = write_stdout,
) -> None:
    """Send the report of a command where it belongs. PprofError when that fails.

    `format_` is that of a report for programs, "" otherwise. `for_eyes`: the output would end on a
    screen, so binary and bulky reports get a file. `wait`: for the program that shows the report.
    """
    for warning in rendered.warnings:
        note(warning)
    command = load(name)
    if not output and not format_:
        if command.viewer:
            _show(rendered.pieces, command.suffix, command.viewer, wait)
            return
        if command.suffix and for_eyes:
            output = new_file("", "profile", "." + command.suffix)
    if output:
        note(f"Generating report in {output}")
        write_file(output, rendered.pieces)
    else:
        emit(rendered.pieces)


def _show(pieces: Iterable[bytes], suffix: str, viewer: str, wait: bool) -> None:
    import shlex

    from pypprof import browser

    commands = browser.browsers() if viewer == BROWSER else [shlex.split(viewer)]
    path = browser.show(pieces, "." + suffix, commands, wait)
    if path:
        note(f"{'A browser' if viewer == BROWSER else commands[0][0]} could not be started. Open this file: {path}")
