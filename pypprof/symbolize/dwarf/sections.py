"""The sections of debug information of a file, and how much of them may be read.

Damaged or hostile files can make their parts refer to each other so that reading never ends in
practice; every reader spends from one budget, which is generous for what compilers write.
"""

from __future__ import annotations

from typing import Any

from pypprof.errors import BinaryError
from pypprof.symbolize.elf import Binary, text_at

_GENEROUS = 12


class Sections:
    """Decompressed sections by name; read when first used."""

    def __init__(self, binary: Binary) -> None:
        self._binary, self._known = binary, dict[str, Any]()
        self.order = "little" if binary.little else "big"
        self._texts: dict[tuple[str, int], str] = {}
        names = ("info", "abbrev", "line", "ranges", "rnglists", "str", "line_str")
        self._budget = (1 << 20) + _GENEROUS * sum(len(self.named(name)) for name in names)

    def named(self, name: str) -> Any:
        data = self._known.get(name)
        if data is None:
            data = self._known[name] = self._binary.contents(".debug_" + name)
        return data

    @property
    def info(self) -> Any:
        return self.named("info")

    @property
    def line(self) -> Any:
        return self.named("line")

    def spend(self, work: int) -> None:
        """Take from the budget. BinaryError when it is used up."""
        self._budget -= work
        if self._budget < 0:
            raise BinaryError("the debug information refers to itself too often")

    def string(self, offset: int) -> str:
        return self._text("str", offset)

    def line_string(self, offset: int) -> str:
        return self._text("line_str", offset)

    def number(self, name: str, at: int, size: int) -> int:
        """A number in a section. BinaryError beyond it."""
        data = self.named(name)
        if not 0 <= at <= len(data) - size:
            raise BinaryError(f"damaged debug information (.debug_{name})")
        order: Any = self.order
        return int.from_bytes(data[at : at + size], order)

    def initial_length(self, data: Any, at: int) -> tuple[int, int, int]:
        """(length, position behind it, size of offsets) of what begins with its length."""
        order: Any = self.order
        length = int.from_bytes(data[at : at + 4], order)
        if length == 0xFFFFFFFF:
            return int.from_bytes(data[at + 4 : at + 12], order), at + 12, 8
        return length, at + 4, 4

    def _text(self, name: str, offset: int) -> str:
        text = self._texts.get((name, offset))
        if text is None:
            text = self._texts[name, offset] = text_at(self.named(name), offset)
            self.spend(len(text))
        return text
