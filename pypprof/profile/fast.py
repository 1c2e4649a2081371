"""The fast decoder: profile.proto to columns with NumPy.

Sample, Location, Line, Function and Label messages hold nothing but varints, so a block of
them is one stream of varints. All varints of a block are found and decoded in a few passes
(Varints); then all its messages are walked in step, field by field ("lanes"): each step
reads one tag per message and handles the messages with equal tags together.

Raises Unusual when the bytes may be valid but are nothing that profile writers produce
(fixed-width fields, ids over 2^32 in stacks are fine); the exact decoder (codec.py) then takes over.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from pypprof.columns import (
    I4,
    I8,
    U4,
    U8,
    Array,
    Ints,
    UInts,
    all_true,
    in_parallel,
    join,
    largest,
    ragged_positions,
    starts_of,
    table_of,
    where_true,
)
from pypprof.errors import Malformed
from pypprof.profile.again import remember, worth
from pypprof.profile.draft import (
    Draft,
    DraftBlock,
    DraftFunctions,
    DraftLabels,
    DraftLocations,
    decode_mappings,
    decode_strings,
    decode_value_types,
)
from pypprof.profile.wire import BYTES, FUNCTION, LOCATION, SAMPLE, STRING, VARINT, Outline, bodies, outline
from pypprof.records import Record

BLOCK_BYTES = 1 << 19
PADDING = 16  # wide loads at the last varint may read this far behind it


class Unusual(Exception):
    """Legal or not, these bytes are for the exact decoder."""


def _column(values: list[int], dtype: np.dtype[np.generic]) -> Array:
    return np.array(values, dtype)


# By number of bytes less one: the bits that belong to a varint in a wide load.
_MASK4 = _column([0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF] + [0] * 12, U4)
_MASK8 = _column([(1 << 8 * n) - 1 for n in range(1, 9)] + [(1 << 64) - 1] * 8, U8)
# Folding the 7-bit groups: keep the low group of each pair, move the high one next to it.
_LOW8 = _column([0x007F007F007F007F, 0x00003FFF00003FFF, 0x000000000FFFFFFF], U8)
_HIGH8 = _column([0x7F007F007F007F00, 0x3FFF00003FFF0000, 0x0FFFFFFF00000000], U8)
_STEP8 = _column([1, 2, 4], U8)
_SHIFTS = _column([56, 63], U8)


class Varints:
    """The varints of buffer[start:end]: `value` (those of up to four bytes, longer ones 0),
    `at` (their byte offsets, one more than they are) and `extra` (their bytes less one)."""

    def __init__(self, buffer: Array, start: int, end: int) -> None:
        self.buffer, self.start, self.size = buffer, start, end - start
        self.bytes = buffer[start:end]
        last = where_true(self.bytes < 0x80)
        count = self.count = len(last)
        self.at = np.empty(count + 1, I8)
        self.at[0] = 0
        np.add(last, 1, out=self.at[1:])
        first = self.at[:count]
        self.extra = np.subtract(last, first, out=last)
        word = np.ndarray((self.size,), U4, buffer, start, (1,)).take(first)
        word &= _MASK4.take(self.extra, mode="clip")
        high = word & 0x7F007F00
        high >>= 1
        word &= 0x007F007F
        word |= high
        np.bitwise_and(word, 0x3FFF0000, out=high)
        high >>= 2
        word &= 0x3FFF
        word |= high
        self.value = word
        self.longest = largest(self.extra)
        self._index = table_of(np.arange(count + 1, dtype=I4), self.size + 1, I4, self.at, -1)

    def index_of(self, offset: Array) -> Ints:
        """The varint that starts at each byte offset; Malformed where none does."""
        if len(offset) and (largest(offset) > self.size or int(np.minimum.reduce(offset)) < 0):
            raise Malformed("too much data")
        index = self._index.take(offset).astype(I8)
        if len(index) and int(np.minimum.reduce(index)) < 0:
            raise Malformed("bad varint")
        return index

    def wide(self, index: Array) -> UInts:
        """The full 64-bit values of the varints at `index`."""
        if self.longest <= 3:
            return self.value.take(index).astype(U8)
        extra = self.extra.take(index)
        longest = largest(extra)
        if longest <= 3:
            return self.value.take(index).astype(U8)
        if longest > 9:
            raise Malformed("bad varint")
        at = self.at.take(index)
        word: UInts = np.ndarray((self.size,), U8, self.buffer, self.start, (1,)).take(at)
        word &= _MASK8.take(extra)
        for low, high, step in zip(_LOW8, _HIGH8, _STEP8, strict=True):
            moved = word & high
            moved >>= step
            word &= low
            word |= moved
        for more, shift in ((8, _SHIFTS[0]), (9, _SHIFTS[1])):
            if longest >= more:
                which = where_true(extra >= more)
                word[which] |= (self.bytes.take(at.take(which) + more) & 0x7F).astype(U8) << shift
        return word


class Lanes:
    """Messages that are read in step. `at` is each one's next varint, `end` behind its last."""

    def __init__(self, varints: Varints, start: Ints, end: Ints) -> None:
        self.varints, self.at, self.end = varints, start, end
        self.lane = np.arange(len(start))  # which message each unfinished row is

    def steps(self) -> Iterator[tuple[int, int, Ints, Ints]]:
        """(field, wire type, messages, varint of the value or of its first byte) until all end.

        For BYTES the caller finds the end of the value with `behind`. Messages that are at the
        same field in the same step come together.
        """
        varints = self.varints
        while True:
            live = self.at < self.end
            if not all_true(live):
                self.at, self.end = self.at[live], self.end[live]
                self.lane = self.lane[live]
            if not len(self.at):
                return
            tags = varints.value.take(self.at)
            value = self.at + 1
            if largest(value - self.end) >= 0:
                raise Malformed("bad varint")
            following = self.at + 2
            if varints.longest > 3 and largest(varints.extra.take(self.at)) > 3:
                raise Unusual
            for tag, rows in _alike(tags):
                kind = tag & 7
                at = value if rows is None else value.take(rows)
                lane = self.lane if rows is None else self.lane.take(rows)
                if kind == BYTES:
                    behind = self._behind(at)
                    end = self.end if rows is None else self.end.take(rows)
                    if not all_true(behind <= end):
                        raise Malformed("too much data")
                    following[slice(None) if rows is None else rows] = behind
                    self.behind = behind
                    at = at + 1
                elif kind != VARINT:
                    raise Unusual
                yield tag >> 3, kind, lane, at
            self.at = following

    def _behind(self, length_at: Ints) -> Ints:
        """The varint behind the bytes whose length stands at `length_at`."""
        varints = self.varints
        if varints.longest > 3 and largest(varints.extra.take(length_at)) > 3:
            raise Unusual
        return varints.index_of(varints.at.take(length_at + 1) + varints.value.take(length_at))


