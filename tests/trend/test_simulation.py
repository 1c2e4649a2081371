"""Simulated series: hardly any false alarm, and leaks are found as docs/trend.md states."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from pypprof.trend.robust import reduced
from pypprof.trend.shape import GROWS, MAY_GROW, PLATEAU, SAWTOOTH, STEP, shapes
from tests.conftest import ROOT
from tests.trend import simulate
from tests.trend.simulate import Made, Rng

SEED = 20_261_124
LENGTHS = (12, 20, 40, 96, 240)


def verdicts(make: Callable[[Rng, int], Made], n: int, count: int, seed: int = SEED) -> Counter[str]:
    rng = np.random.default_rng(seed)
    found: Counter[str] = Counter()
    for _ in range(count):
        times, values, life = make(rng, n)
        found[shapes(times, values[None], life)[0].verdict] += 1
    return found


@pytest.mark.parametrize("name", simulate.NULLS)
def test_false_alarms(name: str) -> None:
    """200 series of each family that does not leak: at most 1 % said to grow."""
    found = sum((verdicts(simulate.NULLS[name], n, 40) for n in LENGTHS), Counter[str]())
    assert found.total() == 200
    assert found[GROWS] <= 2
    telling = {"sawtooth": SAWTOOTH, "step": STEP}.get(name)
    if telling:
        assert found[telling] >= 150
    if name == "plateau":
        assert found[PLATEAU] + found[STEP] >= 180


def test_false_alarms_of_all_families_together() -> None:
    """1,200 more series, another seed: at most 1 % of them all."""
    alarms = sum(
        verdicts(make, n, 40, SEED + 1)[GROWS] for make in simulate.NULLS.values() for n in LENGTHS
    )  # fmt: skip
    assert alarms <= 12


def test_many_sites_at_once_do_not_add_up_to_alarms() -> None:
    """500 sites that do not leak beside three that do: only those three."""
    rng = np.random.default_rng(SEED)
    times = simulate.clock(rng, 40)
    sites = [10 ** rng.uniform(4, 8) * (1 + 0.05 * rng.standard_normal(40)) for _ in range(500)]
    sites += [1e6 + slope * times for slope in (50.0, 100.0, 400.0)]
    found = shapes(times, np.array(sites), np.zeros(40, int))
    assert [i for i, one in enumerate(found) if one.verdict == GROWS] == [500, 501, 502]


def stated() -> list[tuple[str, int, float, int]]:
    """The table of docs/trend.md: (series, snapshots, noise, least share found in %)."""
    text = (ROOT / "docs" / "trend.md").read_text()
    rows = re.findall(r"^\| (\w[\w ]*) \| (\d+) \| ([\d.]+) \| (\d+) % \|$", text, re.MULTILINE)
    return [(name, int(n), float(growth), int(share)) for name, n, growth, share in rows]


def test_docs_state_what_is_found() -> None:
    assert len(stated()) >= 8


@pytest.mark.parametrize(("name", "n", "growth", "share"), stated())
def test_leaks_are_found(name: str, n: int, growth: float, share: int) -> None:
    makers: dict[str, Callable[[Rng, int], Made]] = {
        "under noise": lambda rng, n: simulate.leak(rng, n, growth),
        "under garbage": simulate.leak_under_teeth,
        "with a restart": simulate.leak_with_restart,
        "bent": simulate.clean_leak,
        "begun late": simulate.late_leak,
        "in stairs": simulate.staircase,
    }
    found = verdicts(makers[name], n, 200)
    assert found[GROWS] >= 2 * share, found


def test_few_snapshots_are_never_sure() -> None:
    """Even perfect growth over 7 snapshots may be chance among many sites."""
    found = verdicts(simulate.clean_leak, 7, 50)
    assert found[GROWS] == 0
    assert found[MAY_GROW] == 50


def test_slope_of_a_leak_under_noise_is_right() -> None:
    rng = np.random.default_rng(SEED)
    times = simulate.clock(rng, 240)
    values = 1e6 + 700.0 * times + 20_000 * rng.standard_normal(240)
    one = shapes(times, values[None], np.zeros(240, int))[0]
    assert one.verdict == GROWS
    assert one.slope == pytest.approx(700.0, rel=0.02)
    assert one.low < 700.0 < one.high
    assert len(reduced(times, values[None], np.zeros(240, int))[0]) <= 96
