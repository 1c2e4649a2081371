"""Folded stacks, one a line, root first: `main;work;parse 12`, as FlameGraph's stackcollapse scripts write.

In names, `\\x3b`, `\\x0a`, `\\x0d` and `\\x5c` stand for a semicolon, line ends and a backslash (before such).
"""

from __future__ import annotations

import re

from pypprof.errors import Malformed
from pypprof.profile.legacy.lines import lines_of
from pypprof.profile.legacy.numbers import decimal
from pypprof.profile.legacy.samples import Header, Samples, profile_of_frames
from pypprof.profile.model import Frame, Mapping, Profile

_COUNT = re.compile("-?[0-9]{1,40}")
_FRACTION = re.compile(r"-?[0-9]{1,18}\.[0-9]{0,40}")
_ESCAPED = re.compile(r"\\x(3b|0a|0d|5c)")
_ESCAPE = re.compile(r"[;\n\r]|\\(?=x(?:3b|0a|0d|5c))")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_TYPE = ("samples", "count")


def escaped(name: str) -> str:
    """A name without what would end it."""
    return _ESCAPE.sub(lambda found: f"\\x{ord(found[0]):02x}", name)


def _named(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\\" in text else text


def parse(data: bytes) -> Profile | None:
    """The profile; None when the first stack is none, Malformed when a later line is none."""
    if b";" not in data or _CONTROL.search(data[:4096]):
        return None
    samples = Samples()
    rows: dict[str, int] = {}
    for number, line in enumerate(lines_of(data), 1):
        line = line.rstrip(" \t\r")
        if not line or (line[0] == "#" and not rows):
            continue
        stack, _, count = line.rpartition(" ")
        value = _value(count) if stack else None
        if value is None:
            if not rows:
                return None
            raise Malformed(f"folded stacks: line {number} does not end with a count: {line[:80]}")
        names = stack.rstrip(" ").split(";")
        samples.add([rows.setdefault(name, len(rows)) for name in reversed(names)], (value,))
    if not rows:
        return None
    mapping = Mapping(1, has_functions=True)
    frames = [[Frame(_named(name))] for name in rows]
    return profile_of_frames(Header([_TYPE], _TYPE, 1), samples, (mapping,), frames)


def _value(text: str) -> int | None:
    """The count at the end of a line; fractions, which some scripts write, are cut."""
    if _COUNT.fullmatch(text):
        return decimal(text)
    return int(float(text)) if _FRACTION.fullmatch(text) else None
