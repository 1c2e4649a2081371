"""Go's count profiles with debug=1 (goroutine, threadcreate, any custom one): `name profile: total n`."""

from __future__ import annotations

import re

from pypprof.errors import Malformed
from pypprof.profile.legacy.gotext import GoText
from pypprof.profile.legacy.lines import SPACE, Scanner, blank_or_comment, starts_map
from pypprof.profile.legacy.numbers import prefixed
from pypprof.profile.legacy.samples import Header, Samples, profile_of_addresses
from pypprof.profile.model import Profile

_START = re.compile(r"([^\t\n\f\r ]+) profile: total [0-9]+")
# An empty stack, as Go 1.21 writes for threads of the system, Go's pprof refuses.
_SAMPLE = re.compile(r"([0-9]++) @((?: 0x[0-9a-f]++)*+)")


def parse(data: bytes) -> Profile | None:
    """The profile; None when its first line is another's, Malformed when a later one is wrong."""
    scanner = Scanner(data)
    while scanner.scan() and blank_or_comment(scanner.text):
        pass
    start = _START.fullmatch(scanner.text)
    if start is None:
        return None
    type_ = (start[1], "count")
    samples, text = Samples(), GoText()
    while scanner.scan():
        line = scanner.text
        if blank_or_comment(line):
            text.comment(line.strip(SPACE))
        elif line.startswith("---"):
            break
        else:
            found = _SAMPLE.fullmatch(line)
            if found is None:
                raise Malformed(f"malformed sample: {line[:80]}")
            count, rows = prefixed(found[1]), samples.return_rows(found[2].split())
            samples.add(rows, (count,))
            text.stack(samples, rows)
    scanner.check()
    while not starts_map(scanner.text) and scanner.scan():
        pass
    scanner.check()
    return profile_of_addresses(Header([type_], type_, 1), samples, scanner, text.aside(samples))
