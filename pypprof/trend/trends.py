"""From series to rows with a verdict each, ranked by evidence."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pypprof.columns import Array, Ints
from pypprof.errors import CommandError, PprofError
from pypprof.records import Record
from pypprof.trend import robust, shape
from pypprof.trend.series import RUNNING_TOTALS, Read, Series
from pypprof.trend.shape import GROWS, MAY_GROW, Shape
from pypprof.trend.sites import Key, Sites, Stack
from pypprof.units import lookup

if TYPE_CHECKING:
    from pypprof.settings import Settings

HOUR = 3600.0
_RANK = {GROWS: 0, MAY_GROW: 1}
_TOO_SMALL = 0.0005  # share of the total that a site never reaches: not tested, as it cannot matter
_LARGEST = 64  # sites whose slope is worked out whatever the tests say
_STACKS = 3  # shown for a row


class Row(Record):
    """One site. Of running totals all values are rates an hour."""

    name: str
    verdict: str
    start: float
    end: float
    slope: float  # an hour, as are low and high: the bounds of the 95 % interval
    low: float
    high: float
    rises: int
    falls: int
    intervals: int
    p: float
    q: float
    since: float  # Unix seconds: the last snapshot at which it was what it was at the start of its life
    hours_to_limit: float | None
    values: list[float]
    stacks: list[Stack]


class Trend(Record):
    """What the snapshots of one kind of profile say. `rate`: values are rates an hour."""

    type: str
    unit: str
    rate: bool
    by: str
    paths: list[str]
    times: list[float]  # Unix seconds
    life: list[int]
    total: Row
    rows: list[Row]
    sites: int
    tested: int
    limit: int | None
    hours_to_limit: float | None
    warnings: tuple[str, ...]
    errors: tuple[str, ...]

    def restarts(self) -> list[int]:
        """The snapshots before which the process has started anew."""
        return [i for i in range(1, len(self.life)) if self.life[i] != self.life[i - 1]]

    def growing(self) -> list[Row]:
        return [row for row in self.rows if row.verdict == GROWS]


def memory_limit(text: str) -> int | None:
    """The bytes of "512MB", "2GiB" or "1000000"; None for ''. CommandError when it is no size."""
    text = text.strip()
    if not text:
        return None
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
    spelling = text[len(digits) :].strip()
    family, unit = lookup(spelling.replace("i", "").replace("I", "") or "B")
    try:
        number = float(digits)
    except ValueError:
        number = math.nan
    if unit is None or family is not lookup("B")[0] or not 0 < number < 1e15:
        raise CommandError(f'memory_limit "{text}" is not a size such as 512MB or 2GB')
    return int(number * unit.factor)


def trend(series: Series, read: Read, settings: Settings) -> Trend:
    """The verdict on each site of a series; the stacks of those shown are read again."""
    rate = series.type in RUNNING_TOTALS
    times, life = series.times, series.life
    values, totals = series.values.astype(float), series.totals[None].astype(float)
    if rate:
        values, totals = _rates(times, values, life), _rates(times, totals, life)
        times, life = _middles(times, series.life)
    limit = memory_limit(settings.memory_limit) if lookup(series.unit)[0] is lookup("B")[0] and not rate else None
    room = None if limit is None or not totals.shape[1] else limit - float(totals[0, -1])
    tested = _tested(values, totals)
    shapes = _shapes(times, values[tested], life)
    first = series.snapshots[0].time_nanos / 1e9 if series.snapshots else 0.0
    clock = first + times
    total = _row(_shapes(times, totals, life)[0], totals[0], room, _since(clock, totals[0], life))
    made = [
        (index, _row(found, values[index], room, _since(clock, values[index], life)))
        for index, found in zip(tested.tolist(), shapes, strict=True)
    ]
    ranked = sorted(made, key=lambda pair: _evidence(pair[1]))
    shown = _shown([row for _, row in ranked], total, settings)
    picked = [(series.keys[index], row) for (index, row), keep in zip(ranked, shown, strict=True) if keep]
    growth = sum(row.slope for _, row in picked if row.verdict == GROWS)
    return Trend(
        series.type, series.unit, rate, settings.trend_by, [one.path for one in series.snapshots],
        clock.tolist(), life.tolist(), total._replace(name="total"), _with_stacks(series, picked, read, settings),
        len(series.keys) + series.left_out, len(tested), limit, _hours(room, growth),
        series.warnings, series.errors,
    )  # fmt: skip


def _rates(times: Array, values: Array, life: Ints) -> Array:
    """What each interval within a life adds, an hour."""
    same = life[1:] == life[:-1]
    gap = np.maximum(np.diff(times), 1e-9)[same]
    rates: Array = np.diff(values, axis=1)[:, same] / gap * HOUR
    return rates


def _middles(times: Array, life: Ints) -> tuple[Array, Ints]:
    same = life[1:] == life[:-1]
    return ((times[1:] + times[:-1]) / 2)[same], life[1:][same]


def _tested(values: Array, totals: Array) -> Ints:
    """The sites that are large enough to matter, by their level alone."""
    if not values.size:
        return np.zeros(0, int)
    most = np.abs(values).max(axis=1)
    rows: Ints = (most >= _TOO_SMALL * max(float(np.abs(totals).max()), 1.0)).nonzero()[0]
    return rows


def _shapes(times: Array, values: Array, life: Ints) -> list[Shape]:
    """shape.shapes(), its costly part only for sites that rise or fall, and the largest."""
    if not len(values) or len(times) < 2:
        return [Shape(shape.SHORT, math.nan, math.nan, math.nan, 1.0, 1.0, 0, 0, 0)] * len(values)
    _, fewer, lives = robust.reduced(times, values, life)
    ranks = robust.ranks(fewer, lives)
    deviation = np.sqrt(np.maximum(ranks.variance, 1e-300))
    moving = np.abs(ranks.s) / deviation > 1.5
    largest = np.abs(values).max(axis=1).argsort(kind="stable")[::-1][:_LARGEST]
    moving[largest] = True
    rows = moving.nonzero()[0]
    found = shape.shapes(times, values[rows], life, len(values))
    up, down = robust.steps(values, life)
    intervals = int((life[1:] == life[:-1]).sum())
    short = int(np.bincount(life).max()) < shape.LEAST_POINTS
    steady = shape.SHORT if short else shape.STEADY
    all_ = [
        Shape(steady, math.nan, math.nan, math.nan, 1.0, 1.0, rises, falls, intervals)
        for rises, falls in zip(up.tolist(), down.tolist(), strict=True)
    ]
    for row, one in zip(rows.tolist(), found, strict=True):
        all_[row] = one
    return all_


def _since(times: Array, values: Array, life: Ints) -> float:
    if not len(times):
        return 0.0
    own = (life == shape.main_life(life)).nonzero()[0]
    level = values[own[0]] + 0.05 * (values[own[-1]] - values[own[0]])
    return float(times[own[(values[own] <= level).nonzero()[0][-1:]]].max(initial=times[own[0]]))


def _row(found: Shape, values: Array, room: float | None, since: float) -> Row:
    slope = found.slope * HOUR
    hours = _hours(room, slope) if found.verdict == GROWS else None
    listed = values.tolist()
    return Row(
        "", found.verdict, listed[0] if listed else 0.0, listed[-1] if listed else 0.0, slope, found.low * HOUR,
        found.high * HOUR, found.rises, found.falls, found.intervals, found.p, found.q, since, hours, listed, [],
    )  # fmt: skip


def _hours(room: float | None, slope: float) -> float | None:
    if room is None or not slope > 0:
        return None
    return max(room, 0.0) / slope


def _evidence(row: Row) -> tuple[int, float, float]:
    """What surely grows first, by the least rate that the interval allows; the rest by size."""
    rank = _RANK.get(row.verdict, 2)
    size = _size(row)
    return rank, -row.low if rank < 2 and not math.isnan(row.low) else -size, -size


def _size(row: Row) -> float:
    """What a row usually weighs, or in the end: what comes and goes is small."""
    return max(abs(statistics.median(row.values)), abs(row.end)) if row.values else 0.0


def _shown(rows: Sequence[Row], total: Row, settings: Settings) -> list[bool]:
    """Which rows a report lists: nodecount of them, none too small (nodefraction).

    A growing site is too small beside the growth of all, another one beside the total.
    """
    growth = sum(max(row.slope, 0.0) for row in rows if row.verdict in _RANK)
    level = max(map(abs, total.values), default=0.0)
    shown, count = [], 0
    for row in rows:
        if row.verdict in _RANK:
            large = row.slope >= settings.nodefraction * growth
        else:
            large = _size(row) >= settings.nodefraction * level and _size(row) > 0
        keep = large and (settings.nodecount <= 0 or count < settings.nodecount)
        count += keep
        shown.append(keep)
    return shown


def _with_stacks(series: Series, picked: list[tuple[Key, Row]], read: Read, settings: Settings) -> list[Row]:
    """The rows with their names, and the stacks that have grown most since the main life began."""
    main = (series.life == shape.main_life(series.life)).nonzero()[0] if len(series.life) else []
    wanted = {key for key, _ in picked}
    if not len(main) or not wanted:
        return []
    after = _stacks(series, int(main[-1]), wanted, read, settings)
    before = _stacks(series, int(main[0]), wanted, read, settings)
    lost = {key for key in wanted if not after.get(key)}
    place = {key: index for index, key in enumerate(series.keys)}
    for index in sorted({int(np.abs(series.values[place[key]]).argmax()) for key in lost})[:_LARGEST]:
        for key, stacks in _stacks(series, index, lost, read, settings).items():
            after[key] = after.get(key) or stacks
    rows = []
    for key, row in picked:
        earlier = before.get(key, {})
        grown = [
            stack._replace(value=stack.value - (earlier[frames].value if frames in earlier else 0))
            for frames, stack in after.get(key, {}).items()
        ]
        grown.sort(key=lambda stack: (-stack.value, stack.frames))
        rows.append(row._replace(name=_name(key, grown), stacks=grown[:_STACKS]))
    return rows


def _name(key: Key, stacks: list[Stack]) -> str:
    """Of a stack: the frame that is blamed."""
    if isinstance(key, str):
        return key
    return stacks[0].frames[stacks[0].blamed] if stacks and stacks[0].frames else f"stack {key:016x}"


def _stacks(
    series: Series, index: int, wanted: set[Key], read: Read, settings: Settings
) -> dict[Key, dict[tuple[str, ...], Stack]]:
    try:
        return Sites(read(series.snapshots[index].path), settings).stacks(wanted)
    except PprofError:
        return {}  # the file has gone meanwhile (thinning); the row is right without its stacks
