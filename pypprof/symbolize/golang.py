"""Go programs: where the line table is in the file, where its text begins, where inlined calls are.

A stripped binary has no symbols to say so; then the table's own header does (up to Go 1.25), or the
module data, the linker's record of the program's parts, which begins with the table's address.
Sources: cmd/internal/objfile/elf.go, runtime/symtab.go (moduledata).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pypprof.columns import U8
from pypprof.errors import BinaryError
from pypprof.symbolize.elf import Binary, Section
from pypprof.symbolize.gopclntab import HEADS, LineTable

_SECTIONS = (".gopclntab", ".data.rel.ro.gopclntab")
_TEXT_WORD = 22  # of the module data, in pointers
# Where the address of go:func.* is in the module data, which differs from version to version.
_FUNC_WORDS = (43, 42, 41, 40, 39, 38)


def line_table(binary: Binary, inlined: bool = False) -> LineTable | None:
    """The Go line table of a binary; None for one that is not Go's. BinaryError for a damaged one."""
    data, address = _find(binary)
    if not len(data):
        return None
    plain = LineTable(data)
    if plain.version < 18:
        return plain
    words = _module_words(binary, address)
    text = _text_start(binary, plain, words)
    table = LineTable(data, text)
    if inlined:
        for trees in _inline_data(binary, words):
            candidate = LineTable(data, text, trees)
            if candidate.has_trees():
                return candidate
    return table


def _find(binary: Binary) -> tuple[Any, int]:
    """(bytes, address) of the line table."""
    for name in _SECTIONS:
        section = binary.section(name)
        if section is not None:
            return binary.contents(section), section.address
    start = binary.symbols.named("runtime.pclntab")
    end = binary.symbols.named("runtime.epclntab")
    if start is None or end is None or end < start:
        return _search(binary)
    return binary.read(start, end - start), start


def _search(binary: Binary) -> tuple[Any, int]:
    """The line table of a Go program whose linker, not Go's own, has put it among other data, and stripped."""
    if binary.section(".go.buildinfo") is None:
        return b"", 0
    for section in binary.sections:
        if not section.name.startswith((".data.rel.ro", ".rodata")) or section.flags & 0x800:
            continue
        data = binary.contents(section)
        for magic in HEADS:
            at = binary.data.obj.find(magic, section.offset, section.offset + len(data))  # type: ignore[attr-defined]
            while at >= 0:
                try:
                    LineTable(data[at - section.offset :])
                except BinaryError:
                    at = binary.data.obj.find(magic, at + 1, section.offset + len(data))  # type: ignore[attr-defined]
                    continue
                return data[at - section.offset :], section.address + at - section.offset
    return b"", 0


def _text_start(binary: Binary, table: LineTable, words: list[int]) -> int:
    symbol = binary.symbols.named("runtime.text")
    if symbol is not None:
        return symbol
    section = binary.section(".text")
    start = section.address if section is not None else 0
    for said in (table.text_start(), words[_TEXT_WORD] if words else 0):
        # A program with C in it has its Go text somewhere in the section.
        if said and (section is None or start <= said < start + section.size):
            return said
    return start


def _inline_data(binary: Binary, words: list[int]) -> Iterator[Any]:
    """What may be the bytes from go:func.* on."""
    candidates = [binary.symbols.named("go:func.*"), binary.symbols.named("go.func.*")]
    candidates += [words[index] for index in _FUNC_WORDS if index < len(words)]
    for address in candidates:
        if address and len(data := _from(binary, address)):
            yield data


def _from(binary: Binary, address: int) -> Any:
    """What the file holds from an address to the end of its segment, not copied."""
    for segment in binary.segments:
        skip = address - segment.address
        if segment.type == "PT_LOAD" and 0 <= skip < segment.file_size:
            return binary.data[segment.offset + skip : segment.offset + segment.file_size]
    return b""


def _module_words(binary: Binary, table: int) -> list[int]:
    """The words of the module data; [] when it can't be found. Only for little files: a hint."""
    size = binary.bits // 8
    if not table:
        return []
    at = binary.symbols.named("runtime.firstmoduledata")
    kind = f"{binary.order}u{size}"
    relocations = _relocations(binary, kind)
    places = [] if at is None else [at]
    if not places:
        places = relocations[0][relocations[1] == U8.type(table)].tolist() + _pointers(binary, kind, table)
    for place in places[:8]:
        data = binary.read(place, 64 * size)
        words = [int(word) for word in np.frombuffer(data[: len(data) // size * size], kind)]
        inside = (relocations[0] >= U8.type(place)) & (relocations[0] < U8.type(place + len(words) * size))
        for where, value in zip(relocations[0][inside].tolist(), relocations[1][inside].tolist(), strict=True):
            words[(where - place) // size] = value
        # The first word is the table's address; the second an address in it.
        if len(words) > _TEXT_WORD and words[0] == table and words[1] > table:
            return words
    return []


def _relocations(binary: Binary, kind: str) -> tuple[Any, Any]:
    """(place, value) of relocations that only add the load address (.rela.dyn), which PIEs are full of."""
    none = np.zeros(0, U8)
    section = binary.section(".rela.dyn") or binary.section(".rela")
    if section is None or section.type != "SHT_RELA":
        return none, none
    data = binary.contents(section)
    size = 3 * binary.bits // 8
    rows = np.frombuffer(data[: len(data) // size * size], kind).reshape(-1, 3)
    return rows[:, 0].astype(U8), rows[:, 2].astype(U8)


def _pointers(binary: Binary, kind: str, value: int) -> list[int]:
    """The addresses in data sections that hold a word."""
    found = list[int]()
    for section in binary.sections:
        if _is_data(section):
            data = binary.contents(section)
            size = binary.bits // 8
            words = np.frombuffer(data[: len(data) // size * size], kind)
            found += [section.address + size * index for index in (words == value).nonzero()[0].tolist()[:8]]
    return found


def _is_data(section: Section) -> bool:
    named = section.name.startswith((".data", ".noptr", ".go.module"))
    return named and section.type == "SHT_PROGBITS" and section.flags & 7 in (2, 3)
