"""The directory of a recording: names, what is known of the process, bounded disk.

A snapshot is `20261124T021827.123Z-life1-heap.pb.gz`: when, which life of the process, what. The
names say all that `trend` needs, so files can be copied and deleted freely. `record.json` is only for
going on after a stop; without it a recording begins anew beside the snapshots that are there.
"""

from __future__ import annotations

import os
import re
import time
from typing import IO

from pypprof.errors import PprofError
from pypprof.output import reason, write_file
from pypprof.records import Record

STATE = "record.json"
_NAME = re.compile(r"(\d{8}T\d{6})\.(\d{3})Z-life(\d+)-([a-z]+)\.pb\.gz")
_TEMPORARY = re.compile(r"\.(\d{8}T\d{6}\.\d{3}Z-life\d+-[a-z]+\.pb\.gz|record\.json)\.[A-Za-z0-9_]{8}")
_LEAST = 2  # files of a kind that stay whatever the limits say


class File(Record):
    """One snapshot in the directory."""

    path: str
    time: float  # Unix seconds
    life: int
    kind: str
    size: int


class Store:
    """A directory that one process records into."""

    def __init__(self, directory: str, keep: int, max_bytes: int) -> None:
        """Take possession. PprofError when the directory cannot be used or another process has it."""
        self.directory, self._keep, self._max_bytes = directory, keep, max_bytes
        try:
            os.makedirs(directory, exist_ok=True)
            self._lock: IO[bytes] = open(os.path.join(directory, ".lock"), "ab")  # noqa: SIM115 (held while we live)
            self._possess()
            self._clean()
            self.files = self._scan()
        except OSError as error:
            raise PprofError(f"{directory}: {reason(error)}") from None

    def _possess(self) -> None:
        import fcntl

        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PprofError(f"another pypprof record is writing to {self.directory}") from None

    def _clean(self) -> None:
        """Remove what a killed process has left half written."""
        for name in os.listdir(self.directory):
            if _TEMPORARY.fullmatch(name):
                os.unlink(os.path.join(self.directory, name))

    def _scan(self) -> list[File]:
        found = []
        for name in os.listdir(self.directory):
            match = _NAME.fullmatch(name)
            if match:
                path = os.path.join(self.directory, name)
                second = _seconds(match[1])
                if second is not None:
                    found.append(
                        File(path, second + int(match[2]) / 1000, int(match[3]), match[4], os.stat(path).st_size)
                    )
        return sorted(found, key=lambda file: (file.time, file.kind))

    def close(self) -> None:
        self._lock.close()

    def state(self) -> dict[str, object]:
        """What record.json says; nothing when it is missing or damaged."""
        import json

        try:
            with open(os.path.join(self.directory, STATE), encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_state(self, state: dict[str, object]) -> None:
        import json

        text = json.dumps(state, indent=1, ensure_ascii=False) + "\n"
        write_file(os.path.join(self.directory, STATE), [text.encode()])

    def add(self, kind: str, when: float, life: int, data: bytes) -> File:
        """Write a snapshot, whole or not at all, then keep to the limits."""
        path = ""
        while not path or os.path.exists(path):
            stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(when))
            name = f"{stamp}.{int(when * 1000) % 1000:03d}Z-life{life}-{kind}.pb.gz"
            path = os.path.join(self.directory, name)
            when += 0.001
        write_file(path, [data])
        file = File(path, when - 0.001, life, kind, len(data))
        self.files.append(file)
        self._thin(kind)
        return file

    def newest(self, kind: str) -> File | None:
        return max((file for file in self.files if file.kind == kind), key=lambda file: file.time, default=None)

    def size(self) -> int:
        return sum(file.size for file in self.files)

    def _thin(self, kind: str) -> None:
        own = [file for file in self.files if file.kind == kind]
        while len(own) > max(self._keep, _LEAST):
            own.remove(self._drop(own))
        while self.size() > self._max_bytes:
            kinds: dict[str, list[File]] = {}
            for file in self.files:
                kinds.setdefault(file.kind, []).append(file)
            thinnable = [files for files in kinds.values() if len(files) > _LEAST]
            if not thinnable:
                return
            self._drop(max(thinnable, key=lambda files: sum(file.size for file in files)))

    def _drop(self, own: list[File]) -> File:
        victim = own[victim_of([file.time for file in own])]
        self.files.remove(victim)
        try:
            os.unlink(victim.path)
        except FileNotFoundError:
            pass  # somebody else has removed it, as they may
        except OSError as error:
            raise PprofError(f"{victim.path}: {reason(error)}") from None
        return victim


def victim_of(times: list[float]) -> int:
    """Which snapshot is missed least: of the older half the one whose neighbours are nearest to each
    other, measured by its age. The first one stays. So the spacing grows with age, and what is left
    still spans the whole time."""
    order = sorted(range(len(times)), key=lambda index: times[index])
    now = times[order[-1]]
    half = range(1, max(2, len(order) // 2))
    best = min(
        (place for place in half if place + 1 < len(order)),
        key=lambda place: (times[order[place + 1]] - times[order[place - 1]]) / (now - times[order[place]] + 1e-9),
        default=0,
    )
    return order[best]


def _seconds(stamp: str) -> float | None:
    import calendar

    try:
        return float(calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%S")))
    except ValueError:
        return None
