"""trend: what grows over many profiles, how fast, and who asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from pypprof.errors import CommandError, PprofError
from pypprof.fetch.reading import expanded
from pypprof.records import Record
from pypprof.reports.command import Command, Context
from pypprof.reports.header import local_time
from pypprof.settings import Settings
from pypprof.trend.series import Read, collect
from pypprof.trend.shape import FOLLOWS, GROWS, MAY_GROW
from pypprof.trend.trends import Row, Trend, trend
from pypprof.trend.words import amount, duration, rate_of, sentence, sparkline, summary
from pypprof.view import View

_FRAMES = 12  # shown of a stack
_PERHAPS = 5  # sentences about what may grow
_NOT_PROFILES = ("record.json",)


class TrendReport(Record):
    """One trend for each kind of profile among the snapshots."""

    trends: list[Trend]


def build(view: View, context: Context) -> TrendReport:
    sources = [context.argument] if context.argument else context.sources
    if context.read is None or not sources:
        raise CommandError(
            "trend follows files: `pypprof record URL -dir DIR` takes snapshots, `trend DIR` follows them"
        )
    return follow(sources, context.read, context.settings)


def follow(sources: Sequence[str], read: Read, settings: Settings) -> TrendReport:
    """The trends of the profiles in the files and directories. PprofError when there are none."""
    trends = [trend(series, read, settings) for series in collect(files(sources), read, settings)]
    trends.sort(key=lambda one: (one.type == "goroutine", one.type))
    if any(one.type == "goroutine" for one in trends):
        trends = [one._replace(rows=[_explained(row) for row in one.rows]) for one in trends]
    return TrendReport(trends)


def _explained(row: Row) -> Row:
    """The runtime's records of goroutines are no leak of their own: one for each that ever ran at the same time."""
    return row._replace(verdict=FOLLOWS) if row.name.startswith("runtime.malg") and row.verdict in (
        GROWS, MAY_GROW,
    ) else row  # fmt: skip


def files(sources: Sequence[str]) -> list[str]:
    """The files, and those in the directories, by name. PprofError for an empty directory."""
    found = [one for one in expanded(sources) if os.path.basename(one.name) not in _NOT_PROFILES]
    for one in found:
        if one.directory == one.name:
            raise PprofError(f"{one.name}: no profiles in this directory")
    return [one.name for one in found]


def text(report: TrendReport) -> Iterator[str]:
    for index, one in enumerate(report.trends):
        if index:
            yield "\n"
        yield from _section(one)


def heading(one: Trend) -> str:
    """What was looked at."""
    count, restarts = len(one.paths), len(one.restarts())
    words = f"{one.type}: {count} snapshot{'s' if count != 1 else ''}"
    if one.times:
        begin, end = (local_time(int(time * 1e9)) for time in (one.times[0], one.times[-1]))
        words += f" over {duration((one.times[-1] - one.times[0]) / 3600)}, {begin} to {end}"
    return words + (f", {restarts} restart{'s' if restarts > 1 else ''}" if restarts else "")


def _section(one: Trend) -> Iterator[str]:
    per = "/h" if one.rate else ""
    yield heading(one) + "\n"
    start, end = amount(one.total.start, one.unit), amount(one.total.end, one.unit)
    yield f"total {start}{per} at the start, {end}{per} at the end; {one.tested} of {one.sites} sites matter\n"
    yield from (line + "\n" for line in summary(one))
    for row in one.rows:
        if row.verdict == GROWS:
            yield "\n" + sentence(row, one) + "\n"
            yield from _stack_lines(row)
    perhaps = [row for row in one.rows if row.verdict == MAY_GROW]
    if perhaps:
        yield "\n"
    yield from (sentence(row, one) + "\n" for row in perhaps[:_PERHAPS])
    yield "\n" + _table(one)
    for error in one.errors:
        yield f"not used: {error}\n"
    for warning in one.warnings:
        yield f"note: {warning}\n"


def _stack_lines(row: Row) -> Iterator[str]:
    """The stack that has grown most, the blamed frame marked."""
    if not row.stacks:
        return
    stack = row.stacks[0]
    for place, frame in enumerate(stack.frames[:_FRAMES]):
        yield f"  {'>' if place == stack.blamed else ' '} {frame}\n"
    if len(stack.frames) > _FRAMES:
        yield f"    ... {len(stack.frames) - _FRAMES} more\n"


def _table(one: Trend) -> str:
    per = "/h" if one.rate else ""
    lines: list[tuple[str, ...]] = [("verdict", "start", "end", "slope", "95 % interval", "rises", "")]
    for row in [*one.rows, one.total]:
        lines.append(
            (row.verdict, amount(row.start, one.unit) + per, amount(row.end, one.unit) + per, *rate_of(row, one),
             f"{row.rises}/{row.intervals}", f"{sparkline(row.values, one.life)}  {row.name}")
        )  # fmt: skip
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    texts = []
    for line in lines:
        cells = [line[0].ljust(widths[0]), *(line[column].rjust(widths[column]) for column in range(1, 6)), line[6]]
        texts.append("  ".join(cells).rstrip() + "\n")
    return "".join(texts)


def page(report: TrendReport) -> Iterator[bytes]:
    from pypprof.render.trendpage import page as whole

    return whole(report.trends, [heading(one) for one in report.trends])


COMMAND = Command(
    "trend",
    "What grows over many profiles, how fast, and who asks for it",
    "trend [DIR] [n] [focus_regex ...] [-ignore_regex ...] [-cum] [-json|-csv|-html] [>file]\n"
    "Follows each site over the profiles that were given, or those in DIR. trend_by=stack or label:KEY,\n"
    "granularity and sample_index say what is followed; memory_limit=512MB says when it is full.",
    build,
    text,
    nodecount=20,
    fresh=True,
    page=page,
)
