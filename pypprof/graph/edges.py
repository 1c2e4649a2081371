"""Edges: who called whom, with which weight.

An edge counts once a sample however often the stack repeats it, and takes its flags from the
repetition nearest to the root. An edge is residual when frames between its ends were left out
in any sample, and inline when it was an inlined call in all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pypprof.columns import BOOL, I8, U8, Array, Bools, Ints, any_true, group_edges, group_stops, join, table_of, where_true
from pypprof.graph.frames import FrameMaker, Frames
from pypprof.graph.nodes import NodeTable
from pypprof.graph.weights import divided
from pypprof.profile.model import Block, Profile
from pypprof.view import SampleKind


class Edges(NamedTuple):
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
    ends: Bools | None = None,
    children: Bools | None = None,
) -> Edges:
    """The edges between kept nodes (None: all).

    `ends` (mask of nodes) restricts to edges with such a node at either end, `children` to edges
    with such a child.
    """
    maker = FrameMaker(table, kept)
    nodes = np.arange(table.count) if kept is None else where_true(kept)
    numbering = _Numbering(table, nodes)
    parts: list[Edges] = []
    pending = 0
    for block in profile.blocks:
        frames = maker.frames(block)
        part = _block_edges(block, frames, numbering, table, sample, ends, children)
        parts.append(part)
        pending += len(part.parent)
        if pending > 4_000_000:
            parts = [_sum_edges(parts, numbering)]
            pending = len(parts[0].parent)
    edges = _sum_edges(parts, numbering)
    return edges._replace(parent=nodes.take(edges.parent), child=nodes.take(edges.child))


class _Numbering:
    """Kept nodes numbered densely, so that a pair fits into few bits."""

    def __init__(self, table: NodeTable, nodes: Ints) -> None:
        self.bits = max(1, (len(nodes) - 1).bit_length())
        of_node = table_of(np.arange(len(nodes)), table.count, I8, nodes, 0)
        self.of_slot = of_node.take(table.slot_node)


def _block_edges(
    block: Block,
    frames: Frames,
    numbering: _Numbering,
    table: NodeTable,
    sample: SampleKind,
    ends: Bools | None,
    children: Bools | None,
) -> Edges:
    """The edges of one block, one row a distinct pair, in the order of `pair_key`."""
    value = sample.values(block)
    divisor = sample.divisors(block)
    live = value != 0
    if divisor is not None:
        live |= divisor != 0
    node = numbering.of_slot.take(frames.slot)
    same = (frames.sample[1:] == frames.sample[:-1]) & (node[1:] != node[:-1])
    same &= live.take(frames.sample[:-1])
    if ends is not None or children is not None:
        real = table.slot_node.take(frames.slot)
        if ends is not None:
            hit = ends.take(real)
            same &= hit[1:] | hit[:-1]
        if children is not None:
            same &= children.take(real[:-1])
    # Root first: of equal pairs in a sample the first one counts.
    at = where_true(same)[::-1]
    if not len(at):
        return no_edges()
    flags = (frames.place.take(at + 1) - frames.place.take(at) > 1) * 2
    flags |= table.slot_inner.take(frames.slot.take(at))
    pair = node.take(at + 1) << numbering.bits
    pair |= node.take(at)
    rows, flags, pair = _once_a_sample(frames.sample.take(at), flags, pair, numbering.bits, block.size())
    starts = group_edges(pair)
    pair = pair.take(starts)
    weight = np.add.reduceat(value.take(rows), starts)
    weight_div = np.zeros(len(pair), I8) if divisor is None else np.add.reduceat(divisor.take(rows), starts)
    mask = (1 << numbering.bits) - 1
    return Edges(
        pair >> numbering.bits, pair & mask, weight, weight_div,
        np.bitwise_or.reduceat(flags, starts) >= 2, np.bitwise_and.reduceat(flags, starts) % 2 == 1,
    )  # fmt: skip


def _once_a_sample(sample: Ints, flags: Ints, pair: Ints, bits: int, samples: int) -> tuple[Ints, Ints, Ints]:
    """(sample, flags, pair) sorted by pair, each pair once a sample: its first one in the input."""
    sample_bits = max(1, (samples - 1).bit_length())
    if 2 * bits + sample_bits + 2 <= 63:
        key = (pair << (sample_bits + 2)) | (sample << 2) | flags
        key.sort()
        which = key >> 2
        first = group_edges(which)
        last = group_stops(first, len(key)) - 1
        if not any_true((key.take(first) ^ key.take(last)) & 3):
            key = key.take(first)
            return (key >> 2) & ((1 << sample_bits) - 1), key & 3, key >> (sample_bits + 2)
    # Repetitions with different flags: keep the order of the input among equals.
    order = np.lexsort((sample, pair))
    sample, flags, pair = sample.take(order), flags.take(order), pair.take(order)
    new = np.ones(len(pair), BOOL)
    new[1:] = (pair[1:] != pair[:-1]) | (sample[1:] != sample[:-1])
    return sample[new], flags[new], pair[new]


def _sum_edges(parts: list[Edges], numbering: _Numbering) -> Edges:
    """Equal pairs of several parts added up."""
    if len(parts) <= 1:
        return parts[0] if parts else no_edges()
    columns = [join([part[i] for part in parts], I8) for i in range(6)]
    pair = (columns[0].astype(U8) << U8.type(numbering.bits)) | columns[1].astype(U8)
    order = pair.argsort(kind="stable")
    starts = group_edges(pair.take(order))
    if not len(starts):
        return no_edges()
    first = order.take(starts)
    weight, weight_div = (np.add.reduceat(column.take(order), starts) for column in columns[2:4])
    residual = np.logical_or.reduceat(columns[4].take(order), starts)
    inline = np.logical_and.reduceat(columns[5].take(order), starts)
    return Edges(columns[0].take(first), columns[1].take(first), weight, weight_div, residual, inline)
