"""Robust trends of many series at once: slope with its interval, rank test, monotone share.

All take `times` (seconds, ascending), `values` (sites, times) and `life` (a number for each time,
ascending: snapshots of one life of the process share it). Only pairs of snapshots within one
life are compared, as Hirsch, Slack and Smith pool seasons.

Sources: P. K. Sen, Estimates of the regression coefficient based on Kendall's tau, J. Am. Stat.
Assoc. 63 (1968) 1379; H. Theil (1950); R. M. Hirsch, J. R. Slack, R. A. Smith, Techniques of trend
analysis for monthly water quality data, Water Resour. Res. 18 (1982) 107; Y. Benjamini,
Y. Hochberg, J. R. Stat. Soc. B 57 (1995) 289.
"""

from __future__ import annotations

import math

import numpy as np

from pypprof.columns import Array, Ints
from pypprof.records import Record

MOST_POINTS = 96  # more are reduced to medians first: pairs grow with the square
_CHUNK = 1 << 22  # pairs times sites at a time: bounds the memory
Z95 = 1.959963984540054


class Slopes(Record):
    """Theil-Sen slopes a second with the bounds of their 95 % interval; one entry a site."""

    slope: Array
    low: Array
    high: Array


class Ranks(Record):
    """Kendall's statistic of each site, and its variance with ties taken into account."""

    s: Array
    variance: Array
    pairs: int  # what |s| is at most


