"""What Go's debug=1 texts say in comments: names of addresses, labels of goroutines, MemStats.

Below a sample stands a line for each frame, `#	0x46f3a3	main.work+0x63	/src/main.go:12`, leaf first.
Left out are runtime frames at the leaf and runtime.goexit at the root; Go's pprof ignores all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from pypprof.profile.legacy.numbers import WORD
from pypprof.profile.legacy.samples import Samples
from pypprof.profile.model import ENCODING, ERRORS, Aside, Frame

# The name of runtime frames that the text leaves out; drop_frames of heap profiles matches it.
HIDDEN = (Frame("runtime.[hidden]"),)
_ROOT = (Frame("runtime.goexit"),)
_FRAME = re.compile(r"#\t0x([0-9a-f]{1,16}+)(?:\t++([^\t]+)\+0x[0-9a-f]++\t++(.*):([0-9]{1,18}))?+")
_PAIR = re.compile(r'"((?:[^"\\]++|\\.)*+)": ?"((?:[^"\\]++|\\.)*+)"')
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
T = TypeVar("T")
_NOWHERE = WORD - 1  # the return address 0, with which thread profiles fill their stacks
_LABELS, _MEMORY = "# labels: {", "# runtime.MemStats"


class GoText:
    """Reads the comments between the samples of a text."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[Frame, ...]] = {}  # by row
        self._samples: Samples | None = None
        self._rows: list[int] = []
        self._lines: list[str] = []
        self._memory: dict[str, str] = {}
        self._in_memory = False

    def stack(self, samples: Samples, rows: list[int]) -> None:
        """A sample was added."""
        self._finish()
        self._samples, self._rows = samples, rows

    def comment(self, line: str) -> None:
        """A line that is blank or a comment."""
        if line[:3] == "#\t0":
            self._lines.append(line)
        elif self._in_memory:
            name, equals, value = line[2:].partition(" = ")
            if equals:
                self._memory.setdefault(name, value)
        elif line.startswith(_LABELS) and self._samples:
            for key, text in _PAIR.findall(line):
                self._samples.tag(unquoted(key), unquoted(text))
        elif line == _MEMORY:
            self._in_memory = True

    def aside(self, samples: Samples) -> Aside | None:
        """All that was said, when the text has ended."""
        self._finish()
        addresses = list(samples.address)
        names = {addresses[row]: frames for row, frames in self._names.items()}
        return Aside(names, self._memory) if names or self._memory else None

    def _finish(self) -> None:
        """Give the lines of a sample to its addresses."""
        lines, self._lines = self._lines, []
        names = self._names
        if not lines or all(names.get(row, HIDDEN) is not HIDDEN for row in self._rows):
            return
        assert self._samples is not None
        shown = _runs([(self._row(match), match) for line in lines if (match := _FRAME.fullmatch(line))])
        stack = _runs([(row, row) for row in self._rows])
        at, named = 0, False
        for row, matches in shown:
            place = next((i for i in range(at, len(stack)) if stack[i][0] == row), -1)
            if place < 0:
                continue
            if not named:
                for hidden, _ in stack[at:place]:
                    names.setdefault(hidden, HIDDEN)
            at = place + 1
            # A return address that follows itself (recursion) has its lines as often.
            frames = [Frame(m[2], m[3], int(m[4])) for m in matches[: len(matches) // len(stack[place][1])] if m[2]]
            if frames:
                named = True
                names[row] = tuple(frames)
        rest = [row for row, _ in stack[at:] if row != self._samples.address.get(_NOWHERE)]
        if named and len(rest) == 1:
            names.setdefault(rest[0], _ROOT)

    def _row(self, match: re.Match[str]) -> int:
        """The row of the address of a line; -1 for one that is not in the profile."""
        assert self._samples is not None
        address, pc = self._samples.address, int(match[1], 16)
        return address.get(pc, address.get((pc - 1) % WORD, -1))


def _runs(pairs: Iterable[tuple[int, T]]) -> list[tuple[int, list[T]]]:
    """[(key, values)] of neighbours with equal keys."""
    runs: list[tuple[int, list[T]]] = []
    for key, value in pairs:
        if runs and runs[-1][0] == key:
            runs[-1][1].append(value)
        else:
            runs.append((key, [value]))
    return runs


def unquoted(text: str) -> str:
    """The text between the quotes of a Go string, its escapes resolved."""
    if "\\" not in text:
        return text
    # Escaped bytes (\\xff) are those that were no UTF-8.
    return _ESCAPE.sub(_character, text).encode(ENCODING, ERRORS).decode(ENCODING, ERRORS)


def _character(match: re.Match[str]) -> str:
    byte, short, long, letter = match.groups()
    if byte:
        code = int(byte, 16)
        return chr(code if code < 0x80 else 0xDC00 + code)
    if letter:
        return _LETTERS.get(letter, letter)
    code = int(short or long, 16)
    return chr(code) if code < 0xD800 or 0xDFFF < code < 0x110000 else "\ufffd"
