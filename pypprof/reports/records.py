"""Reports for programs: JSON and CSV, raw integers with their unit.

The schema is docs/machine-readable.md. Both formats come from the same data as the text.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pypprof.errors import CommandError
from pypprof.reports.header import Header, ProfileHeader
from pypprof.reports.list import ListReport
from pypprof.reports.tags import TagsReport
from pypprof.reports.top import TopReport
from pypprof.reports.traces import TracesReport, trace_rows
from pypprof.reports.tree import Call, TreeReport
from pypprof.reports.trend import TrendReport

SCHEMA = 1


def records(command: str, report: Any, format_: str) -> Iterator[str]:
    """The report in a format ("json" or "csv"), piece by piece. CommandError for other reports."""
    for kind, to_json, columns, to_rows in _KINDS:
        if isinstance(report, kind):
            if format_ == "json":
                whole = {"schema": SCHEMA, "report": command} | _finite(to_json(report))
                yield json.dumps(whole, ensure_ascii=False) + "\n"
            else:
                yield from _csv(columns, to_rows(report))
            return
    raise CommandError(f"{command} has no -{format_} form (top, tree, peek, tags, traces, list and trend have)")


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(row)
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _plain(value: Any) -> Any:
    """A record as a dictionary, records in it likewise."""
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _finite(value: Any) -> Any:
    """The same without NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value] if value and isinstance(value[0], float | dict | list) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _profile(header: ProfileHeader) -> dict[str, Any]:
    return {"profile": _plain(header)}


def _graph(header: Header) -> dict[str, Any]:
    return _profile(header.profile) | {"shown": _plain(header.shown)}


def _top_json(report: TopReport) -> dict[str, Any]:
    return _graph(report.header) | {"rows": _plain(report.rows)}


def _top_rows(report: TopReport) -> Iterator[tuple[Any, ...]]:
    for row in report.rows:
        yield row.name, row.flat, row.cum, report.values.unit, row.inline


def _tree_json(report: TreeReport) -> dict[str, Any]:
    return _graph(report.header) | {"entries": _plain(report.entries)}


def _tree_rows(report: TreeReport) -> Iterator[tuple[Any, ...]]:
    unit = report.values.unit

    def calls(role: str, entry: str, edges: list[Call]) -> Iterator[tuple[Any, ...]]:
        for call in edges:
            yield entry, role, call.name, "", call.weight, unit, "inline" if call.inline else ""

    for entry in report.entries:
        yield entry.name, "self", entry.name, entry.flat, entry.cum, unit, ""
        yield from calls("caller", entry.name, entry.callers)
        yield from calls("callee", entry.name, entry.callees)


def _tags_json(report: TagsReport) -> dict[str, Any]:
    return _profile(report.header) | {"total": report.total, "tags": _plain(report.keys)}


def _tags_rows(report: TagsReport) -> Iterator[tuple[Any, ...]]:
    for key in report.keys:
        for value in key.values:
            yield key.key, value.text, value.weight, report.values.unit


def _traces_json(report: TracesReport) -> dict[str, Any]:
    return _profile(report.header) | {"traces": [_plain(trace) for trace in trace_rows(report)]}


def _traces_rows(report: TracesReport) -> Iterator[tuple[Any, ...]]:
    for trace in trace_rows(report):
        stack = ";".join(frame.name for frame in reversed(trace.stack))
        tags = json.dumps(trace.labels | trace.numeric_labels, ensure_ascii=False)
        yield trace.value, report.values.unit, tags, stack


def _list_json(report: ListReport) -> dict[str, Any]:
    return _profile(report.header) | {"total": report.total, "functions": _plain(report.functions)}


def _list_rows(report: ListReport) -> Iterator[tuple[Any, ...]]:
    for function in report.functions:
        for file in function.files:
            for line in file.lines:
                yield function.name, file.name, line.line, line.flat, line.cum, report.values.unit, line.source


def _trend_json(report: TrendReport) -> dict[str, Any]:
    return {"trends": _plain(report.trends)}


def _trend_rows(report: TrendReport) -> Iterator[tuple[Any, ...]]:
    for one in report.trends:
        for row in [*one.rows, one.total]:
            stack = ";".join(reversed(row.stacks[0].frames)) if row.stacks else ""
            unit = one.unit + "/h" if one.rate else one.unit
            yield (
                one.type, row.name, row.verdict, row.start, row.end, row.slope, row.low, row.high, unit, row.rises,
                row.intervals, row.p, row.hours_to_limit, stack,
            )  # fmt: skip


_TREND_COLUMNS = (
    "type", "name", "verdict", "start", "end", "slope_per_hour", "low", "high", "unit", "rises", "intervals", "p",
    "hours_to_limit", "stack",
)  # fmt: skip
_Kind = tuple[type, Callable[[Any], dict[str, Any]], tuple[str, ...], Callable[[Any], Iterator[tuple[Any, ...]]]]
_KINDS: tuple[_Kind, ...] = (
    (TopReport, _top_json, ("name", "flat", "cum", "unit", "inline"), _top_rows),
    (TreeReport, _tree_json, ("entry", "role", "name", "flat", "weight", "unit", "inline"), _tree_rows),
    (TagsReport, _tags_json, ("key", "value", "weight", "unit"), _tags_rows),
    (TracesReport, _traces_json, ("value", "unit", "tags", "stack"), _traces_rows),
    (ListReport, _list_json, ("function", "file", "line", "flat", "cum", "unit", "source"), _list_rows),
    (TrendReport, _trend_json, _TREND_COLUMNS, _trend_rows),
)
