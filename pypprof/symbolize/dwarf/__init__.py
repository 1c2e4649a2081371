"""DWARF: functions, files, lines and inlined calls of C, C++ and Rust programs.

The file has .debug_info in units (one a source file, more or less), each with a tree of entries and
a line program. Only units, functions and programs with a wanted address are decoded.
"""

from __future__ import annotations

from pypprof.errors import BinaryError
from pypprof.symbolize.dwarf import forms
from pypprof.symbolize.dwarf.functions import Call, Functions
from pypprof.symbolize.dwarf.lines import LineProgram, Position, positions, read_program
from pypprof.symbolize.dwarf.sections import Sections
from pypprof.symbolize.dwarf.units import Unit, Units
from pypprof.symbolize.elf import Binary
from pypprof.symbolize.frames import Frame, Frames

_MANGLED = ("_Z", "_R")


class Dwarf:
    """The debug information of one file. BinaryError when it has none that can be read."""

    def __init__(self, binary: Binary) -> None:
        self._sections = Sections(binary)
        self._units = Units(self._sections)
        self._functions = Functions(self._units, self._covered)
        self._symbols = binary.symbols
        self._paths: dict[tuple[int, int], str] = {}
        text = [s.address for s in binary.sections if s.flags & 4]
        self._lowest = max(min(text, default=0), 1)

    def frames(self, addresses: list[int]) -> tuple[dict[int, Frames], BinaryError | None]:
        """(the frames of ascending addresses, innermost first; the last damage met on the way)."""
        found: dict[int, Frames] = {}
        damage: BinaryError | None = None
        for unit, wanted in self._units.covering(addresses, self._lowest).items():
            calls: dict[int, list[Call]] = {}
            lines: dict[int, Position] = {}
            program: LineProgram | None = None
            try:
                program = self._program(unit)
                if program is not None:
                    lines = positions(program, wanted, self._lowest)
            except (BinaryError, IndexError, ValueError) as error:
                damage = _as_damage(error)
            try:
                calls = self._functions.calls(unit, wanted)
            except (BinaryError, IndexError) as error:
                damage = _as_damage(error)
            for address in wanted:
                frames = self._frames(unit, program, calls.get(address, []), lines.get(address))
                if frames:
                    found[address] = self._linked(frames, address)
        return found, damage

    def _covered(self, address: int) -> bool:
        return not len(self._symbols.start) or self._symbols.find(address) >= 0

    def _program(self, unit: Unit) -> LineProgram | None:
        offset = unit.root.get(forms.STMT_LIST)
        if offset is None or not isinstance(offset[1], int):
            return None
        return read_program(self._sections, offset[1], unit.sizes.address)

    def _frames(self, unit: Unit, program: LineProgram | None, calls: list[Call], position: Position | None) -> Frames:
        """The frames of one address: each call has the name of its function and the place where it is."""
        place = position or (0, 0, 0)
        frames = []
        for call in reversed(calls):
            name = self._functions.name(call.name)
            frames.append(Frame(name.text, self._path(unit, program, place), place[1], place[2], name.start_line))
            place = call.file, call.line, call.column
        if not frames and position is not None:
            frames.append(Frame("", self._path(unit, program, place), place[1], place[2]))
        return tuple(frames)

    def _linked(self, frames: Frames, address: int) -> Frames:
        """With the linker's name of the function where DWARF has the short one only (members of local classes)."""
        outer = frames[-1]
        if outer.system_name.startswith(_MANGLED) or (at := self._symbols.find(address)) < 0:
            return frames
        symbol = _without_suffix(self._symbols.name(at))
        if outer.system_name and not symbol.startswith(_MANGLED):
            return frames
        return (*frames[:-1], outer._replace(system_name=symbol))

    def _path(self, unit: Unit, program: LineProgram | None, place: Position) -> str:
        if program is None or place == (0, 0, 0):
            return ""
        key = unit.start, place[0]
        path = self._paths.get(key)
        if path is None:
            path = self._paths[key] = program.path(place[0], unit.directory)
        return path


def _without_suffix(symbol: str) -> str:
    """The symbol of a function whose parts are called symbol.cold, symbol.isra.0 and so on."""
    while True:
        rest, dot, suffix = symbol.rpartition(".")
        if not dot or not suffix or not suffix.replace("_", "a").isalnum() or suffix != suffix.lower():
            return symbol
        symbol = rest


def _as_damage(error: Exception) -> BinaryError:
    return error if isinstance(error, BinaryError) else BinaryError("damaged debug information")
