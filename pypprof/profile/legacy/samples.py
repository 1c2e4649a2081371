"""Collecting samples while a text is read, and the columns they become."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from pypprof.columns import BOOL, I4, I8, U4, U8, Ints, in_order_of_appearance, number_values, starts_of
from pypprof.profile.legacy import maps
from pypprof.profile.legacy.lines import Scanner
from pypprof.profile.legacy.numbers import WORD, hexadecimal
from pypprof.profile.model import (
    Aside,
    Block,
    Frame,
    Functions,
    Labels,
    Lines,
    Locations,
    Mapping,
    Profile,
    ValueType,
    no_lines,
)

_BLOCK = 8192


class Header:
    """The types of a legacy profile's values."""

    def __init__(self, types: Sequence[tuple[str, str]], period_type: tuple[str, str], period: int) -> None:
        self.types = tuple(ValueType(*type_) for type_ in types)
        self.period_type = ValueType(*period_type)
        self.period = period
        self.duration = 0


class Samples:
    """Samples over the rows of a location table, in the order of the text.

    For profiles of addresses, `address` maps each address to its row; others number their
    locations themselves.
    """

    def __init__(self) -> None:
        self.strings: dict[str, int] = {"": 0}
        self.address: dict[int, int] = {}
        self._row_of_text: dict[str, int] = {}
        self._counts = array("q")
        self._stacks = array("I")
        self._values = array("q")
        self._labels: tuple[array[int], ...] = tuple(array("q") for _ in Labels._fields)

    def __len__(self) -> int:
        return len(self._counts)

    def row(self, address: int) -> int:
        """The row of an address, a new one when it was not seen before."""
        return self.address.setdefault(address, len(self.address))

    def return_rows(self, texts: Iterable[str]) -> list[int]:
        """The rows of return addresses, written in hexadecimal: one less is on the call. Malformed over 64 bits."""
        known = self._row_of_text
        rows = []
        for text in texts:
            row = known.get(text)
            if row is None:
                row = known[text] = self.row((hexadecimal(text) - 1) % WORD)
            rows.append(row)
        return rows

    def add(self, rows: Sequence[int], values: Iterable[int]) -> None:
        """A sample: its stack, leaf first, and its values."""
        self._counts.append(len(rows))
        self._stacks.extend(rows)
        self._values.extend(values)

    def add_to_last(self, value: int) -> None:
        """Count the last sample, of a single value, again."""
        if self._values:
            self._values[-1] += value

    def tag(self, key: str, text: str) -> None:
        """A string tag of the last sample."""
        self._label(key, self._intern(text), 0, "")

    def number(self, key: str, number: int, unit: str = "") -> None:
        """A numeric tag of the last sample."""
        self._label(key, 0, number, unit)

    def _label(self, key: str, text: int, number: int, unit: str) -> None:
        row = (len(self._counts) - 1, self._intern(key), text, number, self._intern(unit))
        for column, value in zip(self._labels, row, strict=True):
            column.append(value)

    def _intern(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))

    def stacks(self) -> list[list[int]]:
        """All stacks."""
        flat = self._stacks.tolist()
        starts = starts_of(np.array(self._counts, I8)).tolist()
        return [flat[a:b] for a, b in zip(starts, starts[1:], strict=False)]

    def replace_stacks(self, stacks: Sequence[Sequence[int]]) -> None:
        self._counts = array("q", map(len, stacks))
        self._stacks = array("I", [row for stack in stacks for row in stack])

    def number_anew(self) -> list[int]:
        """Drop the rows that no stack uses, number the others in the order of their use; their old rows."""
        flat = np.array(self._stacks, U4).astype(I8)
        numbers, first = in_order_of_appearance(*number_values(flat))
        self._stacks = array("I", numbers.tolist())
        old: list[int] = flat.take(first).tolist()
        addresses = list(self.address)
        if addresses:
            self.address = {addresses[row]: place for place, row in enumerate(old)}
        return old

    def blocks(self, types: int) -> tuple[Block, ...]:
        starts = starts_of(np.array(self._counts, I8))
        stacks = np.array(self._stacks, U4)
        values = np.array(self._values, I8).reshape(len(self._counts), types)
        sample, key, text, number, unit = (np.array(column, I8) for column in self._labels)
        blocks = []
        for at in range(0, len(self._counts), _BLOCK):
            end = min(at + _BLOCK, len(self._counts))
            first, last = int(starts[at]), int(starts[end])
            low, high = (int(place) for place in sample.searchsorted(np.array([at, end], I8)))
            labels = Labels(
                sample[low:high] - at, key[low:high].astype(I4), text[low:high].astype(I4), number[low:high],
                unit[low:high].astype(I4),
            )  # fmt: skip
            blocks.append(
                Block(starts[at : end + 1] - first, stacks[first:last], values[at:end], labels if high > low else None)
            )
        return tuple(blocks)


def profile_of_addresses(header: Header, samples: Samples, scanner: Scanner, aside: Aside | None = None) -> Profile:
    """The profile of samples over addresses; the rest of the text, from the current line on, may list mappings."""
    return with_mappings(header, samples, maps.massaged(maps.read_map(scanner)), aside)


def with_mappings(header: Header, samples: Samples, found: list[Mapping], aside: Aside | None = None) -> Profile:
    address = np.array(list(samples.address), U8)
    mappings, mapping = maps.assigned(found, address)
    lines = no_lines()
    starts = np.zeros(len(address) + 1, I8)
    locations = _locations(address, mapping, starts, lines)
    return _profile(header, samples, mappings, locations, [])._replace(aside=aside)


def profile_of_frames(
    header: Header, samples: Samples, mappings: tuple[Mapping, ...], frames: Sequence[Sequence[Frame]],
    mapping: Ints | None = None,
) -> Profile:  # fmt: skip
    """The profile of samples over locations that have names instead of addresses; functions are told apart by name."""
    counts = np.array([len(own) for own in frames], I8)
    rows: dict[str, int] = {}
    functions: list[Frame] = []
    function, line = array("i"), array("q")
    for own in frames:
        for frame in own:
            row = rows.setdefault(frame.function, len(functions))
            if row == len(functions):
                functions.append(frame)
            function.append(row)
            line.append(frame.line)
    lines = Lines(np.array(function, I4), np.array(line, I8), np.zeros(len(line), I8))
    if mapping is None:
        mapping = np.zeros(len(frames), I8) - (not mappings)
    locations = _locations(np.zeros(len(frames), U8), mapping, starts_of(counts), lines)
    return _profile(header, samples, mappings, locations, functions)


def _locations(address: Ints, mapping: Ints, starts: Ints, lines: Lines) -> Locations:
    ids = np.arange(1, len(address) + 1).astype(U8)
    return Locations(ids, mapping.astype(I4), address, np.zeros(len(address), BOOL), starts, lines)


def _profile(
    header: Header, samples: Samples, mappings: tuple[Mapping, ...], locations: Locations, functions: list[Frame]
) -> Profile:
    blocks = samples.blocks(len(header.types))
    strings = samples.strings
    name = np.array([strings.setdefault(f.function, len(strings)) for f in functions], I4)
    file = np.array([strings.setdefault(f.file, len(strings)) for f in functions], I4)
    table = Functions(np.arange(1, len(functions) + 1).astype(U8), name, name, file, np.zeros(len(functions), I8))
    return Profile(
        list(strings), header.types, blocks, mappings, locations, table,
        duration_nanos=header.duration, period_type=header.period_type, period=header.period,
    )  # fmt: skip
