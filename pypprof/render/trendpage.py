"""Trends as one web page: no server, no network, nothing beside the file.

All text from profiles is escaped here, or inserted by the script as text. The page forbids itself
every request (Content-Security-Policy).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from pypprof.trend.shape import GROWS, MAY_GROW
from pypprof.trend.trends import Row, Trend
from pypprof.trend.words import amount, rate_of, sentence, summary

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_LINES = 8  # drawn at first


def page(trends: Sequence[Trend], headings: Sequence[str]) -> Iterator[bytes]:
    """The page of the trends, each below its heading."""
    yield "".join(_page(trends, headings)).encode("utf-8", "backslashreplace")


def _page(trends: Sequence[Trend], headings: Sequence[str]) -> Iterator[str]:
    yield (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>pypprof trend</title>\n'
        f"<style>\n{_part('css')}</style></head>\n<body><h1>What grows</h1>\n"
    )
    for index, (trend, heading) in enumerate(zip(trends, headings, strict=True)):
        yield from _section(trend, heading, index)
    data = json.dumps([_data(trend) for trend in trends]).replace("<", "\\u003c")
    yield f'<div id="tip" hidden></div>\n<script type="application/json" id="data">{data}</script>\n'
    yield f"<script>\n{_part('js')}</script></body></html>\n"


def _part(suffix: str) -> str:
    return Path(__file__).with_name(f"trendpage.{suffix}").read_text(encoding="utf-8")


def _data(trend: Trend) -> dict[str, object]:
    """What the script draws."""
    rows = [{"name": row.name, "values": row.values} for row in (*trend.rows, trend.total)]
    return {"unit": trend.unit, "rate": trend.rate, "times": trend.times, "life": trend.life, "rows": rows}


def _section(trend: Trend, heading: str, index: int) -> Iterator[str]:
    title, _, looked_at = heading.partition(": ")
    yield f'<section id="trend{index}"><h2>{escape(title)}</h2>\n<p class="soft">{escape(looked_at)}</p>\n'
    yield from (f"<p>{escape(line)}</p>\n" for line in summary(trend))
    told = [row for row in trend.rows if row.verdict in (GROWS, MAY_GROW)]
    if told:
        items = (f'<li class="{row.verdict.replace(" ", "-")}">{escape(sentence(row, trend))}</li>' for row in told)
        yield f'<ul class="verdicts">{"".join(items)}</ul>\n'
    yield '<figure><svg viewBox="0 0 1000 330" role="img" aria-label="values over time"></svg></figure>\n'
    yield "<noscript><p>The chart needs JavaScript; the table does not.</p></noscript>\n"
    yield '<div class="scroll"><table><thead><tr>'
    titles = ("line", "verdict", "start", "end", "slope", "95 % interval", "rises", "", "site")
    yield "".join(f"<th>{title}</th>" for title in titles) + "</tr></thead><tbody>\n"
    drawn = _drawn(trend)
    for place, row in enumerate((*trend.rows, trend.total)):
        yield _row(trend, row, place in drawn, place == len(trend.rows))
    yield "</tbody></table></div>\n"
    yield from (f'<p class="soft">not used: {escape(error)}</p>\n' for error in trend.errors)
    yield from (f'<p class="soft">note: {escape(warning)}</p>\n' for warning in trend.warnings)
    yield "</section>\n"


def _drawn(trend: Trend) -> set[int]:
    """The rows whose lines are drawn at first: what grows, else the largest, the total among them."""
    growing = {place for place, row in enumerate(trend.rows[:_LINES]) if row.verdict == GROWS}
    return growing or {*range(min(_LINES - 1, len(trend.rows))), len(trend.rows)}


def _row(trend: Trend, row: Row, drawn: bool, total: bool) -> str:
    per = "/h" if trend.rate else ""
    cells = [amount(row.start, trend.unit) + per, amount(row.end, trend.unit) + per, *rate_of(row, trend)]
    cells.append(f"{row.rises}/{row.intervals}")
    name = escape(row.name)
    box = f'<input type="checkbox" aria-label="draw {name}"{" checked" if drawn else ""}>'
    texts = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    verdict = f'<td class="{row.verdict.replace(" ", "-")}">{escape(row.verdict)}</td>'
    drawing = f"<td>{_spark(row.values, trend.life)}</td><td>{_stacks(trend, row)}</td>"
    return f"<tr{' class=total' if total else ''}><td>{box}</td>{verdict}{texts}{drawing}</tr>\n"


def _stacks(trend: Trend, row: Row) -> str:
    """The site's name, its stacks to be unfolded."""
    if not row.stacks:
        return escape(row.name)
    parts = []
    for stack in row.stacks:
        frames = (
            f"<b>{escape(frame)}</b>" if place == stack.blamed else escape(frame)
            for place, frame in enumerate(stack.frames)
        )
        sign = "+" if stack.value > 0 else ""
        parts.append(
            f"<pre>{sign}{escape(amount(stack.value, trend.unit))} since the start\n" + "\n".join(frames) + "</pre>"
        )
    return f"<details><summary>{escape(row.name)}</summary>{''.join(parts)}</details>"


def _spark(values: Sequence[float], life: Sequence[int]) -> str:
    """A small curve that needs no script."""
    top = max(max(values, default=0.0), 1e-9)
    last = max(len(values) - 1, 1)
    run = max(1, math.ceil(len(values) / 200))
    path = []
    for index in range(0, len(values), run):
        new = not index or life[index] != life[index - run]
        x, y = 1 + index / last * 128, 24 - max(values[index], 0.0) / top * 22
        path.append(f"{'M' if new else 'L'}{x:.1f} {y:.1f}")
    return f'<svg class="spark" viewBox="0 0 130 26" aria-hidden="true"><path d="{"".join(path)}"/></svg>'