def reduced(times: Array, values: Array, life: Ints, most: int = MOST_POINTS) -> tuple[Array, Array, Ints]:
    """At most `most` points: the medians of runs of consecutive snapshots of one life.

    A median of some neighbours keeps the slope and calms the noise, garbage collection's too.
    """
    if len(times) <= most:
        return times, values, life
    run = -(-len(times) // most)
    edges = [0]
    for index in range(1, len(times)):
        if life[index] != life[index - 1] or index - edges[-1] >= run:
            edges.append(index)
    parts = list(zip(edges, [*edges[1:], len(times)], strict=True))
    return (
        np.array([float(np.median(times[a:b])) for a, b in parts]),
        np.stack([np.median(values[:, a:b], axis=1) for a, b in parts], 1) if len(values) else values[:, edges],
        life[edges],
    )


def pairs_of(life: Ints) -> tuple[Ints, Ints]:
    """All pairs (earlier, later) of snapshots within one life."""
    first, second = np.triu_indices(len(life), 1)
    same = life[first] == life[second]
    return first[same], second[same]


def slopes(times: Array, values: Array, life: Ints, inflation: Array | None = None) -> Slopes:
    """The median of all pairwise slopes, with Sen's interval.

    `inflation` widens the interval: the factor by which serial correlation raises the variance.
    """
    sites = len(values)
    first, second = pairs_of(life)
    gap = times[second] - times[first]
    usable = gap > 0
    first, second, gap = first[usable], second[usable], gap[usable]
    if not len(gap):
        none = np.full(sites, np.nan)
        return Slopes(none, none, none)
    spread = Z95 * np.sqrt(ranks(values, life).variance * (1.0 if inflation is None else inflation))
    found = np.empty((3, sites))
    step = max(1, _CHUNK // len(gap))
    for start in range(0, sites, step):
        part = values[start : start + step]
        ordered = np.sort((part[:, second] - part[:, first]) / gap, axis=1)
        reach = spread[start : start + step]
        rows = np.arange(len(part))
        lower = np.clip(np.floor((len(gap) - reach) / 2).astype(int), 0, len(gap) - 1)
        upper = np.clip(np.ceil((len(gap) + reach) / 2).astype(int), 0, len(gap) - 1)
        found[0, start : start + step] = np.median(ordered, axis=1)
        found[1, start : start + step] = ordered[rows, lower]
        found[2, start : start + step] = ordered[rows, upper]
    return Slopes(*found)


def ranks(values: Array, life: Ints) -> Ranks:
    """Kendall's S against time, pooled over the lives."""
    first, second = pairs_of(life)
    s, variance = np.zeros(len(values)), np.zeros(len(values))
    step = max(1, _CHUNK // max(1, len(first)))
    for start in range(0, len(values), step):
        part = values[start : start + step]
        s[start : start + step] = np.sign(part[:, second] - part[:, first]).sum(axis=1)
    for number in np.unique(life):
        own = values[:, life == number]
        n = own.shape[1]
        variance += (n * (n - 1) * (2 * n + 5) - _ties(own)) / 18
    return Ranks(s, variance, len(first))


def _ties(values: Array) -> Array:
    """The sum of t(t-1)(2t+5) over the groups of t equal values of each row."""
    ordered = np.sort(values, axis=1)
    n = ordered.shape[1]
    place = np.arange(n)
    fresh = np.ones(ordered.shape, bool)
    fresh[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    begin = np.maximum.accumulate(np.where(fresh, place, 0), axis=1)
    # The k-th of equal values adds the difference of t(t-1)(2t+5) between t = k and k - 1.
    k = place - begin + 1.0
    total: Array = (k * (k - 1) * (2 * k + 5) - (k - 1) * (k - 2) * (2 * k + 3)).sum(axis=1)
    return total


def inflation(times: Array, values: Array, life: Ints, slope: Array) -> Array:
    """By how much serial correlation raises the variance of S: (1 + r) / (1 - r), r of lag 1.

    r is that of what a straight line a life leaves over, with the small-sample correction of
    Marriott and Pope (1954); a negative r counts as none.
    """
    rest = values - slope[:, None] * times
    for number in np.unique(life):
        own = life == number
        rest[:, own] -= rest[:, own].mean(axis=1, keepdims=True)
    chained = life[1:] == life[:-1]
    n = max(int(chained.sum()), 1)
    power = (rest**2).sum(axis=1)
    scale = np.maximum(np.abs(values).max(axis=1, initial=0.0), 1e-300)
    exact = power <= (1e-9 * scale) ** 2 * len(times)
    r = (rest[:, 1:] * rest[:, :-1])[:, chained].sum(axis=1) / np.where(exact, 1.0, power)
    r = np.where(exact, 0.0, (r * n + 1) / max(n - 3, 1))
    r = np.clip(r, 0.0, 0.9)
    factor: Array = (1 + r) / (1 - r)
    return factor


def normal_tail(z: Array) -> Array:
    """P(Z >= z) of a standard normal variable."""
    return np.array([0.5 * math.erfc(x / math.sqrt(2)) for x in z.tolist()])


def rise_p(found: Ranks, factor: Array) -> Array:
    """One-sided p of "it does not rise" by Kendall's test, with continuity correction."""
    deviation = np.sqrt(np.maximum(found.variance * factor, 1e-300))
    return np.where(found.s > 0, normal_tail((found.s - 1) / deviation), 1.0)


def steps(values: Array, life: Ints) -> tuple[Ints, Ints]:
    """(rises, falls) between neighbouring snapshots of one life."""
    change = np.diff(values, axis=1)[:, life[1:] == life[:-1]]
    return (change > 0).sum(axis=1), (change < 0).sum(axis=1)


def sign_p(rises: Ints, falls: Ints) -> Array:
    """P(at least so many rises) if rise and fall were equally likely: holds for a random walk too."""
    tails: dict[tuple[int, int], float] = {}
    for pair in set(zip(rises.tolist(), falls.tolist(), strict=True)):
        up, n = pair[0], sum(pair)
        tails[pair] = sum(math.comb(n, k) for k in range(up, n + 1)) / 2**n
    return np.array([tails[pair] for pair in zip(rises.tolist(), falls.tolist(), strict=True)])


def false_discovery(p: Array) -> Array:
    """Benjamini and Hochberg's adjusted p (q): the share of false ones among all at most so small."""
    if not len(p):
        return p
    order = np.argsort(p)[::-1]
    place = np.arange(len(p), 0, -1)
    q = np.empty(len(p))
    q[order] = np.minimum.accumulate(np.minimum(p[order] * len(p) / place, 1.0))
    return q


def best_step(values: Array) -> Ints:
    """For each row the place at which two levels fit best by least squares (1 <= place < n)."""
    n = values.shape[1]
    centred = values - values.mean(axis=1, keepdims=True)
    left = centred.cumsum(axis=1)[:, :-1]
    k = np.arange(1, n)
    gain = left**2 * (1 / k + 1 / (n - k))
    place: Ints = gain.argmax(axis=1) + 1
    return place
