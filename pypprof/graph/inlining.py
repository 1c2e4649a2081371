"""Which of the shown nodes are inlined calls: what `top` prints behind a name."""

from __future__ import annotations

import numpy as np

from pypprof.columns import BOOL, F8, I8, Bools, Ints, any_true, filled, number_rows, where_true
from pypprof.graph.callgraph import Graph
from pypprof.graph.trim import TrimmedGraph, light_edges


def inline_marks(trimmed: TrimmedGraph) -> dict[int, str]:
    """ "inline" for each shown node all of whose calls are inlined, "partial-inline" for some.

    Calls lighter than the edge cutoff do not count.
    """
    graph = trimmed.graph
    assert isinstance(graph, Graph)
    candidates = _candidates(graph, trimmed)
    if not any_true(candidates):
        return {}
    edges = graph.edges_at(candidates, trimmed.kept)
    edges = edges.take(candidates.take(edges.child) & np.logical_not(light_edges(trimmed, edges)))
    inlined = set(edges.child[edges.inline].tolist())
    called = set(edges.child[np.logical_not(edges.inline)].tolist())
    return {node: "partial-inline" if node in called else "inline" for node in inlined}


def _candidates(graph: Graph, trimmed: TrimmedGraph) -> Bools:
    """The shown nodes that some caller may inline with a weight that counts.

    An edge is inline when all its calls are. The caller is a line further out in the same
    location, or, where those are not kept, of the next one: so an inline edge weighs at most what
    the locations with both ends weigh, and those with the callee but no kept caller. That needs
    no look at the stacks. (With negative values it bounds nothing, and all count.)
    """
    table = graph.table
    kept = trimmed.kept if trimmed.kept is not None else filled(graph.count, True, BOOL)
    shown = np.zeros(graph.count, BOOL)
    shown[trimmed.nodes] = True
    slots = where_true(kept.take(table.slot_node))
    location = table.slot_starts.searchsorted(slots, side="right") - 1
    node = table.slot_node.take(slots).astype(I8)
    # The next kept line of the same location; -1 where there is none.
    caller = filled(len(slots), -1, I8)
    caller[:-1] = np.where(location[1:] == location[:-1], node[1:], -1)
    rows = where_true(table.slot_inner.take(slots) & shown.take(node) & (caller != node))
    mask = np.zeros(graph.count, BOOL)
    if len(rows):
        bound = _bounds(graph, node.take(rows), caller.take(rows), location.take(rows))
        mask[node.take(rows)[bound >= trimmed.edge_cutoff] if bound is not None else node.take(rows)] = True
    return mask


def _bounds(graph: Graph, child: Ints, caller: Ints, location: Ints) -> Ints | None:
    """What the edge into the child that each row belongs to weighs at most; None when unknown."""
    weights = graph.location_weights()
    if weights is None or float(np.add.reduce(weights.astype(F8))) >= 2.0**62:
        return None  # sums wrap, as in Go
    weight = weights.take(location)
    open_ended = np.zeros(graph.count, I8)
    np.add.at(open_ended, child, weight * (caller < 0))
    numbers, first = number_rows([child, caller + 1])
    sums = np.zeros(len(first), I8)
    np.add.at(sums, numbers, weight * (caller >= 0))
    return sums.take(numbers) + open_ended.take(child)
