"""tree: every entry with its callers above and its callees below."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pypprof.columns import I8, Ints
from pypprof.graph.callgraph import CallGraph
from pypprof.graph.edges import Edges
from pypprof.graph.order import edges_by_node
from pypprof.graph.trim import trimmed_graph
from pypprof.records import Record
from pypprof.reports.command import Command, Context, graph_usage, nothing_shown
from pypprof.reports.header import Header, graph_header, header_lines
from pypprof.reports.values import ValueFormat, graph_format
from pypprof.units import percentage, wrap64
from pypprof.view import View

_SEPARATOR = "-" * 58 + "+" + "-" * 13 + "\n"
_LEGEND = "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n"


class Call(Record):
    """A caller or callee and what the calls between weigh."""

    name: str
    weight: int
    inline: bool


class TreeEntry(Record):
    name: str
    flat: int
    cum: int
    callers: list[Call]
    callees: list[Call]


class TreeReport(Record):
    header: Header
    values: ValueFormat
    entries: list[TreeEntry]


def entries(graph: CallGraph, nodes: Ints, edges: Edges) -> list[TreeEntry]:
    """The entries of some nodes, their edges in report order."""
    into = edges_by_node(graph, edges, edges.child, edges.parent)
    out = edges_by_node(graph, edges, edges.parent, edges.child)
    weights = graph.weights
    flat, cum = weights.flat_values(), weights.cum_values()
    none = np.zeros(0, I8)

    def calls(rows: Ints, ends: Ints) -> list[Call]:
        columns = ends.take(rows).tolist(), edges.weight.take(rows).tolist(), edges.inline.take(rows).tolist()
        return [Call(graph.printable(n), w, i) for n, w, i in zip(*columns, strict=True)]

    return [
        TreeEntry(
            graph.printable(node), int(flat[node]), int(cum[node]),
            calls(into.get(node, none), edges.parent), calls(out.get(node, none), edges.child),
        )
        for node in nodes.tolist()
    ]  # fmt: skip


def build(view: View, context: Context) -> TreeReport:
    trimmed = trimmed_graph(view, context.settings)
    header = graph_header(view, context.settings, trimmed)
    values = graph_format(view, context.settings, trimmed)
    return TreeReport(header, values, entries(trimmed.graph, trimmed.nodes, trimmed.all_edges()))


def text(report: TreeReport) -> Iterator[str]:
    values, total = report.values, report.header.shown.total
    yield "\n".join(header_lines(report.header, values)) + "\n" + _SEPARATOR + _LEGEND
    running = 0
    for entry in report.entries:
        running = wrap64(running + entry.flat)
        yield _SEPARATOR
        yield from _call_lines(entry.callers, entry.cum, values)
        yield (
            f"{values.text(entry.flat):>10} {percentage(entry.flat, total)} {percentage(running, total)} "
            f"{values.text(entry.cum):>10} {percentage(entry.cum, total)}                | {entry.name}\n"
        )
        yield from _call_lines(entry.callees, entry.cum, values)
    if report.header.shown.nodes:
        yield _SEPARATOR


def _call_lines(calls: list[Call], whole: int, values: ValueFormat) -> Iterator[str]:
    for call in calls:
        mark = " (inline)" if call.inline else ""
        yield f"{values.text(call.weight):>50} {percentage(call.weight, whole)} |   {call.name}{mark}\n"


COMMAND = Command(
    "tree", "Every entry with its callers and callees", graph_usage("tree", True), build, text,
    empty=nothing_shown,
)  # fmt: skip
