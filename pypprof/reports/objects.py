"""The binary behind a mapping, opened: its functions, their code, the source lines of addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from pypprof.columns import I8, U8, Array, ragged_positions
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

MOST_CODE = 16 << 20  # bytes of code in one report
_LONGEST = 1 << 20  # bytes of a function that are decoded to get to an address in it
_PADDING = 64  # most bytes between a function and the next
_NEAR = 16  # symbols looked at before an address: those of one address, and those without a size
# Marks of the linker, no names of what is at their address.
_MARKS = {"runtime.text", "text", "_text", "runtime.etext", "etext", "_etext"}


class Function(Record):
    """Code of a symbol at the file addresses [start, end)."""

    name: str
    start: int
    end: int


class ObjectFile:
    """An opened mapping. Addresses are the file's. BinaryError when the file cannot be used.

    `doubt` is for the user: why the file may be the wrong one.
    """

    def __init__(self, mapping: Mapping) -> None:
        if not mapping.file:
            raise BinaryError("the profile does not say which program it is of; give the program before the profile")
        self.path = mapping.file
        self._binary = open_binary(mapping.file)
        self._names: dict[int, str] = {}
        own = self._binary.build_id
        self.doubt = ""
        if mapping.build_id and own and own != mapping.build_id:
            self.doubt = (
                f"{mapping.file} is not the program that was profiled (build id {own}, the profile has "
                f"{mapping.build_id}): instructions may be those of other functions"
            )
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

    def decode_around(self, start: int, end: int, intel: bool) -> Iterator[Instruction]:
        """The instructions that overlap [start, end), each decoded from where its function begins."""
        starts = self._starts
        first = int(starts.searchsorted(U8.type(start), "right"))
        last = int(starts.searchsorted(U8.type(end)))
        bounds = [int(at) for at in starts[max(first - 1, 0) : last + 1]]
        if not first or start - bounds[0] > _LONGEST:
            bounds = [start, *bounds[bool(first) :]]
        if bounds[-1] < end:
            bounds.append(end)
        for begin, stop in pairwise(bounds):
            for instruction in self.decode(begin, stop, intel):
                if start < instruction.address + instruction.size and instruction.address < end:
                    yield instruction

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

    def places(self, addresses: Sequence[int]) -> list[Frame]:
        """lines(), for all languages; an empty frame where nothing is known."""
        lines = self.lines(addresses)
        missing = [index for index, line in enumerate(lines) if line is None]
        if missing:
            for index, frames in zip(missing, self.frames([addresses[i] for i in missing]), strict=True):
                lines[index] = frames[0]._replace(system_name=frames[-1].system_name) if frames else Frame()
        return [line or Frame() for line in lines]

    @cached_property
    def _starts(self) -> Array:
        """Where functions begin, ascending."""
        if self._symbols is None:
            assert self._go is not None
            return self._go.entries
        symbols = self._symbols
        return np.unique(symbols.start[symbols.is_function & (symbols.size > 0)])

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
        found = self._go.rows(addresses)
        rows = np.unique(found[found >= 0])
        starts, ends = self._go.entries.take(rows), self._go.entries.take(rows + 1)
        # Behind the code there is padding, which belongs to no line.
        tails = np.maximum(ends - np.minimum(ends - starts, U8.type(_PADDING)), starts)
        counts = (ends - tails).astype(I8)
        inside = [
            frame[0].line >= 0 for frame in self._go.frames(ragged_positions(tails.astype(I8), counts).astype(U8))
        ]
        functions, at = [], 0
        columns = (starts.tolist(), tails.tolist(), counts.tolist())
        for name, start, tail, count in zip(self._go.names(rows), *columns, strict=True):
            used = max((place for place in range(count) if inside[at + place]), default=-1) + 1
            functions.append(Function(name, start, tail + (used or count)))
            at += count
        return functions

    def _go_name(self, row: int) -> str:
        name = self._names.get(row)
        if name is None:
            assert self._go is not None
            name = self._names[row] = self._go.names(np.array([row], I8))[0]
        return name

    def _name_at(self, address: int) -> tuple[str, int] | None:
        """The symbol that covers an address."""
        symbols = self._symbols
        if symbols is None:
            assert self._go is not None
            row = int(self._go.rows(np.array([address], U8))[0])
            if row < 0:
                return None
            return self._go_name(row), int(self._go.entries[row])
        last = int(symbols.start.searchsorted(U8.type(address), "right")) - 1
        for row in range(last, max(last - _NEAR, -1), -1):
            start = int(symbols.start[row])
            if start and start <= address < start + int(symbols.size[row]):
                name = symbols.name(row)
                if name and name not in _MARKS:
                    return name, start
        return None
