"""The protocol-buffer wire format, as Go's hand-written pprof decoder reads it.

Rules that differ from a protobuf library and decide whether damaged input is refused: a known
field of the wrong wire type is an error, an unknown field is skipped whatever its number (0
included), groups are an error, a varint has at most ten bytes.
(google/pprof profile/proto.go; https://protobuf.dev/programming-guides/encoding/)
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import TypeVar

from pypprof.errors import Malformed
from pypprof.profile.again import KNOWN, Run

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

# Fields of the message Profile.
SAMPLE_TYPE, SAMPLE, MAPPING, LOCATION, FUNCTION, STRING = 1, 2, 3, 4, 5, 6
DROP_FRAMES, KEEP_FRAMES, TIME_NANOS, DURATION_NANOS, PERIOD_TYPE, PERIOD = 7, 8, 9, 10, 11, 12
COMMENT, DEFAULT_SAMPLE_TYPE, DOC_URL = 13, 14, 15
_MESSAGES = (SAMPLE_TYPE, SAMPLE, MAPPING, LOCATION, FUNCTION, STRING, PERIOD_TYPE)
_SCALARS = (DROP_FRAMES, KEEP_FRAMES, TIME_NANOS, DURATION_NANOS, PERIOD, DEFAULT_SAMPLE_TYPE, DOC_URL)

_MASK64 = (1 << 64) - 1
T = TypeVar("T")


def read_varint(data: bytes | memoryview, pos: int, end: int) -> tuple[int, int]:
    """(unsigned 64-bit value, position behind it) of the varint at `pos`."""
    value = 0
    for index in range(10):
        if pos >= end:
            break
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & _MASK64, pos
    raise Malformed("bad varint")


def signed(value: int) -> int:
    """A 64-bit pattern as an int64."""
    return value - (1 << 64) if value >> 63 else value


def read_fields(data: bytes | memoryview, pos: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of the message data[pos:end] as (number, wire type, value, position).

    For wire type BYTES, value is the length and position the start of the bytes; else value is
    the unsigned number.
    """
    while pos < end:
        tag, pos = read_varint(data, pos, end)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, pos = read_varint(data, pos, end)
            yield number, kind, value, pos
        elif kind == BYTES:
            value, pos = read_varint(data, pos, end)
            if value > end - pos:
                raise Malformed("too much data")
            yield number, kind, value, pos
            pos += value
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
            if end - pos < size:
                raise Malformed("not enough data")
            yield number, kind, int.from_bytes(data[pos : pos + size], "little"), pos
            pos += size
        else:
            raise Malformed(f"unknown wire type: {kind}")


class Outline:
    """Where the parts of an encoded Profile are.

    `fields[number]` holds where each message (or string) field begins, its tag included; see
    `bodies`. `scalars` are the last values of the scalar fields, `comments` string indices.
    `runs[number]` are stretches of such fields that an earlier profile had too.
    """

    def __init__(self) -> None:
        self.fields: dict[int, array[int]] = {number: array("q") for number in _MESSAGES}
        self.scalars: dict[int, int] = {}
        self.comments: list[int] = []
        self.runs: dict[int, Run] = {}
        self._push: list[Callable[[int], None] | None] = [None] * 256
        for number, starts in self.fields.items():
            self._push[number << 3 | BYTES] = starts.append

    def extend(self, data: bytes, pos: int, end: int) -> None:
        """Walk the fields of data[pos:end], which must end with a field.

        The data may go on behind `end`: what a wrong length makes it read there does not count.
        """
        pushers = self._push
        try:
            while pos < end:
                tag = data[pos]
                push = pushers[tag]
                if push is None:
                    pos = self._other(data, pos, end)
                    continue
                if tag in KNOWN and (behind := self._known(data, pos, end)):
                    pos = behind
                    continue
                while pos < end and data[pos] == tag:
                    push(pos)
                    length = data[pos + 1]
                    if length < 128:
                        pos += 2 + length
                    elif (high := data[pos + 2]) < 128:
                        pos += 3 + (length & 127 | high << 7)
                    else:
                        length, body = read_varint(data, pos + 1, end)
                        pos = body + length
        except IndexError:
            raise Malformed("bad varint") from None
        if pos > end:
            raise Malformed("too much data")

    def _known(self, data: bytes, pos: int, end: int) -> int:
        """The position behind a run that begins here and has been seen before; 0 if none does."""
        run = KNOWN[data[pos]]
        behind = pos + len(run.data)
        if behind > end or not data.startswith(run.data, pos):
            return 0
        number = data[pos] >> 3
        self.fields[number].extend([start + pos for start in run.starts])
        self.runs[number] = run
        return behind

    def decoded(self, number: int, kind: type[T]) -> T | None:
        """What all fields of that number were decoded to in an earlier profile; None if there was none."""
        run = self.runs.get(number)
        whole = run is not None and len(run.starts) == len(self.fields[number])
        return run.decoded if run is not None and whole and isinstance(run.decoded, kind) else None

    def _other(self, data: bytes | memoryview, pos: int, end: int) -> int:
        """One field that is no plain message: returns the position behind it."""
        number, kind, value, at = next(read_fields(data, pos, end))
        behind = at + value if kind == BYTES else at
        if kind in (FIXED64, FIXED32):
            behind = at + (8 if kind == FIXED64 else 4)
        if number in _SCALARS:
            if kind != VARINT:
                raise Malformed("type mismatch")
            if number == TIME_NANOS and self.scalars.get(TIME_NANOS):
                raise Malformed("concatenated profiles detected")
            self.scalars[number] = signed(value)
        elif number == COMMENT:
            self._comment(data, kind, value, at)
        elif number in self.fields:
            # The wire type is wrong, or the tag has a needless second byte.
            if kind != BYTES:
                raise Malformed("type mismatch")
            self.fields[number].append(pos)
        return behind

    def _comment(self, data: bytes | memoryview, kind: int, value: int, at: int) -> None:
        if kind == VARINT:
            self.comments.append(signed(value))
        elif kind == BYTES:
            end = at + value
            while at < end:
                number, at = read_varint(data, at, end)
                self.comments.append(signed(number))
        else:
            raise Malformed("type mismatch")


def bodies(data: bytes, starts: array[int]) -> Iterator[tuple[int, int]]:
    """(start, end) of the bodies of fields that begin at `starts`."""
    for pos in starts:
        length = data[pos + 1]
        if data[pos] < 128 and length < 128:
            yield pos + 2, pos + 2 + length
        else:
            _, pos = read_varint(data, pos, len(data))
            length, pos = read_varint(data, pos, len(data))
            yield pos, pos + length


def outline(data: bytes, end: int) -> Outline:
    """The parts of the encoded Profile data[:end]. Malformed where Go would refuse the top level."""
    parts = Outline()
    parts.extend(data, 0, end)
    return parts
