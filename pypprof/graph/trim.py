"""From the whole call graph to the part that a report shows.

The steps and their order are those of google/pprof internal/report/report.go (newTrimmedGraph):
nodes below a share of the total go; the rest is sorted and cut to a number; light edges go; in
pictures also edges that a longer path makes redundant. What a kept node weighs does not depend on
the others, so only edges are made anew for each set of kept nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pypprof.columns import BOOL, Bools, Ints, filled, total, where_true
from pypprof.graph.callgraph import CallGraph, Graph, node_table
from pypprof.graph.edges import Edges
from pypprof.graph.order import entropy_scores, remove_redundant, resort_nodes, sort_nodes
from pypprof.settings import Settings
from pypprof.units import abs64, truncate64
from pypprof.view import View

if TYPE_CHECKING:
    from pypprof.graph.tags import NodeTags

MAX_NODELETS = 4  # tags shown at a node of a picture


class TrimmedGraph:
    """The nodes that a report shows, in its order.

    original       nodes left by nodefraction, before nodecount
    dropped_nodes  nodes below nodefraction
    dropped_edges  edges below edgefraction (pictures only)
    """

    def __init__(self, graph: CallGraph, nodes: Ints, kept: Bools | None, edge_cutoff: int) -> None:
        self.graph, self.nodes, self.kept, self.edge_cutoff = graph, nodes, kept, edge_cutoff
        self.original = self.dropped_nodes = self.dropped_edges = 0
        self.edges: Edges | None = None
        self.tags: dict[int, NodeTags] = {}

    def shown_total(self) -> int:
        return total(self.graph.weights.flat_values().take(self.nodes))

    def all_edges(self) -> Edges:
        """The edges between the shown nodes."""
        if self.edges is None:
            edges = self.graph.restrict(None, self.kept)
            self.edges = edges.take(np.logical_not(light_edges(self, edges)))
        return self.edges


def trimmed_graph(
    view: View,
    settings: Settings,
    keep_objfiles: bool = False,
    picture: bool = False,
    tree: bool = False,
    ordered: bool = True,
) -> TrimmedGraph:
    """The part of the view's call graph that the settings show.

    `picture`: for DOT, with pprof's heuristics for pictures. `tree`: a call tree. `ordered` false:
    the caller sorts what it needs itself (no nodecount then).
    """
    table = node_table(view, keep_objfiles, settings)
    graph: CallGraph = Graph(view, table)
    if tree:
        from pypprof.graph.tree import Tree

        graph = Tree(view, table)
    present = present_nodes(graph, settings.drop_negative)
    weight = total(graph.weights.flat[present])
    node_cutoff = abs64(truncate64(weight * settings.nodefraction))
    trimmed = TrimmedGraph(graph, where_true(present), None, abs64(truncate64(weight * settings.edgefraction)))
    if node_cutoff > 0:
        heavy = present & (np.absolute(graph.weights.cum) >= node_cutoff)
        nodes = where_true(heavy)
        trimmed.dropped_nodes = len(trimmed.nodes) - len(nodes)
        if trimmed.dropped_nodes:
            trimmed.nodes = nodes
            trimmed.kept = heavy | np.logical_not(present) if tree else heavy
    trimmed.original = len(trimmed.nodes)
    if picture:
        _trim_picture(trimmed, settings, node_cutoff)
    elif tree:
        _trim_tree(trimmed, settings)
    elif ordered:
        trimmed.nodes = sorted_nodes(trimmed, settings, trimmed.nodes, settings.nodecount)
        if settings.nodecount > 0:
            _limit(trimmed, settings.nodecount)
    return trimmed


def present_nodes(graph: CallGraph, drop_negative: bool) -> Bools:
    """The nodes that belong to the graph at all."""
    flat, cum = graph.weights.flat, graph.weights.cum
    present: Bools = (flat != 0) | (cum != 0)
    if drop_negative:
        present &= np.logical_not((flat < 0) | ((flat == 0) & (cum < 0)))
    return present


def _limit(trimmed: TrimmedGraph, count: int) -> bool:
    """Keep the first `count` nodes; whether that left any out."""
    if count >= len(trimmed.nodes):
        return False
    trimmed.nodes = trimmed.nodes[:count]
    trimmed.kept = np.zeros(trimmed.graph.count, BOOL)
    trimmed.kept[trimmed.nodes] = True
    return True


def sorted_nodes(trimmed: TrimmedGraph, settings: Settings, nodes: Ints, limit: int = 0) -> Ints:
    """Nodes in the order of the `sort` option; only the first `limit` need be (0: all)."""
    weights = trimmed.graph.weights
    score, second = (weights.cum, weights.flat) if settings.sort == "cum" else (weights.flat, weights.cum)
    return sort_nodes(trimmed.graph, nodes, score, second, max(0, limit))


def _trim_tree(trimmed: TrimmedGraph, settings: Settings) -> None:
    """A call tree that is no picture (callgrind): nothing is trimmed there, only sorted."""
    trimmed.nodes = sorted_nodes(trimmed, settings, trimmed.nodes)
    trimmed.edges = trimmed.graph.restrict(None, trimmed.kept)


def light_edges(trimmed: TrimmedGraph, edges: Edges) -> Bools:
    """The edges into shown nodes that weigh less than the cutoff."""
    shown = np.zeros(trimmed.graph.count, BOOL)
    shown[trimmed.nodes] = True
    return shown.take(edges.child) & (np.absolute(edges.weight) < trimmed.edge_cutoff)


def _trim_picture(trimmed: TrimmedGraph, settings: Settings, node_cutoff: int) -> None:
    graph = trimmed.graph
    edges = graph.restrict(None, trimmed.kept)
    trimmed.nodes = _by_entropy(trimmed, edges)
    if settings.nodecount > 0:
        light = light_edges(trimmed, edges)
        edges = edges.take(np.logical_not(light))
        count = _picture_count(trimmed, settings, node_cutoff)
        absent = filled(graph.count, True, BOOL)
        absent[trimmed.nodes] = False
        if _limit(trimmed, count):
            assert trimmed.kept is not None
            kept = trimmed.kept | absent if settings.call_tree else trimmed.kept
            edges = graph.restrict(edges, kept)
            # A graph is built anew from its samples, a tree keeps the order of its first sort.
            trimmed.nodes = _by_entropy(trimmed, edges, resort_nodes if settings.call_tree else sort_nodes)
    light = light_edges(trimmed, edges)
    trimmed.dropped_edges = len(where_true(light))
    edges = edges.take(np.logical_not(light))
    trimmed.edges = remove_redundant(graph, trimmed.nodes, edges)
    tags = graph.tags(trimmed.nodes, settings.unit)
    trimmed.tags = {node: own.trimmed(node_cutoff) for node, own in tags.items()}


def _by_entropy(
    trimmed: TrimmedGraph, edges: Edges, sort: Callable[[CallGraph, Ints, Ints, Ints], Ints] = sort_nodes
) -> Ints:
    scores = entropy_scores(trimmed.graph, trimmed.nodes, edges)
    return sort(trimmed.graph, trimmed.nodes, scores, trimmed.graph.weights.flat)


def _picture_count(trimmed: TrimmedGraph, settings: Settings, node_cutoff: int) -> int:
    """How many nodes fit into a picture of `nodecount` boxes when tags count as boxes."""
    most = settings.nodecount
    candidates = trimmed.nodes[:most]
    tags = trimmed.graph.tags(candidates, settings.unit)
    boxes = 0
    for index, node in enumerate(candidates.tolist()):
        own = tags.get(node)
        boxes += 1 + (min(own.trimmed(node_cutoff).flat_count(), MAX_NODELETS) if own else 0)
        if boxes >= most:
            return index + 1
    return most
