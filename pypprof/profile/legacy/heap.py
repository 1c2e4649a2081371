"""Heap texts: gperftools (heap_v2, heapprofile, growth, fragmentation), heapz and Go's debug=1.

A header with the totals and the sampling rate, then `objects: bytes [objects: bytes] @ addresses`;
the numbers in brackets count what was ever allocated.
"""

from __future__ import annotations

import re

from pypprof.errors import Malformed
from pypprof.profile.legacy.gotext import GoText
from pypprof.profile.legacy.lines import SPACE, Scanner, blank_or_comment, starts_map
from pypprof.profile.legacy.numbers import decimal, divided
from pypprof.profile.legacy.samples import Header, Samples, profile_of_addresses
from pypprof.profile.legacy.scaling import Unsampler
from pypprof.profile.model import Profile

# Patterns without choices: a hostile line costs time in proportion to its length.
_TOTALS = r"heap profile: *+([0-9]++): *+([0-9]++) *+\[ *+([0-9]++): *+([0-9]++) *+\]"
_HEADER = re.compile(_TOTALS + " *+@ *+(heap[_a-z0-9]*+)/?([0-9]*+)")
_OTHERS = re.compile(_TOTALS + " @ (?:growth|fragmentation)")
_SAMPLE = re.compile(r"(-?(?<![0-9])[0-9]++): *+(-?[0-9]++) *+\[ *+([0-9]++): *+([0-9]++) *+\] @([ x0-9a-f]*+)")
ADDRESS = re.compile("0x[0-9a-f]+")

FOUR_TYPES = [
    ("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes"),
]  # fmt: skip
TWO_TYPES = [("objects", "count"), ("space", "bytes")]


class _Kind:
    """What the first line says: the sampling rate, whether values are of samples, whether allocations count too."""

    def __init__(self, period: int, sampled: bool, allocations: bool) -> None:
        self.period, self.sampled, self.allocations = period, sampled, allocations


def _kind(line: str) -> _Kind | None:
    header = _HEADER.search(line)
    if header is None:
        return _Kind(1, False, False) if _OTHERS.search(line) else None
    objects, space, all_objects, all_space, name, rate = header.groups()
    try:
        period = decimal(rate) if rate else 0
    except Malformed:
        return None
    allocations = all_objects not in (objects, "0") or all_space not in (space, "0")
    if name in ("heapz_v2", "heap_v2"):
        return _Kind(period, True, allocations)
    if name == "heapprofile":
        return _Kind(1, False, allocations)
    # Go writes twice its rate, as early versions of the C++ profiler did.
    return _Kind(period // 2, True, allocations) if name == "heap" else None


def parse(data: bytes) -> Profile | None:
    """The profile; None when the first line is none of a heap text, Malformed when a later one is wrong."""
    scanner = Scanner(data)
    kind = _kind(scanner.text) if scanner.scan() else None
    if kind is None:
        return None
    header = Header(FOUR_TYPES if kind.allocations else TWO_TYPES, ("space", "bytes"), kind.period)
    samples, text = Samples(), GoText()
    add = _Adder(kind, samples)
    while scanner.scan():
        line = scanner.text.strip(SPACE)
        if blank_or_comment(line):
            text.comment(line)
        elif starts_map(line):
            break
        else:
            text.stack(samples, add.line(line))
    scanner.check()
    while not starts_map(scanner.text) and scanner.scan():
        pass
    scanner.check()
    return profile_of_addresses(header, samples, scanner, text.aside(samples))


class _Adder:
    """Adds the sample of a line."""

    def __init__(self, kind: _Kind, samples: Samples) -> None:
        self._allocations, self._samples = kind.allocations, samples
        self._unsampler = Unsampler(kind.period) if kind.sampled else None

    def line(self, line: str) -> list[int]:
        """The rows of the stack. Malformed when it is no sample."""
        found = _SAMPLE.search(line)
        if found is None:
            raise Malformed(f"malformed sample: {line[:80]}")
        objects, space, all_objects, all_space, addresses = found.groups()
        values: list[int] = []
        block = 0
        pairs = [(all_objects, all_space)] if self._allocations else []
        for count_text, size_text in [*pairs, (objects, space)]:
            count, size = decimal(count_text), decimal(size_text)
            if count:
                block = divided(size, count)
                values += self._unsampler.scaled(count, size) if self._unsampler else (count, size)
            elif size:
                raise Malformed(f"malformed sample: no objects but {size} bytes")
            else:
                values += (0, 0)
        rows = self._samples.return_rows(ADDRESS.findall(addresses))
        self._samples.add(rows, values)
        self._samples.number("bytes", block)
        return rows
