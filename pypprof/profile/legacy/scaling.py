"""The sampling correction of heap profiles: an allocation of size S was recorded with
probability 1 - exp(-S / rate), so it stands for 1 / (1 - exp(-S / rate)) allocations.

The results are integers cut from floats, so the last bit of exp() shows. Go computes exp() on
x86-64 with fused multiply-adds and a series of its own (N. Shibata, "Efficient evaluation methods
of elementary functions suitable for SIMD computation", ISC'10); this is that computation, each
step rounded as there. Other processors' last bits may differ, as Go's own do.
"""

from __future__ import annotations

import math

from pypprof.profile.legacy.numbers import truncated

_LOG2E = 1.4426950408889634
_LN2_HIGH = 0.69314718055966295651160180568695068359375
_LN2_LOW = 0.28235290563031577122588448175013436025525412068e-12
# 1/8!, 1/7! ... 1/1! of the Taylor series.
_SERIES = (
    1.9841269841269841270e-4, 1.3888888888888888889e-3, 8.3333333333333333333e-3, 4.1666666666666666667e-2,
    1.6666666666666666667e-1, 0.5, 1.0,
)  # fmt: skip
_FIRST = 2.4801587301587301587e-5


def _fused(a: float, b: float, c: float) -> float:
    """a * b + c rounded once."""
    (an, ad), (bn, bd), (cn, cd) = a.as_integer_ratio(), b.as_integer_ratio(), c.as_integer_ratio()
    # Division of integers rounds correctly.
    return (an * bn * cd + cn * ad * bd) / (ad * bd * cd)


def go_exp(x: float) -> float:
    """math.Exp(x) of Go on x86-64, for finite x."""
    if x < -708:
        return 0.0  # or too small to matter beside 1
    if x > 7.09782712893384e02:
        return math.inf
    exponent = round(x * _LOG2E)
    x = _fused(-float(exponent), _LN2_HIGH, x)
    x = _fused(-float(exponent), _LN2_LOW, x)
    x *= 0.0625
    value = _FIRST
    for term in _SERIES:
        value = _fused(value, x, term)
    x *= value
    # expm1(2x) = expm1(x) * (expm1(x) + 2), four times; the last one adds the 1.
    for _ in range(3):
        x *= x + 2.0
    return math.ldexp(_fused(x + 2.0, x, 1.0), exponent)


class Unsampler:
    """Corrects (count, size) for one sampling rate."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._scales: dict[float, float] = {}

    def scaled(self, count: int, size: int) -> tuple[int, int]:
        if count == 0 or size == 0:
            return 0, 0
        if self._rate <= 1:
            return count, size  # everything was recorded, or the rate is unknown
        average = float(size) / float(count)
        scale = self._scales.get(average)
        if scale is None:
            rest = 1 - go_exp(-average / float(self._rate))
            scale = self._scales[average] = 1 / rest if rest else math.inf
        return truncated(float(count) * scale), truncated(float(size) * scale)
