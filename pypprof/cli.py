"""The front door: from the command line to a report, the shell or the web pages."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypprof.flags import CommandLine
    from pypprof.load import Sources
    from pypprof.session import Session


# First words that are no profile. A file of such a name is ./trend, or stands behind --.
SUBCOMMANDS = ("record", "trend", "check")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0, 1 for an error, 2 for wrong usage.

    The only place that catches everything: the user sees one line, never a traceback.
    """
    from pypprof import _faststart

    _faststart.start()
    from pypprof.errors import PprofError, UsageError
    from pypprof.output import internal_error, note, reopen_closed, silence_stdout

    if None in (sys.stdin, sys.stdout, sys.stderr):
        reopen_closed()
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
        silence_stdout()  # the reader has gone, which is its right
        return 1
    except MemoryError:
        note("pypprof: out of memory")
        return 1
    except Exception as error:
        note(f"pypprof: {internal_error(error)}")
        return 1


def _run(argv: Sequence[str]) -> int:
    from pypprof import flags
    from pypprof.output import note

    if argv and argv[0] in SUBCOMMANDS:
        return _subcommand(argv[0], argv[1:])
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
    if line.source["saved"]:
        from pypprof.fetch import saved

        print("\n".join(saved.lines(saved.listing())))
        return 0
    for text in line.notes:
        note(text)
    return _open(line)


def _subcommand(name: str, argv: Sequence[str]) -> int:
    """record, check; trend is a report that takes directories too, and flags behind its files."""
    from pypprof import flags, hunt

    if hunt.wants_help(argv):
        print(hunt.usage(name), end="")
        return 0
    if name == "trend":
        return _open(flags.parse(["-trend", *argv], mixed=True))
    import importlib

    return int(importlib.import_module(f"pypprof.hunt.{name}").run(argv))


def _open(line: CommandLine) -> int:
    from pypprof.errors import UsageError
    from pypprof.load import finish, load, take
    from pypprof.output import note
    from pypprof.profile.stacks import without_empty_tags
    from pypprof.session import Session

    what = sources(line)
    if line.command == "trend":
        from pypprof.hunt.trend import run

        return run(what, line)
    if line.command:
        return _one_shot(Session(load(what, note), line.settings, what), line)
    if line.format:
        raise UsageError("-json, -csv and -html are forms of a report: name one, such as -top")
    if "-" in (*what.sources, *what.base) and not line.source["http"]:
        raise UsageError("with the profile on stdin the shell has nothing to read: name a report, such as -top")
    taken = take(what, note)
    profile = without_empty_tags(finish(taken, note))
    session = Session(profile, line.settings._replace(compact_labels=True), what, taken)
    strict = bool(line.source["strict"])
    if sys.stdin.isatty() and _capable_terminal():
        from pypprof.shell import terminal

        return terminal.run(session)
    from pypprof.shell import script

    return script.run(session, strict)


def sources(line: CommandLine) -> Sources:
    """What the command line asks to load: the first of several arguments may be the binary."""
    from pypprof.fetch.binaries import is_binary
    from pypprof.fetch.transport import Transport, read_headers
    from pypprof.load import Sources

    arguments, source = list(line.arguments), line.source
    binary = arguments.pop(0) if len(arguments) > 1 and is_binary(arguments[0]) else ""
    base = source["base"] or source["diff_base"]
    headers = read_headers(str(source["header"])) if source["header"] else {}
    transport = Transport(str(source["tls_cert"]), str(source["tls_key"]), str(source["tls_ca"]), headers)
    return Sources(
        arguments, [str(base)] if base else [], bool(source["diff_base"]), line.settings.normalize,
        binary, str(source["buildid"]), bool(source["all_frames"]), str(source["add_comment"]),
        str(source["symbolize"]), int(source["seconds"]), int(source["timeout"]), transport,
    )  # fmt: skip


def _one_shot(session: Session, line: CommandLine) -> int:
    from pypprof.deliver import deliver
    from pypprof.output import colours_wanted

    format_ = line.format
    if not format_ and not line.settings.output and colours_wanted():
        format_ = "colour"
    rendered = session.render(line.command, line.argument, line.settings, format_)
    deliver(
        rendered, line.command, line.settings.output, format_.removeprefix("colour"), for_eyes=sys.stdout.isatty(),
        wait=True,
    )  # fmt: skip
    return 0


def _capable_terminal() -> bool:
    import os

    return os.environ.get("TERM", "").lower() not in ("", "dumb")
