"""tagroot and tagleaf: the values of tags as frames at the root or the leaf of each stack.

Semantics: google/pprof internal/driver/tagroot.go. Every sample gets one frame a key, a nameless
one where it does not carry the tag.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pypprof.columns import (
    BOOL,
    I4,
    I8,
    U8,
    Array,
    Ints,
    all_true,
    in_order_of_appearance,
    largest,
    number_rows,
    number_values,
    starts_of,
    where_true,
)
from pypprof.profile.model import Block, Functions, Interner, Lines, Locations, Profile
from pypprof.units import scaled_label


def split_keys(value: str) -> list[str]:
    """The keys of a comma-separated option."""
    return [key for key in value.split(",") if key]


def add_frames(profile: Profile, root: list[str], leaf: list[str], unit: str) -> tuple[Profile, bool, bool]:
    """(profile with the frames, whether a root key is carried by a sample, a leaf key)."""
    # The first key of each list ends up outermost.
    keys = [*reversed(root), *reversed(leaf)]
    codes: dict[tuple[str, str], int] = {}
    rows: dict[int, int] = {}
    matched = [False] * len(keys)
    blocks = []
    for block in profile.blocks:
        frames = np.empty((block.size(), len(keys)), I8)
        for column, key in enumerate(keys):
            numbers, texts, carried = _tag_texts(profile, block, key, unit)
            matched[column] |= carried
            own = [codes.setdefault((text, key), len(codes)) for text in texts]
            frames[:, column] = np.array(own, I8).take(numbers)
        # Locations are made sample by sample, key by key: their ids show in raw reports.
        numbers, first = number_values(frames.reshape(-1))
        for code in frames.reshape(-1).take(in_order_of_appearance(numbers, first)[1]).tolist():
            rows.setdefault(code, len(rows))
        row_of = np.array([rows.get(code, 0) for code in range(len(codes))], I8)
        blocks.append(_with_frames(block, row_of.take(frames) + len(profile.locations.id), len(root)))
    made = list(codes)
    profile = _with_locations(profile, [made[code] for code in rows])
    return profile._replace(blocks=tuple(blocks)), any(matched[: len(root)]), any(matched[len(root) :])


def _with_frames(block: Block, frames: Ints, roots: int) -> Block:
    """The block with frames (samples, keys) put around: the first `roots` columns at the root."""
    leaves = frames.shape[1] - roots
    starts = starts_of(block.counts() + frames.shape[1])
    stacks = np.empty(int(starts[-1]), I4)
    place = np.arange(len(block.stacks)) + leaves
    place += (starts[:-1] - block.starts[:-1]).repeat(block.counts())
    stacks[place] = block.stacks
    for column in range(roots):
        stacks[starts[1:] - (roots - column)] = frames[:, column]
    for column in range(leaves):
        stacks[starts[:-1] + column] = frames[:, roots + column]
    return block._replace(starts=starts, stacks=stacks)


def _tag_texts(profile: Profile, block: Block, key: str, unit: str) -> tuple[Ints, list[str], bool]:
    """(number of each sample's text, the texts, whether any sample has the tag); text 0 is ''."""
    numbers = np.zeros(block.size(), I8)
    labels = block.labels
    if labels is None:
        return numbers, [""], False
    mask = np.zeros(len(labels.key), BOOL)
    for index in set(labels.key.tolist()):
        if profile.strings[index] == key:
            mask |= labels.key == index
    rows = where_true(mask)
    if not len(rows):
        return numbers, [""], False
    sample = labels.sample.take(rows)
    columns: list[Array] = [column.take(rows) for column in (labels.text, labels.number, labels.unit)]
    if all_true(sample[1:] > sample[:-1]):
        kinds, first = number_rows(columns)
        numbers[sample] = kinds + 1
        texts, values, units = (column.take(first).tolist() for column in columns)
        single = zip(texts, values, units, strict=True)
        return numbers, ["", *(_join_values(profile, [tag], unit) for tag in single)], True
    return _many_values(profile, numbers, sample.tolist(), zip(*(c.tolist() for c in columns), strict=True), unit)


def _many_values(
    profile: Profile, numbers: Ints, samples: list[int], tags: Iterable[tuple[int, int, int]], unit: str
) -> tuple[Ints, list[str], bool]:
    """_tag_texts() where some sample carries the tag more than once."""
    grouped: dict[int, list[tuple[int, int, int]]] = {}
    for sample, tag in zip(samples, tags, strict=True):
        grouped.setdefault(sample, []).append(tag)
    index: dict[str, int] = {"": 0}
    for sample, own in grouped.items():
        numbers[sample] = index.setdefault(_join_values(profile, own, unit), len(index))
    return numbers, list(index), True


def _join_values(profile: Profile, tags: list[tuple[int, int, int]], unit: str) -> str:
    """The values of one key of one sample: strings first, then numbers in the output unit."""
    strings = profile.strings
    texts = [strings[text] for text, _, _ in tags if text]
    numeric = [(number, strings[its_unit]) for text, number, its_unit in tags if not text]
    target = unit if any(its_unit for _, its_unit in numeric) else ""
    return ",".join(texts + [scaled_label(number, its_unit, target) for number, its_unit in numeric])


def _with_locations(profile: Profile, made: list[tuple[str, str]]) -> Profile:
    """The profile with a function and a location for each (text, key)."""
    if not made:
        return profile
    interner = Interner(profile.strings)
    names = np.array([interner.add(text) for text, _ in made], I4)
    files = np.array([interner.add(key) for _, key in made], I4)
    count, old = len(made), profile.functions
    zeros = np.zeros(count, I8)
    functions = Functions(
        np.concatenate((old.id, _next_ids(old.id, count))),
        np.concatenate((old.name, names)),
        np.concatenate((old.system_name, zeros.astype(I4))),
        np.concatenate((old.filename, files)),
        np.concatenate((old.start_line, zeros)),
    )
    there = profile.locations
    lines = Lines(
        np.concatenate((there.lines.function, np.arange(count, dtype=I4) + len(old.id))).astype(I4),
        np.concatenate((there.lines.line, zeros)),
        np.concatenate((there.lines.column, zeros)),
    )
    locations = Locations(
        np.concatenate((there.id, _next_ids(there.id, count))),
        np.concatenate((there.mapping, zeros.astype(I4) - 1)).astype(I4),
        np.concatenate((there.address, zeros.view(U8))),
        np.concatenate((there.folded, zeros.astype(BOOL))),
        np.concatenate((there.line_starts, there.line_starts[-1] + 1 + np.arange(count))),
        lines,
    )
    return profile._replace(strings=interner.strings, functions=functions, locations=locations)


def _next_ids(ids: Array, count: int) -> Array:
    return np.arange(count).astype(U8) + np.array([(largest(ids) + 1) & 0xFFFFFFFFFFFFFFFF], U8)
