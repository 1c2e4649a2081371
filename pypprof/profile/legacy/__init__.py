"""Profile formats from before profile.proto, and texts that are profiles all the same.

Each file is one format: `parse(bytes) -> Profile | None`, None for bytes of another kind, Malformed
for damaged ones. Order and rules of the first six: google/pprof profile/legacy_profile.go and
legacy_java_profile.go; what follows them Go refuses.
"""

from __future__ import annotations

from collections.abc import Callable

from pypprof.profile.legacy import contention, counts, cpu, heap, java, threads
from pypprof.profile.legacy.frames import with_drop_frames
from pypprof.profile.model import Profile

GO_PARSERS: tuple[Callable[[bytes], Profile | None], ...] = (
    cpu.parse,
    heap.parse,
    counts.parse,
    threads.parse,
    contention.parse,
    java.parse,
)


def parse(data: bytes) -> Profile | None:
    """The profile in `data`, None when no parser claims it. Malformed when one does and it is damaged."""
    for parser in GO_PARSERS:
        profile = parser(data)
        if profile is not None:
            return with_drop_frames(profile)
    return None
