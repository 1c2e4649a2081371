"""The front door: from the command line to a report, the shell or the web pages."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypprof.flags import CommandLine
    from pypprof.load import Sources
    from pypprof.session import Session


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0, 1 for an error, 2 for wrong usage.

    The only place that catches everything: the user sees one line, never a traceback.
    """
    from pypprof import _faststart

    _faststart.start()
    from pypprof.errors import PprofError, UsageError
    from pypprof.output import note

    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except UsageError as error:
        note(f"pypprof: {error}\nTry: pypprof -h")
        return error.status
    except PprofError as error:
        note(f"pypprof: {error}")
        return error.status
    except KeyboardInterrupt:
        note("interrupted")
        return 130
    except BrokenPipeError:
        return _broken_pipe()
    except MemoryError:
        note("pypprof: out of memory")
        return 1


def _broken_pipe() -> int:
    """The reader of stdout has gone, which is its right."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _run(argv: Sequence[str]) -> int:
    from pypprof import flags
    from pypprof.output import note

    try:
        line = flags.parse(argv)
    except flags.HelpRequested:
        from pypprof.usage import usage

        print(usage())
        return 0
    if line.source["version"]:
        from pypprof import __version__

        print(f"pypprof {__version__}")
        return 0
    for text in line.notes:
        note(text)
    return _open(line)


def _open(line: CommandLine) -> int:
    from pypprof.load import load
    from pypprof.output import note
    from pypprof.session import Session

    what = sources(line)
    session = Session(load(what, note), line.settings, what.binary, what.sources)
    if line.command:
        return _one_shot(session, line)
    session.settings = line.settings._replace(compact_labels=True)
    strict = bool(line.source["strict"])
    if sys.stdin.isatty() and _capable_terminal():
        from pypprof.shell import terminal

        return terminal.run(session)
    from pypprof.shell import script

    return script.run(session, strict)


def sources(line: CommandLine) -> Sources:
    """What the command line asks to load: the first of several arguments may be the binary."""
    from pypprof.fetch.binaries import is_binary
    from pypprof.load import Sources

    arguments, source = list(line.arguments), line.source
    binary = arguments.pop(0) if len(arguments) > 1 and is_binary(arguments[0]) else ""
    base = source["base"] or source["diff_base"]
    return Sources(
        arguments, [str(base)] if base else [], bool(source["diff_base"]), line.settings.normalize,
        binary, str(source["buildid"]), bool(source["all_frames"]), str(source["add_comment"]),
        str(source["symbolize"]),
    )  # fmt: skip


def _one_shot(session: Session, line: CommandLine) -> int:
    from pypprof.deliver import deliver

    format_ = "json" if line.source["json"] else "csv" if line.source["csv"] else ""
    rendered = session.render(line.command, line.argument, line.settings, format_)
    deliver(rendered, line.command, line.settings.output, format_, for_eyes=sys.stdout.isatty(), wait=True)
    return 0


def _capable_terminal() -> bool:
    import os

    return os.environ.get("TERM", "").lower() not in ("", "dumb")
