"""Compilation units: which one covers an address, and what its attributes mean.

Of a unit that covers no wanted address at most the first entry is read. Source: DWARF 5,
sections 6.1.2, 7.5 and 7.25 to 7.28.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import Any

import numpy as np

from pypprof.columns import U8
from pypprof.errors import BinaryError
from pypprof.symbolize.dwarf import forms
from pypprof.symbolize.dwarf.forms import Abbreviation, Sizes, Value
from pypprof.symbolize.dwarf.sections import Sections

_COMPILE, _PARTIAL, _SKELETON = 1, 3, 4  # kinds of units with code of their own
_FIRST = 1 << 12  # bytes that are enough for a unit's first entry

_LIST = 1 << 9  # bytes that most lists of ranges are shorter than

Ranges = list[tuple[int, int]]


class Unit:
    """One unit of .debug_info, from `start` to `end`; its entries begin at `first`."""

    def __init__(self, sections: Sections, abbreviations: Abbreviations, start: int, kind: int,
                 end: int, first: int, table: int, sizes: Sizes) -> None:  # fmt: skip
        self.sections, self.start, self.kind, self.end = sections, start, kind, end
        self.first, self.sizes = first, sizes
        self._abbreviations, self._table = abbreviations, table

    @cached_property
    def data(self) -> bytes:
        """The unit's bytes; positions in them are relative to its start."""
        return bytes(self.sections.info[self.start : self.end])

    @cached_property
    def kinds(self) -> dict[int, Abbreviation]:
        return self._abbreviations.at(self._table, self.sizes)

    @cached_property
    def root(self) -> dict[int, Value]:
        """The attributes of the unit itself; {} for an empty unit."""
        data = self.sections.info[self.start : min(self.end, self.start + _FIRST)]
        try:
            return self._read_root(bytes(data))
        except IndexError:
            return self._read_root(self.data)

    def _read_root(self, data: bytes) -> dict[int, Value]:
        code, at = forms.leb(data, self.first)
        kind = self.kinds.get(code)
        return forms.read_attributes(data, at, kind, self.sizes)[0] if kind else {}

    @cached_property
    def directory(self) -> str:
        return self.text(self.root.get(forms.COMP_DIR))

    @cached_property
    def base(self) -> int:
        """What ranges count from."""
        return self.address(self.root.get(forms.LOW_PC)) or 0

    @cached_property
    def ranges(self) -> Ranges:
        """The addresses that the unit says it covers."""
        return self.ranges_of(self.root)

    def ranges_of(self, attributes: dict[int, Value]) -> Ranges:
        """The addresses that an entry covers."""
        low, high = attributes.get(forms.LOW_PC), attributes.get(forms.HIGH_PC)
        if forms.RANGES in attributes:
            return self._listed(attributes[forms.RANGES])
        start = self.address(low)
        if start is None or high is None:
            return []
        if high[0] == forms.ADDR or high[0] in forms.ADDRESS_INDICES:
            end = self.address(high)
        else:
            end = start + high[1] if isinstance(high[1], int) else None
        return [(start, end)] if end is not None and end > start else []

    def text(self, value: Value | None) -> str:
        """A string attribute; "" for none."""
        if value is None:
            return ""
        form, raw = value
        if form == forms.STRING:
            return str(raw, "utf-8", "surrogateescape")
        if form == forms.STRP:
            return self.sections.string(raw)
        if form == forms.LINE_STRP:
            return self.sections.line_string(raw)
        if form in forms.STRING_INDICES:
            size = self.sizes.offset
            base = self._root_number(forms.STR_OFFSETS_BASE, 8 if size == 4 else 16)
            return self.sections.string(self.sections.number("str_offsets", base + raw * size, size))
        return ""

    def address(self, value: Value | None) -> int | None:
        """An address attribute; None for none."""
        if value is None:
            return None
        form, raw = value
        if form == forms.ADDR:
            return int(raw)
        if form in forms.ADDRESS_INDICES:
            return self._indexed_address(raw)
        return None

    def reference(self, value: Value | None) -> int | None:
        """The entry that a reference means, as a position in .debug_info."""
        if value is None:
            return None
        form, raw = value
        if form in forms.UNIT_REFERENCES:
            return self.start + int(raw)
        return int(raw) if form == forms.REF_ADDR else None

    def _root_number(self, attribute: int, default: int) -> int:
        value = self.root.get(attribute)
        return value[1] if value is not None and isinstance(value[1], int) else default

    def _indexed_address(self, index: int) -> int:
        size = self.sizes.address
        base = self._root_number(forms.ADDR_BASE, self._root_number(forms.GNU_ADDR_BASE, 8))
        return self.sections.number("addr", base + index * size, size)

    def _listed(self, value: Value) -> Ranges:
        form, at = value
        if not isinstance(at, int):
            return []
        if self.sizes.version < 5:
            return self._old_list(at)
        if form == forms.RNGLISTX:
            size = self.sizes.offset
            base = self._root_number(forms.RNGLISTS_BASE, 12 if size == 4 else 20)
            at = base + self.sections.number("rnglists", base + at * size, size)
        return self._list(at)

    def _old_list(self, at: int) -> Ranges:
        """A list of .debug_ranges."""
        size, found = self.sizes.address, Ranges()
        top = (1 << 8 * size) - 1
        base = self.base
        while True:
            self.sections.spend(2 * size)
            low = self.sections.number("ranges", at, size)
            high = self.sections.number("ranges", at + size, size)
            at += 2 * size
            if low == top:
                base = high
            elif not low and not high:
                return found
            elif low < high:
                found.append((base + low, base + high))

    def _list(self, at: int) -> Ranges:
        """A list of .debug_rnglists."""
        whole = self.sections.named("rnglists")
        try:
            return self._decoded(bytes(whole[at : at + _LIST]))
        except IndexError:
            self.sections.spend(len(whole) - at)
            return self._decoded(bytes(whole[at:]))

    def _decoded(self, data: bytes) -> Ranges:
        size, base, found = self.sizes.address, self.base, Ranges()
        order: Any = self.sizes.order
        leb, at = forms.leb, 0
        while kind := data[at]:
            at += 1
            if kind == 4:  # by far the most frequent
                first, second, at = data[at], data[at + 1], at + 2
                if first > 127 or second > 127:
                    first, at = leb(data, at - 2)
                    second, at = leb(data, at)
                start, end = base + first, base + second
            elif kind == 5:
                base, at = int.from_bytes(data[at : at + size], order), at + size
                continue
            elif kind in (6, 7):
                start, at = int.from_bytes(data[at : at + size], order), at + size
                if kind == 6:
                    end, at = int.from_bytes(data[at : at + size], order), at + size
                else:
                    second, at = leb(data, at)
                    end = start + second
            elif kind in (1, 2, 3):
                first, at = leb(data, at)
                if kind == 1:
                    base = self._indexed_address(first)
                    continue
                second, at = leb(data, at)
                start = self._indexed_address(first)
                end = self._indexed_address(second) if kind == 2 else start + second
            else:
                raise BinaryError("damaged debug information (.debug_rnglists)")
            if start < end:
                found.append((start, end))
        self.sections.spend(at)
        return found


