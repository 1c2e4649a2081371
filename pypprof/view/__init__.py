"""The View: a profile filtered and aggregated for one report."""

from __future__ import annotations

import numpy as np

from pypprof.columns import BOOL, Ints, any_true, filled, total
from pypprof.errors import CommandError
from pypprof.profile.model import Block, Profile
from pypprof.records import Record
from pypprof.regex import Regex, compile_regex
from pypprof.settings import Settings, parse_int
from pypprof.units import divide64, wrap64
from pypprof.view.aggregate import aggregate
from pypprof.view.tags import (
    NumericUnits,
    TagFilter,
    compile_tag_filter,
    diff_base_samples,
    filter_keys,
    numeric_units,
)


class SampleKind(Record):
    """Which value of the samples a report is about."""

    place: int  # the column of the values
    type: str  # with "mean_" in front for a mean
    unit: str
    mean: bool  # divide by the sample's first value

    def values(self, block: Block) -> Ints:
        return block.values[:, self.place]

    def divisors(self, block: Block) -> Ints | None:
        return block.values[:, 0] if self.mean else None


class Filtered(Record):
    """A profile filtered and aggregated: the part of a view that no sample type changes.

    `memo` keeps what is derived from `profile` alone (node tables, sorted stacks), so that the
    next report on the same filters need not make it again.
    """

    whole: Profile  # before the filters
    focused: Profile  # behind them
    profile: Profile  # and aggregated
    units: dict[str, str]  # of numeric tag keys
    warnings: tuple[str, ...]
    memo: dict[object, object]


class View(Record):
    """A profile as one report sees it.

    `total` is that of all samples (before focus), or of what the filters leave under
    relative_percentages. `warnings` are for stderr.
    """

    profile: Profile
    sample: SampleKind
    total: int
    units: dict[str, str]
    filters: tuple[str, ...]
    warnings: tuple[str, ...]
    memo: dict[object, object]


# The options that filtering and aggregation depend on; a cache of Filtered keys on them.
FILTER_OPTIONS = (
    "tagroot tagleaf focus ignore prune_from hide show show_from tagfocus tagignore tagshow taghide "
    "noinlines showcolumns granularity"
).split()
_FILTERS = "focus ignore prune_from hide show show_from tagfocus tagignore tagshow taghide".split()
_SHOWN_FILTERS = "focus ignore hide show show_from tagfocus tagignore tagshow taghide".split()
_WARNING = {
    "focus": "Focus", "ignore": "Ignore", "hide": "Hide", "show": "Show", "show_from": "ShowFrom",
    "tagfocus": "TagFocus", "tagignore": "TagIgnore", "tagshow": "TagShow", "taghide": "TagHide",
    "tagroot": "TagRoot", "tagleaf": "TagLeaf",
}  # fmt: skip


def filter_profile(profile: Profile, settings: Settings, units: NumericUnits | None = None) -> Filtered:
    """Apply all filters and the granularity. CommandError or BadRegex for an unusable value.

    `units` are those of `profile`, when they are known already.
    """
    units = units or numeric_units(profile)
    warnings = units.warnings()
    whole = _add_tag_frames(profile, settings, warnings)
    focused = _focus(whole, settings, units, warnings)
    return Filtered(whole, focused, aggregate(focused, settings), units.units, tuple(warnings), {})


def build_view(filtered: Filtered, settings: Settings) -> View:
    """The view of one sample type. CommandError when the settings select none."""
    whole = filtered.focused if settings.relative_percentages else filtered.whole
    sample = sample_kind(whole, settings)
    if settings.divide_by == 0:
        raise CommandError("zero divisor specified")
    active = tuple(f"{name}={value}" for name in _SHOWN_FILTERS if (value := getattr(settings, name)))
    total_ = total_value(whole, sample)
    return View(filtered.profile, sample, total_, filtered.units, active, filtered.warnings, filtered.memo)


