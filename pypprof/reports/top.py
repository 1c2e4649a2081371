"""top: the heaviest entries, one a line."""

from __future__ import annotations

from collections.abc import Iterator

from pypprof.graph.inlining import inline_marks
from pypprof.graph.trim import trimmed_graph
from pypprof.records import Record
from pypprof.reports.command import Command, Context, graph_usage, nothing_shown
from pypprof.reports.header import Header, graph_header, header_lines
from pypprof.reports.values import ValueFormat, graph_format
from pypprof.units import percentage, wrap64
from pypprof.view import View


class TopRow(Record):
    """One entry. `inline` is "inline", "partial-inline" (inlined by some callers) or ""."""

    name: str
    inline: str
    flat: int
    cum: int


class TopReport(Record):
    header: Header
    values: ValueFormat
    rows: list[TopRow]


def build(view: View, context: Context) -> TopReport:
    trimmed = trimmed_graph(view, context.settings)
    weights = trimmed.graph.weights
    nodes = trimmed.nodes.tolist()
    flat, cum = weights.flat_values().take(trimmed.nodes), weights.cum_values().take(trimmed.nodes)
    inline = inline_marks(trimmed)
    rows = [
        TopRow(trimmed.graph.printable(node), inline.get(node, ""), f, c)
        for node, f, c in zip(nodes, flat.tolist(), cum.tolist(), strict=True)
    ]
    return TopReport(graph_header(view, context.settings, trimmed), graph_format(view, context.settings, trimmed), rows)


def text(report: TopReport) -> Iterator[str]:
    values, total = report.values, report.header.shown.total
    yield "\n".join(header_lines(report.header, values))
    yield f"\n{'flat':>10} {'flat':>5}% {'sum':>5}% {'cum':>10} {'cum':>5}%\n"
    running = 0
    for row in report.rows:
        running = wrap64(running + row.flat)
        mark = f" ({row.inline})" if row.inline else ""
        yield (
            f"{values.text(row.flat):>10} {percentage(row.flat, total)} {percentage(running, total)} "
            f"{values.text(row.cum):>10} {percentage(row.cum, total)}  {row.name}{mark}\n"
        )


COMMAND = Command(
    "top", "The heaviest entries as a table", graph_usage("top", True), build, text, nodecount=0, empty=nothing_shown
)
TEXT_COMMAND = COMMAND._replace(name="text", usage=graph_usage("text", True))
