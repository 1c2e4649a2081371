"""The filters by function, file and binary name: focus, ignore, hide, show, show_from, prune_from.

Semantics: google/pprof profile/filter.go and prune.go. Each takes a profile and returns a new
one and whether its expression matched anything.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import BOOL, I8, Bools, Ints, all_true, any_true, distinct, filled, row_any
from pypprof.profile.model import Profile
from pypprof.profile.stacks import (
    cut_stacks,
    drop_frames,
    first_true,
    keep_lines,
    last_true,
    line_location,
    line_place,
    rows_with,
    select,
)
from pypprof.regex import Regex
from pypprof.view.matching import (
    matching_lines,
    matching_locations,
    matching_mappings,
    simplify_function,
)


def by_name(
    profile: Profile, focus: Regex | None, ignore: Regex | None, hide: Regex | None, show: Regex | None
) -> tuple[Profile, dict[str, bool]]:
    """Apply focus, ignore, hide and show together, as Go does: {option: matched any location}."""
    if not (focus or ignore or hide or show):
        return profile, {}
    count = len(profile.locations.id)
    matched: dict[str, bool] = {}
    ignored = matching_locations(profile, ignore) if ignore else np.zeros(count, BOOL)
    focused = np.logical_not(ignored)
    if focus:
        focused &= matching_locations(profile, focus)
    if ignore:
        matched["ignore"] = any_true(ignored)
    if focus:
        matched["focus"] = any_true(focused)
    shown, hidden = _visible(profile, hide, show, matched)
    masks = []
    for block in profile.blocks:
        mask = rows_with(block, focused)
        if ignore:
            mask &= np.logical_not(rows_with(block, ignored))
        masks.append(mask)
    return _without(select(shown, masks), hidden), matched


def _visible(
    profile: Profile, hide: Regex | None, show: Regex | None, matched: dict[str, bool]
) -> tuple[Profile, Bools]:
    """(profile without the hidden lines, which locations are hidden altogether)."""
    locations = profile.locations
    owner = line_location(locations)
    keep = filled(len(owner), True, BOOL)
    hidden = np.zeros(len(locations.id), BOOL)
    if hide:
        hit = matching_locations(profile, hide)
        binary = matching_mappings(profile, hide)
        matched["hide"] = any_true(hit)
        keep &= np.logical_not(matching_lines(profile, hide) | binary.take(owner))
        hidden |= hit & _lineless(locations.line_starts, keep)
    if show:
        keep &= matching_lines(profile, show) | matching_mappings(profile, show).take(owner)
        empty = _lineless(locations.line_starts, keep)
        matched["show"] = not all_true(empty)
        hidden |= empty
    return profile._replace(locations=keep_lines(locations, keep)), hidden


def _lineless(starts: Ints, keep: Bools) -> Bools:
    """Whether each location has no kept line."""
    return np.logical_not(row_any(keep, starts))


def _without(profile: Profile, hidden: Bools) -> Profile:
    """The profile without hidden locations; samples that lose every frame go."""
    if not any_true(hidden):
        return profile
    blocks = tuple(drop_frames(block, hidden) for block in profile.blocks)
    return select(profile._replace(blocks=blocks), [block.counts() > 0 for block in blocks])


def show_from(profile: Profile, regex: Regex) -> tuple[Profile, bool]:
    """Drop what is above (called) the highest matching frame, and samples without a match."""
    locations = profile.locations
    lines = matching_lines(profile, regex)
    binary = matching_mappings(profile, regex)
    last = last_true(lines, locations.line_starts)
    hit = binary | (last >= 0)
    last[binary] = 1 << 62
    keep = line_place(locations) <= last.take(line_location(locations))
    keep |= np.logical_not(hit).take(line_location(locations))
    blocks, masks = [], []
    for block in profile.blocks:
        top = last_true(hit.take(block.stacks), block.starts)
        masks.append(top >= 0)
        blocks.append(cut_stacks(block, np.zeros(block.size(), I8), top + 1))
    profile = profile._replace(locations=keep_lines(locations, keep), blocks=tuple(blocks))
    return select(profile, masks), any_true(hit)


def prune_from(profile: Profile, regex: Regex) -> Profile:
    """Drop what is below (called by) the lowest matching frame; names are simplified first."""
    locations = profile.locations
    first = first_true(_simplified_lines(profile, regex), locations.line_starts)
    keep = line_place(locations) >= first.take(line_location(locations))
    hit = first >= 0
    blocks = []
    for block in profile.blocks:
        leaf = np.maximum(first_true(hit.take(block.stacks), block.starts), 0)
        blocks.append(cut_stacks(block, leaf, block.counts() - leaf))
    return profile._replace(locations=keep_lines(locations, keep), blocks=tuple(blocks))


def _simplified_lines(profile: Profile, regex: Regex, without: Regex | None = None) -> Bools:
    """Whether the simplified name of each line's function matches (and not `without`)."""
    functions = profile.functions
    used = distinct(functions.name, len(profile.strings))
    simple = [simplify_function(name) for name in profile.texts(used)]
    hits = [bool(name) and regex.search(s) for name, s in zip(profile.texts(used), simple, strict=True)]
    if without:
        hits = [hit and not without.search(s) for hit, s in zip(hits, simple, strict=True)]
    table = np.zeros(len(profile.strings), BOOL)
    table[used] = hits
    return table.take(functions.name).take(profile.locations.lines.function)


def prune(profile: Profile, drop: Regex, keep: Regex | None) -> Profile:
    """Remove the frames at and below a function that matches `drop` and not `keep`.

    A stack is never cut above its first frame (from the root) that does not match. This is
    what the drop_frames and keep_frames of a profile ask for.
    """
    locations = profile.locations
    owner, place = line_location(locations), line_place(locations)
    last = last_true(_simplified_lines(profile, drop, keep), locations.line_starts)
    counts = locations.line_starts[1:] - locations.line_starts[:-1]
    beneath = last >= 0
    whole = beneath & (last == counts - 1)
    kept_lines = (place > last.take(owner)) | whole.take(owner)
    blocks = []
    for block in profile.blocks:
        if not len(block.stacks):
            blocks.append(block)
            continue
        sizes = block.counts()
        user = np.logical_not(beneath).take(block.stacks)
        # Seen from the root: frames before the first user frame do not count.
        root = last_true(user, block.starts)
        place_in_stack = np.arange(len(block.stacks)) - block.starts[:-1].repeat(sizes)
        candidates = np.logical_not(user) & (place_in_stack < root.repeat(sizes))
        at = last_true(candidates, block.starts)
        gone = whole.take(block.stacks.take(block.starts[:-1] + np.maximum(at, 0), mode="clip"))
        first = np.where(at < 0, 0, at + gone)
        blocks.append(cut_stacks(block, first, sizes - first))
    return profile._replace(locations=keep_lines(locations, kept_lines), blocks=tuple(blocks))
