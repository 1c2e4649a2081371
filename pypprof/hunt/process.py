"""Whether a server is still the same process, from what net/http/pprof shows.

Nothing shows a start time. But counts of allocations never fall while a process lives, for the
whole program or for any function; its command line, its build and the address it is loaded at stay.
"""

from __future__ import annotations

from pypprof.errors import PprofError
from pypprof.profile.model import Profile
from pypprof.records import Record
from pypprof.settings import DEFAULTS
from pypprof.trend.series import RUNNING_TOTALS
from pypprof.trend.sites import Sites

_FALL = 0.01  # of all allocations; a snapshot is taken while the program runs


class Pulse(Record):
    """What one snapshot shows of the process. `counts` only ever rise."""

    build_id: str
    start: int
    counts: dict[str, int]
    cmdline: str = ""  # a hash: command lines hold secrets


def pulse(profile: Profile, cmdline: bytes | None = None) -> Pulse:
    main = profile.mappings[0] if profile.mappings else None
    counts: dict[str, int] = {}
    types = [t.type for t in profile.sample_types]
    running = next((name for name in ("alloc_objects", *RUNNING_TOTALS) if name in types), "")
    if running:
        try:
            sites = Sites(profile, DEFAULTS._replace(sample_index=running, trend_by="leaf")).values()
            counts = {str(key): value for key, value in zip(sites.keys, sites.values.tolist(), strict=True)}
        except PprofError:
            counts = {}
    return Pulse(main.build_id if main else "", main.start if main else 0, counts, digest(cmdline))


def digest(cmdline: bytes | None) -> str:
    import hashlib

    return hashlib.sha256(cmdline).hexdigest()[:16] if cmdline else ""


def another(before: Pulse, after: Pulse) -> bool:
    """Whether the later snapshot is of another process."""
    if before.cmdline and after.cmdline and before.cmdline != after.cmdline:
        return True
    if before.build_id != after.build_id or before.start != after.start:
        return True
    if not (before.counts and after.counts):
        return False
    fallen = sum(max(0, count - after.counts.get(name, 0)) for name, count in before.counts.items())
    return fallen > _FALL * sum(before.counts.values())
