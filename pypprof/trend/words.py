"""Trends in plain words, and as sparklines."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from pypprof.trend.shape import FOLLOWS, GROWS, MAY_GROW, PLATEAU, SAWTOOTH, SHRINKS, STEADY, STEP
from pypprof.trend.trends import Row, Trend
from pypprof.units import lookup, scale

_BARS = "▁▂▃▄▅▆▇█"
_MEANING = {
    PLATEAU: "rose and stays there",
    STEP: "rose once, in one step",
    SAWTOOTH: "rises and falls back: garbage",
    SHRINKS: "falls",
    STEADY: "does not grow",
    FOLLOWS: "the runtime's records of the goroutines: see their number",
}


def digits(number: float) -> str:
    """Three digits that count."""
    if not math.isfinite(number):
        return "?"
    size = abs(number)
    places = 0 if size >= 100 else 1 if size >= 10 else 2
    text = f"{number:,.0f}" if size >= 1e5 else f"{number:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def unit_for(value: float, unit: str) -> tuple[float, str]:
    """(what to divide by, the printed unit) for values about as large as this one."""
    family, known = lookup(unit)
    if family is None or known is None or not math.isfinite(value):
        return 1.0, "" if unit in ("count", "") else unit
    number, printed = scale(int(min(abs(value), 2.0**62)), unit, "auto")
    factor = family.find(printed)
    return (factor.factor / known.factor if factor else 1.0), printed if number or value == 0 else known.name


def amount(value: float, unit: str) -> str:
    """A value with its unit: 7.62 MB."""
    divisor, printed = unit_for(value, unit)
    return f"{digits(value / divisor)} {printed}".rstrip()


def duration(hours: float) -> str:
    """A stretch of time: 61 h, 13 min, 4.2 days."""
    seconds = hours * 3600
    for limit, size, name in ((120, 1, "s"), (7200, 60, "min"), (100 * 3600, 3600, "h"), (1000 * 86400, 86400, "days")):
        if seconds < limit:
            return f"{digits(seconds / size)} {name}"
    return "more than 1000 days"


def rate_of(row: Row, trend: Trend) -> tuple[str, str]:
    """(slope, its interval) as text."""
    if math.isnan(row.slope):
        return "", ""
    per = "/h/h" if trend.rate else "/h"
    divisor, printed = unit_for(max(abs(row.slope), abs(row.low), abs(row.high)), trend.unit)
    low, high = digits(row.low / divisor), digits(row.high / divisor)
    return f"{digits(row.slope / divisor)} {printed}".rstrip() + per, f"{low} to {high}"


def sentence(row: Row, trend: Trend) -> str:
    """The verdict on a row: "main.fillCache grows 7.6 MB/h, 95 % between 7.4 and 7.9, ..."."""
    if row.verdict not in (GROWS, MAY_GROW):
        return f"{row.name} {_MEANING.get(row.verdict, row.verdict)}"
    slope, interval = rate_of(row, trend)
    verb = "grows" if row.verdict == GROWS else "may grow"
    if trend.rate:
        verb = "is allocated at a rate that " + verb
    text = f"{row.name} {verb} {slope}, 95 % between {interval.replace(' to ', ' and ')}, "
    text += f"in {row.rises} of {row.intervals} intervals"
    if trend.times and row.since > trend.times[0] + 0.1 * (trend.times[-1] - trend.times[0]):
        text += f", since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(row.since))}"
    if row.hours_to_limit is not None and trend.limit is not None:
        text += f"; {amount(trend.limit, trend.unit)} in {duration(row.hours_to_limit)}"
    return text


def summary(trend: Trend) -> list[str]:
    """What the snapshots say, in a line or two."""
    growing = trend.growing()
    if not trend.paths:
        return ["no snapshots"]
    if not growing:
        found = "Nothing surely grows."
        if max((trend.life.count(number) for number in set(trend.life)), default=0) < 8:
            found += " Fewer than 8 snapshots of one life of the process can seldom be sure: take more."
        return [found]
    lines = []
    if len(growing) > 1:
        total = sum(row.slope for row in growing)
        per = "/h/h" if trend.rate else "/h"
        lines.append(f"{len(growing)} sites grow, together {amount(total, trend.unit)}{per}.")
    if trend.hours_to_limit is not None and trend.limit is not None:
        limit = amount(trend.limit, trend.unit)
        left = f"in {duration(trend.hours_to_limit)}" if trend.hours_to_limit > 0 else "now"
        lines.append(f"At this rate the {trend.type} reaches {limit} {left}.")
    return lines


def sparkline(values: Sequence[float], life: Sequence[int], width: int = 24) -> str:
    """The series in blocks, from nothing to its largest value; a bar where the process began anew."""
    if not values:
        return ""
    top = max(max(values), 0.0)
    count = min(width, len(values))
    edges = [round(index * len(values) / count) for index in range(count + 1)]
    text = []
    for start, end in zip(edges, edges[1:], strict=False):
        if (start and life[start] != life[start - 1]) or any(life[i] != life[start] for i in range(start, end)):
            text.append("|")
        level = float(np.median(values[start:end]))
        text.append(_BARS[min(len(_BARS) - 1, int(max(level, 0.0) / top * len(_BARS)))] if top else _BARS[0])
    return "".join(text)
