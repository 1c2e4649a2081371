"""peek: callers and callees of the functions that match, nothing trimmed."""

from __future__ import annotations

import numpy as np

from pypprof.columns import BOOL
from pypprof.errors import CommandError
from pypprof.graph.callgraph import Graph
from pypprof.graph.trim import light_edges, sorted_nodes, trimmed_graph
from pypprof.reports.command import Command, Context
from pypprof.reports.header import graph_header
from pypprof.reports.tree import TreeReport, entries, text
from pypprof.reports.values import graph_format
from pypprof.view import View


def build(view: View, context: Context) -> TreeReport:
    """CommandError when no function matches."""
    assert context.regex is not None
    trimmed = trimmed_graph(view, context.settings, ordered=False)
    graph = trimmed.graph
    assert isinstance(graph, Graph)
    hits = context.regex.matching(graph.printable(node) for node in trimmed.nodes.tolist())
    matched = trimmed.nodes[np.array(hits, BOOL)]
    if not len(matched):
        raise CommandError(f"no matches found for regexp: {context.argument}")
    ends = np.zeros(graph.count, BOOL)
    ends[matched] = True
    nodes = sorted_nodes(trimmed, context.settings, matched)
    edges = graph.edges_at(ends)
    edges = edges.take(np.logical_not(light_edges(trimmed, edges)))
    return TreeReport(
        graph_header(view, context.settings, trimmed), graph_format(view, context.settings, trimmed),
        entries(graph, nodes, edges),
    )  # fmt: skip


COMMAND = Command(
    "peek",
    "Callers and callees of the functions that match",
    "peek function_regex\nThe callers and callees of the functions whose name matches.",
    build,
    text,
    argument="function",
    nodecount=-1,
    trim=False,
)
