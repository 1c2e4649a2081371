"""Line programs: from addresses to file, line and column.

A program is run once for all addresses wanted of its unit; rows are not kept. Source: DWARF 5,
section 6.2; versions 2 to 5.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from pypprof.errors import BinaryError
from pypprof.records import Record
from pypprof.symbolize.dwarf.forms import LINE_STRP, STRING, STRP, Sizes, leb, read_form, signed_leb
from pypprof.symbolize.dwarf.sections import Sections

_PATH, _DIRECTORY = 1, 2  # kinds of content in a version 5 table of files
_LARGEST = 1 << 64

Position = tuple[int, int, int]  # file number, line, column


class LineProgram(Record):
    """A program's header. `files` are (directory number, name); both tables count from `first`."""

    data: bytes  # from the header's end to the program's
    sizes: Sizes
    minimum: int
    moves: tuple[int, ...]  # of the address and of the line, by special opcode
    steps: tuple[int, ...]
    lengths: tuple[int, ...]  # of the arguments of standard opcodes, which end below the opcode base
    directories: tuple[str, ...]
    files: tuple[tuple[int, str], ...]
    first: int

    def path(self, number: int, directory: str) -> str:
        """The path of file `number` of a unit compiled in `directory`."""
        index = number - self.first
        if not 0 <= index < len(self.files):
            return ""
        place, name = self.files[index]
        if name.startswith("/"):
            return name
        # Directory 0 is where the compiler ran; version 5 says so itself.
        if self.sizes.version < 5:
            place -= 1
        folder = self.directories[place] if 0 <= place < len(self.directories) else ""
        parts = [part for part in (folder, name) if part]
        if not folder.startswith("/") and directory:
            parts.insert(0, directory)
        return "/".join(part.rstrip("/") or "/" if part is not name else part for part in parts)


