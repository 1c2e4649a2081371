"""Two sets of profiles of the same work: which sites have grown beyond noise.

The noise of a site is what its profiles on one side differ by, together with what sampling alone
must make them differ by (a site of v bytes, sampled every p bytes, is known to the square root of
v*p) or what sites usually differ by, if that is more. The variances are averaged, weighted by how much is
known of each (G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 3 (2004) 3: many genes, few arrays). Whether a site has
grown by more than what is allowed is Student's test; over all sites Holm's correction (S. Holm,
Scand. J. Stat. 6 (1979) 65) keeps the chance of any false alarm at one in a hundred.
"""

from __future__ import annotations

import math

import numpy as np

from pypprof.columns import Array
from pypprof.records import Record

REGRESSION, IMPROVED, NEW, VANISHED, SAME = "regression", "improved", "new", "vanished", "same"
_LEVEL = 0.01
_PRIOR = 4.0  # degrees of freedom that the sampling model counts for
_ASSUMED = 30.0  # what is assumed is taken for well known
_UNSEEN = 0.05  # run-to-run noise that is assumed when no side has two profiles


class Change(Record):
    """One site. `noise` is the standard error of the difference; `p` of having grown beyond the limit."""

    name: str
    status: str
    base: float
    head: float
    noise: float
    p: float

    def ratio(self) -> float:
        """Growth as a share of the base; infinite for a new site."""
        if not self.base:
            return math.inf if self.head > 0 else 0.0
        return (self.head - self.base) / abs(self.base)


def compare(names: list[str], base: Array, head: Array, period: float, max_growth: float, least: float) -> list[Change]:
    """The change of each row of `base` and `head` (sites, profiles); those that matter are tested.

    `least`: what a site must weigh on one side to matter. Regressions first, then by difference.
    """
    before, after = np.median(base, axis=1), np.median(head, axis=1)
    matter = np.maximum(np.abs(before), np.abs(after)) >= max(least, 1e-300)
    names = [name for name, keep in zip(names, matter.tolist(), strict=True) if keep]
    base, head, before, after = (side[matter] for side in (base, head, before, after))
    error, freedom = _noise(base, head, before, after, period)
    allowed = max_growth * np.abs(before)
    grown = np.array([student_tail(t, freedom) for t in ((after - before - allowed) / error).tolist()])
    shrunk = np.array([student_tail(t, freedom) for t in ((before - after - allowed) / error).tolist()])
    worse, better = (_rejected(p) for p in (grown, shrunk))
    absent, gone = (side.max(axis=1, initial=0.0) == 0 for side in (base, head))
    changes = []
    rows = zip(names, before.tolist(), after.tolist(), error.tolist(), grown.tolist(), strict=True)
    for index, (name, was, is_, noise, p) in enumerate(rows):
        status = REGRESSION if worse[index] else IMPROVED if better[index] else SAME
        if absent[index]:
            status = NEW if not worse[index] else REGRESSION
        elif gone[index]:
            status = VANISHED
        changes.append(Change(name, status, was, is_, noise, p))
    order = {REGRESSION: 0, NEW: 1, VANISHED: 2, IMPROVED: 3, SAME: 4}
    return sorted(changes, key=lambda c: (order[c.status], -abs(c.head - c.base), c.name))


def _noise(base: Array, head: Array, before: Array, after: Array, period: float) -> tuple[Array, float]:
    """(standard error of the difference of each site, degrees of freedom)."""
    level = np.maximum(np.abs(before), np.abs(after))
    sampling = level * max(period, 1.0)
    freedom = base.shape[1] + head.shape[1] - 2
    if not freedom:
        variance = sampling + (_UNSEEN * level) ** 2
        known = _ASSUMED
    else:
        squares = sum(((side - side.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for side in (base, head))
        # What sites usually differ by from run to run stands in for what one site has too few profiles to show.
        usual = float(np.median(squares / freedom / level**2)) if len(level) else 0.0
        prior = np.maximum(sampling, usual * level**2)
        variance = (squares + _PRIOR * prior) / (freedom + _PRIOR)
        known = freedom + _PRIOR
    # A median of some is less certain than their mean.
    wide = [math.pi / 2 if side.shape[1] > 2 else 1.0 for side in (base, head)]
    error: Array = np.sqrt(np.maximum(variance, 1e-300) * (wide[0] / base.shape[1] + wide[1] / head.shape[1]))
    return error, known


def _rejected(p: Array) -> Array:
    """Holm: from the least p on, as long as each is below the level over the tests that are left."""
    rejected = np.zeros(len(p), bool)
    for step, index in enumerate(np.argsort(p, kind="stable").tolist()):
        if p[index] > _LEVEL / (len(p) - step):
            break
        rejected[index] = True
    return rejected


def student_tail(t: float, freedom: float) -> float:
    """P(T >= t) of Student's distribution."""
    x = freedom / (freedom + t * t) if math.isfinite(t) else 0.0
    tail = 0.5 * _incomplete_beta(freedom / 2, 0.5, x)
    return tail if t > 0 else 1.0 - tail


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function, by Lentz's continued fraction."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(1 - x))
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(b, a, 1 - x)
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or 1e-300)
    total = d
    for m in range(1, 300):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + term * d or 1e-300)
            c = 1 + term / c or 1e-300
            total *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return front * total / a
