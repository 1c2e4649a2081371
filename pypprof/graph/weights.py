"""Flat and cumulative values of all nodes.

The cumulative value is summed per location first and then spread to the location's nodes; what
a stack counts twice (recursion) is found once by sorting and subtracted. Sums are int64 and wrap.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import I8, U4, U8, Array, Bools, Ints, all_true, in_parallel, join, where_true
from pypprof.graph.nodes import NodeTable
from pypprof.profile.model import Block, Profile
from pypprof.records import Record
from pypprof.view import SampleKind


class Weights(Record):
    """One value a node. The divisors are those of a mean, zeros otherwise."""

    flat: Ints
    cum: Ints
    flat_div: Ints
    cum_div: Ints

    def flat_values(self) -> Ints:
        """Flat values, divided where there is a divisor."""
        return divided(self.flat, self.flat_div)

    def cum_values(self) -> Ints:
        return divided(self.cum, self.cum_div)


def divided(values: Ints, divisors: Ints) -> Ints:
    """Go's integer division (toward zero) where the divisor is not zero."""
    which = where_true(divisors)
    if not len(which):
        return values
    value, divisor = values.take(which), divisors.take(which)
    quotient = np.floor_divide(value, divisor)
    # Floor and truncation differ for an inexact negative quotient.
    inexact = (quotient * divisor != value) & ((value < 0) != (divisor < 0))
    result = values.copy()
    result[which] = quotient + inexact
    return result


class _Repeats(Record):
    """What a block counts twice: (sample, node) pairs; and the leaf of each sample with frames."""

    sample: Ints
    node: Ints
    leaf_sample: Ints
    leaf: Ints


class _Sums(Record):
    """The sums of one column of values: by node and by location."""

    flat: Ints
    cum: Ints
    by_location: Ints


class WeightTable:
    """Weights of the nodes of one view, for any of its sample types."""

    def __init__(self, profile: Profile, table: NodeTable) -> None:
        self._profile, self._table = profile, table
        self._repeats: list[_Repeats] | None = None
        self._sums: dict[int, _Sums] = {}

    def weights(self, sample: SampleKind) -> Weights:
        flat, cum, _ = self._sum(sample.place)
        if not sample.mean:
            none = np.zeros(len(flat), I8)
            return Weights(flat, cum, none, none)
        return Weights(flat, cum, *self._sum(0)[:2])

    def locations(self, sample: SampleKind) -> Ints | None:
        """The sum of the values of the stacks through each location, counted as often as it occurs.

        None when values are negative: then it bounds nothing.
        """
        if any(len(b.values) and int(np.minimum.reduce(sample.values(b))) < 0 for b in self._profile.blocks):
            return None
        return self._sum(sample.place).by_location

    def _sum(self, index: int) -> _Sums:
        if index not in self._sums:
            self._sums[index] = self._make(index)
        return self._sums[index]

    def _make(self, index: int) -> _Sums:
        if self._repeats is None:
            layers = _layers(self._table)
            self._repeats = list(in_parallel(lambda b: _repeats(b, self._table, layers), self._profile.blocks))
        table = self._table
        by_location = np.zeros(len(table.slot_starts) - 1, I8)
        flat, cum, twice = (np.zeros(table.count, I8) for _ in range(3))
        for block, repeats in zip(self._profile.blocks, self._repeats, strict=True):
            value = np.array(block.values[:, index], I8)  # contiguous
            np.add.at(by_location, block.stacks, value.repeat(block.counts()))
            np.add.at(twice, repeats.node, value.take(repeats.sample))
            np.add.at(flat, repeats.leaf, value.take(repeats.leaf_sample))
        slots = table.slot_starts[1:] - table.slot_starts[:-1]
        np.add.at(cum, table.slot_node, by_location.repeat(slots))
        cum -= twice
        return _Sums(flat, cum, by_location)


def _repeats(block: Block, table: NodeTable, layers: list[_Layer]) -> _Repeats:
    counts = block.counts()
    bits = max(1, (table.count - 1).bit_length())
    dtype = U8 if block.size() << bits > 1 << 32 else U4
    mark = np.arange(block.size(), dtype=dtype)
    mark <<= dtype.type(bits)
    mark = mark.repeat(counts)
    stacks = block.stacks
    keys = []
    for layer in layers:
        if layer.deeper is not None:
            # Frames of locations with so many lines; each layer is a part of the one before.
            longer = where_true(layer.deeper.take(stacks))
            stacks, mark = stacks.take(longer), mark.take(longer)
        keys.append(layer.node.take(stacks).astype(dtype, copy=False) | mark)
    key = join(keys, dtype)
    key.sort()
    twice = key[1:][key[1:] == key[:-1]]
    node = (twice & dtype.type((1 << bits) - 1)).astype(I8)
    sample = (twice >> dtype.type(bits)).astype(I8)
    rows = np.arange(block.size()) if all_true(counts > 0) else where_true(counts)
    leaf = layers[0].leaf.take(block.stacks.take(block.starts.take(rows))) if len(rows) else rows
    return _Repeats(sample, node, rows, leaf)


class _Layer(Record):
    """The nodes of the n-th last line of all locations."""

    deeper: Bools | None  # which locations have such a line; None for all
    node: Array  # uint32 a location
    leaf: Ints  # the node of the first line of each location


def _layers(table: NodeTable) -> list[_Layer]:
    counts = table.slot_starts[1:] - table.slot_starts[:-1]
    leaf = table.slot_node.take(table.slot_starts[:-1]).astype(I8)
    layers = []
    for depth in range(table.max_slots):
        slot = np.maximum(table.slot_starts[1:] - 1 - depth, 0)
        deeper = counts > depth if depth else None
        layers.append(_Layer(deeper, table.slot_node.take(slot).astype(U4), leaf))
    return layers
