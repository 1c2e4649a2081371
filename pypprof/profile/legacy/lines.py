"""A legacy text line by line, as Go's bufio.Scanner gives it.

A line ends with \\n or \\r\\n. One of 64 KiB or more ends the text there, and whoever reads on to
the end has to complain (`check`): so Go's readers decide between "not mine" and "damaged".
"""

from __future__ import annotations

from collections.abc import Iterator

from pypprof.errors import Malformed
from pypprof.profile.model import ENCODING, ERRORS

_LONGEST = 1 << 16
_PIECE = 1 << 18  # bytes that are split into lines at a time
# What Go's unicode.IsSpace calls space; Python's strip() takes more.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
MAP_SENTINELS = ("--- Memory map: ---", "MAPPED_LIBRARIES:")


def lines_of(data: bytes) -> Iterator[str]:
    """The lines of a text of any size, without their \\n."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", min(at + _PIECE, len(data))) + 1 or len(data)
        lines = data[at:end].decode(ENCODING, ERRORS).split("\n")
        if not lines[-1]:
            lines.pop()
        yield from lines
        at = end


class Scanner:
    """`text` is the current line, "" before the first and behind the last."""

    def __init__(self, data: bytes) -> None:
        self._lines = lines_of(data)
        self._number = 0
        self._too_long = False
        self.text = ""

    def scan(self) -> bool:
        """Go to the next line; False at the end."""
        line = None if self._too_long else next(self._lines, None)
        if line is None:
            self.text = ""
            return False
        self._number += 1
        if len(line) > _LONGEST // 4 and len(line.encode(ENCODING, ERRORS)) >= _LONGEST:
            self._too_long, self.text = True, ""
            return False
        self.text = line[:-1] if line[-1:] == "\r" else line
        return True

    def check(self) -> None:
        """Malformed when the text did not end where it seemed to."""
        if self._too_long:
            raise Malformed(f"line {self._number} is longer than 64 KiB")


def blank_or_comment(line: str) -> bool:
    stripped = line.strip(SPACE)
    return not stripped or stripped[0] == "#"


def starts_map(line: str) -> bool:
    """Whether the line introduces a list of mappings."""
    return MAP_SENTINELS[0] in line or MAP_SENTINELS[1] in line
