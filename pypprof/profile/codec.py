"""The exact decoder, over the protobuf library. The only module that imports protobuf.

It is the reference of the fast decoder (fast.py) and takes over what that one calls unusual.
protobuf forgives what Go refuses (a known field of the wrong type is kept as an unknown one)
and refuses what Go skips (field number 0), so its answer is taken only where it met nothing
of the kind; everything else is read field by field (wire.read_fields), which has the last word.
"""

from __future__ import annotations

from array import array
from functools import cache
from typing import Any

import numpy as np

from pypprof.columns import I8, U8, Array, starts_of
from pypprof.errors import Malformed
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
from pypprof.profile.wire import (
    BYTES,
    FUNCTION,
    LOCATION,
    SAMPLE,
    VARINT,
    Outline,
    bodies,
    outline,
    read_fields,
    read_varint,
    signed,
)
from pypprof.records import Record


class _Shape(Record):
    """A message: its fields 1, 2, ... as u (uint64), i (int64), U and I (repeated), M (repeated bytes)."""

    name: str
    fields: str


_SAMPLE = _Shape("Sample", "UIM")
_LABEL = _Shape("Label", "iiii")
_LOCATION = _Shape("Location", "uuuMu")
_LINE = _Shape("Line", "uii")
_FUNCTION = _Shape("Function", "uiiii")


@cache
def _message_class(shape: _Shape) -> Any:
    """The protobuf class of a shape. Nested messages are bytes: each is judged on its own."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field_type = descriptor_pb2.FieldDescriptorProto
    types = {"u": field_type.TYPE_UINT64, "i": field_type.TYPE_INT64, "m": field_type.TYPE_BYTES}
    file = descriptor_pb2.FileDescriptorProto(
        name=f"pypprof/{shape.name}.proto", package="pypprof.profile", syntax="proto3"
    )
    message = file.message_type.add(name=shape.name)
    for number, code in enumerate(shape.fields, 1):
        label = field_type.LABEL_REPEATED if code.isupper() else field_type.LABEL_OPTIONAL
        message.field.add(name=f"f{number}", number=number, type=types[code.lower()], label=label)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"pypprof.profile.{shape.name}"))


def _read(shape: _Shape, data: bytes) -> list[Any]:
    """The fields of one message: an int, or a list for a repeated field."""
    from google.protobuf.message import DecodeError
    from google.protobuf.unknown_fields import UnknownFieldSet

    try:
        message = _message_class(shape).FromString(data)
        certain = not len(UnknownFieldSet(message))
    except DecodeError:
        certain = False
    if certain:
        return [getattr(message, f"f{number}") for number in range(1, len(shape.fields) + 1)]
    return _read_by_field(shape, data)


def _read_by_field(shape: _Shape, data: bytes) -> list[Any]:
    values: list[Any] = [[] if code.isupper() else 0 for code in shape.fields]
    for number, kind, value, at in read_fields(data, 0, len(data)):
        if not 0 < number <= len(shape.fields):
            continue
        code = shape.fields[number - 1]
        if code == "M" and kind == BYTES:
            values[number - 1].append(data[at : at + value])
        elif code in "UI" and kind == BYTES:
            values[number - 1].extend(_unpack(data, at, at + value, code))
        elif code == "M" or kind != VARINT:
            raise Malformed("type mismatch")
        else:
            value = signed(value) if code in "iI" else value
            if code in "UI":
                values[number - 1].append(value)
            else:
                values[number - 1] = value
    return values


def _unpack(data: bytes, at: int, end: int, code: str) -> list[int]:
    numbers = []
    while at < end:
        value, at = read_varint(data, at, end)
        numbers.append(signed(value) if code == "I" else value)
    return numbers


class _Ragged:
    """Rows of numbers, collected."""

    def __init__(self, code: str) -> None:
        self.counts, self.flat = array("q"), array(code)

    def add(self, row: Any) -> None:
        self.counts.append(len(row))
        self.flat.extend(row)

    def columns(self) -> tuple[Array, Array]:
        dtype = U8 if self.flat.typecode == "Q" else I8
        return starts_of(np.array(self.counts, I8)), np.array(self.flat, dtype)


def _table(rows: list[list[int]], width: int, first: np.dtype[np.generic]) -> list[Array]:
    """Columns of rows of integers; the first of dtype `first`, the others int64."""
    dtypes = [first] + [I8] * (width - 1)
    return [np.array([row[i] for row in rows], dtype) for i, dtype in enumerate(dtypes)]


def _bodies(data: bytes, parts: Outline, field: int) -> list[bytes]:
    return [data[start:end] for start, end in bodies(data, parts.fields[field])]


def _samples(data: bytes, parts: Outline) -> DraftBlock:
    stacks, values = _Ragged("Q"), _Ragged("q")
    labels: list[list[int]] = []
    for row, body in enumerate(_bodies(data, parts, SAMPLE)):
        ids, numbers, tags = _read(_SAMPLE, body)
        stacks.add(ids)
        values.add(numbers)
        labels.extend([row, *_read(_LABEL, tag)] for tag in tags)
    return DraftBlock(*stacks.columns(), *values.columns(), DraftLabels(*_table(labels, 5, I8)) if labels else None)


def _locations(data: bytes, parts: Outline) -> DraftLocations:
    rows: list[list[int]] = []
    lines: list[list[int]] = []
    counts = array("q")
    for body in _bodies(data, parts, LOCATION):
        id_, mapping, address, own_lines, folded = _read(_LOCATION, body)
        rows.append([id_, mapping, address, folded])
        counts.append(len(own_lines))
        lines.extend(_read(_LINE, line) for line in own_lines)
    ids, mapping, address, folded = (np.array([row[i] for row in rows], U8) for i in range(4))
    return DraftLocations(ids, mapping, address, folded, starts_of(np.array(counts, I8)), *_table(lines, 3, U8))


def decode(data: bytes) -> Draft:
    """Decode an uncompressed profile.proto. Malformed where Go's decoder fails."""
    parts = outline(data, len(data))
    sample_types, period_type = decode_value_types(data, parts)
    functions = [_read(_FUNCTION, body) for body in _bodies(data, parts, FUNCTION)]
    return Draft(
        decode_strings(data, parts), sample_types, period_type, [_samples(data, parts)],
        decode_mappings(data, parts), _locations(data, parts),
        DraftFunctions(*_table(functions, 5, U8)), parts.scalars, parts.comments,
    )  # fmt: skip
