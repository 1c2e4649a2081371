"""Tables that profiles of one program have in common, byte for byte: found and decoded once.

The snapshots of one program mostly differ in their values and times alone. A run is a stretch of
an encoded Profile that holds nothing but fields of one kind; it is recognised by its bytes, so what was
found in it before is still true.
"""

from __future__ import annotations

from array import array

from pypprof.records import Record

_LEAST_FIELDS = 64  # shorter runs are read as fast as they are compared
_MOST_BYTES = 4 << 20  # what is kept of a file


class Run(Record):
    """Fields of one kind, one behind the other, and what has been decoded from them."""

    data: bytes
    starts: array[int]  # where each field begins, from the start of the run
    decoded: object


# By the tag of the fields: the run that was seen last. Entries are replaced whole, from any thread.
KNOWN: dict[int, Run] = {}


def worth(starts: array[int]) -> bool:
    """Whether fields that begin there are worth keeping: not few, and not much memory."""
    return len(starts) >= _LEAST_FIELDS and starts[-1] - starts[0] < _MOST_BYTES


def remember(tag: int, data: bytes, starts: array[int], end: int, decoded: object) -> None:
    """Keep a run: the fields that begin at `starts` lie without gaps up to `end`."""
    first = starts[0]
    if end - first <= _MOST_BYTES:
        KNOWN[tag] = Run(data[first:end], array("q", [pos - first for pos in starts]), decoded)
