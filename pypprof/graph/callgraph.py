"""The call graph of a view, before any trimming: nodes with weights, edges on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from pypprof.columns import BOOL, I8, Bools, Ints, all_true, group_edges, where_true
from pypprof.graph.edges import Edges, build_edges
from pypprof.graph.frames import FrameMaker
from pypprof.graph.nodes import NodeInfo, NodeTable
from pypprof.graph.weights import Weights, WeightTable
from pypprof.settings import Settings
from pypprof.view import View

if TYPE_CHECKING:
    from pypprof.graph.tags import NodeTags


class CallGraph(Protocol):
    """What trimming and the reports need of a graph or a call tree. Nodes are row numbers."""

    weights: Weights
    count: int

    def info(self, node: int) -> NodeInfo: ...

    def printable(self, node: int) -> str: ...

    def functions(self) -> Ints:
        """A number for the whole function that each node belongs to."""

    def restrict(self, edges: Edges | None, kept: Bools | None) -> Edges:
        """The edges when only the kept nodes (None: all) are shown. `edges` are the current ones."""

    def tags(self, nodes: Ints, unit: str) -> dict[int, NodeTags]:
        """The tags of some nodes, values in `unit`."""


def node_table(view: View, keep_objfiles: bool, settings: Settings) -> NodeTable:
    """The view's node table, made once."""
    key = ("nodes", keep_objfiles, settings.trim_path, settings.source_path)
    table = view.memo.get(key)
    if not isinstance(table, NodeTable):
        table = NodeTable(view.profile, keep_objfiles, settings.trim_path, settings.source_path)
        view.memo[key] = table
    return table


def weight_table(view: View, table: NodeTable) -> WeightTable:
    """The view's weights on a node table, made once."""
    key = ("weights", id(table))
    weights = view.memo.get(key)
    if not isinstance(weights, WeightTable):
        weights = view.memo[key] = WeightTable(view.profile, table)
    return weights


class Graph:
    """One node a program location."""

    def __init__(self, view: View, table: NodeTable) -> None:
        self._view, self.table = view, table
        self._weight_table = weight_table(view, table)
        self.weights = self._weight_table.weights(view.sample)
        self.count = table.count
        self.info, self.printable, self.functions = table.info, table.printable, table.functions

    def restrict(self, edges: Edges | None, kept: Bools | None) -> Edges:
        return build_edges(self._view.profile, self.table, self._view.sample, kept)

    def location_weights(self) -> Ints | None:
        """The weight of each location (see WeightTable.locations)."""
        return self._weight_table.locations(self._view.sample)

    def edges_at(self, ends: Bools, kept: Bools | None = None) -> Edges:
        """restrict(), but only the edges into and out of some nodes, and residual is left open."""
        return build_edges(self._view.profile, self.table, self._view.sample, kept, at=ends, residual=False)

    def tags(self, nodes: Ints, unit: str) -> dict[int, NodeTags]:
        from pypprof.graph.tags import TagCollector

        collector = TagCollector(self._view, unit)
        wanted = np.zeros(self.count, BOOL)
        wanted[nodes] = True
        maker = FrameMaker(self.table, wanted)
        slot_node, slot_starts = self.table.slot_node, self.table.slot_starts
        for block in self._view.profile.blocks:
            if block.labels is None:
                continue
            collector.open(block)
            frames = maker.frames(block)
            key = frames.sample * self.count + slot_node.take(frames.slot)
            key.sort()
            key = key.take(group_edges(key))
            collector.add(key // self.count, key % self.count, flat=False)
            counts = block.counts()
            rows = np.arange(block.size(), dtype=I8) if all_true(counts > 0) else where_true(counts)
            leaf = slot_node.take(slot_starts.take(block.stacks.take(block.starts.take(rows)))).astype(I8)
            own = wanted.take(leaf)
            collector.add(rows[own], leaf[own], flat=True)
        return collector.nodes
