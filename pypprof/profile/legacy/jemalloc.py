"""Heap texts of jemalloc 4 and later, which Go's pprof refuses (older ones are heap texts as any).

    heap_v2/524288
      t*: 28106: 56637512 [0: 0]
    @ 0x5f86da8 0x5f5a1dc
      t*: 13: 6688 [0: 0]
      t3: 12: 6496 [0: 0]

t* is the sum of all threads (t0, t1 ...). Corrected for sampling as jeprof does.
"""

from __future__ import annotations

import re

from pypprof.errors import Malformed
from pypprof.profile.legacy.heap import ADDRESS, FOUR_TYPES, TWO_TYPES
from pypprof.profile.legacy.lines import SPACE, Scanner, starts_map
from pypprof.profile.legacy.numbers import decimal, divided
from pypprof.profile.legacy.samples import Header, Samples, profile_of_addresses
from pypprof.profile.legacy.scaling import Unsampler
from pypprof.profile.model import Profile

_START = re.compile("heap_v2/([0-9]{1,18})")
_SUM = re.compile(r"t\*: *+([0-9]++): *+([0-9]++) *+\[ *+([0-9]++): *+([0-9]++) *+\]")
_THREAD = re.compile(r"t[0-9]++: ")


def parse(data: bytes) -> Profile | None:
    """The profile; None when the first line is another's, Malformed when a later one is wrong."""
    scanner = Scanner(data)
    start = _START.fullmatch(scanner.text.strip(SPACE)) if scanner.scan() else None
    if start is None:
        return None
    rate = int(start[1])
    samples, unsampler = Samples(), Unsampler(rate)
    allocations = False
    stack: list[int] | None = None
    while scanner.scan() and not starts_map(scanner.text):
        line = scanner.text.strip(SPACE)
        if line.startswith("@"):
            stack = samples.return_rows(ADDRESS.findall(line))
        elif (found := _SUM.fullmatch(line)) is not None:
            inuse_count, inuse, count, size = map(decimal, found.groups())
            if stack is None:
                allocations = count != 0 or size != 0  # the totals
                continue
            values = unsampler.scaled(inuse_count, inuse)
            samples.add(stack, (*unsampler.scaled(count, size), *values) if allocations else values)
            if shown := inuse_count or count:
                samples.number("bytes", divided(inuse if inuse_count else size, shown))
        elif line and not _THREAD.match(line):
            raise Malformed(f"malformed sample: {line[:80]}")
    scanner.check()
    return profile_of_addresses(
        Header(FOUR_TYPES if allocations else TWO_TYPES, ("space", "bytes"), rate), samples, scanner
    )
