"""The call tree: a function reached by different paths is a node for each path.

Source: google/pprof internal/graph/graph.go (newTree, TrimTree).
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import (
    BOOL,
    I8,
    Bools,
    Ints,
    filled,
    join,
    number_rows,
    starts_of,
    table_of,
    where_true,
)
from pypprof.graph.edges import Edges, no_edges
from pypprof.graph.frames import FrameMaker
from pypprof.graph.nodes import NodeInfo, NodeTable
from pypprof.graph.tags import NodeTags, TagCollector
from pypprof.graph.weights import Weights
from pypprof.profile.model import Block
from pypprof.view import View


class _Paths:
    """The frames of one block, root first, and the tree node of each."""

    def __init__(self, view: View, block: Block, maker: FrameMaker, table: NodeTable) -> None:
        self.block = block
        frames = maker.frames(block)
        live = view.sample.values(block) != 0
        divisors = view.sample.divisors(block)
        if divisors is not None:
            live = live | (divisors != 0)
        rows = where_true(live.take(frames.sample))
        self.sample, slot = frames.sample.take(rows), frames.slot.take(rows)
        self.node = table.slot_node.take(slot)
        self.inner = table.slot_inner.take(slot)
        counts = np.zeros(block.size(), I8)
        np.add.at(counts, self.sample, 1)
        self.starts = starts_of(counts)
        self.tree = np.empty(len(rows), I8)
        self.last = where_true(counts)  # the samples whose path goes on
        self.parent = filled(len(self.last), -1, I8)

    def level(self, depth: int) -> tuple[Ints, Ints]:
        """(parent, position) of the frame `depth` below the root of each path that is so long."""
        at = self.starts.take(self.last + 1) - 1 - depth
        longer = at >= self.starts.take(self.last)
        self.last, self.parent = self.last[longer], self.parent[longer]
        return self.parent, at[longer]


class Tree:
    """A CallGraph whose nodes are paths."""

    def __init__(self, view: View, table: NodeTable) -> None:
        self._view, self._table = view, table
        maker = FrameMaker(table)
        self._paths = [_Paths(view, block, maker, table) for block in view.profile.blocks]
        parents, nodes = self._grow()
        self._parent, self._node = parents, nodes
        self.count = len(nodes)
        self.weights = self._weigh()

    def _grow(self) -> tuple[Ints, Ints]:
        """Number the paths level by level: (parent, table node) of each tree node."""
        parents: list[Ints] = []
        nodes: list[Ints] = []
        made = 0
        for depth in range(1 << 62):
            levels = [path.level(depth) for path in self._paths]
            parent = join([level[0] for level in levels], I8)
            if not len(parent):
                break
            at = [level[1] for level in levels]
            node = join([path.node.take(a) for path, a in zip(self._paths, at, strict=True)], I8).astype(I8)
            numbers, first = number_rows([parent + 1, node])
            parents.append(parent.take(first))
            nodes.append(node.take(first))
            numbers += made
            made += len(first)
            begin = 0
            for path, positions in zip(self._paths, at, strict=True):
                path.parent = numbers[begin : begin + len(positions)]
                path.tree[positions] = path.parent
                begin += len(positions)
        return join(parents, I8), join(nodes, I8)

    def _weigh(self) -> Weights:
        sums = [np.zeros(self.count, I8) for _ in range(4)]
        sample = self._view.sample
        inline = filled(self.count, True, BOOL)
        for path in self._paths:
            leaves = where_true(path.starts[1:] - path.starts[:-1])
            leaf = path.tree.take(path.starts.take(leaves)) if len(path.tree) else leaves
            inline[path.tree[np.logical_not(path.inner)]] = False
            for offset, column in enumerate((sample.values(path.block), sample.divisors(path.block))):
                if column is not None:
                    np.add.at(sums[offset * 2], leaf, column.take(leaves))
                    np.add.at(sums[offset * 2 + 1], path.tree, column.take(path.sample))
        self._inline = inline
        return Weights(*sums)

    def info(self, node: int) -> NodeInfo:
        return self._table.info(int(self._node[node]))

    def printable(self, node: int) -> str:
        return self._table.printable(int(self._node[node]))

    def functions(self) -> Ints:
        return number_rows([self._parent + 1, self._table.functions().take(self._node)])[0]

    def restrict(self, edges: Edges | None, kept: Bools | None) -> Edges:
        """Without the nodes not kept: their children hang on the nearest kept ancestor."""
        if edges is None:
            children = where_true(self._parent >= 0)
            edges = Edges(
                self._parent.take(children), children, self.weights.cum.take(children),
                self.weights.cum_div.take(children), np.zeros(len(children), BOOL), self._inline.take(children),
            )  # fmt: skip
        if kept is None or not len(edges.child):
            return edges
        return _contract(edges, kept, self.count)

    def tags(self, nodes: Ints, unit: str) -> dict[int, NodeTags]:
        collector = TagCollector(self._view, unit)
        wanted = np.zeros(self.count, BOOL)
        wanted[nodes] = True
        for path in self._paths:
            if path.block.labels is None or not len(path.tree):
                continue
            collector.open(path.block)
            own = wanted.take(path.tree)
            collector.add(path.sample[own], path.tree[own], flat=False)
            leaves = where_true(path.starts[1:] - path.starts[:-1])
            leaf = path.tree.take(path.starts.take(leaves))
            own = wanted.take(leaf)
            collector.add(leaves[own], leaf[own], flat=True)
        return collector.nodes


def _contract(edges: Edges, kept: Bools, count: int) -> Edges:
    """Each kept child on its nearest kept ancestor; edges that skip a node become residual."""
    edge_of = table_of(np.arange(len(edges.child)), count, I8, edges.child, -1)
    rows = where_true(kept.take(edges.child))
    if not len(rows):
        return no_edges()
    parent, inline = edges.parent.take(rows), edges.inline.take(rows)
    residual = edges.residual.take(rows)
    while True:
        # -1 is a path whose root was left out: the child becomes a root.
        skip = where_true((parent >= 0) & np.logical_not(kept.take(np.maximum(parent, 0))))
        if not len(skip):
            break
        up = edge_of.take(parent.take(skip))
        inline[skip] = inline.take(skip) & edges.inline.take(np.maximum(up, 0))
        residual[skip] = True
        parent[skip] = np.where(up < 0, -1, edges.parent.take(np.maximum(up, 0)))
    alive = parent >= 0
    taken = edges.take(rows)._replace(parent=parent, residual=residual, inline=inline)
    return taken.take(alive)