def _alike(tags: Array) -> Iterator[tuple[int, Ints | None]]:
    """(tag, rows that have it); rows None when all have."""
    tag = int(tags[0])
    if all_true(tags == tag):
        yield tag, None
        return
    rows = np.arange(len(tags))
    for _ in range(64):
        mine = tags == tag
        yield tag, rows[mine]
        rest = np.logical_not(mine)
        tags, rows = tags[rest], rows[rest]
        if not len(tags):
            return
        tag = int(tags[0])
    raise Unusual


def _scalars(varints: Varints, start: Ints, end: Ints, fields: int) -> list[UInts]:
    """Fields 1..fields-1 of messages of varints; index 0 is unused."""
    columns = [np.zeros(len(start), U8) for _ in range(fields)]
    for field, kind, lane, at in Lanes(varints, start, end).steps():
        if 0 < field < fields:
            if kind != VARINT:
                raise Malformed("type mismatch")
            columns[field][lane] = varints.wide(at)
        elif kind == VARINT:
            varints.wide(at)
    return columns


def _locations(varints: Varints, start: Ints, end: Ints) -> DraftLocations:
    count = len(start)
    columns = [np.zeros(count, U8) for _ in range(6)]  # by field; 4 stays unused
    lines: list[tuple[Ints, Ints, Ints]] = []
    lanes = Lanes(varints, start, end)
    for field, kind, lane, at in lanes.steps():
        if field == 4 and kind == BYTES:
            lines.append((lane, at, lanes.behind))
        elif 0 < field < 6:
            if kind != VARINT or field == 4:
                raise Malformed("type mismatch")
            columns[field][lane] = varints.wide(at)
        elif kind == VARINT:
            varints.wide(at)
    owner, first, behind = _in_lane_order(lines)
    function, number, column = _scalars(varints, first, behind, 4)[1:]
    per_lane = np.zeros(count, I8)
    np.add.at(per_lane, owner, 1)
    return DraftLocations(
        columns[1], columns[2], columns[3], columns[5], starts_of(per_lane),
        function, number.view(I8), column.view(I8),
    )  # fmt: skip


