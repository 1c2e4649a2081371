"""Copies of what came from servers: where they are, how they are named, what there is.

Names and places: google/pprof internal/driver/fetch.go and tempfile.go.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from pypprof.errors import PprofError
from pypprof.fetch.paths import base
from pypprof.output import note, reason, write_new_file
from pypprof.profile.model import Profile
from pypprof.records import Record

_SUFFIX = ".pb.gz"


class Saved(Record):
    """A saved profile."""

    path: str
    size: int
    time: float


def directories() -> Iterator[str]:
    """Where profiles may be saved, best place first: PPROF_TMPDIR, ~/pprof, the system's."""
    if place := os.environ.get("PPROF_TMPDIR"):
        yield place
    if home := os.environ.get("HOME"):
        yield os.path.join(home, "pprof")
    yield os.environ.get("TMPDIR") or "/tmp"


def save(profile: Profile) -> str:
    """Write a profile under the next free name, whole or not at all; its path. PprofError when that fails."""
    from pypprof.profile.encode import encode_gzip

    file = profile.mappings[0].file if profile.mappings else ""
    words = ["pprof", *([base(file)] if file else []), *(t.type for t in profile.sample_types), ""]
    # A type is a server's text: it must not choose the directory.
    prefix = ".".join(words).replace("/", "_").replace("\0", "_")[:200]
    return write_new_file(_directory(), prefix, _SUFFIX, encode_gzip(profile))


def _directory() -> str:
    for place in directories():
        try:
            os.makedirs(place, mode=0o755, exist_ok=True)
            return place
        except OSError as error:
            note(f"Could not use temp dir {place}: {reason(error)}")
    raise PprofError("failed to identify temp dir")


def listing() -> list[Saved]:
    """The saved profiles, the newest last."""
    found = []
    try:
        with os.scandir(next(directories())) as entries:
            for entry in entries:
                if entry.name.startswith("pprof.") and entry.name.endswith(_SUFFIX) and entry.is_file():
                    status = entry.stat()
                    found.append(Saved(entry.path, status.st_size, status.st_mtime))
    except OSError:
        return []
    return sorted(found, key=lambda saved: (saved.time, saved.path))


def lines(profiles: list[Saved]) -> list[str]:
    """The listing as text: number, time, size, path."""
    import time

    if not profiles:
        return [f"no saved profiles in {next(directories())}"]
    rows = []
    for number, (path, size, when) in enumerate(profiles, 1):
        date = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))
        rows.append(f"{number:>4}  {date}  {size:>10,}  {path}")
    return rows
