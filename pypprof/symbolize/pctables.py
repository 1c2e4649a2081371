"""Tables of values by pc, as Go's linker packs them: many decoded at once.

A table is pairs of varints: a step of the value (zigzag, from -1) and a step of the pc; the value
holds until that pc. A zero step of the value, other than the first, ends it. Numbers are packed
into as few bytes as they need, so that a zero byte behind the first is the end.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import I8, U8, Array, Ints, largest, ragged_positions, starts_of, total, where_true
from pypprof.errors import BinaryError

_SHIFT = 40  # a key is a table's number above a pc; functions are smaller than this


class PcTables:
    """Tables at `offsets` (ascending; -1 for none) of the packed bytes. BinaryError when they are damaged."""

    def __init__(self, packed: Array, offsets: Ints, quantum: int) -> None:
        zeros = np.concatenate((where_true(packed == 0), np.array([len(packed)], I8)))
        first = np.where(offsets < 0, len(packed), np.minimum(offsets, len(packed)))
        ends = zeros.take(zeros.searchsorted(first + 1), mode="clip")
        counts = np.maximum(ends - first, 0)
        # Tables do not overlap, so together they are no longer than all of them.
        if total(counts) > 2 * len(packed) + 4096:
            raise BinaryError("the Go line table is damaged")
        numbers, owner = _varints(packed.take(ragged_positions(first, counts)), counts)
        sizes = np.bincount(owner, minlength=len(offsets)) // 2
        starts = starts_of(np.bincount(owner, minlength=len(offsets)))
        pairs = ragged_positions(starts[:-1], sizes * 2).reshape(-1, 2)
        steps, moves = numbers.take(pairs[:, 0]), numbers.take(pairs[:, 1])
        self._starts = starts_of(sizes)
        steps = np.where(steps & 1, ~(steps >> 1), steps >> 1)
        self._values = _running(steps, self._starts) - 1
        pcs = np.minimum(_running(moves, self._starts) * quantum, (1 << _SHIFT) - 1)
        self._keys = pcs + (np.arange(len(offsets)) << _SHIFT).repeat(sizes)

    def values(self, tables: Ints, pcs: Ints) -> Ints:
        """The value of each table at a pc, counted from the function's entry; -1 for none."""
        at = self._keys.searchsorted((tables << _SHIFT) + pcs, "right")
        known = at < self._starts.take(tables + 1)
        values = np.zeros(len(at), I8) - 1
        values[known] = self._values.take(at[known])
        return values


def _varints(data: Array, counts: Ints) -> tuple[Ints, Ints]:
    """(the numbers, the table of each) of tables' bytes, one table behind the other."""
    owner = np.arange(len(counts)).repeat(counts)
    last = data < 128
    ends = counts.cumsum()
    last[ends[counts > 0] - 1] = True
    stops = last.nonzero()[0]
    starts = np.zeros(len(stops), I8)
    starts[1:] = stops[:-1] + 1
    place = np.arange(len(data)) - starts.repeat(stops - starts + 1)
    if largest(place) > 4:
        raise BinaryError("the Go line table is damaged")
    parts = (data & 127).astype(U8) << (7 * place).astype(U8)
    numbers = np.add.reduceat(parts, starts) if len(starts) else parts
    return numbers.astype(I8), owner.take(starts)


def _running(steps: Ints, starts: Ints) -> Ints:
    """Running sums, anew in every table."""
    sums = steps.cumsum()
    before = np.concatenate((np.zeros(1, I8), sums)).take(starts[:-1])
    result: Ints = sums - before.repeat(starts[1:] - starts[:-1])
    return result
