"""Names for a profile's addresses, from the local files of its mappings.

Source of the rules and of the order of new functions: google/pprof internal/symbolizer/symbolizer.go.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pypprof.columns import I4, I8, U8, Array, Ints, any_true, ragged_positions, starts_of, where_true
from pypprof.errors import PprofError
from pypprof.profile.model import Functions, Interner, Lines, Mapping, Profile
from pypprof.symbolize.frames import Frames

Note = Callable[[str], None]


class Opened:
    """A mapping's file: its frames, and the bias between its addresses and the mapping's."""

    def __init__(self, resolve: Callable[[Array], list[Frames]], bias: int) -> None:
        self.resolve, self.bias = resolve, bias


Open = Callable[[Mapping], Opened]


def symbolized(profile: Profile, opened: Open, force: bool, note: Note) -> Profile:
    """The profile with frames for what its mappings' files know; a file that can't be read is noted."""
    builder = _Builder(profile)
    mappings, missing = list(profile.mappings), False
    for index, mapping in enumerate(profile.mappings):
        rows = where_true(profile.locations.mapping == index)
        if not len(rows) or (_named(mapping) and not force) or _has_no_file(mapping):
            continue
        if not mapping.file:
            missing |= index > 0
            if not index:
                note("No names: which program was profiled is not known. Give it before the profile.")
            continue
        try:
            file = opened(mapping)
        except PprofError as error:
            note(f"Local symbolization failed for {_title(mapping)}: {error}")
            missing = True
            continue
        mappings[index] = _resolve(builder, mapping, file, rows)
    if missing:
        note("Some programs or libraries were not found, so some names are missing: put them in PPROF_BINARY_PATH.")
    return builder.profile()._replace(mappings=tuple(mappings))


def _named(mapping: Mapping) -> bool:
    return mapping.has_functions or mapping.has_filenames or mapping.has_line_numbers


def _has_no_file(mapping: Mapping) -> bool:
    """Whether the mapping is the kernel's, or an address on the net."""
    name = mapping.file.rstrip("/").rpartition("/")[2]
    if name.startswith(("[", "linux-vdso")) or mapping.file.startswith(("/dev/dri/", "/memfd:")):
        return True
    if mapping.file == "//anon":
        return True
    scheme = mapping.file.partition(":")[0].lower()
    return not mapping.build_id and scheme != mapping.file.lower() and scheme.isascii() and "http" in scheme and (
        scheme.replace("+", "").replace("-", "").replace(".", "").isalnum()
    )  # fmt: skip


def _title(mapping: Mapping) -> str:
    name = mapping.file.rstrip("/").rpartition("/")[2] or "/"
    return f"{name} (build ID {mapping.build_id})" if mapping.build_id else name


def _resolve(builder: _Builder, mapping: Mapping, file: Opened, rows: Ints) -> Mapping:
    """Give the locations at `rows` their frames; the mapping with what is known now."""
    addresses = builder.addresses(rows) - U8.type(file.bias)
    order = addresses.argsort(kind="stable")
    frames: list[Frames] = [()] * len(rows)
    for at, answer in zip(order.tolist(), file.resolve(addresses.take(order)), strict=True):
        frames[at] = answer
    for row, answer in zip(rows.tolist(), frames, strict=True):
        if answer:
            builder.add(row, answer)
    known = [frame for answer in set(frames) for frame in answer]
    if not known:
        return mapping
    return mapping._replace(
        has_functions=mapping.has_functions or any(frame.system_name for frame in known),
        has_filenames=mapping.has_filenames or any(frame.file for frame in known),
        has_line_numbers=mapping.has_line_numbers or any(frame.line for frame in known),
        has_inline_frames=True,  # the frames may hold inlined calls, so nobody need look again
    )


class _Builder:
    """New functions and lines, beside the profile's own."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._interner = Interner(profile.strings)
        self._known: dict[tuple[str, str, int], int] = {}
        self._functions: list[tuple[int, int, int]] = []  # name, file, start line
        self._lines: list[tuple[int, int, int]] = []  # function row, line, column
        self._rows: list[int] = []  # locations with new lines, and how many each has
        self._counts: list[int] = []

    def addresses(self, rows: Ints) -> Array:
        return self._profile.locations.address.take(rows)

    def add(self, row: int, frames: Frames) -> None:
        self._rows.append(row)
        self._counts.append(len(frames))
        for frame in frames:
            key = frame.system_name, frame.file, frame.start_line
            function = self._known.get(key)
            if function is None:
                function = self._known[key] = len(self._profile.functions.id) + len(self._functions)
                add = self._interner.add
                self._functions.append((add(frame.system_name), add(frame.file), frame.start_line))
            self._lines.append((function, frame.line, frame.column))

    def profile(self) -> Profile:
        profile = self._profile
        if not self._rows:
            return profile
        locations = profile.locations
        lines = self._all_lines()
        old = locations.line_starts
        first, counts = old[:-1].copy(), old[1:] - old[:-1]
        rows, new_counts = np.array(self._rows, I8), np.array(self._counts, I8)
        first[rows] = len(locations.lines.function) + starts_of(new_counts)[:-1]
        counts[rows] = new_counts
        folded = locations.folded
        if any_true(folded):
            folded = folded.copy()
            folded[rows] = False
        positions = ragged_positions(first, counts)
        lines = Lines(*(column.take(positions) for column in lines))
        locations = locations._replace(lines=lines, line_starts=starts_of(counts), folded=folded)
        functions = self._all_functions()
        return profile._replace(strings=self._interner.strings, locations=locations, functions=functions)

    def _all_lines(self) -> Lines:
        function, line, column = (np.array(values, I8) for values in zip(*self._lines, strict=True))
        old = self._profile.locations.lines
        return Lines(*map(_joined, old, (function.astype(I4), line, column)))

    def _all_functions(self) -> Functions:
        old = self._profile.functions
        name, file, start = (np.array(values, I8) for values in zip(*self._functions, strict=True))
        ids = np.arange(len(old.id) + 1, len(old.id) + len(name) + 1).astype(U8)
        return Functions(*map(_joined, old, (ids, name.astype(I4), name.astype(I4), file.astype(I4), start)))


def _joined(old: Array, new: Array) -> Array:
    return np.concatenate((old, new))
