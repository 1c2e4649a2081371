"""Changes of stacks and of locations that keep everything else: the moves of all filters."""

from __future__ import annotations

import numpy as np

from pypprof.columns import (
    I8,
    Array,
    Bools,
    Ints,
    all_true,
    filled,
    group_edges,
    group_stops,
    ragged_positions,
    row_any,
    starts_of,
    where_true,
)
from pypprof.profile.model import Block, Lines, Locations, Profile, select_labels, select_samples


def keep_lines(locations: Locations, keep: Bools) -> Locations:
    """The locations with the lines of the mask `keep` only."""
    if all_true(keep):
        return locations
    running = np.zeros(len(keep) + 1, I8)
    keep.cumsum(out=running[1:], dtype=I8)
    lines = Lines(*(column[keep] for column in locations.lines))
    return locations._replace(line_starts=running.take(locations.line_starts), lines=lines)


def line_location(locations: Locations) -> Ints:
    """The location row of each line."""
    starts = locations.line_starts
    return np.arange(len(starts) - 1).repeat(starts[1:] - starts[:-1])


def line_place(locations: Locations) -> Ints:
    """The index of each line in its location, 0 for the innermost."""
    starts = locations.line_starts
    return np.arange(len(locations.lines.line)) - starts[:-1].repeat(starts[1:] - starts[:-1])


def first_true(mask: Bools, starts: Ints) -> Ints:
    """For each ragged row the index in it of its first true entry, -1 for none."""
    return _edge_true(mask, starts, last=False)


def last_true(mask: Bools, starts: Ints) -> Ints:
    """For each ragged row the index in it of its last true entry, -1 for none."""
    return _edge_true(mask, starts, last=True)


def _edge_true(mask: Bools, starts: Ints, last: bool) -> Ints:
    found = filled(len(starts) - 1, -1, I8)
    hits = where_true(mask)
    if len(hits):
        rows = starts.searchsorted(hits, side="right") - 1
        edges = group_edges(rows)
        if last:
            edges = group_stops(edges, len(rows)) - 1
        rows = rows.take(edges)
        found[rows] = hits.take(edges) - starts.take(rows)
    return found


def select(profile: Profile, masks: list[Array]) -> Profile:
    """The profile with the samples of the masks (one a block) only."""
    if all(map(all_true, masks)):
        return profile
    blocks = (select_samples(b, where_true(m)) for b, m in zip(profile.blocks, masks, strict=True))
    return profile._replace(blocks=tuple(b for b in blocks if b.size()))


def without_empty_tags(profile: Profile) -> Profile:
    """Without the tags 0 that have no unit. profile.proto cannot express them, and Go's shell works on copies
    that went through it; its one-shot reports show the tags that a legacy text gives."""
    blocks = []
    for block in profile.blocks:
        labels = block.labels
        if labels is not None:
            said = (labels.text != 0) | (labels.number != 0) | (labels.unit != 0)
            labels = select_labels(labels, said)
        blocks.append(block._replace(labels=labels))
    return profile._replace(blocks=tuple(blocks))


def cut_stacks(block: Block, first: Ints, counts: Ints) -> Block:
    """Each stack reduced to `counts` frames from its frame number `first` on."""
    positions = ragged_positions(block.starts[:-1] + first, counts)
    return block._replace(starts=starts_of(counts), stacks=block.stacks.take(positions))


def drop_frames(block: Block, hidden: Bools) -> Block:
    """The block without the frames at hidden locations (a mask of location rows)."""
    keep = np.logical_not(hidden.take(block.stacks))
    if all_true(keep):
        return block
    running = np.zeros(len(keep) + 1, I8)
    keep.cumsum(out=running[1:], dtype=I8)
    return block._replace(starts=running.take(block.starts), stacks=block.stacks[keep])


def rows_with(block: Block, wanted: Bools) -> Bools:
    """Whether each sample has a frame at a wanted location (a mask of location rows)."""
    return row_any(wanted.take(block.stacks), block.starts)
