"""The robust statistics against brute force, known tables and what they promise."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pypprof.trend import robust
from pypprof.trend.compare import compare, student_tail


def test_slope_is_the_median_of_all_pairs_within_a_life() -> None:
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.uniform(1, 9, 11))
    values = rng.normal(size=(4, 11)) * 10 + times
    life = np.array([0] * 5 + [1] * 6)
    found = robust.slopes(times, values, life)
    for row in range(4):
        pairs = [
            (values[row, j] - values[row, i]) / (times[j] - times[i])
            for i, j in itertools.combinations(range(11), 2)
            if life[i] == life[j]
        ]
        assert found.slope[row] == pytest.approx(float(np.median(pairs)))
        assert min(pairs) <= found.low[row] <= found.slope[row] <= found.high[row] <= max(pairs)


def test_sen_interval_of_his_own_example() -> None:
    """Seven points with six distinct slopes' worth of pairs: the ranks that Sen's formula names."""
    times = np.array([1.0, 2.0, 3.0, 4.0, 10.0, 12.0, 18.0])
    values = np.array([[9.0, 15.0, 19.0, 20.0, 45.0, 55.0, 78.0]])
    found = robust.slopes(times, values, np.zeros(7, int))
    assert found.slope[0] == pytest.approx(4.0)
    # Var(S) = 7*6*19/18; 1.96 * sqrt of it = 13.05; pairs 21: entries 3 and 18 of the sorted slopes (from 0).
    ordered = sorted(
        (values[0, j] - values[0, i]) / (times[j] - times[i]) for i, j in itertools.combinations(range(7), 2)
    )
    assert (found.low[0], found.high[0]) == (ordered[3], ordered[18])


def test_interval_covers_the_truth() -> None:
    """About 95 of 100 intervals hold the true slope."""
    rng = np.random.default_rng(2)
    times = np.cumsum(rng.uniform(20, 40, 30))
    values = 3.0 * times + rng.normal(size=(2000, 30)) * 200
    found = robust.slopes(times, values, np.zeros(30, int))
    covered = float(np.mean((found.low <= 3.0) & (found.high >= 3.0)))
    assert 0.93 <= covered <= 0.98


def test_an_outlier_moves_nothing() -> None:
    times = np.arange(20.0)
    values = (5.0 * times)[None].copy()
    values[0, 7] = 1e9
    assert robust.slopes(times, values, np.zeros(20, int)).slope[0] == pytest.approx(5.0)


def test_variance_with_ties_is_that_of_all_orders() -> None:
    """Kendall's variance of a row with ties, against all of its permutations."""
    row = [1, 1, 2, 3, 3, 3]
    scores = []
    for order in set(itertools.permutations(row)):
        scores.append(sum(int(np.sign(b - a)) for a, b in itertools.combinations(order, 2)))
    expected = float(np.mean(np.square(scores)))
    found = robust.ranks(np.array([row], float), np.zeros(6, int))
    assert found.variance[0] == pytest.approx(expected)
    assert found.s[0] == 11
    assert found.pairs == 15


def test_reduced_keeps_lives_apart_and_the_slope() -> None:
    times = np.arange(1000.0)
    life = (times >= 333).astype(int)
    values = np.where(life == 0, times * 2, (times - 333) * 2)[None]
    t, v, fewer = robust.reduced(times, values, life)
    assert len(t) <= robust.MOST_POINTS + 2
    assert set(fewer.tolist()) == {0, 1}
    assert robust.slopes(t, v, fewer).slope[0] == pytest.approx(2.0)


def test_sign_test_is_binomial() -> None:
    assert robust.sign_p(np.array([11, 0]), np.array([0, 5])).tolist() == [2.0**-11, 1.0]


def test_false_discovery_is_that_of_benjamini_and_hochberg() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert robust.false_discovery(p) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert len(robust.false_discovery(np.zeros(0))) == 0


def test_best_step_finds_the_step() -> None:
    assert robust.best_step(np.array([[0, 0, 0, 9, 9], [5, 1, 1, 1, 1]], float)).tolist() == [3, 1]


@pytest.mark.parametrize(
    ("t", "freedom", "tail"),
    [(2.015048, 5, 0.05), (3.747, 4, 0.01), (1.311, 29, 0.1), (0.0, 3, 0.5), (-2.015048, 5, 0.95), (63.657, 1, 0.005)],
)
def test_student_tail(t: float, freedom: float, tail: float) -> None:
    assert student_tail(t, freedom) == pytest.approx(tail, rel=2e-3)
    assert student_tail(math.inf, freedom) == 0.0


def test_the_gate_seldom_fails_for_nothing_and_finds_what_has_grown() -> None:
    """400 comparisons of 40 functions that have not changed; then one that has, by half or, where there are
    fewer than three profiles a side, threefold."""
    rng = np.random.default_rng(3)
    names = [f"f{i}" for i in range(40)]
    level = 10 ** rng.uniform(6, 8, 40)[:, None]

    def side(count: int) -> np.ndarray:
        return level * (1 + 0.04 * rng.standard_normal((40, count)))

    false = found = 0
    for count in (1, 2, 3, 5) * 100:
        base, head = side(count), side(count)
        false += any(c.status == "regression" for c in compare(names, base, head, 4096, 0.1, 0))
        head[7] *= 1.5 if count > 2 else 3
        found += [c.name for c in compare(names, base, head, 4096, 0.1, 0) if c.status == "regression"] == ["f7"]
    assert false <= 4
    assert found >= 380


def test_the_gate_knows_new_and_vanished() -> None:
    base = np.array([[100.0, 101, 99], [0, 0, 0], [50, 51, 52], [1, 1, 1]]) * 1e6
    head = np.array([[100.0, 100, 98], [40, 41, 42], [0, 0, 0], [1, 1, 1]]) * 1e6
    changes = compare(["same", "new", "gone", "small"], base, head, 1, 0.1, 2e6)
    assert {c.name: c.status for c in changes} == {"new": "regression", "gone": "vanished", "same": "same"}
    assert changes[0].name == "new"
    assert changes[0].ratio() == math.inf
