"""Edges: who called whom, with which weight.

An edge counts once a sample however often the stack repeats it, and takes its flags from the
repetition nearest to the root. An edge is residual when frames between its ends were left out
in any sample, and inline when it was an inlined call in all of them.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import (
    BOOL,
    I8,
    U8,
    Array,
    Bools,
    Ints,
    any_true,
    filled,
    group_edges,
    group_stops,
    in_parallel,
    join,
    table_of,
    where_true,
)
from pypprof.graph.frames import FrameMaker
from pypprof.graph.nodes import NodeTable
from pypprof.graph.weights import divided
from pypprof.profile.model import Block, Profile
from pypprof.records import Record
from pypprof.view import SampleKind

_INLINE, _RESIDUAL = 1, 2


class Edges(Record):
    """One row an edge; `parent` and `child` are nodes."""

    parent: Ints
    child: Ints
    weight: Ints
    weight_div: Ints
    residual: Bools
    inline: Bools

    def take(self, rows: Array) -> Edges:
        return Edges(*(column[rows] for column in self))

    def weight_values(self) -> Ints:
        """Weights, divided where there is a divisor."""
        return divided(self.weight, self.weight_div)


def no_edges() -> Edges:
    none, never = np.zeros(0, I8), np.zeros(0, BOOL)
    return Edges(none, none, none, none, never, never)


def build_edges(
    profile: Profile,
    table: NodeTable,
    sample: SampleKind,
    kept: Bools | None = None,
    at: Bools | None = None,
    residual: bool = True,
) -> Edges:
    """The edges between kept nodes (None: all).

    `at` (a mask of nodes) restricts to edges with such a node at either end. Without `residual`
    that flag is not made out (it is false then).
    """
    builder = _Builder(table, sample, kept, at, residual)
    parts: list[Edges] = []
    pending = 0
    for part in in_parallel(builder.edges, profile.blocks):
        parts.append(part)
        pending += len(part.parent)
        if pending > 4_000_000:
            parts = [_sum_edges(parts, builder.bits)]
            pending = len(parts[0].parent)
    edges = _sum_edges(parts, builder.bits)
    return edges._replace(parent=builder.nodes.take(edges.parent), child=builder.nodes.take(edges.child))


class _Builder:
    """Makes the edges of single blocks. Kept nodes are numbered densely: a pair fits few bits."""

    def __init__(
        self, table: NodeTable, sample: SampleKind, kept: Bools | None, at: Bools | None, residual: bool
    ) -> None:
        self._table, self._sample, self._at = table, sample, at
        self._places = residual and kept is not None
        self._maker = FrameMaker(table, kept, around=at, places=self._places)
        self.nodes = np.arange(table.count) if kept is None else where_true(kept)
        self.bits = max(1, (len(self.nodes) - 1).bit_length())
        number = table_of(np.arange(len(self.nodes)), table.count, I8, self.nodes, 0)
        self._number_of_slot = number.take(table.slot_node)

    def edges(self, block: Block) -> Edges:
        """One row a distinct pair; ends are numbers in `nodes`."""
        table, frames = self._table, self._maker.frames(block)
        value, divisor = self._sample.values(block), self._sample.divisors(block)
        live = value != 0
        if divisor is not None:
            live |= divisor != 0
        node = self._number_of_slot.take(frames.slot)
        linked = (frames.sample[1:] == frames.sample[:-1]) & (node[1:] != node[:-1])
        linked &= live.take(frames.sample[:-1])
        if self._at is not None:
            hit = self._at.take(table.slot_node.take(frames.slot))
            linked &= (hit[1:] | hit[:-1]) & (frames.order[1:] - frames.order[:-1] <= 1)
        # Root first: of equal pairs in a sample the first one counts.
        rows = where_true(linked)[::-1]
        if not len(rows):
            return no_edges()
        flags = table.slot_inner.take(frames.slot.take(rows)) * _INLINE
        if self._places:
            flags |= (frames.place.take(rows + 1) - frames.place.take(rows) > 1) * _RESIDUAL
        pair = node.take(rows + 1) << self.bits
        pair |= node.take(rows)
        samples, flags, pair = _once_a_sample(frames.sample.take(rows), flags, pair, self.bits, block.size())
        return self._sums(samples, flags, pair, value, divisor)

    def _sums(self, samples: Ints, flags: Ints, pair: Ints, value: Ints, divisor: Ints | None) -> Edges:
        starts = group_edges(pair)
        pair = pair.take(starts)
        weight = np.add.reduceat(value.take(samples), starts)
        weight_div = np.zeros(len(pair), I8) if divisor is None else np.add.reduceat(divisor.take(samples), starts)
        return Edges(
            pair >> self.bits, pair & ((1 << self.bits) - 1), weight, weight_div,
            np.bitwise_or.reduceat(flags, starts) & _RESIDUAL != 0,
            np.bitwise_and.reduceat(flags, starts) & _INLINE != 0,
        )  # fmt: skip


def _once_a_sample(sample: Ints, flags: Ints, pair: Ints, bits: int, samples: int) -> tuple[Ints, Ints, Ints]:
    """(sample, flags, pair) sorted by pair, each pair once a sample: its first one in the input."""
    sample_bits = max(1, (samples - 1).bit_length())
    if 2 * bits + sample_bits + 2 <= 63:
        key = (pair << (sample_bits + 2)) | (sample << 2) | flags
        key.sort()
        first = group_edges(key >> 2)
        if len(first) < len(key):
            last = group_stops(first, len(key)) - 1
            definite = not any_true((key.take(first) ^ key.take(last)) & 3)
            key = key.take(first)
        else:
            definite = True
        if definite:
            return (key >> 2) & ((1 << sample_bits) - 1), key & 3, key >> (sample_bits + 2)
    # Repetitions with different flags: keep the order of the input among equals.
    order = np.lexsort((sample, pair))
    sample, flags, pair = sample.take(order), flags.take(order), pair.take(order)
    new = filled(len(pair), True, BOOL)
    new[1:] = (pair[1:] != pair[:-1]) | (sample[1:] != sample[:-1])
    return sample[new], flags[new], pair[new]


def _sum_edges(parts: list[Edges], bits: int) -> Edges:
    """Equal pairs of several parts added up."""
    if len(parts) <= 1:
        return parts[0] if parts else no_edges()
    columns = [join([part[i] for part in parts], I8) for i in range(6)]
    pair = (columns[0].astype(U8) << U8.type(bits)) | columns[1].astype(U8)
    order = pair.argsort(kind="stable")
    starts = group_edges(pair.take(order))
    if not len(starts):
        return no_edges()
    first = order.take(starts)
    weight, weight_div = (np.add.reduceat(column.take(order), starts) for column in columns[2:4])
    residual = np.logical_or.reduceat(columns[4].take(order), starts)
    inline = np.logical_and.reduceat(columns[5].take(order), starts)
    return Edges(columns[0].take(first), columns[1].take(first), weight, weight_div, residual, inline)
