"""Profiles of Java programs: heapz and contentionz texts, and the names behind a Java CPU profile.

Attributes, samples (`bytes objects @ ids`), then a line for each id: `0x000000f5 function (file:line)`.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import I8
from pypprof.errors import Malformed
from pypprof.profile.legacy.heap import ADDRESS
from pypprof.profile.legacy.lines import SPACE
from pypprof.profile.legacy.numbers import WORD, decimal, divided, hexadecimal, prefixed, wrap
from pypprof.profile.legacy.samples import Header, Samples, profile_of_frames
from pypprof.profile.legacy.scaling import Unsampler
from pypprof.profile.model import ENCODING, ERRORS, Frame, Mapping, Profile, ValueType
from pypprof.regex import byte_groups

_ATTRIBUTE = r"([\w ]+)=([\w ]+)"
_SAMPLE = r" *(\d+) +(\d+) +@ +([ x0-9a-f]*)"
_LOCATION = r"^\s*0x([[:xdigit:]]+)\s+(.*)\s*$"
_FILE_LINE = r"^(.*)\s+\((.+):(-?[[:digit:]]+)\)$"
_PATH = r"^(.*)\s+\((.*)\)$"
_RATE = 524288  # what the Java agent samples by


class _Reader:
    """Whole lines, one after the other; `rest` is what was not taken."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def rest(self) -> bytes:
        return self._data[self._at :]

    def line(self) -> bytes | None:
        """The next line that has an end, trimmed; None when there is none."""
        end = self._data.find(b"\n", self._at)
        if end < 0:
            return None
        self._end = end + 1
        return _trimmed(self._data[self._at : end])

    def take(self) -> None:
        """Go behind the line that line() gave."""
        self._at = self._end


def _trimmed(line: bytes) -> bytes:
    return line.decode(ENCODING, ERRORS).strip(SPACE).encode(ENCODING, ERRORS)


def _text(data: bytes) -> str:
    return data.decode(ENCODING, ERRORS)


def parse(data: bytes) -> Profile | None:
    """The profile of a heapz or contentionz text; None when it is none."""
    reader = _Reader(data)
    line = reader.line()
    if line not in (b"--- heapz 1 ---", b"--- contentionz 1 ---"):
        return None
    reader.take()
    heap = line == b"--- heapz 1 ---"
    header = Header([], ("", ""), 0)
    if not _read_head(reader, header, heap):
        return None
    samples = Samples()
    _read_samples(reader, header, samples, heap)
    if not header.types and len(samples):
        raise Malformed("missing sample type information")
    return with_locations(header, samples, reader.rest())


def _read_head(reader: _Reader, header: Header, heap: bool) -> bool:
    """Read the attributes; False when one is not of this format."""
    while (line := reader.line()) is not None:
        if line:
            groups = byte_groups(_ATTRIBUTE, line)
            if groups is None:
                break
            name, value = (_text(group).strip(SPACE) for group in groups)
            if name == "format":
                if value != "java":
                    return False
            elif name == "resolution":
                first, second = ("inuse_objects", "inuse_space") if heap else ("contentions", "delay")
                header.types = (ValueType(first, "count"), ValueType(second, value))
            elif name == "sampling period" and not heap:
                header.period_type, header.period = ValueType("contentions", "count"), prefixed(value)
            elif name == "ms since reset" and not heap:
                header.duration = wrap(prefixed(value) * 1_000_000)
            else:
                return False
        reader.take()
    return True


def _read_samples(reader: _Reader, header: Header, samples: Samples, heap: bool) -> None:
    unsampler = Unsampler(_RATE)
    while (line := reader.line()) is not None:
        if line:
            groups = byte_groups(_SAMPLE, line)
            if groups is None:
                return
            rows = [samples.row(hexadecimal(address) % WORD) for address in ADDRESS.findall(_text(groups[2]))]
            count, total = prefixed(_text(groups[1])), prefixed(_text(groups[0]))
            if heap:
                if count == 0:
                    raise Malformed(f"malformed sample: no objects: {_text(line)[:80]}")
                samples.add(rows, unsampler.scaled(count, total))
                samples.number("bytes", divided(total, count))
            else:
                factor = header.period or 1
                samples.add(rows, (wrap(count * factor), wrap(total * factor)))
        reader.take()


def with_locations(header: Header, samples: Samples, data: bytes) -> Profile:
    """The profile, its locations named by the lines at the end of the data; addresses (mere ids) are dropped."""
    lines: dict[int, Frame] = {}
    files: dict[str, str] = {}
    for raw in data.split(b"\n"):
        groups = byte_groups(_LOCATION, _trimmed(raw))
        if groups is None:
            continue
        row = samples.address.get(hexadecimal(groups[0]))
        if row is not None:
            function, file, line = _described(groups[1])
            # A function has one file, whatever later lines say.
            lines[row] = Frame(function, files.setdefault(function, file), line)
    nameless = [row not in lines and address != 0 for address, row in samples.address.items()]
    mappings = (Mapping(1, limit=WORD - 1),) if any(nameless) else ()
    frames = [[lines[row]] if row in lines else [] for row in range(len(nameless))]
    return profile_of_frames(header, samples, mappings, frames, np.array(nameless, I8) - 1)


def _described(text: bytes) -> tuple[str, str, int]:
    """(function, file, line) of `function (file:line)`, `function (library)` or a bare state such as GC."""
    if groups := byte_groups(_FILE_LINE, text):
        try:
            line = max(decimal(_text(groups[2])), 0)
        except Malformed:
            line = 0
        return _text(groups[0]), _text(groups[1]), line
    if groups := byte_groups(_PATH, text):
        path = _text(groups[1])
        base = path.rstrip("/").rpartition("/")[2] or "/" if path else "."
        return _text(groups[0]), base, 0
    return ("STUB" if b"generated stub/JIT" in text else _text(text)), "", 0
