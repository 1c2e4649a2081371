"""One line on the terminal about what is being waited for."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypprof.fetch.remote import _Job

_WIDTH = 20
_PATIENCE = 0.3  # seconds before there is anything to show


class Progress:
    """Drawn over itself; silent when stderr is no terminal."""

    def __init__(self, jobs: Sequence[_Job], quiet: bool = False) -> None:
        self._jobs = jobs
        self._began = time.monotonic()
        self._on = sys.stderr.isatty() and not quiet
        self._drawn = False

    def show(self) -> None:
        """Draw the line as it is now."""
        now = time.monotonic()
        if self._on and now - self._began > _PATIENCE:
            self._write("\r" + line(self._jobs, now - self._began, _columns()) + "\x1b[K")
            self._drawn = True

    def clear(self) -> None:
        """Leave no trace."""
        if self._drawn:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def line(jobs: Sequence[_Job], elapsed: float, columns: int) -> str:
    """What is waited for, how long still, and how much has come."""
    waiting = [job for job in jobs if job.thread.is_alive()]
    received = sum(job.download.received for job in jobs)
    seconds = max((job.request.seconds for job in waiting), default=0.0)
    parts = []
    if seconds:
        done = min(elapsed / seconds, 1.0)
        filled = int(done * _WIDTH)
        parts.append(f"[{'#' * filled}{'.' * (_WIDTH - filled)}]")
        parts.append(f"{max(seconds - elapsed, 0):.0f} s left")
    else:
        parts.append(f"{elapsed:.0f} s")
    length = sum(job.download.length or 0 for job in jobs)
    parts.append(size(received) + (f" of {size(length)}" if length > received else ""))
    if len(jobs) > 1:
        parts.append(f"{len(jobs) - len(waiting)} of {len(jobs)} done")
    rest = "  ".join(parts)
    from pypprof.output import printable

    what = printable(waiting[0].request.address.url if waiting else "")
    room = max(columns - len(rest) - 3, 0)
    if len(what) > room:
        what = what[: max(room - 3, 0)] + "..." if room > 10 else ""
    return f"{what}  {rest}"[: max(columns - 1, 1)] if what else rest[: max(columns - 1, 1)]


def size(count: int) -> str:
    """Bytes for people."""
    if count < 1 << 10:
        return f"{count} B"
    return f"{count / (1 << 10):.1f} kB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MB"


def _columns() -> int:
    import os

    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80