def _in_lane_order(parts: list[tuple[Ints, Ints, Ints]]) -> tuple[Ints, Ints, Ints]:
    """(lane, first varint, varint behind) of nested values, a lane's own kept in file order."""
    lane, first, behind = (join([part[i] for part in parts], I8) for i in range(3))
    if len(parts) > 1:
        order = lane.argsort(kind="stable")
        lane, first, behind = lane.take(order), first.take(order), behind.take(order)
    return lane, first, behind


def _repeated(varints: Varints, parts: list[tuple[Ints, Ints, Ints]], count: int) -> tuple[Ints, Ints]:
    """A repeated number field, packed or not: (row starts, varint of each entry)."""
    lane, first, behind = _in_lane_order(parts)
    sizes = behind - first
    per_lane = np.zeros(count, I8)
    if len(lane) == count and len(parts) == 1:
        per_lane[lane] = sizes
    else:
        np.add.at(per_lane, lane, sizes)
    return starts_of(per_lane), ragged_positions(first, sizes)


def _samples(varints: Varints, start: Ints, end: Ints) -> DraftBlock:
    count = len(start)
    ids: list[tuple[Ints, Ints, Ints]] = []
    values: list[tuple[Ints, Ints, Ints]] = []
    tags: list[tuple[Ints, Ints, Ints]] = []
    lanes = Lanes(varints, start, end)
    for field, kind, lane, at in lanes.steps():
        behind = lanes.behind if kind == BYTES else at + 1
        if field == 1 or field == 2:
            (ids if field == 1 else values).append((lane, at, behind))
        elif field == 3:
            if kind != BYTES:
                raise Malformed("type mismatch")
            tags.append((lane, at, behind))
        elif kind == VARINT:
            varints.wide(at)
    id_starts, id_at = _repeated(varints, ids, count)
    flat = varints.value.take(id_at)
    if varints.longest > 3 and len(flat) and largest(varints.extra.take(id_at)) > 3:
        flat = varints.wide(id_at)
    value_starts, value_at = _repeated(varints, values, count)
    labels = None
    if tags:
        lane, first, behind = _in_lane_order(tags)
        columns = _scalars(varints, first, behind, 5)
        labels = DraftLabels(lane, *(column.view(I8) for column in columns[1:]))
    return DraftBlock(id_starts, flat, value_starts, varints.wide(value_at).view(I8), labels)


class _Parts:
    """The messages of one kind: bodies [start, end), and how far they have been decoded."""

    def __init__(self, data: Array, parts: Outline, field: int) -> None:
        starts = parts.fields[field]
        pos = np.frombuffer(starts, I8) if starts and parts.decoded(field, object) is None else np.zeros(0, I8)
        # A tag of one byte, then the length: nearly always one or two bytes.
        low, high = data.take(pos + 1).astype(I8), data.take(pos + 2).astype(I8)
        long = low > 127
        self.start = pos + 2 + long
        self.end = self.start + np.where(long, low & 127 | high << 7, low)
        rare = where_true((long & (high > 127)) | (data.take(pos) > 127))
        if len(rare):
            found = bodies(data.tobytes(), array("q", pos.take(rare).tolist()))
            self.start[rare], self.end[rare] = np.array(list(found), I8).T
        self.done = 0
        self._first = pos

    def in_one_run(self) -> bool:
        """Whether nothing lies between the fields."""
        return len(self.start) > 0 and all_true(self.end[:-1] == self._first[1:])

    def next_start(self) -> int | None:
        return int(self.start[self.done]) if self.done < len(self.start) else None

    def take_until(self, limit: int) -> tuple[Ints, Ints]:
        """The bodies from here that end at or before `limit`."""
        upto = int(self.end.searchsorted(limit, side="right"))
        taken = slice(self.done, upto)
        self.done = max(self.done, upto)
        return self.start[taken], self.end[taken]


