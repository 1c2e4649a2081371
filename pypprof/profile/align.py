"""Making profiles comparable before a merge: common sample types, common units.

Source: google/pprof profile/merge.go (CompatibilizeSampleTypes) and
internal/measurement/measurement.go (ScaleProfiles).
"""

from __future__ import annotations

from collections.abc import Sequence

from pypprof.errors import Invalid
from pypprof.profile.merge import merge, scale
from pypprof.profile.model import Profile, ValueType
from pypprof.units import same_kind, truncate64
from pypprof.units import scale as scale_unit


def combine(profiles: Sequence[Profile]) -> Profile:
    """Align and merge. A single profile is only checked. Invalid when they do not fit together."""
    aligned = _common_units(_common_types(profiles))
    return aligned[0] if len(aligned) == 1 else merge(aligned)


def _common_types(profiles: Sequence[Profile]) -> list[Profile]:
    """Only the sample types that every profile has, in the order of the first."""
    counts: dict[str, int] = {}
    for profile in profiles:
        for type_ in profile.sample_types:
            counts[type_.type] = counts.get(type_.type, 0) + 1
    names = [t.type for t in profiles[0].sample_types if counts[t.type] == len(profiles)]
    if not names:
        raise Invalid("profiles have empty common sample type list")
    return [_with_types(profile, names) for profile in profiles]


def _with_types(profile: Profile, names: list[str]) -> Profile:
    own = [t.type for t in profile.sample_types]
    if own == names:
        return profile
    columns = []
    for name in names:
        if name not in own:
            raise Invalid(f'"{name}" sample type is not found in profile')
        columns.append(own.index(name))
    if columns == list(range(len(own))):
        return profile
    default = profile.default_sample_type if profile.default_sample_type in names else names[0]
    return profile._replace(
        default_sample_type=default,
        sample_types=tuple(profile.sample_types[column] for column in columns),
        blocks=tuple(block._replace(values=block.values[:, columns]) for block in profile.blocks),
    )


def _common_units(profiles: list[Profile]) -> list[Profile]:
    """Values and periods in the finest unit that any profile uses for them."""
    period = _finest("period type", [p.period_type for p in profiles])
    if len({len(p.sample_types) for p in profiles}) > 1:
        raise Invalid("inconsistent samples type count")
    finest = [_finest("sample types", list(types)) for types in zip(*(p.sample_types for p in profiles), strict=True)]
    return [_in_units(profile, period, finest) for profile in profiles]


def _finest(what: str, types: list[ValueType]) -> ValueType | None:
    """The type with the smallest unit; None for a single one. Invalid when they are of different kinds."""
    if len(types) <= 1:
        return None
    finest = types[0]
    for type_ in types[1:]:
        same_name = type_.type.removesuffix("s") == finest.type.removesuffix("s")
        if not (same_name and same_kind(finest.unit, type_.unit)):
            raise Invalid(f"{what}: incompatible types: {finest.type}/{finest.unit} {type_.type}/{type_.unit}")
        if scale_unit(1, type_.unit, finest.unit)[0] < 1:
            finest = type_
    return finest


def _in_units(profile: Profile, period: ValueType | None, finest: Sequence[ValueType | None]) -> Profile:
    if period is not None:
        value, _ = scale_unit(profile.period, profile.period_type.unit, period.unit)
        profile = profile._replace(period=truncate64(value), period_type=profile.period_type._replace(unit=period.unit))
    ratios = [
        scale_unit(1, own.unit, wanted.unit)[0] if wanted else 1.0
        for own, wanted in zip(profile.sample_types, finest, strict=True)
    ]
    types = tuple(
        own._replace(unit=wanted.unit) if wanted else own
        for own, wanted in zip(profile.sample_types, finest, strict=True)
    )
    return scale(profile._replace(sample_types=types), ratios)
