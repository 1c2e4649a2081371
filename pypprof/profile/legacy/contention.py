"""Contention texts: gperftools' contentionz, and Go's mutex and block profiles with debug=1.

`name = value` lines, then `delay contentions @ addresses`; delays are in cycles of the processor.
"""

from __future__ import annotations

import re

from pypprof.errors import Malformed
from pypprof.profile.legacy.gotext import GoText
from pypprof.profile.legacy.heap import ADDRESS
from pypprof.profile.legacy.lines import SPACE, Scanner, blank_or_comment, starts_map
from pypprof.profile.legacy.numbers import decimal, prefixed, truncated, wrap
from pypprof.profile.legacy.samples import Header, Samples, profile_of_addresses
from pypprof.profile.model import Profile
from pypprof.regex import byte_groups

_STARTS = ("--- contentionz ", "--- mutex:", "--- contention:")
_USUAL = re.compile(r"([0-9]++) ++([0-9]++) @([ x0-9a-f]*+)")
_SAMPLE = r"(\d+) *(\d+) @([ x0-9a-f]*)"


class _Clock:
    """What turns the numbers of a line into contentions and nanoseconds."""

    def __init__(self) -> None:
        self.period, self.hertz = 1, 0

    def values(self, delay: int, contentions: int) -> tuple[int, int]:
        if self.period > 0:
            if self.hertz > 0:
                delay = truncated(float(delay) * float(self.period) / (float(self.hertz) / 1e9))
            contentions = wrap(contentions * self.period)
        return contentions, delay


def parse(data: bytes) -> Profile | None:
    """The profile; None when its head is another's, Malformed when a sample is wrong."""
    scanner = Scanner(data)
    if not scanner.scan() or not scanner.text.startswith(_STARTS):
        return None
    header = Header([("contentions", "count"), ("delay", "nanoseconds")], ("contentions", "count"), 1)
    clock = _Clock()
    if not _read_head(scanner, header, clock):
        return None
    scanner.check()
    header.period = clock.period
    samples, text = Samples(), GoText()
    more = True
    while more:
        line = scanner.text.strip(SPACE)
        if line.startswith("---"):
            break
        if blank_or_comment(line):
            text.comment(line)
        else:
            found = _groups(line)
            if found is None:
                return None
            delay, contentions, addresses = found
            values = clock.values(decimal(delay), decimal(contentions))
            rows = samples.return_rows(ADDRESS.findall(addresses))
            samples.add(rows, values)
            text.stack(samples, rows)
        more = scanner.scan()
    scanner.check()
    while not starts_map(scanner.text) and scanner.scan():
        pass
    scanner.check()
    return profile_of_addresses(header, samples, scanner, text.aside(samples))


def _groups(line: str) -> tuple[str, str, str] | None:
    found = _USUAL.match(line)
    if found is not None:
        return found[1], found[2], found[3]
    groups = byte_groups(_SAMPLE, line.encode("utf-8", "surrogateescape"))
    return None if groups is None else (groups[0].decode(), groups[1].decode(), groups[2].decode())


def _read_head(scanner: Scanner, header: Header, clock: _Clock) -> bool:
    """Read the attributes up to the first sample; False when one is not of this format."""
    while scanner.scan():
        line = scanner.text.strip(SPACE)
        if blank_or_comment(line):
            continue
        name, equals, value = line.partition("=")
        if line.startswith("---") or not equals:
            return True
        name, value = name.strip(SPACE), value.strip(SPACE)
        try:
            if name == "cycles/second":
                clock.hertz = prefixed(value)
            elif name == "sampling period":
                clock.period = prefixed(value)
            elif name == "ms since reset":
                header.duration = wrap(prefixed(value) * 1_000_000)
            elif name != "discarded samples":
                return False
        except Malformed:
            return False
    return True
