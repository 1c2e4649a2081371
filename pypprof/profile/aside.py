"""Names that a legacy text gives to its addresses: used where no binary gives any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pypprof.columns import I4, I8, U8, Ints, ragged_positions, starts_of, where_true
from pypprof.profile.model import Aside, Frame, Functions, Interner, Lines, Locations, Profile


def joined(asides: Iterable[Aside | None]) -> Aside | None:
    """What several texts say: of two names of an address, and of two MemStats, the first."""
    known = [aside for aside in asides if aside is not None]
    if len(known) < 2:
        return known[0] if known else None
    names: dict[int, tuple[Frame, ...]] = {}
    for aside in reversed(known):
        names |= aside.names
    return Aside(names, next((aside.memory for aside in known if aside.memory), {}))


def with_own_names(profile: Profile, symbolize: str) -> Profile:
    """The profile with the text's names at the locations that have no lines; `symbolize` none leaves it as it is."""
    aside = profile.aside
    if aside is None or not aside.names or {"none", "no"} & set(symbolize.lower().split(":")):
        return profile
    locations, names = profile.locations, aside.names
    counts = locations.line_starts[1:] - locations.line_starts[:-1]
    addresses: list[int] = locations.address.tolist()
    found = [(row, names[addresses[row]]) for row in where_true(counts == 0).tolist() if addresses[row] in names]
    if not found:
        return profile
    rows = np.array([row for row, _ in found], I8)
    strings, functions, numbers = _with_functions(profile, found)
    line = np.array([frame.line for _, frames in found for frame in frames], I8)
    added = Lines(numbers, line, np.zeros(len(line), I8))
    profile = profile._replace(
        aside=aside._replace(names={}),
        strings=strings,
        functions=functions,
        locations=_with_lines(locations, rows, np.array([len(frames) for _, frames in found], I8), added),
    )
    named = {int(mapping) for mapping in locations.mapping.take(rows).tolist()}
    mappings = tuple(
        m._replace(has_functions=True, has_filenames=True, has_line_numbers=True) if i in named else m
        for i, m in enumerate(profile.mappings)
    )
    return profile._replace(mappings=mappings)


def disagrees(profile: Profile) -> bool:
    """Whether a binary has given most of the text's addresses other names: then it is of another build."""
    if profile.aside is None or not profile.aside.names:
        return False
    texts, name = profile.strings, profile.functions.name.tolist()
    lines, ends = profile.locations.lines.function.tolist(), profile.locations.line_starts.tolist()
    same = other = 0
    for row, address in enumerate(profile.locations.address.tolist()):
        frames = profile.aside.names.get(address)
        if frames and ends[row + 1] > ends[row]:
            # The outermost: a line table may not tell inlined calls.
            if _plain(frames[-1].function) == _plain(texts[name[lines[ends[row + 1] - 1]]]):
                same += 1
            else:
                other += 1
    return other > same


def _plain(function: str) -> str:
    """A function's name without type arguments, which a text cuts to [...]."""
    head, bracket, tail = function.partition("[")
    return head + tail.rpartition("]")[2] if bracket else function


def _with_functions(
    profile: Profile, found: Sequence[tuple[int, tuple[Frame, ...]]]
) -> tuple[list[str], Functions, Ints]:
    """(strings, functions with those of the frames added, the function row of each frame)."""
    old = profile.functions
    rows: dict[tuple[str, str], int] = {}
    frames = [(frame.function, frame.file) for _, own in found for frame in own]
    numbers = np.array([rows.setdefault(frame, len(old.id) + len(rows)) for frame in frames], I4)
    interner = Interner(profile.strings)
    name = np.array([interner.add(function) for function, _ in rows], I4)
    file = np.array([interner.add(file) for _, file in rows], I4)
    first = int(np.maximum.reduce(old.id)) + 1 if len(old.id) else 1
    ids = np.arange(len(rows)).astype(U8) + np.array([first], U8)
    added = Functions(ids, name, name, file, np.zeros(len(rows), I8))
    columns = (np.concatenate((a, b)) for a, b in zip(old, added, strict=True))
    return interner.strings, Functions(*columns), numbers


def _with_lines(locations: Locations, rows: Ints, counts: Ints, added: Lines) -> Locations:
    """The locations with `counts` lines each at `rows`, which had none."""
    sizes = locations.line_starts[1:] - locations.line_starts[:-1]
    total = sizes.copy()
    total[rows] = counts
    starts = starts_of(total)
    old_place = ragged_positions(starts[:-1], sizes)
    new_place = ragged_positions(starts.take(rows), counts)
    columns = []
    for old, new in zip(locations.lines, added, strict=True):
        column = np.empty(int(starts[-1]), new.dtype)
        column[old_place], column[new_place] = old, new
        columns.append(column)
    return locations._replace(line_starts=starts, lines=Lines(*columns))
