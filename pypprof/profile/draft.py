"""A decoded profile whose references are still ids and indices, unchecked.

Both decoders produce a Draft (fast.py with NumPy, codec.py over protobuf); check.py turns it
into a Profile. That they agree is a test of plain equality.
"""

from __future__ import annotations

from pypprof.columns import Array, Ints, UInts
from pypprof.errors import Malformed
from pypprof.profile.model import ENCODING, ERRORS
from pypprof.profile.wire import MAPPING, PERIOD_TYPE, SAMPLE_TYPE, STRING, VARINT, Outline, bodies, read_fields, signed
from pypprof.records import Record


class DraftLabels(Record):
    """Tags as encoded: one row a tag, `sample` ascending; all int64."""

    sample: Ints
    key: Ints
    text: Ints
    number: Ints
    unit: Ints


class DraftBlock(Record):
    """Samples as encoded. Ragged: location ids (uint64 or uint32) and int64 values."""

    starts: Ints
    ids: Array
    value_starts: Ints
    values: Ints
    labels: DraftLabels | None


class DraftLocations(Record):
    """Locations as encoded; `line_starts` is ragged into the three line columns."""

    id: UInts
    mapping: UInts
    address: UInts
    folded: UInts
    line_starts: Ints
    function: UInts
    line: Ints
    column: Ints


class DraftFunctions(Record):
    """Functions as encoded."""

    id: UInts
    name: Ints
    system_name: Ints
    filename: Ints
    start_line: Ints


class Draft(Record):
    """A profile as encoded."""

    strings: list[str]
    sample_types: list[tuple[int, int]]
    period_type: tuple[int, int]
    blocks: list[DraftBlock]
    mappings: list[list[int]]  # the ten fields of Mapping, unsigned
    locations: DraftLocations
    functions: DraftFunctions
    scalars: dict[int, int]
    comments: list[int]


def decode_strings(data: bytes, parts: Outline) -> list[str]:
    """The string table. Entry 0 must be empty."""
    known = parts.decoded(STRING, list)
    if known is not None:
        return known
    strings = [str(data[start:end], ENCODING, ERRORS) for start, end in bodies(data, parts.fields[STRING])]
    if strings and strings[0]:
        raise Malformed("string_table[0] must be ''")
    return strings


def decode_scalars(data: bytes, start: int, end: int, fields: int) -> list[int]:
    """Fields 1..fields-1 of a message of varints, unsigned; index 0 is unused."""
    values = [0] * fields
    for number, kind, value, _ in read_fields(data, start, end):
        if 0 < number < fields:
            if kind != VARINT:
                raise Malformed("type mismatch")
            values[number] = value
    return values


def decode_value_types(data: bytes, parts: Outline) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """(sample types, period type) as string indices."""

    def read(field: int) -> list[tuple[int, int]]:
        found = [decode_scalars(data, start, end, 3) for start, end in bodies(data, parts.fields[field])]
        return [(signed(type_), signed(unit)) for _, type_, unit in found]

    return read(SAMPLE_TYPE), (read(PERIOD_TYPE) or [(0, 0)])[-1]


def decode_mappings(data: bytes, parts: Outline) -> list[list[int]]:
    """The ten fields of each mapping."""
    return [decode_scalars(data, start, end, 11)[1:] for start, end in bodies(data, parts.fields[MAPPING])]