def read_program(sections: Sections, offset: int, address_size: int) -> LineProgram:
    """The program at an offset of .debug_line. BinaryError when it is damaged."""
    data = sections.line
    order: Any = sections.order
    if offset + 16 > len(data):
        raise BinaryError("damaged line table")
    length, at, width = sections.initial_length(data, offset)
    end = at + length
    if end > len(data):
        raise BinaryError("damaged line table")
    sections.spend(length)
    data = bytes(data[at:end])
    version = int.from_bytes(data[:2], order)
    at = 2
    if not 2 <= version <= 5:
        raise BinaryError(f"line table of unknown version {version}")
    if version == 5:
        address_size, at = data[2], 4
    header = int.from_bytes(data[at : at + width], order)
    at += width
    start = at + header
    minimum = data[at]
    at += 2 if version >= 4 else 1  # the maximum of operations in an instruction counts for VLIW machines only
    base, line_range, count = data[at + 1], data[at + 2], data[at + 3]
    if not line_range or not count:
        raise BinaryError("damaged line table")
    at += 4
    lengths = tuple(data[at : at + count - 1])
    at += count - 1
    sizes = Sizes(address_size, width, version, sections.order)
    tables = _tables(data, at, sizes, sections) if version == 5 else _old_tables(data, at)
    if start > len(data):
        raise BinaryError("damaged line table")
    line_base = base - 256 if base > 127 else base
    moves = tuple((op - count) // line_range * minimum for op in range(256))
    steps = tuple(line_base + (op - count) % line_range for op in range(256))
    return LineProgram(data[start:], sizes, minimum, moves, steps, lengths, *tables, 0 if version == 5 else 1)


def _old_tables(data: bytes, at: int) -> tuple[tuple[str, ...], tuple[tuple[int, str], ...]]:
    """Directories and files of versions 2 to 4."""
    directories = list[str]()
    files = list[tuple[int, str]]()
    while data[at]:
        name, at = _string(data, at)
        directories.append(name)
    at += 1
    while data[at]:
        name, at = _string(data, at)
        place, at = leb(data, at)
        for _ in range(2):  # time and size
            _, at = leb(data, at)
        files.append((place, name))
    return tuple(directories), tuple(files)


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(0, at)
    return data[at:end].decode("utf-8", "surrogateescape"), end + 1


def _tables(
    data: bytes, at: int, sizes: Sizes, sections: Sections
) -> tuple[tuple[str, ...], tuple[tuple[int, str], ...]]:
    """Directories and files of version 5."""
    both = list[list[tuple[int, str]]]()
    for _ in range(2):
        formats = list[tuple[int, int]]()
        kinds = data[at]
        at += 1
        for _ in range(kinds):
            kind, at = leb(data, at)
            form, at = leb(data, at)
            formats.append((kind, form))
        count, at = leb(data, at)
        rows = list[tuple[int, str]]()
        for _ in range(count if formats else 0):
            before, name, place = at, "", 0
            for kind, form in formats:
                value, at = read_form(data, at, form, sizes)
                if kind == _PATH:
                    name = _text(form, value, sections)
                elif kind == _DIRECTORY and isinstance(value, int):
                    place = value
            if at == before:
                raise BinaryError("damaged line table")
            rows.append((place, name))
        both.append(rows)
    return tuple(name for _, name in both[0]), tuple(both[1])


def _text(form: int, value: Any, sections: Sections) -> str:
    if form == STRING:
        return str(value, "utf-8", "surrogateescape")
    if form == LINE_STRP:
        return sections.line_string(value)
    return sections.string(value) if form == STRP else ""


def positions(program: LineProgram, wanted: list[int], lowest: int) -> dict[int, Position]:
    """The position of each of the (ascending) addresses that the program covers.

    Of several rows at an address the last counts. Sequences below `lowest` belong to functions
    that the linker threw away.
    """
    found = dict[int, Position]()
    at = 0
    while at < len(program.data):
        at = _sequence(program, at, wanted, lowest, found)
    return found


def _sequence(program: LineProgram, at: int, wanted: list[int], lowest: int, found: dict[int, Position]) -> int:
    """Run one sequence, rows of ascending addresses; the position behind it. All in one loop, for speed."""
    data, moves, steps, count = program.data, program.moves, program.steps, len(wanted)
    base, end = len(program.lengths) + 1, len(data)
    address, file, line, column = 0, 1, 1, 0
    row: Position | None = None
    index, following = count, _LARGEST  # the next wanted address
    while at < end:
        op = data[at]
        at += 1
        if op >= base:
            address += moves[op]
            line += steps[op]
        elif op == 5:
            column = data[at]
            at += 1
            if column > 127:
                column, at = leb(data, at - 1)
            continue
        elif op == 3:
            step = data[at]
            at += 1
            if step > 127:
                step, at = signed_leb(data, at - 1)
            elif step > 63:
                step -= 128
            line += step
            continue
        elif op == 6:
            continue
        elif op == 0:
            size, at = leb(data, at)
            kind, argument = data[at] if size else 0, at + 1
            at += size
            if kind == 2:
                address = int.from_bytes(data[argument:at], program.sizes.order)  # type: ignore[arg-type]
                if row is None and address >= lowest:
                    index = bisect_left(wanted, address)
                following = wanted[index] if index < count else _LARGEST
            if kind != 1:
                continue
        elif op != 1:
            at, address, file = _standard(program, op, at, address, file)
            continue
        while following < address and row is not None:
            found[following] = row
            index += 1
            following = wanted[index] if index < count else _LARGEST
        if not op:
            return at
        row = file, line, column
    return at


def _standard(program: LineProgram, op: int, at: int, address: int, file: int) -> tuple[int, int, int]:
    """(position, address, file) after a standard opcode that makes no row and sets no line or column."""
    data = program.data
    if op == 2:
        step, at = leb(data, at)
        address += step * program.minimum
    elif op == 4:
        file, at = leb(data, at)
    elif op == 8:
        address += program.moves[255]
    elif op == 9:
        order: Any = program.sizes.order
        address += int.from_bytes(data[at : at + 2], order)
        at += 2
    else:  # flags, and what later versions may add
        for _ in range(program.lengths[op - 1]):
            _, at = leb(data, at)
    return at, address, file
