"""The frames of a block of samples as flat columns: what all graph arithmetic starts from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pypprof.columns import BOOL, I8, Bools, Ints, Rows, all_true, largest, ragged_positions, where_true
from pypprof.graph.nodes import NodeTable
from pypprof.profile.model import Block


class Frames(NamedTuple):
    """Frames of a block, sample after sample, leaf first; those of nodes not kept left out.

    sample  the row in the block
    slot    the slot of the node table
    place   position among all frames of the block, the left-out ones counted: neighbours that
            differ by more than one have lost a frame between them
    """

    sample: Ints
    slot: Ints
    place: Ints


class FrameMaker:
    """Makes the Frames of blocks for one node table and one set of kept nodes (None for all)."""

    def __init__(self, table: NodeTable, kept: Bools | None = None) -> None:
        self._table = table
        self._size = table.slot_starts[1:] - table.slot_starts[:-1]
        if kept is None:
            self._first, self._count = table.slot_starts[:-1], self._size
            self._slots: Ints | None = None
        else:
            mask = kept.take(table.slot_node)
            running = np.zeros(len(mask) + 1, I8)
            mask.cumsum(out=running[1:], dtype=I8)
            edges = running.take(table.slot_starts)
            self._first, self._count = edges[:-1], edges[1:] - edges[:-1]
            self._slots = where_true(mask)
        self._single = largest(self._size) <= 1

    def frames(self, block: Block) -> Frames:
        stacks: Rows = block.stacks
        sample = np.arange(block.size()).repeat(block.counts())
        if self._single and self._slots is None:
            return Frames(sample, self._first.take(stacks), np.arange(len(stacks)))
        # Where each location's frames begin among all frames of the block.
        if self._single:
            start = np.arange(len(stacks))
        else:
            size = self._size.take(stacks)
            start = size.cumsum()
            start -= size
        count = self._count.take(stacks)
        if self._slots is not None and not all_true(count.astype(BOOL)):
            tokens = where_true(count)
            stacks, sample, start, count = (c.take(tokens) for c in (stacks, sample, start, count))
        first = self._first.take(stacks)
        if largest(count) <= 1:
            slot = first if self._slots is None else self._slots.take(first)
        else:
            flat = ragged_positions(first, count)
            slot = flat if self._slots is None else self._slots.take(flat)
            sample, start, stacks = sample.repeat(count), start.repeat(count), stacks.repeat(count)
        start = start + slot
        start -= self._table.slot_starts.take(stacks)
        return Frames(sample, slot, start)
