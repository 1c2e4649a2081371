"""The mapped files at the end of a legacy profile, as in /proc/self/maps or shorter.

What is read, which neighbours are joined, which file counts as the program, and which mapping an
address belongs to: google/pprof profile/legacy_profile.go and profile.go (massageMappings).
"""

from __future__ import annotations

import re
from heapq import heappop, heappush

import numpy as np

from pypprof.columns import I8, U8, Array, Ints, any_true, where_true
from pypprof.errors import Malformed
from pypprof.profile.legacy.lines import SPACE, Scanner
from pypprof.profile.legacy.numbers import WORD, hexadecimal
from pypprof.profile.model import ENCODING, ERRORS, Mapping
from pypprof.regex import byte_groups

_HEX = r"(?:0x)?([[:xdigit:]]+)"
_RANGE = rf"\s*{_HEX}[\s-]?\s*{_HEX}:?"
_PERMISSIONS = r"(?:\s+([-rwxp]+))?"
_WORD, _OFFSET = r"(?:\s+(\S+))?", r"(?:\s+([[:xdigit:]]+))?"
_PROC = rf"^{_RANGE}{_PERMISSIONS}{_OFFSET}\s+[[:xdigit:]]+:[[:xdigit:]]+\s+[[:digit:]]+{_WORD}"
_BRIEF = rf"^{_RANGE}{_PERMISSIONS}{_WORD}(?:\s+\(@([[:xdigit:]]+)\))?{_OFFSET}"
_BRACKET = re.compile(r"[\[\]]")
_LIBRARY = re.compile(r"[.]so$|[.]so[._][0-9]+")
_MAIN_START = 0x400000
# Bounds of `name=value` lines, which replace $name below them: a text must not multiply itself.
_MOST_ATTRIBUTES, _LONGEST = 100, 1 << 20


class _Attributes:
    """The `name=value` lines so far; the first of two names that fit wins."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[int, str]] = {}
        self._lengths: set[int] = set()

    def add(self, name: str, value: str) -> None:
        if len(self._values) == _MOST_ATTRIBUTES:
            raise Malformed(f"more than {_MOST_ATTRIBUTES} attributes in the memory map")
        self._values.setdefault("$" + name, (len(self._values), value))
        self._lengths.add(len(name) + 1)

    def replaced(self, line: str) -> str:
        at = line.find("$") if self._values else -1
        if at < 0:
            return line
        pieces, done, size = [], 0, 0
        while at >= 0:
            found = [key for n in self._lengths if (key := line[at : at + n]) in self._values]
            if found:
                key = min(found, key=lambda k: self._values[k][0])
                pieces += [line[done:at], self._values[key][1]]
                size += len(self._values[key][1])
                done = at + len(key)
                if size > _LONGEST:
                    raise Malformed("the attributes of the memory map make a line too long")
            at = line.find("$", max(done, at + 1))
        return "".join([*pieces, line[done:]])


def read_map(scanner: Scanner) -> list[Mapping]:
    """The executable mappings in the rest of the text. Malformed for a text that breaks off."""
    attributes = _Attributes()
    found = []
    while scanner.scan():
        line = attributes.replaced(_without_log_prefix(scanner.text))
        entry = _entry(line)
        if entry is not None:
            found += entry
            continue
        name, equals, value = line.partition("=")
        if equals:
            attributes.add(name.strip(SPACE), value.strip(SPACE))
    scanner.check()
    return found


def _without_log_prefix(line: str) -> str:
    """The line without what a logger has put in front: anything:123] and a space."""
    bracket = _BRACKET.search(line)
    if bracket is None or bracket[0] == "[":
        return line
    head, colon, number = line[: bracket.start()].rpartition(":")
    behind = line[bracket.end() : bracket.end() + 1]
    if head and colon and number.isascii() and number.isdigit() and behind and behind in "\t\n\f\r ":
        return line[bracket.end() + 1 :]
    return line


def _entry(line: str) -> list[Mapping] | None:
    """The mapping of a line, [] for one that is not executable, None for a line that is no mapping."""
    data = line.encode(ENCODING, ERRORS)
    build_id = b""
    groups = byte_groups(_PROC, data)
    if groups is not None:
        start, limit, permissions, offset, file = groups
    else:
        groups = byte_groups(_BRIEF, data)
        if groups is None:
            return None
        start, limit, permissions, file, offset, build_id = groups
    if permissions and b"x" not in permissions:
        return []
    try:
        first, end, at = (hexadecimal(text) if text else 0 for text in (start, limit, offset))
    except Malformed:
        return None
    return [Mapping(0, first, end, at, file.decode(ENCODING, ERRORS), build_id.decode(ENCODING, ERRORS))]


def massaged(mappings: list[Mapping]) -> list[Mapping]:
    """Neighbours that are one mapping joined, the program's own file first."""
    joined: list[Mapping] = []
    for mapping in mappings:
        if joined and _adjacent(joined[-1], mapping):
            last = joined[-1]
            joined[-1] = last._replace(
                limit=mapping.limit, file=mapping.file or last.file, build_id=mapping.build_id or last.build_id
            )
        else:
            joined.append(mapping)
    for place, mapping in enumerate(joined):
        file = mapping.file.replace("(deleted)", "").strip(SPACE)
        if file and file[0] != "[" and not _LIBRARY.search(file):
            joined[0], joined[place] = joined[place], joined[0]
            break
    return joined


