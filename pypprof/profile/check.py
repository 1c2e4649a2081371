"""From a Draft to a Profile: references resolved, validity checked as Go's CheckValid does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from pypprof.columns import (
    BOOL,
    I4,
    I8,
    U8,
    Array,
    Ints,
    Rows,
    UInts,
    all_true,
    any_true,
    frozen,
    group_edges,
    in_parallel,
    largest,
    table_of,
    where_true,
)
from pypprof.errors import Invalid, Malformed
from pypprof.profile.draft import Draft, DraftBlock, DraftFunctions, DraftLabels, DraftLocations
from pypprof.profile.model import Block, Functions, Labels, Lines, Locations, Mapping, Profile, ValueType
from pypprof.profile.wire import (
    DEFAULT_SAMPLE_TYPE,
    DOC_URL,
    DROP_FRAMES,
    DURATION_NANOS,
    KEEP_FRAMES,
    PERIOD,
    TIME_NANOS,
    signed,
)

_BAD_INDEX = "malformed profile format"


class IdLookup:
    """Ids of a table (uint64, unique) to its row numbers; -1 for an id that is not in it."""

    def __init__(self, ids: UInts) -> None:
        top = largest(ids)
        self._ids = ids
        self._table: Array | None = None
        self._in_order = len(ids) > 0 and top == len(ids) and all_true(ids[1:] > ids[:-1])
        if self._in_order:
            pass
        elif top <= 4 * len(ids) + 1024:
            self._table = table_of(np.arange(len(ids), dtype=I4), top + 2, I4, ids.astype(I8), -1)
        else:
            self._order = ids.argsort()
            self._sorted = ids.take(self._order)

    def rows(self, wanted: Array) -> Rows:
        """int32 rows of the wanted ids."""
        if self._in_order:
            # The ids are 1, 2, 3 ...; what lies outside becomes -1.
            rows = wanted.astype(I4) if largest(wanted) <= len(self._ids) else self._clipped(wanted)
            rows -= 1
            return rows
        if self._table is not None:
            if len(wanted) and largest(wanted) >= len(self._table):
                wanted = np.minimum(wanted, np.array([len(self._table) - 1], wanted.dtype))
            return self._table.take(wanted.view(I8) if wanted.dtype == U8 else wanted)
        place = self._sorted.searchsorted(wanted)
        np.minimum(place, len(self._sorted) - 1, out=place)
        rows = self._order.take(place).astype(I4)
        rows[self._sorted.take(place) != wanted] = -1
        return rows

    def _clipped(self, wanted: Array) -> Rows:
        return (wanted * (wanted <= len(self._ids))).astype(I4)


def resolve(draft: Draft) -> Profile:
    """The valid profile that a draft encodes.

    Malformed for a bad string index, Invalid for what Go's CheckValid refuses.
    """
    strings = draft.strings

    def text(index: int) -> str:
        if not 0 <= index < len(strings):
            raise Malformed(_BAD_INDEX)
        return strings[index]

    def header(field: int) -> str:
        return text(draft.scalars.get(field, 0))

    mappings = tuple(_mapping(row, text) for row in draft.mappings)
    names = _functions(draft.functions, len(strings))
    sample_types = tuple(ValueType(text(t), text(u)) for t, u in draft.sample_types)
    blocks = [b._replace(labels=_live_labels(b.labels, len(strings))) for b in draft.blocks]
    profile = Profile(
        strings, sample_types, (), mappings, _no_locations(), names,
        header(DEFAULT_SAMPLE_TYPE), tuple(map(text, draft.comments)), header(DOC_URL),
        header(DROP_FRAMES), header(KEEP_FRAMES),
        draft.scalars.get(TIME_NANOS, 0), draft.scalars.get(DURATION_NANOS, 0),
        ValueType(text(draft.period_type[0]), text(draft.period_type[1])), draft.scalars.get(PERIOD, 0),
    )  # fmt: skip
    lookup = IdLookup(draft.locations.id)
    types = len(sample_types)
    if not types and any(len(block.starts) > 1 for block in blocks):
        raise Invalid("missing sample type information")
    resolved = tuple(in_parallel(lambda block: _block(block, types, lookup), blocks))
    _unique("mapping", "ID=", np.array([m.id for m in mappings], U8))
    _unique("function", "ID=", draft.functions.id)
    _unique("location", "id=", draft.locations.id)
    locations = _locations(draft.locations, mappings, draft.functions.id)
    return profile._replace(blocks=resolved, locations=locations)


def _mapping(row: list[int], text: Callable[[int], str]) -> Mapping:
    id_, start, limit, offset, file, build_id, *has = row
    return Mapping(id_, start, limit, offset, text(signed(file)), text(signed(build_id)), *map(bool, has))


def _indices(columns: Iterable[Ints], strings: int) -> list[Rows]:
    """String index columns as int32; Malformed when one points outside the table."""
    checked = []
    for column in columns:
        if len(column) and (largest(column) >= strings or int(np.minimum.reduce(column)) < 0):
            raise Malformed(_BAD_INDEX)
        checked.append(frozen(column.astype(I4)))
    return checked


def _functions(draft: DraftFunctions, strings: int) -> Functions:
    name, system_name, filename = _indices((draft.name, draft.system_name, draft.filename), strings)
    return Functions(frozen(draft.id), name, system_name, filename, frozen(draft.start_line))


def _live_labels(labels: DraftLabels | None, strings: int) -> DraftLabels | None:
    """The tags that say something: a string, or a number or unit (Go drops the others)."""
    if labels is None:
        return None
    _indices((labels.key, labels.text), strings)
    numeric = labels.text == 0
    live = np.logical_not(numeric)
    live |= labels.number != 0
    live |= labels.unit != 0
    unit = labels.unit * numeric
    number = labels.number * numeric
    labels = labels._replace(unit=unit, number=number)
    if not all_true(live):
        labels = DraftLabels(*(column[live] for column in labels))
    _indices((labels.unit,), strings)
    return labels if len(labels.sample) else None


def _block(draft: DraftBlock, types: int, lookup: IdLookup) -> Block:
    counts = draft.value_starts[1:] - draft.value_starts[:-1]
    wrong = where_true(counts != types)
    if len(wrong):
        raise Invalid(f"mismatch: sample has {int(counts[wrong[0]])} values vs. {types} types")
    stacks = lookup.rows(draft.ids)
    if len(stacks) and int(np.minimum.reduce(stacks)) < 0:
        raise Invalid("sample has nil location")
    labels = None
    if draft.labels is not None:
        sample, key, text, number, unit = draft.labels
        labels = Labels(sample, key.astype(I4), text.astype(I4), number, unit.astype(I4))
    return Block(draft.starts, frozen(stacks), frozen(draft.values.reshape(len(counts), types)), labels)


def _unique(what: str, written: str, ids: UInts) -> None:
    if not len(ids):
        return
    if not all_true(ids != 0):
        raise Invalid(f"found {what} with reserved {written}0")
    if all_true(ids[1:] > ids[:-1]):
        return
    ordered = ids.copy()
    ordered.sort()
    if len(group_edges(ordered)) != len(ids):
        twice = ordered[1:][ordered[1:] == ordered[:-1]][0]
        raise Invalid(f"multiple {what}s with same id: {int(twice)}")


def _no_locations() -> Locations:
    none = np.zeros(0, I8)
    return Locations(none.view(U8), none, none.view(U8), none, np.zeros(1, I8), Lines(none, none, none))


def _locations(draft: DraftLocations, mappings: tuple[Mapping, ...], functions: UInts) -> Locations:
    mapping = IdLookup(np.array([m.id for m in mappings], U8)).rows(draft.mapping)
    function = IdLookup(functions).rows(draft.function)
    function[draft.function == 0] = -1
    missing = function < 0
    if any_true(missing):
        line = int(where_true(missing)[0])
        location = int(draft.line_starts.searchsorted(line, side="right")) - 1
        raise Invalid(f"location id: {int(draft.id[location])} has a line with nil function")
    return Locations(
        frozen(draft.id), frozen(mapping), frozen(draft.address), frozen(draft.folded.astype(BOOL)),
        frozen(draft.line_starts), Lines(frozen(function), frozen(draft.line), frozen(draft.column)),
    )  # fmt: skip
