"""list: the source of the functions that match, each line with its value.

Source: google/pprof internal/report/source.go (printSource, getSourceFromFile).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pypprof.columns import where_true
from pypprof.errors import CommandError
from pypprof.fetch.sourcefile import SourceReader
from pypprof.graph.callgraph import Graph, node_table
from pypprof.graph.order import sort_key
from pypprof.graph.trim import present_nodes
from pypprof.records import Record
from pypprof.render.colours import DIM, HEADING, PLAIN, heat, paint
from pypprof.reports.command import Command, Context, listing_usage
from pypprof.reports.header import ProfileHeader, profile_header
from pypprof.reports.values import ValueFormat, value_format
from pypprof.units import percentage, wrap64
from pypprof.view import View

_MARGIN = 5  # lines shown before the first and behind the last line with a value


class ListLine(Record):
    line: int
    flat: int
    cum: int
    source: str


class ListFile(Record):
    """The part of a function that lies in one file. `error` is why there is no source."""

    name: str
    flat: int
    cum: int
    lines: list[ListLine]
    error: str


class ListFunction(Record):
    name: str
    files: list[ListFile]


class ListReport(Record):
    header: ProfileHeader
    values: ValueFormat
    total: int
    functions: list[ListFunction]


class _LineWeight(Record):
    line: int
    start_line: int
    flat: int
    cum: int


def build(view: View, context: Context) -> ListReport:
    """CommandError when no function matches."""
    assert context.regex is not None
    settings = context.settings
    graph = Graph(view, node_table(view, True, settings))
    nodes = where_true(present_nodes(graph, settings.drop_negative)).tolist()
    hits = context.regex.matching(graph.info(node).name for node in nodes)
    functions: dict[str, dict[str, list[_LineWeight]]] = {}
    flat, cum = graph.weights.flat, graph.weights.cum
    for node, hit in zip(nodes, hits, strict=True):
        if hit:
            info = graph.info(node)
            files = functions.setdefault(info.name, {})
            if info.file:
                weight = _LineWeight(info.line, info.start_line, int(flat[node]), int(cum[node]))
                files.setdefault(info.file, []).append(weight)
    if not functions:
        raise CommandError(f"no matches found for regexp: {context.argument}")
    reader = SourceReader(settings.source_path, settings.trim_path)
    for name, files in functions.items():
        for file, weights in files.items():
            reader.expect(file, name, weights[0].start_line)
    listed = [
        ListFunction(name, [_file(file, own, reader) for file, own in sorted(files.items(), key=_by_name)])
        for name, files in sorted(functions.items(), key=_by_name)
    ]
    context.notes.extend(reader.notes())
    return ListReport(profile_header(view), value_format(view, settings), view.total, listed)


def _by_name(item: tuple[str, object]) -> bytes:
    return sort_key(item[0])


def _file(name: str, weights: list[_LineWeight], reader: SourceReader) -> ListFile:
    flat, cum = wrap64(sum(w.flat for w in weights)), wrap64(sum(w.cum for w in weights))
    by_line: dict[int, list[int]] = {}
    for weight in weights:
        own = by_line.setdefault(weight.line, [0, 0])
        own[0], own[1] = wrap64(own[0] + weight.flat), wrap64(own[1] + weight.cum)
    first, last = _range(weights)
    lines = []
    for number in range(first, last + 1):
        source = reader.line(name, number)
        if source is None:
            break
        own_flat, own_cum = by_line.get(number, (0, 0))
        lines.append(ListLine(number, own_flat, own_cum, source))
    error = reader.errors.get(name, "")
    return ListFile(name, flat, cum, [] if error else lines, error)


def _range(weights: list[_LineWeight]) -> tuple[int, int]:
    """The lines to show. In Go a line that moves the start up does not move the end down."""
    first = weights[0].start_line or wrap64(weights[0].line - _MARGIN)
    last = wrap64(weights[0].line + _MARGIN)
    for weight in weights:
        start = weight.start_line or wrap64(weight.line - _MARGIN)
        if start < first:
            first = start
        else:
            last = max(last, wrap64(weight.line + _MARGIN))
    return max(first, 1), last


def text(report: ListReport) -> Iterator[str]:
    return _written(report, lambda style, text: text)


def coloured(report: ListReport) -> Iterator[str]:
    return _written(report, paint)


def _written(report: ListReport, paint: Callable[[str, str], str]) -> Iterator[str]:
    """The report; `paint(style, text)` may colour a part of a line."""
    values, total = report.values, report.total
    yield f"Total: {values.text(report.total)}\n"
    for function in report.functions:
        if not function.files:
            yield paint(PLAIN, f"No source information for {function.name}") + "\n"
        for file in function.files:
            yield paint(HEADING, f"ROUTINE ======================== {function.name} in {file.name}") + "\n"
            yield (
                f"{values.text(file.flat):>10} {values.text(file.cum):>10} (flat, cum) "
                f"{percentage(file.cum, report.total)} of Total\n"
            )
            if file.error:
                yield paint(PLAIN, f" Error: {file.error}") + "\n"
            for line in file.lines:
                flat = paint(heat(line.flat, total), f"{values.or_dot(line.flat):>10}")
                cum = paint(heat(line.cum, total), f"{values.or_dot(line.cum):>10}")
                source = paint(PLAIN if line.flat or line.cum else DIM, f"{line.line:6d}:{line.source}")
                yield f"{flat} {cum} {source}\n"


COMMAND = Command(
    "list", "The source of the functions that match, with values", listing_usage("list"), build, text,
    argument="function", nodecount=-1, trim=False, granularity="lines", coloured=coloured,
)  # fmt: skip
