"""dot: the call graph in DOT format; the data of all pictures."""

from __future__ import annotations

from collections.abc import Iterator

from pypprof.fetch.paths import base
from pypprof.graph.order import sort_edges
from pypprof.graph.trim import trimmed_graph
from pypprof.render.dot import DotEdge, DotGraph, DotNode, compose
from pypprof.reports.command import Command, Context, graph_usage
from pypprof.reports.header import graph_header, header_lines
from pypprof.reports.values import graph_format
from pypprof.view import View


def build(view: View, context: Context) -> DotGraph:
    settings = context.settings
    trimmed = trimmed_graph(view, settings, picture=True, tree=settings.call_tree)
    graph, weights = trimmed.graph, trimmed.graph.weights
    values = graph_format(view, settings, trimmed)
    number = {node: index for index, node in enumerate(trimmed.nodes.tolist(), 1)}
    assert trimmed.edges is not None
    edges = sort_edges(graph, trimmed.edges)
    rows = zip(
        edges.parent.tolist(), edges.child.tolist(), edges.weight_values().tolist(),
        edges.residual.tolist(), edges.inline.tolist(), strict=True,
    )  # fmt: skip
    arrows = [
        DotEdge(number[p], number.get(c, 0), graph.info(p), graph.info(c), weight, residual, inline)
        for p, c, weight, residual, inline in rows
        if p in number
    ]
    callers = {arrow.source for arrow in arrows}
    flat, cum = weights.flat_values(), weights.cum_values()
    boxes = [
        DotNode(graph.info(node), int(flat[node]), int(cum[node]), trimmed.tags.get(node), index not in callers)
        for node, index in number.items()
    ]
    mappings = view.profile.mappings
    title = base(mappings[0].file) if mappings and mappings[0].file else ""
    header = graph_header(view, settings, trimmed, picture=True)
    return DotGraph(title, header_lines(header, values), boxes, arrows, view.total, values.text)


def text(report: DotGraph) -> Iterator[str]:
    return compose(report)


def is_empty(report: DotGraph) -> bool:
    return not report.nodes


COMMAND = Command("dot", "The call graph in DOT format", graph_usage("dot", False), build, text, empty=is_empty)
