"""Frames put into the tables of a profile."""

from __future__ import annotations

import numpy as np

from pypprof.columns import I4, I8, U8, Array, Ints, any_true, ragged_positions, starts_of
from pypprof.profile.model import Functions, Interner, Lines, Profile
from pypprof.symbolize.frames import Frames


class Builder:
    """New functions and lines, beside the profile's own; those of the later add() count."""

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
