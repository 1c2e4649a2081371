"""Comparing what two decoders make of the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pypprof.errors import ProfileError
from pypprof.profile import check, codec, fast
from pypprof.profile.draft import Draft
from pypprof.profile.model import Profile


def flat(profile: Profile) -> Any:
    """A profile as plain values, whatever its blocks."""
    samples = []
    for block in profile.blocks:
        starts: list[int] = block.starts.tolist()
        labels: dict[int, list[Any]] = {}
        if block.labels is not None:
            for row in zip(*(column.tolist() for column in block.labels), strict=True):
                labels.setdefault(row[0], []).append(row[1:])
        for index in range(block.size()):
            stack = block.stacks[starts[index] : starts[index + 1]].tolist()
            samples.append((stack, block.values[index].tolist(), labels.get(index, [])))
    tables = [
        [np.asarray(column).tolist() for column in profile.functions],
        [np.asarray(column).tolist() for column in profile.locations[:5]],
        [np.asarray(column).tolist() for column in profile.locations.lines],
    ]
    return samples, tables, profile._replace(blocks=(), locations=None, functions=None)  # type: ignore[arg-type]


def outcome(decode: Callable[[bytes], Draft], data: bytes) -> Any:
    """What a decoder and the checks make of bytes: the profile's values, or "refused"."""
    try:
        return flat(check.resolve(decode(data)))
    except ProfileError:
        return "refused"


def fast_outcome(data: bytes) -> Any:
    """Of the fast decoder; None where it hands over to the exact one."""
    try:
        return outcome(fast.decode, data + bytes(fast.PADDING))
    except fast.Unusual:
        return None


def exact_outcome(data: bytes) -> Any:
    return outcome(codec.decode, data)