class Abbreviations:
    """The tables of .debug_abbrev, each decoded once."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections
        self._tables: dict[tuple[int, Sizes], dict[int, Abbreviation]] = {}

    def at(self, offset: int, sizes: Sizes) -> dict[int, Abbreviation]:
        table = self._tables.get((offset, sizes))
        if table is None:
            data = self._sections.named("abbrev")
            # Most tables are small; a copy in bytes is quicker to read.
            piece = bytes(data[offset : offset + (1 << 15)])
            try:
                table, end = forms.read_abbreviations(piece, 0, sizes)
            except IndexError:
                table, end = forms.read_abbreviations(data, offset, sizes)
                end -= offset
            self._sections.spend(end)
            self._tables[offset, sizes] = table
        return table


class Units:
    """All units of a file."""

    def __init__(self, sections: Sections) -> None:
        self.sections = sections
        self._abbreviations = Abbreviations(sections)
        self.units = self._headers()
        self._starts = [unit.start for unit in self.units]

    def at(self, position: int) -> Unit | None:
        """The unit that holds a position of .debug_info."""
        index = bisect_right(self._starts, position) - 1
        return self.units[index] if index >= 0 and position < self.units[index].end else None

    def covering(self, addresses: list[int], lowest: int) -> dict[Unit, list[int]]:
        """The wanted (ascending) addresses by the unit that covers them."""
        rows = self._table(lowest)
        if not rows:
            return {}
        rows.sort(key=lambda row: row[0])
        starts = np.array([row[0] for row in rows], U8)
        places = starts.searchsorted(np.array(addresses, U8), "right").tolist()
        found = dict[Unit, list[int]]()
        for address, place in zip(addresses, places, strict=True):
            # Ranges rarely overlap; where they do, the last that begins before the address is meant.
            for start, end, unit in reversed(rows[max(place - 8, 0) : place]):
                if start <= address < end:
                    found.setdefault(unit, []).append(address)
                    break
        return found

    def _table(self, lowest: int) -> list[tuple[int, int, Unit]]:
        """(start, end, unit) of everything covered: from .debug_aranges, else from the units themselves."""
        rows = list[tuple[int, int, Unit]]()
        listed = set[Unit]()
        for start, end, unit in self._aranges():
            listed.add(unit)
            rows.append((start, end, unit))
        for unit in self.units:
            if unit.kind in (_COMPILE, _SKELETON) and unit not in listed:
                try:
                    rows += [(start, end, unit) for start, end in unit.ranges]
                except (BinaryError, IndexError):
                    continue
        return [row for row in rows if lowest <= row[0] < row[1] < 1 << 64]

    def _headers(self) -> list[Unit]:
        sections, data, at = self.sections, self.sections.info, 0
        order: Any = sections.order
        units = []
        while at + 11 < len(data):
            length, here, width = sections.initial_length(data, at)
            end = here + length
            if end > len(data) or length < 7:
                break  # damaged: what has been found so far
            head = bytes(data[here : here + 32])
            version = int.from_bytes(head[:2], order)
            if version == 5:
                kind, address, skip = head[2], head[3], 4
                table = int.from_bytes(head[4 : 4 + width], order)
                skip += width + (8 if kind in (_SKELETON, 5) else 8 + width if kind in (2, 6) else 0)
            else:
                kind, table = _COMPILE, int.from_bytes(head[2 : 2 + width], order)
                address, skip = head[2 + width], 3 + width
            if 2 <= version <= 5 and address in (2, 4, 8):
                sizes = Sizes(address, width, version, sections.order)
                first = here - at + skip
                units.append(Unit(sections, self._abbreviations, at, kind, end, first, table, sizes))
            at = end
        return units

    def _aranges(self) -> list[tuple[int, int, Unit]]:
        sections, data, at = self.sections, self.sections.named("aranges"), 0
        order: Any = sections.order
        by_start = {unit.start: unit for unit in self.units}
        rows = list[tuple[int, int, Unit]]()
        while at + 12 < len(data):
            length, here, width = sections.initial_length(data, at)
            end = here + length
            if end > len(data) or not length:
                break
            unit = by_start.get(int.from_bytes(data[here + 2 : here + 2 + width], order))
            size = data[here + 2 + width]
            if unit is not None and size in (4, 8):
                first = at + -(-(here + 4 + width - at) // (2 * size)) * 2 * size
                pairs = np.frombuffer(data[first:end], f"{'<' if order == 'little' else '>'}u{size}")
                pairs = pairs[: len(pairs) // 2 * 2].reshape(-1, 2).astype(object)
                rows += [(low, low + count, unit) for low, count in pairs.tolist() if count]
            at = end
        return rows
