"""Simulated series of snapshots: what grows and what only looks like it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Rng = np.random.Generator
Made = tuple[Any, Any, Any]  # times, values, life
HOUR = 3600.0


def clock(rng: Rng, n: int) -> Any:
    """Snapshots every 30 s or so, not quite regular."""
    return np.cumsum(30 + rng.uniform(-2, 2, n))


def noise(rng: Rng, n: int) -> Made:
    """A level with independent noise, light or heavy-tailed."""
    level, size = 10 ** rng.uniform(4, 9), 10 ** rng.uniform(-3, -0.7)
    error = rng.standard_normal(n) if rng.random() < 0.5 else rng.standard_t(2, n)
    return clock(rng, n), np.round(level * (1 + size * error)), np.zeros(n, int)


def wander(rng: Rng, n: int) -> Made:
    """A level with noise that remembers (AR(1))."""
    level, size, memory = 10 ** rng.uniform(4, 9), 10 ** rng.uniform(-3, -0.7), rng.uniform(0.2, 0.75)
    error = np.zeros(n + 50)
    for i in range(1, n + 50):
        error[i] = memory * error[i - 1] + rng.standard_normal()
    return clock(rng, n), np.round(level * (1 + size * error[50:])), np.zeros(n, int)


def sawtooth(rng: Rng, n: int) -> Made:
    """Garbage: rises, falls back at each collection; three teeth at least."""
    times = clock(rng, n)
    floor, height = 10 ** rng.uniform(5, 8), 10 ** rng.uniform(5, 8)
    teeth = rng.uniform(3, max(3.5, n / 3))
    phase = (np.arange(n) / n * teeth + rng.random()) % 1.0
    values = floor + height * phase * rng.uniform(0.8, 1.2, n)
    return times, np.round(values), np.zeros(n, int)


def plateau(rng: Rng, n: int) -> Made:
    """A warm-up that ends in the first 40 % of the time."""
    times = clock(rng, n)
    x = np.arange(n) / n
    level = 10 ** rng.uniform(5, 8)
    end = rng.uniform(0.1, 0.4)
    shape = 1 - np.exp(-x / (end / 4)) if rng.random() < 0.5 else np.minimum(x / end, 1.0)
    size = rng.choice([0.0, 10 ** rng.uniform(-4, -1.3)])
    return times, np.round(level * (0.2 + shape + size * rng.standard_normal(n))), np.zeros(n, int)


def step(rng: Rng, n: int) -> Made:
    """One jump, anywhere: a table that doubled, a feature switched on."""
    times = clock(rng, n)
    level = 10 ** rng.uniform(5, 8)
    at = rng.integers(1, n)
    size = rng.choice([0.0, 10 ** rng.uniform(-4, -1)])
    values = level * (1 + rng.uniform(0.1, 3) * (np.arange(n) >= at) + size * rng.standard_normal(n))
    return times, np.round(values), np.zeros(n, int)


def restart(rng: Rng, n: int) -> Made:
    """Two to three lives at levels of their own, each with a short warm-up; nothing leaks."""
    times = clock(rng, n)
    at = np.sort(rng.choice(np.arange(3, n - 2), size=rng.integers(1, 3), replace=False))
    life = np.searchsorted(at, np.arange(n), side="right")
    values = np.zeros(n)
    for number in np.unique(life):
        own = life == number
        level = 10 ** rng.uniform(5, 7)
        warm = 1 - 0.7 * np.exp(-np.arange(own.sum()) / 0.7)
        values[own] = level * (warm + 0.01 * rng.standard_normal(own.sum()))
    return times, np.round(values), life


NULLS: dict[str, Callable[[Rng, int], Made]] = {
    "noise": noise, "wander": wander, "sawtooth": sawtooth, "plateau": plateau, "step": step, "restart": restart,
}  # fmt: skip


def leak(rng: Rng, n: int, growth: float) -> Made:
    """A slow leak: over the whole time it grows by `growth` standard deviations of the noise."""
    times = clock(rng, n)
    level = 10 ** rng.uniform(5, 8)
    noise_ = level * 0.05
    x = (times - times[0]) / (times[-1] - times[0])
    return times, np.round(level + noise_ * (growth * x + rng.standard_normal(n))), np.zeros(n, int)


def leak_under_teeth(rng: Rng, n: int) -> Made:
    """A leak as high as the teeth of garbage above it."""
    times, values, life = sawtooth(rng, n)
    x = (times - times[0]) / (times[-1] - times[0])
    return times, np.round(values + (values.max() - values.min()) * x), life


def leak_with_restart(rng: Rng, n: int) -> Made:
    """Every life begins at its floor and leaks at the same rate."""
    times = clock(rng, n)
    at = int(rng.integers(n // 3, n - n // 3))
    life = (np.arange(n) >= at).astype(int)
    since = np.where(life == 0, times - times[0], times - times[at])
    return times, np.round(1e6 + 500.0 * since + 300 * rng.standard_normal(n)), life


def late_leak(rng: Rng, n: int) -> Made:
    """Steady for half of the time, then a leak: something was deployed."""
    times = clock(rng, n)
    x = np.arange(n) / n
    return times, np.round(1e6 * (1 + 2 * np.maximum(0, x - 0.5) + 0.02 * rng.standard_normal(n))), np.zeros(n, int)


def staircase(rng: Rng, n: int) -> Made:
    """A leak that grows in six steps, as tables do."""
    times = clock(rng, n)
    steps = np.floor(np.arange(n) / n * 6 + rng.random())
    return times, np.round(1e6 * (1 + steps + 0.005 * rng.standard_normal(n))), np.zeros(n, int)


def clean_leak(rng: Rng, n: int) -> Made:
    """Steady growth, hardly any noise; sometimes slower or faster with time, sometimes in stairs."""
    times = clock(rng, n)
    x = (times - times[0]) / (times[-1] - times[0])
    bend = rng.uniform(0.7, 1.6)
    level = 10 ** rng.uniform(4, 8)
    values = level * (1 + rng.uniform(0.02, 5) * x**bend)
    return times, np.round(values), np.zeros(n, int)