def _adjacent(first: Mapping, second: Mapping) -> bool:
    if first.file and second.file and first.file != second.file:
        return False
    if first.build_id and second.build_id and first.build_id != second.build_id:
        return False
    if first.limit != second.start:
        return False
    if first.offset and second.offset:
        return (first.offset + first.limit - first.start) % WORD == second.offset
    return True


def assigned(mappings: list[Mapping], addresses: Array) -> tuple[tuple[Mapping, ...], Ints]:
    """(the mappings, numbered; the mapping row of each address, -1 for the address 0).

    Addresses outside all mappings get one that covers everything.
    """
    mappings = _mended(mappings)
    row = _containing(mappings, addresses)
    row[addresses == 0] = -1
    lost = where_true((row < 0) & (addresses != 0))
    while len(lost):
        address = int(addresses[lost[0]])
        place = next((i for i, m in enumerate(mappings) if _begins_earlier(m, address)), -1)
        if place < 0:
            row[lost] = len(mappings)
            mappings.append(Mapping(0, limit=WORD - 1))
            break
        # Some writers leave out the first part of a mapping that was split in two.
        mapping = mappings[place]
        start = mapping.start - mapping.offset
        mappings[place] = mapping._replace(start=start, offset=0)
        low, high = np.array([start, mapping.start], U8)
        now_in = (addresses >= low) & (addresses < high) & ((row < 0) | (row > place)) & (addresses != 0)
        now_in[: lost[0]] = False
        row[now_in] = place
        lost = where_true((row < 0) & (addresses != 0))
    return tuple(m._replace(id=number) for number, m in enumerate(mappings, 1)), row


def _begins_earlier(mapping: Mapping, address: int) -> bool:
    return mapping.offset != 0 and (mapping.start - mapping.offset) % WORD <= address < mapping.start


def _mended(mappings: list[Mapping]) -> list[Mapping]:
    """Without what some writers get wrong about the program's first mapping."""
    if len(mappings) > 1 and mappings[0].file.startswith("/anon_hugepage") and mappings[0].limit == mappings[1].start:
        mappings = mappings[1:]
    if mappings and (mappings[0].start - mappings[0].offset) % WORD == _MAIN_START:
        mappings = [mappings[0]._replace(start=_MAIN_START, offset=0), *mappings[1:]]
    return list(mappings)


def _containing(mappings: list[Mapping], addresses: Array) -> Ints:
    """The first mapping that contains each address, -1 for none: one sweep over both, sorted."""
    row = np.zeros(len(addresses), I8) - 1
    if not mappings or not any_true(addresses != 0):
        return row
    by_start = sorted(range(len(mappings)), key=lambda i: mappings[i].start)
    open_: list[int] = []
    nearest = 0
    order = addresses.argsort(kind="stable").tolist()
    values = addresses.tolist()
    for place in order:
        address = values[place]
        while nearest < len(by_start) and mappings[by_start[nearest]].start <= address:
            heappush(open_, by_start[nearest])
            nearest += 1
        while open_ and mappings[open_[0]].limit <= address:
            heappop(open_)
        if open_:
            row[place] = open_[0]
    return row
