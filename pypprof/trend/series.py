"""Profiles over time as series: one row a site, one column a snapshot.

Profiles are read one by one, on all cores, and only the values of their sites are kept, so the
memory is that of the series, not of the profiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pypprof.columns import I8, Array, Ints, total
from pypprof.errors import CommandError, PprofError
from pypprof.records import Record
from pypprof.trend.sites import Key, Sites, SiteValues

if TYPE_CHECKING:
    from pypprof.profile.model import Profile
    from pypprof.settings import Settings

Read = Callable[[str], "Profile"]
# Totals of these never fall while a process lives.
RUNNING_TOTALS = ("alloc_objects", "alloc_space", "contentions", "delay")
_MOST_CELLS = 16_000_000  # of a matrix of sites and snapshots
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _KEPT_BYTES = -1, -3, 256 << 20  # of mallopt(3)
_WORTH_PROCESSES = 24  # snapshots
# A snapshot that `pypprof record` has written says in its name which life of the process it is of.
_LIFE = re.compile(r"-life(\d+)-")


class Snapshot(Record):
    """What one file holds."""

    path: str
    kind: tuple[str, ...]  # its sample types and the default among them
    time_nanos: int
    duration_nanos: int
    period: int
    identity: tuple[str, int, int]  # build id, start of the main mapping, life by the file's name
    running: tuple[int, ...]  # the totals that cannot fall
    sites: SiteValues | None
    error: str = ""


class Series(Record):
    """The sites of snapshots of one kind. `values` is (sites, snapshots), 0 where a site is missing."""

    type: str
    unit: str
    snapshots: list[Snapshot]  # by time, their sites dropped
    times: Array  # seconds since the first
    life: Ints
    keys: list[Key]
    values: Ints
    totals: Ints
    left_out: int  # sites too small to be in `keys`
    warnings: tuple[str, ...]
    errors: tuple[str, ...]


def snapshot(path: str, read: Read, settings: Settings) -> Snapshot:
    """The sites of one file, or why there are none."""
    try:
        profile = read(path)
        types = [t.type for t in profile.sample_types]
        # A heap profile and one of allocs have the same types and differ in the default.
        kind = (*types, profile.default_sample_type)
        running = tuple(
            total(block_sum) for place, type_ in enumerate(types) if type_ in RUNNING_TOTALS
            for block_sum in [np.array([total(b.values[:, place]) for b in profile.blocks], I8)]
        )  # fmt: skip
        main = profile.mappings[0] if profile.mappings else None
        life = _LIFE.search(path.rpartition("/")[2])
        identity = (main.build_id if main else "", main.start if main else 0, int(life[1]) if life else 0)
        when = profile.time_nanos or _modified(path)
        made = Snapshot(path, kind, when, profile.duration_nanos, profile.period, identity, running, None)
    except PprofError as error:
        return Snapshot(path, (), 0, 0, 0, ("", 0, 0), (), None, str(error))
    try:
        return made._replace(sites=Sites(profile, settings).values())
    except CommandError as error:
        return made._replace(error=str(error))


def _modified(path: str) -> int:
    """When the file was last written: legacy formats hold no time of their own."""
    import os

    try:
        return os.stat(path).st_mtime_ns
    except (OSError, ValueError):
        return 0


class _Sent(Record):
    """A snapshot on its way from another process: its keys are numbers, new ones come along once.

    A thousand names a snapshot would cost more time to send than to work out.
    """

    snapshot: Snapshot
    process: int
    numbers: Ints
    new: list[Key]


class _Work:
    """snapshot() with its arguments, for another process."""

    def __init__(self, read: Read, settings: Settings) -> None:
        self._read, self._settings = read, settings

    def __call__(self, path: str) -> _Sent:
        import os

        made = snapshot(path, self._read, self._settings)
        if made.sites is None:
            return _Sent(made, os.getpid(), np.zeros(0, np.int32), [])
        before = len(_sent)
        numbers = np.array([_sent.setdefault(key, len(_sent)) for key in made.sites.keys], np.int32)
        new = [key for key in made.sites.keys if _sent[key] >= before]
        return _Sent(made._replace(sites=made.sites._replace(keys=[])), os.getpid(), numbers, new)


_sent: dict[Key, int] = {}  # in a process of the pool: the keys that it has sent


def _received(sent: Iterator[_Sent]) -> Iterator[Snapshot]:
    """The snapshots with their keys; those of one process come in the order in which it made them."""
    keys: dict[int, list[Key]] = {}
    for one in sent:
        known = keys.setdefault(one.process, [])
        known += one.new
        sites = one.snapshot.sites
        if sites is not None:
            sites = sites._replace(keys=[known[number] for number in one.numbers.tolist()])
        yield one.snapshot._replace(sites=sites)


def snapshots(paths: Sequence[str], read: Read, settings: Settings) -> Iterator[Snapshot]:
    """All of them, in the order of the paths, by as many processes as there are cores."""
    import os

    cores = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
    if len(paths) < _WORTH_PROCESSES or cores == 1:
        for path in paths:
            yield snapshot(path, read, settings)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    context = get_context("forkserver" if _threaded() else "fork")
    pool = ProcessPoolExecutor(cores, context, initializer=_keep_memory)
    try:
        yield from _received(pool.map(_Work(read, settings), paths, chunksize=4))
    except BrokenProcessPool:
        raise PprofError("a process that reads the profiles was ended from outside (out of memory?)") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _keep_memory() -> None:
    """Have the C library keep freed memory: every profile needs as much as the one before, and asking the
    system for it anew would cost as much time as the decoding."""
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # not the GNU C library
    mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    mallopt(_MMAP_THRESHOLD, _KEPT_BYTES // 8)


def _threaded() -> bool:
    """Whether other threads run: a fork could copy their locks in a locked state."""
    import threading

    return threading.active_count() > 1


def complete_numpy() -> None:
    """Load all of NumPy now: _faststart.py's stand-in is not for threads and other processes."""
    np.median(np.zeros(1))


