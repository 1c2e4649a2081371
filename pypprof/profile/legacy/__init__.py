"""Profile formats from before profile.proto, and texts that are profiles all the same.

Each file is one format: `parse(bytes) -> Profile | None`, None for bytes of another kind, Malformed
for damaged ones. Order and rules of the first six: google/pprof profile/legacy_profile.go and
legacy_java_profile.go; what follows them Go refuses.
"""

from __future__ import annotations

from collections.abc import Callable

from pypprof.profile.legacy import contention, counts, cpu, folded, goroutines, heap, java, jemalloc, threads
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
PARSERS = (*GO_PARSERS, jemalloc.parse, goroutines.parse, folded.parse)


def parse(data: bytes) -> Profile | None:
    """The profile in `data`, None when no parser claims it. Malformed when one does and it is damaged."""
    for parser in PARSERS:
        profile = parser(data)
        if profile is not None:
            # Texts of names have nothing of the measuring in them.
            return profile if parser in (goroutines.parse, folded.parse) else with_drop_frames(profile)
    return None
