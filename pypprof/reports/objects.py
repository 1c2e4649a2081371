"""The binary behind a mapping, opened: its functions, their code, the source lines of addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from pypprof.columns import U8, Array
from pypprof.errors import BinaryError
from pypprof.naming import find_debug, open_binary
from pypprof.profile.model import Mapping
from pypprof.records import Record
from pypprof.symbolize.address import bias
from pypprof.symbolize.disasm import Disassembler, Instruction
from pypprof.symbolize.elf import Symbols
from pypprof.symbolize.frames import Frame, Frames
from pypprof.symbolize.golang import line_table
from pypprof.symbolize.gopclntab import LineTable

_NEAR = 16  # symbols looked at before an address: those of one address, and those without a size
# Marks of the linker, no names of what is at their address.
_MARKS = {"runtime.text", "text", "_text", "runtime.etext", "etext", "_etext"}


class Function(Record):
    """Code of a symbol at the file addresses [start, end)."""

    name: str
    start: int
    end: int


class ObjectFile:
    """An opened mapping. Addresses are the file's. BinaryError when the file cannot be used."""

    def __init__(self, mapping: Mapping) -> None:
        if not mapping.file:
            raise BinaryError("the profile does not say which program it is of; give the program before the profile")
        self.path = mapping.file
        self._binary = open_binary(mapping.file)
        self.bias = bias(self._binary, mapping.start, mapping.limit, mapping.offset)

    def functions(self, addresses: Array) -> list[Function]:
        """The functions that hold any of the ascending addresses. Of a stripped file those of Go's line table."""
        symbols = self._symbols
        if symbols is None:
            return self._go_functions(addresses)
        ends = symbols.start + symbols.size
        hits = (addresses.searchsorted(ends) > addresses.searchsorted(symbols.start)) & (ends > symbols.start)
        rows = hits.nonzero()[0].tolist()
        return [Function(symbols.name(row), int(symbols.start[row]), int(ends[row])) for row in rows]

    def lines(self, addresses: Sequence[int]) -> list[Frame | None]:
        """What Go's tool says of instructions: the outer function with the inner file and line; None outside of Go."""
        if self._go is None:
            return [None] * len(addresses)
        frames = self._go.frames(np.array(addresses, U8))
        return [own[0] if own else None for own in frames]

    def frames(self, addresses: Sequence[int]) -> list[Frames]:
        """The frames of addresses, those of inlined calls included; () where nothing is known."""
        from pypprof.symbolize.resolver import Resolver

        resolver = Resolver(self._binary, True, find_debug, lambda _: None)
        return resolver.frames(np.array(addresses, U8))

    def decode(self, start: int, end: int, intel: bool) -> Iterator[Instruction]:
        """The instructions of [start, end). BinaryError for an unknown machine."""
        return Disassembler(self._binary, intel, self._name_at).decode(start, end)

    @cached_property
    def _symbols(self) -> Symbols | None:
        """The symbol table, also that split off; of a stripped file that is not Go's what is left of it."""
        if len(self._binary.symbols.start):
            return self._binary.symbols
        if self._go is not None:
            return None
        debug = find_debug(self._binary)
        return debug.symbols if debug is not None and len(debug.symbols.start) else self._binary.dynamic_symbols

    @cached_property
    def _go(self) -> LineTable | None:
        try:
            return line_table(self._binary)
        except BinaryError:
            return None

    def _go_functions(self, addresses: Array) -> list[Function]:
        assert self._go is not None
        rows = self._go.rows(addresses)
        entries, found = self._go.entries, []
        for row in sorted(set(rows[rows >= 0].tolist())):
            start, end = int(entries[row]), int(entries[row + 1])
            name = self._go.frames(entries[row : row + 1])[0][0].system_name
            # Behind the code there is padding, which belongs to no line.
            inside = np.array([frame[0].line >= 0 for frame in self._go.frames(np.arange(start, end, dtype=U8))])
            found.append(Function(name, start, start + int(inside.nonzero()[0][-1]) + 1 if inside.any() else end))
        return found

    def _name_at(self, address: int) -> tuple[str, int] | None:
        """The symbol that covers an address."""
        symbols = self._symbols
        if symbols is None:
            assert self._go is not None
            row = int(self._go.rows(np.array([address], U8))[0])
            if row < 0:
                return None
            start = int(self._go.entries[row])
            return self._go.frames(np.array([start], U8))[0][0].system_name, start
        last = int(symbols.start.searchsorted(U8.type(address), "right")) - 1
        for row in range(last, max(last - _NEAR, -1), -1):
            start = int(symbols.start[row])
            if start and start <= address < start + int(symbols.size[row]):
                name = symbols.name(row)
                if name and name not in _MARKS:
                    return name, start
        return None