class _Chapter(Record):
    """A range of bytes and the bodies of the messages in it: (starts, ends) of each kind."""

    start: int
    stop: int
    bodies: list[tuple[Ints, Ints]]


def _chapters(data: Array, parts: Outline) -> list[_Chapter]:
    """The messages of all kinds, some BLOCK_BYTES at a time."""
    limit = len(data) - PADDING
    kinds = [_Parts(data, parts, field) for field in (SAMPLE, LOCATION, FUNCTION)]
    chapters: list[_Chapter] = []
    while True:
        pending = [kind for kind in kinds if kind.next_start() is not None]
        if not pending:
            return chapters
        first = min(pending, key=lambda kind: kind.next_start() or 0)
        start = int(first.start[first.done])
        upto = min(max(start + BLOCK_BYTES, int(first.end[first.done])), limit)
        bodies = [kind.take_until(upto) for kind in kinds]
        chapters.append(_Chapter(start, max(int(ends[-1]) for _, ends in bodies if len(ends)), bodies))


class _Decoded(Record):
    """The messages of a chapter; None where it has none of a kind."""

    samples: DraftBlock | None
    locations: DraftLocations | None
    functions: list[UInts] | None


def _decode_chapter(buffer: Array, chapter: _Chapter) -> _Decoded:
    varints = Varints(buffer, chapter.start, chapter.stop)
    samples, locations, functions = (
        (varints.index_of(starts - chapter.start), varints.index_of(ends - chapter.start))
        for starts, ends in chapter.bodies
    )
    return _Decoded(
        _samples(varints, *samples) if len(samples[0]) else None,
        _locations(varints, *locations) if len(locations[0]) else None,
        _scalars(varints, *functions, 6)[1:] if len(functions[0]) else None,
    )


def decode(data: bytes) -> Draft:
    """Decode `data`, an uncompressed profile.proto followed by PADDING zero bytes.

    Malformed where Go's decoder fails; Unusual where the exact decoder must be asked.
    """
    parts = outline(data, len(data) - PADDING)
    buffer = np.frombuffer(data, np.dtype("u1"))
    chapters = _chapters(buffer, parts)
    decoded = list(in_parallel(lambda chapter: _decode_chapter(buffer, chapter), chapters))
    sample_types, period_type = decode_value_types(data, parts)
    draft = Draft(
        decode_strings(data, parts), sample_types, period_type,
        [part.samples for part in decoded if part.samples is not None], decode_mappings(data, parts),
        parts.decoded(LOCATION, DraftLocations)
        or _join_locations([part.locations for part in decoded if part.locations is not None]),
        parts.decoded(FUNCTION, DraftFunctions)
        or _join_functions([part.functions for part in decoded if part.functions is not None]),
        parts.scalars, parts.comments,
    )  # fmt: skip
    for field, table in ((STRING, draft.strings), (LOCATION, draft.locations), (FUNCTION, draft.functions)):
        if parts.decoded(field, object) is None and worth(parts.fields[field]):
            _remember(data, buffer, parts, field, table)
    return draft


def _remember(data: bytes, buffer: Array, parts: Outline, field: int, table: object) -> None:
    messages = _Parts(buffer, parts, field)
    if messages.in_one_run():
        remember(field << 3 | BYTES, data, parts.fields[field], int(messages.end[-1]), table)


def _join_locations(parts: list[DraftLocations]) -> DraftLocations:
    counts = join([part.line_starts[1:] - part.line_starts[:-1] for part in parts], I8)
    ids, mapping, address, folded, function = (join([part[i] for part in parts], U8) for i in (0, 1, 2, 3, 5))
    line, column = (join([part[i] for part in parts], I8) for i in (6, 7))
    return DraftLocations(ids, mapping, address, folded, starts_of(counts), function, line, column)


def _join_functions(parts: list[list[UInts]]) -> DraftFunctions:
    columns = [join([part[i] for part in parts], U8) for i in range(5)]
    return DraftFunctions(columns[0], *(column.view(I8) for column in columns[1:]))
