"""Growth told from what only looks like it: a plateau, a step, a sawtooth, chance.

A site grows when it rises beyond chance (robust.py) and none of these explains the rise:

late   its slope in the later half of the process's life is what it was: a plateau has none
parts  its slope on both sides of its largest step is what it was: one step has none
floor  what it keeps rises: the least value of all later snapshots. Garbage is given back.

Where growth began only during the recording, its later half or quarter shows it by itself, beyond
all that the time before has seen.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import Array, Ints
from pypprof.records import Record
from pypprof.trend import robust

GROWS, MAY_GROW, FOLLOWS, PLATEAU, STEP, SAWTOOTH, SHRINKS, STEADY, SHORT = (
    "grows", "may grow", "follows goroutines", "plateau", "step", "sawtooth", "shrinks", "steady", "too few snapshots",
)  # fmt: skip
LEAST_POINTS = 5  # in one life; a verdict needs them
_LEVEL = 0.001  # of p, one site by itself
_FALSE_SHARE = 0.01  # of q, the share of false ones among all sites said to grow
_PERHAPS = 0.05
_KEEPS = 0.35  # of its slope a site keeps where a plateau or a step keeps none
_FLOOR = 0.4
_LATE_SHARES = (0.5, 0.25)  # of a life, looked at by themselves
_LATE_POINTS = 9


class Shape(Record):
    """What the series of one site is. `slope`, `low` and `high` are a second."""

    verdict: str
    slope: float
    low: float
    high: float
    p: float
    q: float
    rises: int
    falls: int
    intervals: int


def shapes(times: Array, values: Array, life: Ints, tests: int = 0) -> list[Shape]:
    """The shape of each row of `values` (sites, times).

    `tests`: how many sites were looked at, where these are those among them that seemed to move.
    """
    intervals = int((life[1:] == life[:-1]).sum())
    rises, falls = robust.steps(values, life)
    times, values, life = robust.reduced(times, values.astype(float), life)
    if int(np.bincount(life, minlength=1).max()) < 2:
        return [_short(r, f, intervals) for r, f in zip(rises.tolist(), falls.tolist(), strict=True)]
    factor = robust.inflation(times, values, life, robust.slopes(times, values, life).slope)
    fitted = robust.slopes(times, values, life, factor)
    p_up, p_down = _p(values, life, factor), _p(-values, life, factor)
    unmoved = np.ones(max(0, tests - len(values)))
    q = robust.false_discovery(np.concatenate((p_up, unmoved)))[: len(values)]
    enough = int(np.bincount(life).max()) >= LEAST_POINTS
    evidence = [*fitted, p_up, q, p_down, *gates(times, values, life, fitted.slope)]
    evidence += [_teeth(values, life), _jump(values, life), _climbing(values, life)]
    evidence.append(_confirmed(times, values, life))
    found: list[Shape] = []
    counts = zip(rises.tolist(), falls.tolist(), strict=True)
    for (up, down), row in zip(counts, zip(*(column.tolist() for column in evidence), strict=True), strict=True):
        e = _Evidence(*row)
        verdict = _verdict(e) if enough else SHORT
        found.append(Shape(verdict, e.slope, e.low, e.high, e.p, e.q, up, down, intervals))
    _begun_late(times, values, life, max(tests, len(values)), found)
    return found


def _begun_late(times: Array, values: Array, life: Ints, tests: int, found: list[Shape]) -> None:
    """Correct the shapes of sites that were steady for a time and grow since."""
    own = (life == main_life(life)).nonzero()[0]
    for share in _LATE_SHARES:
        since = own[int(len(own) * (1 - share)) :]
        rows = np.array([i for i, one in enumerate(found) if one.verdict in (MAY_GROW, STEP, STEADY)], int)
        if len(since) < _LATE_POINTS or not len(rows):
            return
        before, after = values[rows][:, own[: len(own) - len(since)]], values[rows][:, since]
        grown = after[:, -1] - before.max(axis=1)
        rows = rows[grown >= before.max(axis=1) - before.min(axis=1)]
        if not len(rows):
            continue
        late = shapes(times[since], values[rows][:, since], np.zeros(len(since), int), tests)
        for row, one in zip(rows.tolist(), late, strict=True):
            # Three looks at each site: the whole, the half, the quarter.
            if one.verdict == GROWS and one.p <= _LEVEL / 3 and one.q <= _FALSE_SHARE / 3:
                whole = found[row]
                found[row] = one._replace(rises=whole.rises, falls=whole.falls, intervals=whole.intervals)


class _Evidence(Record):
    """What a verdict is made of. `late`, `parts`, `floor` as gates() gives them."""

    slope: float
    low: float
    high: float
    p: float
    q: float
    p_down: float
    late: float
    parts: float
    floor: float
    teeth: bool
    jump: bool
    climbing: bool
    confirmed: bool


def _short(rises: int, falls: int, intervals: int) -> Shape:
    nan = float("nan")
    return Shape(SHORT, nan, nan, nan, 1.0, 1.0, rises, falls, intervals)


def _verdict(e: _Evidence) -> str:
    if e.slope > 0 and e.p <= _PERHAPS:
        if e.floor < _FLOOR:
            return SAWTOOTH if e.teeth else STEADY
        if e.late < _KEEPS:
            return PLATEAU
        if e.parts < _KEEPS:
            return MAY_GROW if e.climbing else STEP
        return GROWS if e.confirmed and e.p <= _LEVEL and e.q <= _FALSE_SHARE else MAY_GROW
    if e.p_down <= _LEVEL:
        return SHRINKS
    if e.jump:
        return MAY_GROW if e.climbing else STEP
    return SAWTOOTH if e.teeth else STEADY


def _p(values: Array, life: Ints, factor: Array) -> Array:
    """p of "it does not rise": the better of two tests, doubled for having had two.

    The count of rises stands for series so steady that even a random walk would not give them;
    it would take any sawtooth for growth, hence only where ranks agree.
    """
    ranks = robust.ranks(values, life)
    by_rank = robust.rise_p(ranks, factor)
    by_sign = np.where(ranks.s >= 0.8 * ranks.pairs, robust.sign_p(*robust.steps(values, life)), 1.0)
    p: Array = np.minimum(1.0, 2 * np.minimum(by_rank, by_sign))
    return p


def gates(times: Array, values: Array, life: Ints, slope: Array) -> tuple[Array, Array, Array]:
    """(late, parts, floor) of each row, each as a share of what steady growth would give; 0 if unknown.

    Of lives too short to judge nothing is taken: they may be all warm-up.
    """
    slope = np.where(slope > 0, slope, np.nan)
    whole, late_rows = _lives(times, life)
    if not whole:
        none = np.zeros(len(values))
        return none, none, none
    late = robust.slopes(times[late_rows], values[:, late_rows], life[late_rows]).slope / slope
    main = (life == main_life(life)).nonzero()[0]
    if len(whole) > 1:
        rows = np.intersect1d(late_rows, main)
        late = np.fmin(late, robust.slopes(times[rows], values[:, rows], life[rows]).slope / slope)
    floor = _floor(times, values, main, slope)
    return np.nan_to_num(late), np.nan_to_num(_parts(times, values, whole, slope)), np.nan_to_num(floor)


def _lives(times: Array, life: Ints) -> tuple[list[Ints], Ints]:
    """(the snapshots of each life that is long enough, those in the later half of theirs)."""
    whole = [own for number in np.unique(life) if (own := (life == number).nonzero()[0]).size >= LEAST_POINTS]
    late = [own[(times[own] >= (times[own[0]] + times[own[-1]]) / 2) | (own > own[-4])] for own in whole]
    return whole, np.concatenate(late) if late else np.zeros(0, int)


def _confirmed(times: Array, values: Array, life: Ints) -> Array:
    """Several lives with a warm-up each must not add up to growth: the main one has to show it,
    and the later halves together."""
    sure = np.ones(len(values), bool)
    whole, late = _lives(times, life)
    if int(life[-1]) != int(life[0]):
        for rows in (late, (life == main_life(life)).nonzero()[0]):
            sure &= _p(values[:, rows], life[rows], np.ones(len(values))) <= _PERHAPS / 2
    return sure & bool(whole)


def _parts(times: Array, values: Array, lives: list[Ints], slope: Array) -> Array:
    """The slope of each row when no pair reaches across the largest step of its life."""
    sides = np.concatenate([np.full(len(own), 2 * number) for number, own in enumerate(lives)])
    rows = np.concatenate(lives)
    side = np.tile(sides, (len(values), 1))
    start = 0
    for own in lives:
        place = robust.best_step(values[:, own])
        side[:, start : start + len(own)] += np.arange(len(own)) >= place[:, None]
        start += len(own)
    distinct, which = np.unique(side, axis=0, return_inverse=True)
    parts = np.full(len(values), np.nan)
    for number, split in enumerate(distinct):
        alike = which.reshape(-1) == number
        parts[alike] = robust.slopes(times[rows], values[alike][:, rows], split).slope / slope[alike]
    return parts


def _floor(times: Array, values: Array, own: Ints, slope: Array) -> Array:
    """How the least of all later values rises over the main life."""
    times, values = times[own], values[:, own]
    kept = np.minimum.accumulate(values[:, ::-1], axis=1)[:, ::-1]
    n = len(own)
    first, last = n // 8, n - 1 - max(1, n // 5)
    rise: Array = (kept[:, last] - kept[:, first]) / (slope * (times[last] - times[first]))
    return rise


def main_life(life: Ints) -> int:
    """The life that a verdict is about: the last one, or the longest if that is too short."""
    sizes = np.bincount(life)
    last = int(life[-1])
    return last if sizes[last] >= 2 * LEAST_POINTS else int(sizes.argmax())


def _teeth(values: Array, life: Ints) -> Array:
    """Whether the value climbs in many steps and falls in few, by half its range twice or more."""
    own = values[:, life == main_life(life)]
    change = np.diff(own, axis=1)
    span = own.max(axis=1) - own.min(axis=1)
    deep = change < -0.5 * span[:, None]
    lopsided = (change > 0).sum(axis=1) >= 1.5 * (change < 0).sum(axis=1)
    teeth: Array = (deep.sum(axis=1) >= 2) & lopsided & (span > 0)
    return teeth


def _jump(values: Array, life: Ints) -> Array:
    """Whether two levels, the later one higher, explain most of the variance of the main life."""
    own = values[:, life == main_life(life)]
    place = robust.best_step(own)[:, None]
    after = np.arange(own.shape[1]) >= place
    count = after.sum(axis=1)
    high = (own * after).sum(axis=1) / count
    low = (own * ~after).sum(axis=1) / (own.shape[1] - count)
    power = ((own - own.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    left = ((own - np.where(after, high[:, None], low[:, None])) ** 2).sum(axis=1)
    jump: Array = (high > low) & (left < 0.25 * power)
    return jump


def _climbing(values: Array, life: Ints) -> Array:
    """Whether the last three intervals rise, each by a twentieth of the range: no step does that."""
    own = values[:, life == main_life(life)]
    span = own.max(axis=1) - own.min(axis=1)
    rises = np.diff(own[:, -4:], axis=1)
    climbing: Array = (rises > 0.05 * span[:, None]).all(axis=1) & (rises.shape[1] == 3)
    return climbing
