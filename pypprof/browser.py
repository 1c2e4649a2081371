"""Showing a file or a page in the user's browser or in another program, without waiting for it.

A file is temporary and private. It goes when this program ends, but not before whoever shows it
has had the time to read it; one that nothing could show stays, for the user to open.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from types import FrameType

from pypprof.errors import PprofError
from pypprof.records import Record

_FAILS_WITHIN = 1.0  # seconds; a program that then still runs has started well
_READS_WITHIN = 2.0  # seconds; by then a program has read its file, or the browser it handed it to has
_BROWSERS = (
    "chrome", "google-chrome", "chromium", "firefox", "chromium-browser", "sensible-browser", "x-www-browser",
    "xdg-open",
)  # fmt: skip


class _Shown(Record):
    path: str
    since: float


_shown: list[_Shown] = []
_processes: list[subprocess.Popen[bytes]] = []


def browsers() -> list[list[str]]:
    """The commands to try, as words, best first. $BROWSER is tried wherever we are, others on a desktop."""
    commands = list(_wanted(os.environ.get("BROWSER", "")))
    if sys.platform == "darwin":
        commands.append(["/usr/bin/open"])
    elif os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        commands += [[name] for name in _BROWSERS]
    return commands


def _wanted(text: str) -> Iterator[list[str]]:
    """The commands of $BROWSER: one with arguments, or several between colons."""
    try:
        words = shlex.split(text)
        several = [shlex.split(part) for part in text.split(":")]
    except ValueError:
        return
    if words and (shutil.which(words[0]) or ":" not in text):
        yield words
    else:
        yield from filter(None, several)


def open_page(target: str) -> bool:
    """Open an address or a file in the browser. Whether a browser could be started."""
    return _start(browsers(), target) is not None


def show(pieces: Iterable[bytes], suffix: str, commands: Sequence[Sequence[str]], wait: bool) -> str:
    """Write a temporary file and start the first command that can show it.

    Returns "" or, when none could be started, the file's path. `wait`: until the program ends,
    for a caller that has nothing else to do.
    """
    path = _write(pieces, suffix)
    shown = _remove_at_exit(path)
    process = _start(commands, path)
    if process is None:
        _shown.remove(shown)
        return path
    if wait:
        process.wait()
    return ""


def _write(pieces: Iterable[bytes], suffix: str) -> str:
    path = ""
    try:
        descriptor, path = tempfile.mkstemp(prefix="pprof.", suffix=suffix)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
    except BaseException as error:
        if path:
            os.unlink(path)
        if isinstance(error, OSError):
            raise PprofError(f"cannot write a temporary file: {error.strerror}") from None
        raise
    return path


def _start(commands: Sequence[Sequence[str]], target: str) -> subprocess.Popen[bytes] | None:
    """The first command that starts and does not fail at once."""
    for words in commands:
        argv = [word.replace("%s", target) for word in words]
        if argv == list(words):
            argv.append(target)
        try:
            # A session of its own: Ctrl-C in the shell must not end the browser.
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError):
            continue
        try:
            if process.wait(_FAILS_WITHIN):
                continue
        except subprocess.TimeoutExpired:
            pass
        _processes.append(process)  # kept: Python warns of a running child that is forgotten
        return process
    return None


def _remove_at_exit(path: str) -> _Shown:
    if not _shown:
        atexit.register(_remove_files)
        _end_orderly()
    shown = _Shown(path, time.monotonic())
    _shown.append(shown)
    return shown


def _end_orderly() -> None:
    """Let a closed terminal or a `kill` end the program the normal way, so that files are removed."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        try:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _leave)
        except ValueError:  # not the main thread
            return


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _remove_files() -> None:
    try:
        time.sleep(max(0.0, max((shown.since for shown in _shown), default=0.0) + _READS_WITHIN - time.monotonic()))
    finally:
        for shown in _shown:
            with contextlib.suppress(OSError):
                os.unlink(shown.path)
        _shown.clear()