def sample_index(profile: Profile, wanted: str) -> int:
    """The column of sample values that sample_index names. CommandError when there is none."""
    types = [type_.type for type_ in profile.sample_types]
    if not wanted:
        default = profile.default_sample_type
        return types.index(default) if default and default in types else len(types) - 1
    try:
        index = parse_int(wanted)
    except CommandError:
        for index, name in enumerate(types):
            if name in (wanted, wanted.removeprefix("inuse_")):
                return index
        raise CommandError(f'sample_index "{wanted}" must be one of: [{" ".join(types)}]') from None
    if not 0 <= index < len(types):
        raise CommandError(f"sample_index {wanted} is outside the range [0..{len(types) - 1}]")
    return index


def sample_kind(profile: Profile, settings: Settings) -> SampleKind:
    """The value that the settings select."""
    if not profile.sample_types:
        raise CommandError("profile has no samples")
    index = sample_index(profile, settings.sample_index)
    name, unit = profile.sample_types[index]
    return SampleKind(index, "mean_" + name if settings.mean else name, unit, settings.mean)


def total_value(profile: Profile, sample: SampleKind) -> int:
    """The sum of the absolute values; of the diff base's samples alone where there are any."""
    sums = [0, 0, 0, 0]  # value and divisor of all samples, then of the base's
    for block in profile.blocks:
        values = np.absolute(sample.values(block))
        divisors = sample.divisors(block)
        base = diff_base_samples(profile, block)
        sums[0] += total(values)
        sums[1] += 0 if divisors is None else total(divisors)
        if base is not None:
            sums[2] += total(values[base])
            sums[3] += 0 if divisors is None else total(divisors[base])
    value, divisor, base_value, base_divisor = map(wrap64, sums)
    if base_value > 0:
        value, divisor = base_value, base_divisor
    return divide64(value, divisor) if divisor else value


def _add_tag_frames(profile: Profile, settings: Settings, warnings: list[str]) -> Profile:
    if not (settings.tagroot or settings.tagleaf):
        return profile
    from pypprof.view.tagframes import add_frames, split_keys

    root, leaf = split_keys(settings.tagroot), split_keys(settings.tagleaf)
    profile, root_matched, leaf_matched = add_frames(profile, root, leaf, settings.unit)
    found = {"tagroot": root_matched, "tagleaf": leaf_matched}
    _warn(settings, found, warnings)
    return profile


def _focus(profile: Profile, settings: Settings, units: NumericUnits, warnings: list[str]) -> Profile:
    """Apply all filters, in Go's order."""
    if not any(getattr(settings, option) for option in _FILTERS):
        return profile
    from pypprof.view import filters

    def regex(option: str) -> Regex | None:
        value = getattr(settings, option)
        return compile_regex(value, option) if value else None

    names = [regex(option) for option in ("focus", "ignore", "hide", "show")]
    from_, prune = regex("show_from"), regex("prune_from")
    tag_filters = {
        option: compile_tag_filter(option, value, units.units) if (value := getattr(settings, option)) else None
        for option in ("tagfocus", "tagignore")
    }
    tagshow, taghide = regex("tagshow"), regex("taghide")
    warnings.extend(f.note for f in tag_filters.values() if f and f.note)
    profile, matched = filters.by_name(profile, *names)
    if from_:
        profile, matched["show_from"] = filters.show_from(profile, from_)
    profile = _by_tags(profile, tag_filters, matched)
    profile, keys_matched = filter_keys(profile, tagshow, taghide)
    _warn(settings, matched | keys_matched, warnings)
    return filters.prune_from(profile, prune) if prune else profile


def _by_tags(profile: Profile, tag_filters: dict[str, TagFilter | None], matched: dict[str, bool]) -> Profile:
    """Keep the samples that tagfocus matches and tagignore does not."""
    from pypprof.profile.stacks import select

    wanted = [filled(block.size(), True, BOOL) for block in profile.blocks]
    for option, tag_filter in tag_filters.items():
        if tag_filter:
            masks = [tag_filter.matches(profile, block) for block in profile.blocks]
            matched[option] = any(map(any_true, masks))
            for mask, hit in zip(wanted, masks, strict=True):
                mask &= hit if option == "tagfocus" else np.logical_not(hit)
    return select(profile, wanted)


def _warn(settings: Settings, matched: dict[str, bool], warnings: list[str]) -> None:
    for option, found in matched.items():
        if getattr(settings, option) and not found:
            warnings.append(f"{_WARNING[option]} expression matched no samples")
