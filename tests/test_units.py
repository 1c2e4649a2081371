"""Units and the text of values; expectations by hand from pprof's rules."""

from __future__ import annotations

import pytest

from pypprof.units import INT64_MIN, abs64, divide64, label, percentage, scale, scaled_label, truncate64, wrap64


@pytest.mark.parametrize(
    ("value", "source", "target", "text"),
    [
        (0, "bytes", "MB", "0"),
        (1, "bytes", "auto", "1B"),
        (1536, "bytes", "auto", "1.50kB"),
        (-1536, "bytes", "auto", "-1.50kB"),
        (1 << 20, "BYTES", "minimum", "1MB"),
        (5, "kilobytes", "bytes", "5120B"),
        (10_000_000, "nanoseconds", "minimum", "10ms"),
        (7200 * 10**9, "ns", "auto", "2hrs"),
        (1, "ns", "s", "0"),
        (3, "count", "auto", "3"),
        (3, "apples", "pears", "3pears"),
        (3, "apples", "minimum", "3"),
        (1500, "ms", "furlongs", "1.50s"),
        (2, "milligcu", "gcu", "0"),
        (INT64_MIN, "bytes", "PB", "-8192PB"),
        (5, "s", "ms", "5000ms"),
    ],
)
def test_scaled_label(value: int, source: str, target: str, text: str) -> None:
    assert scaled_label(value, source, target) == text


def test_label_picks_the_natural_unit() -> None:
    assert label(90_000_000_000, "nanoseconds") == "90s"
    assert scale(1, "us", "ns") == (1000.0, "ns")
    # pprof lists this spelling but takes its s for a plural, and so never finds it.
    assert scale(1, "μs", "ns") == (1.0, "ns")


@pytest.mark.parametrize(
    ("value", "total", "text"),
    [(1, 3, "33.33%"), (1, 1, "  100%"), (99_96, 100_00, "  100%"), (1, 1000, "  0.1%"), (5, 1_000_000, "0.0005%"),
     (0, 5, "    0%"), (5, 0, "    0%"), (-1, 4, "25.00%"), (3, 2, "150.00%"), (1, 3_000_000, "3.3e-05%")],
)  # fmt: skip
def test_percentage(value: int, total: int, text: str) -> None:
    assert percentage(value, total) == text


def test_go_arithmetic() -> None:
    assert wrap64(1 << 63) == INT64_MIN
    assert abs64(INT64_MIN) == INT64_MIN
    assert divide64(-7, 2) == -3
    assert divide64(INT64_MIN, -1) == INT64_MIN
    assert truncate64(-2.9) == -2
    assert truncate64(float("nan")) == truncate64(1e30) == INT64_MIN
