"""From the addresses of one file to frames: Go's line table, else DWARF, else the symbol table."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from pypprof.columns import Array
from pypprof.errors import BinaryError
from pypprof.symbolize.elf import Binary
from pypprof.symbolize.frames import Frame, Frames

Note = Callable[[str], None]
FindDebug = Callable[[Binary], Binary | None]


class Resolver:
    """What an opened file knows about its addresses.

    inlines     whether addresses of Go functions get the calls inlined there; C, C++ and Rust always do
    find_debug  looks up the separate file with the debug information of a stripped one
    """

    def __init__(self, binary: Binary, inlines: bool, find_debug: FindDebug, note: Note) -> None:
        self._binary, self._inlines, self._find_debug, self._note = binary, inlines, find_debug, note

    def frames(self, addresses: Array) -> list[Frames]:
        """The frames of ascending file addresses; () for those of which nothing is known."""
        found: list[Frames] = [()] * len(addresses)
        for source in (self._go, self._dwarf, self._symbols):
            missing = [index for index, frames in enumerate(found) if not frames]
            if not missing:
                break
            try:
                answers = source(addresses[missing])
            except BinaryError as error:
                self._note(f"{self._binary.path}: {error}")
                continue
            for index, frames in zip(missing, answers, strict=False):
                found[index] = frames
        return found

    def _go(self, addresses: Array) -> list[Frames]:
        from pypprof.symbolize.golang import line_table

        table = line_table(self._binary, self._inlines)
        return table.frames(addresses, self._inlines) if table is not None else []

    def _dwarf(self, addresses: Array) -> list[Frames]:
        from pypprof.symbolize.dwarf import Dwarf

        binary = self._debug
        if not len(binary.contents(".debug_info")):
            return []
        found, damage = Dwarf(binary).frames(addresses.tolist())
        if damage is not None:
            self._note(f"{binary.path}: {damage}")
        return [found.get(address, ()) for address in addresses.tolist()]

    @cached_property
    def _debug(self) -> Binary:
        """The file with the debug information: the binary itself, or the one that was split off."""
        if any(self._binary.section(name) is not None for name in (".debug_info", ".zdebug_info")):
            return self._binary
        return self._find_debug(self._binary) or self._binary

    def _symbols(self, addresses: Array) -> list[Frames]:
        """Names alone."""
        found: list[Frames] = [()] * len(addresses)
        for table in (self._binary.symbols, self._debug.symbols, self._binary.dynamic_symbols):
            for index, address in enumerate(addresses.tolist()):
                if not found[index] and (at := table.find(address)) >= 0 and (name := table.name(at)):
                    found[index] = (Frame(name),)
        return found
