"""Merging and diffing, in the corners that the random comparison may miss."""

from __future__ import annotations

import numpy as np

from pypprof.columns import number_ragged
from pypprof.profile.align import combine
from pypprof.profile.merge import merge, scale, with_label
from pypprof.profile.model import Profile
from pypprof.profile.parse import parse
from tests.support.encoder import Builder


def profile(values: list[int], unit: str = "bytes", time: int = 5, period: int = 7, start: int = 0x1000) -> Profile:
    builder = Builder([("space", unit)])
    builder.mapping(1, start, start + 0x1000, 0, "/bin/app", "id")
    builder.function(1, "f", None, "f.go")
    builder.location(1, [(1, 1, 0)], 1, start + 0x10)
    builder.location(2, [(1, 2, 0)], 1, start + 0x20)
    for index, value in enumerate(values):
        builder.sample([1 + index % 2], [value], [("n", index // 2, "bytes")])
    builder.header(time=time, period=period, period_type=("space", "bytes"))
    return parse(builder.encode())


def values(merged: Profile) -> list[list[int]]:
    return [row for block in merged.blocks for row in block.values.tolist()]


def test_header_keeps_earliest_time_and_largest_period() -> None:
    merged = merge([profile([1], time=9, period=3), profile([1], time=5, period=8)])
    assert (merged.time_nanos, merged.period) == (5, 8)


def test_equal_samples_add_up_across_address_spaces() -> None:
    merged = merge([profile([1, 2]), profile([10, 20], start=0x9000)])
    assert values(merged) == [[11], [22]]
    assert len(merged.mappings) == 1
    assert merged.locations.address.tolist() == [0x1010, 0x1020]


def test_what_cancels_out_goes_with_its_locations() -> None:
    merged = combine([profile([1, 2]), scale(profile([1, 5]), [-1.0])])
    assert values(merged) == [[-3]]
    assert len(merged.locations.id) == 1


def test_finer_unit_wins() -> None:
    merged = combine([profile([1], "kilobytes"), profile([1], "bytes")])
    assert merged.sample_types[0].unit == "bytes"
    assert values(merged) == [[1025]]


def test_scaling_rounds_half_away_from_zero() -> None:
    scaled = scale(profile([3, -3, 1, 0]), [0.5])
    assert values(scaled) == [[2], [-2], [1]]


def test_set_label_replaces() -> None:
    labelled = with_label(with_label(profile([1]), "k", "a"), "k", "b")
    labels = labelled.blocks[0].labels
    assert labels is not None
    texts = [labelled.strings[i] for i in labels.text.tolist()]
    assert [t for t in texts if t] == ["b"]


def test_number_ragged_is_exact() -> None:
    rng = np.random.default_rng(1)
    rows = [rng.integers(0, 3, rng.integers(0, 5)).tolist() for _ in range(2000)]
    starts = np.cumsum([0, *map(len, rows)])
    numbers, first = number_ragged([np.array([v for row in rows for v in row])], starts)
    assert [rows[i] for i in first[numbers]] == rows
    assert len(first) == len({tuple(row) for row in rows})
