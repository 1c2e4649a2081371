"""The order of nodes and edges in reports.

Nodes: by absolute score, heaviest first, then by printed name. Where pprof leaves ties to
chance (equal printed names), ours are ordered by the whole node identity.
Source: google/pprof internal/graph/graph.go (Nodes.Sort, entropyScore, EdgeMap.Sort).
"""

from __future__ import annotations

import math

import numpy as np

from pypprof.columns import I8, Ints, group_edges, group_stops, number_rows, where_true
from pypprof.graph.callgraph import CallGraph
from pypprof.graph.edges import Edges
from pypprof.units import abs64, truncate64, wrap64


def sort_key(text: str) -> bytes:
    """Text in the order of its bytes, as Go compares strings."""
    return text.encode("utf-8", "surrogateescape")


def sort_nodes(graph: CallGraph, nodes: Ints, score: Ints, second: Ints, limit: int = 0) -> Ints:
    """Nodes by |score|, then name, then |second|. Both columns are indexed by node.

    With a limit, only the first `limit` need be in order.
    """
    own = np.absolute(score.take(nodes))
    order = np.invert(own).argsort(kind="stable")  # descending; negation would overflow
    ordered = nodes.take(order)
    edges = group_edges(own.take(order))
    sizes = group_stops(edges, len(nodes)) - edges
    result = ordered.copy()
    for start, size in zip(edges[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        if limit and start >= limit:
            break
        run = ordered[start : start + size].tolist()
        run.sort(key=lambda n: (sort_key(graph.printable(n)), -abs64(int(second[n])), graph.info(n).order_key(), n))
        result[start : start + size] = run
    return result


def resort_nodes(graph: CallGraph, nodes: Ints, score: Ints, second: Ints) -> Ints:
    """sort_nodes() of nodes that are in a definite order already: equal ones fall as in Go."""

    from pypprof.graph.gosort import go_sorted

    def key(node: int) -> tuple[int, bytes, int]:
        return -abs64(int(score[node])), sort_key(graph.printable(node)), -abs64(int(second[node]))

    return np.array(go_sorted(nodes.tolist(), key), I8)


def entropy_scores(graph: CallGraph, nodes: Ints, edges: Edges) -> Ints:
    """pprof's score for pictures: the weight of a node, more for the more interesting edges."""
    incoming, outgoing = _weights_by_node(edges.child, edges), _weights_by_node(edges.parent, edges)
    scores = np.zeros(graph.count, I8)
    for node in nodes.tolist():
        flat, cum = int(graph.weights.flat[node]), int(graph.weights.cum[node])
        score = _edge_entropy(incoming[node], 0) if node in incoming else 1.0
        score += _edge_entropy(outgoing[node], flat) if node in outgoing else 1.0
        scores[node] = wrap64(truncate64(score * cum) + flat)
    return scores


def _weights_by_node(ends: Ints, edges: Edges) -> dict[int, list[int]]:
    """The weights of the edges at each node, heaviest first."""
    order = np.lexsort((np.invert(np.absolute(edges.weight)), ends))
    starts = group_edges(ends.take(order))
    weights = edges.weight.take(order).tolist()
    bounds = starts.tolist(), group_stops(starts, len(order)).tolist()
    owners = ends.take(order).take(starts).tolist()
    return {n: weights[a:b] for n, a, b in zip(owners, *bounds, strict=True)}


def _edge_entropy(weights: list[int], self_weight: int) -> float:
    total = wrap64(self_weight + sum(weight for weight in weights if weight > 0))
    if total == 0:
        return 0.0
    score = sum(map(_term, [abs64(weight) / total for weight in weights]))
    if self_weight > 0:
        score += _term(self_weight / total)
    return score


def _term(share: float) -> float:
    """-p log2 p. Go computes 0 x infinity for an empty share, which is no number."""
    if share <= 0:
        return math.nan
    return -share * math.log2(share)


def sort_edges(graph: CallGraph, edges: Edges) -> Edges:
    """By |weight|, then caller's name, then callee's."""
    return edges.take(_order(graph, edges, np.zeros(len(edges.weight), I8), (edges.parent, edges.child)))


def edges_by_node(graph: CallGraph, edges: Edges, ends: Ints, others: Ints) -> dict[int, Ints]:
    """The rows of the edges at each node (a column of `edges`), in the order of sort_edges().

    `others` is the column of their other ends.
    """
    rows = _order(graph, edges, ends, (others,))
    starts = group_edges(ends.take(rows))
    owners = ends.take(rows).take(starts).tolist()
    bounds = starts.tolist(), group_stops(starts, len(rows)).tolist()
    return {n: rows[a:b] for n, a, b in zip(owners, *bounds, strict=True)}


def _order(graph: CallGraph, edges: Edges, group: Ints, names: tuple[Ints, ...]) -> Ints:
    """Rows by group, then |weight|, then the printed names of the nodes in `names`."""
    lightness = np.invert(np.absolute(edges.weight))
    order = np.lexsort((lightness, group))
    if not len(order):
        return order
    numbers = number_rows([group.take(order), lightness.take(order)])[0]
    starts = group_edges(numbers)
    stops = group_stops(starts, len(order))
    columns = [column.tolist() for column in names]

    def key(row: int) -> tuple[list[bytes], list[str], int]:
        nodes = [column[row] for column in columns]
        texts = [sort_key(graph.printable(node)) for node in nodes]
        return texts, [graph.info(node).order_key() for node in nodes], row

    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        if stop - start > 1:
            order[start:stop] = sorted(order[start:stop].tolist(), key=key)
    return order


def remove_redundant(graph: CallGraph, nodes: Ints, edges: Edges) -> Edges:
    """Without the residual edges whose ends are connected by another path.

    From the last node to the first, from the lightest edge to the heaviest, and per node only up
    to the first edge that is not residual, so that no edge goes that is heavier than one that stays.
    """
    if not len(where_true(edges.residual)):
        return edges
    ordered = sort_edges(graph, edges)
    alive = [True] * len(ordered.parent)
    parents, residual = ordered.parent.tolist(), ordered.residual.tolist()
    into = {n: r.tolist() for n, r in edges_by_node(graph, ordered, ordered.child, ordered.parent).items()}
    for node in reversed(nodes.tolist()):
        for row in reversed(into.get(node, [])):
            if not residual[row]:
                break
            if _reachable(row, node, parents, into, alive):
                alive[row] = False
    return ordered.take(np.array(alive, "?"))


def _reachable(edge: int, child: int, parents: list[int], into: dict[int, list[int]], alive: list[bool]) -> bool:
    """Whether the edge's caller still reaches its callee without the edge."""
    source = parents[edge]
    seen, queue = {child}, [child]
    while queue:
        for row in into.get(queue.pop(), ()):
            if row == edge or not alive[row] or parents[row] in seen:
                continue
            if parents[row] == source:
                return True
            seen.add(parents[row])
            queue.append(parents[row])
    return False
