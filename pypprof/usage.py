"""What `pypprof -h` prints. Built from the declarations of options, commands and flags."""

from __future__ import annotations

from collections.abc import Iterator

from pypprof.flags import SOURCE_FLAGS
from pypprof.reports import COMMANDS, load
from pypprof.settings import OPTIONS

_HEAD = """\
usage:

   pypprof [options] [binary] profile ...             a shell on the profile
   pypprof <report> [options] [binary] profile ...    one report on stdout
   pypprof [options] [binary] profile ... < script    the shell's commands from a file
   pypprof record URL -every 30s -dir DIR             snapshots of a running server
   pypprof trend [options] DIR | profile ...          what grows over many profiles
   pypprof check -base profile ... -head profile ...  a gate for pipelines: exit status 1 for growth

A profile is a file, a directory of files, - for stdin, or the address of a server (localhost:6060,
https://host/debug/pprof/heap); several are merged. Options are those of `go tool pprof`.
"""
_TAIL = """\
  Environment:
    PPROF_TMPDIR       where profiles fetched from servers are saved (default $HOME/pprof)
    PPROF_BINARY_PATH  where binaries are looked for (default $HOME/pprof/binaries):
                       $name, $path, ${name}.debug, $dir/.debug/${name}.debug,
                       usr/lib/debug/$dir/${name}.debug
    PYPPROF_MAX_BYTES  the largest profile that is read, unpacked (default 1 GiB)
    TZ                 the time zone of the times that reports print
"""


def usage() -> str:
    return "\n".join([_HEAD, *_reports(), *_options(), *_source_flags(), _TAIL])


def _row(name: str, text: str) -> str:
    return f"    {name:<22} {text}"


def _reports() -> Iterator[str]:
    yield "  Reports (at most one):"
    for name in sorted(COMMANDS):
        yield _row(f"-{name}{' regexp' if COMMANDS[name][2] else ''}", load(name).summary)
    yield ""


def _options() -> Iterator[str]:
    yield "  Options:"
    for name, option in sorted(OPTIONS.items()):
        if not option.choices:
            yield _row("-" + name, option.help)
    yield ""
    yield "  Option groups (at most one of each):"
    for name, option in OPTIONS.items():
        if option.choices:
            yield f"    {name}: {option.help}"
            for choice, text in zip(option.choices, option.choice_help, strict=True):
                yield _row("  -" + choice, text)
    yield ""


_GROUPS = {"source": "Source options", "misc": "More options", "legacy": "Shorthands of old"}


def _source_flags() -> Iterator[str]:
    for group, title in _GROUPS.items():
        yield f"  {title}:"
        for name, flag in SOURCE_FLAGS.items():
            if flag.group == group:
                yield _row(f"-{name}{' ' + flag.argument if flag.argument else ''}", flag.help)
        yield ""
