"""Flat and cumulative values of all nodes.

The cumulative value is summed per location first and then spread to the location's nodes; what
a stack counts twice (recursion) is found once by sorting and subtracted. Sums are int64 and wrap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pypprof.columns import I8, U4, U8, Ints, all_true, where_true
from pypprof.graph.frames import FrameMaker
from pypprof.graph.nodes import NodeTable
from pypprof.profile.model import Block, Profile
from pypprof.view import SampleKind


class Weights(NamedTuple):
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


class _Repeats(NamedTuple):
    """What a block counts twice: (sample, node) pairs; and the leaf of each sample with frames."""

    sample: Ints
    node: Ints
    leaf_sample: Ints
    leaf: Ints


class WeightTable:
    """Weights of the nodes of one view, for any of its sample types."""

    def __init__(self, profile: Profile, table: NodeTable) -> None:
        self._profile, self._table = profile, table
        self._repeats: list[_Repeats] | None = None

    def weights(self, sample: SampleKind) -> Weights:
        if self._repeats is None:
            maker = FrameMaker(self._table)
            self._repeats = [_repeats(block, self._table, maker) for block in self._profile.blocks]
        blocks = self._profile.blocks
        flat, cum = self._sums([sample.values(block) for block in blocks])
        if not sample.mean:
            none = np.zeros(len(flat), I8)
            return Weights(flat, cum, none, none)
        return Weights(flat, cum, *self._sums([block.values[:, 0] for block in blocks]))

    def _sums(self, values: list[Ints]) -> tuple[Ints, Ints]:
        assert self._repeats is not None
        table = self._table
        by_location = np.zeros(len(table.slot_starts) - 1, I8)
        flat, cum, twice = (np.zeros(table.count, I8) for _ in range(3))
        for block, value, repeats in zip(self._profile.blocks, values, self._repeats, strict=True):
            value = np.array(value, I8)  # a contiguous column
            np.add.at(by_location, block.stacks, value.repeat(block.counts()))
            np.add.at(twice, repeats.node, value.take(repeats.sample))
            np.add.at(flat, repeats.leaf, value.take(repeats.leaf_sample))
        slots = table.slot_starts[1:] - table.slot_starts[:-1]
        np.add.at(cum, table.slot_node, by_location.repeat(slots))
        cum -= twice
        return flat, cum


def _repeats(block: Block, table: NodeTable, maker: FrameMaker) -> _Repeats:
    frames = maker.frames(block)
    bits = max(1, (table.count - 1).bit_length())
    wide = U8 if block.size() << bits > 1 << 32 else U4
    key = frames.sample.astype(wide)
    key <<= wide.type(bits)
    key |= table.slot_node.take(frames.slot).astype(wide)
    key.sort()
    twice = key[1:][key[1:] == key[:-1]]
    node = (twice & wide.type((1 << bits) - 1)).astype(I8)
    sample = (twice >> wide.type(bits)).astype(I8)
    counts = block.counts()
    rows = np.arange(block.size()) if all_true(counts > 0) else where_true(counts)
    leaf_slot = table.slot_starts.take(block.stacks.take(block.starts.take(rows)))
    return _Repeats(sample, node, rows, table.slot_node.take(leaf_slot).astype(I8))