def collect(paths: Sequence[str], read: Read, settings: Settings) -> list[Series]:
    """The series of the files, one of each kind of profile among them.

    With a sample_index only the kinds that have it. PprofError when no file can be used.
    """
    complete_numpy()
    found: dict[tuple[str, ...], list[Snapshot]] = {}
    gathered: dict[tuple[str, ...], Gathered] = {}
    failed: list[Snapshot] = []
    for one in snapshots(paths, read, settings):
        if one.sites is None:
            failed.append(one)
            continue
        found.setdefault(one.kind, []).append(one._replace(sites=None))
        gathered.setdefault(one.kind, Gathered()).add(one.sites)
    unreadable = tuple(f"{one.path}: {one.error}" for one in failed if not one.kind)
    if not found:
        first = failed[0] if failed else None
        about = f"{first.path}: " if first and not first.kind else ""
        raise PprofError(about + first.error if first else "no profiles to follow over time")
    wrong = tuple(f"{one.path}: {one.error}" for one in failed if one.kind in found)
    bounds = _restarts([_in_order(own) for own in found.values()])
    return [
        _series(own, gathered[kind], bounds, (*unreadable, *wrong) if index == 0 else ())
        for index, (kind, own) in enumerate(found.items())
    ]


class Gathered:
    """The values of the sites of many snapshots, as (site, snapshot, value)."""

    def __init__(self) -> None:
        self.rows: dict[Key, int] = {}
        self.sites: list[Ints] = []
        self.values: list[Ints] = []
        self.totals: list[int] = []
        self.type = self.unit = ""
        self.warnings: dict[str, int] = {}

    def add(self, sites: SiteValues) -> None:
        rows = self.rows
        numbers = [rows.setdefault(key, len(rows)) for key in sites.keys]
        self.sites.append(np.array(numbers, np.int32))
        self.values.append(sites.values)
        self.totals.append(sites.total)
        self.type, self.unit = sites.type, sites.unit
        for warning in sites.warnings:
            self.warnings[warning] = self.warnings.get(warning, 0) + 1

    def matrix(self, order: list[int]) -> tuple[list[Key], Ints, int]:
        """(sites, their values in that order of the snapshots, how many sites are left out).

        The largest are kept when there are too many.
        """
        most = np.zeros(len(self.rows), I8)
        for numbers, values in zip(self.sites, self.values, strict=True):
            np.maximum.at(most, numbers, np.absolute(values))
        limit = max(1, _MOST_CELLS // max(1, len(order)))
        kept = np.sort(np.argsort(most, kind="stable")[::-1][:limit])
        place = np.full(len(most), -1, I8)
        place[kept] = np.arange(len(kept))
        matrix = np.zeros((len(kept), len(order)), I8)
        for column, index in enumerate(order):
            at = place.take(self.sites[index])
            matrix[at[at >= 0], column] = self.values[index][at >= 0]
        names = list(self.rows)
        return [names[row] for row in kept.tolist()], matrix, len(most) - len(kept)


def _in_order(own: list[Snapshot]) -> list[Snapshot]:
    return sorted(own, key=lambda one: (one.time_nanos, one.path))


def _restarts(kinds: list[list[Snapshot]]) -> list[float]:
    """The times between which the process has started anew, seen in any kind of profile."""
    bounds = []
    for own in kinds:
        for before, after in zip(own, own[1:], strict=False):
            fell = any(b < 0.9 * a for a, b in zip(before.running, after.running, strict=True))
            if fell or before.identity != after.identity:
                bounds.append((before.time_nanos + after.time_nanos) / 2)
    return bounds


def _series(own: list[Snapshot], gathered: Gathered, bounds: list[float], errors: tuple[str, ...]) -> Series:
    order = sorted(range(len(own)), key=lambda index: (own[index].time_nanos, own[index].path))
    ordered = [own[index] for index in order]
    times = np.array([one.time_nanos for one in ordered], I8)
    edges = np.array([sum(bound < time for bound in bounds) for time in times.tolist()] or [0], I8)
    _, life = np.unique(edges, return_inverse=True)
    keys, values, left_out = gathered.matrix(order)
    warnings = tuple(text for text, count in gathered.warnings.items() if count == len(own))
    if len(times) and len(np.unique(times)) < len(times):
        warnings += ("Some profiles have equal times: they are taken in the order of their names",)
    return Series(
        gathered.type, gathered.unit, ordered, _seconds(times), life, keys, values,
        np.array([gathered.totals[index] for index in order], I8), left_out, warnings, errors,
    )  # fmt: skip


def _seconds(times: Ints) -> Array:
    """Seconds since the first snapshot."""
    seconds: Array = times.astype(float) / 1e9
    return seconds - seconds[:1]
