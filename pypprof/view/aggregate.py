"""Granularity: what two frames must share to be one entry of a report.

Semantics: google/pprof profile.Aggregate and internal/driver/driver.go (aggregate).
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import BOOL, I4, Array, any_true
from pypprof.errors import CommandError
from pypprof.profile.model import Functions, Profile
from pypprof.profile.stacks import keep_lines, line_place
from pypprof.records import Record
from pypprof.settings import Settings


class _Keep(Record):
    """The attributes that a granularity leaves in the profile."""

    function: bool = False
    file: bool = False
    line: bool = False
    address: bool = False


_GRANULARITIES = {
    "": _Keep(function=True),
    "functions": _Keep(function=True),
    "filefunctions": _Keep(function=True, file=True),
    "files": _Keep(file=True),
    "lines": _Keep(function=True, file=True, line=True),
    "addresses": _Keep(function=True, file=True, line=True, address=True),
}


def aggregate(profile: Profile, settings: Settings) -> Profile:
    """The profile without what the granularity ignores."""
    keep = _GRANULARITIES.get(settings.granularity)
    if keep is None:
        raise CommandError("unexpected granularity")
    if keep.address and not settings.noinlines:
        return profile
    profile = profile._replace(
        mappings=tuple(
            m._replace(
                has_inline_frames=m.has_inline_frames and not settings.noinlines,
                has_functions=m.has_functions and keep.function,
                has_filenames=m.has_filenames and keep.file,
                has_line_numbers=m.has_line_numbers and keep.line,
            )
            for m in profile.mappings
        ),
        functions=_functions(profile, keep),
    )
    return _locations(profile, keep, settings)


def _functions(profile: Profile, keep: _Keep) -> Functions:
    functions = profile.functions
    blank = np.zeros(len(functions.id), I4)
    if not keep.function:
        functions = functions._replace(name=blank, system_name=blank)
    return functions if keep.file else functions._replace(filename=blank)


def _locations(profile: Profile, keep: _Keep, settings: Settings) -> Profile:
    locations = profile.locations
    if settings.noinlines:
        counts = locations.line_starts[1:] - locations.line_starts[:-1]
        outermost = line_place(locations) == counts.repeat(counts) - 1
        locations = keep_lines(locations, outermost)
    lines = locations.lines
    if not keep.line:
        lines = lines._replace(line=_zeros(lines.line))
    if not (keep.line and settings.showcolumns):
        lines = lines._replace(column=_zeros(lines.column))
    locations = locations._replace(lines=lines)
    if not keep.address:
        locations = locations._replace(address=_zeros(locations.address))
    return profile._replace(locations=locations)


def _zeros(column: Array) -> Array:
    return np.zeros(len(column), column.dtype) if any_true(column.astype(BOOL)) else column
