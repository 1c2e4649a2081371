"""The frames of a block of samples as flat columns: what all graph arithmetic starts from."""

from __future__ import annotations

import numpy as np

from pypprof.columns import I8, Bools, Ints, Rows, largest, ragged_positions, where_true
from pypprof.graph.nodes import NodeTable
from pypprof.profile.model import Block
from pypprof.records import Record


class Frames(Record):
    """Frames of a block, sample after sample, leaf first; those of nodes not kept left out.

    sample  the row in the block
    slot    the slot of the node table
    order   number of the stack entry among those with kept frames: frames whose entries differ by
            more than one are no neighbours
    place   position among all frames of the block, the left-out ones counted: neighbours that
            differ by more than one have lost a frame between them (filled when asked for)
    """

    sample: Ints
    slot: Ints
    order: Ints
    place: Ints


class FrameMaker:
    """Makes the Frames of blocks for one node table and one set of kept nodes (None for all).

    `around` (a mask of nodes) leaves out all stack entries but those that hold such a node and
    their neighbours on both sides. `places`: fill Frames.place.
    """

    def __init__(
        self, table: NodeTable, kept: Bools | None = None, around: Bools | None = None, places: bool = False
    ) -> None:
        self._table, self._places = table, places
        self._size = table.slot_starts[1:] - table.slot_starts[:-1]
        self._slots: Ints | None = None
        self._has: Bools | None = None
        self._first, self._count = table.slot_starts[:-1], self._size
        if kept is not None:
            mask = kept.take(table.slot_node)
            edges = _running(mask, table.slot_starts)
            self._first, self._count = edges[:-1], edges[1:] - edges[:-1]
            self._slots = where_true(mask)
            self._has = self._count > 0
        self._around: Bools | None = None
        if around is not None:
            edges = _running(around.take(table.slot_node), table.slot_starts)
            self._around = edges[1:] > edges[:-1]
        self._single = largest(self._size) <= 1

    def frames(self, block: Block) -> Frames:
        stacks: Rows = block.stacks
        tokens = None if self._has is None else where_true(self._has.take(stacks))
        if tokens is not None:
            stacks = stacks.take(tokens)
        order = np.arange(len(stacks))
        if self._around is not None:
            order = _with_neighbours(self._around.take(stacks))
            stacks = stacks.take(order)
            tokens = order if tokens is None else tokens.take(order)
        sample = _samples(block, tokens)
        first = self._first.take(stacks)
        if self._single:
            slot = first if self._slots is None else self._slots.take(first)
            return Frames(sample, slot, order, order if tokens is None else tokens)
        count = self._count.take(stacks)
        flat = ragged_positions(first, count)
        slot = flat if self._slots is None else self._slots.take(flat)
        place = flat
        if self._places:
            place = self._begin(block.stacks, tokens).repeat(count)
            place += slot
            place -= self._table.slot_starts.take(stacks).repeat(count)
        return Frames(sample.repeat(count), slot, order.repeat(count), place)

    def _begin(self, stacks: Rows, tokens: Ints | None) -> Ints:
        """Where the frames of each stack entry begin among all frames of the block."""
        size = self._size.take(stacks)
        begin = size.cumsum()
        begin -= size
        return begin if tokens is None else begin.take(tokens)


def _running(mask: Bools, starts: Ints) -> Ints:
    """How many entries are true before each row of a ragged table."""
    running = np.zeros(len(mask) + 1, I8)
    mask.cumsum(out=running[1:], dtype=I8)
    return running.take(starts)


def _with_neighbours(hits: Bools) -> Ints:
    """The positions of the hits, of those before and of those behind them."""
    near = hits.copy()
    near[1:] |= hits[:-1]
    near[:-1] |= hits[1:]
    return where_true(near)


def _samples(block: Block, tokens: Ints | None) -> Ints:
    """The sample of each stack entry (of those in `tokens`)."""
    if tokens is not None and len(tokens) * 8 < len(block.stacks):
        return block.starts.searchsorted(tokens, side="right") - 1
    sample = np.arange(block.size()).repeat(block.counts())
    return sample if tokens is None else sample.take(tokens)
