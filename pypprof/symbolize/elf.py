"""An opened ELF file: segments, sections, symbols, bytes at an address.

The file is a buffer, usually an mmap: only what is asked for is read. Headers are decoded by
pyelftools, tables of symbols with NumPy. Whatever a header claims is held against the size of the
file, so that a damaged or hostile file costs an error and no memory.
"""

from __future__ import annotations

import zlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pypprof.columns import I4, I8, U4, U8, Array, Ints
from pypprof.errors import BinaryError
from pypprof.records import Record

if TYPE_CHECKING:
    from mmap import mmap

_LARGEST_SECTION = 1 << 30  # bytes of a decompressed section
_MOST_HEADERS = 1 << 16
_LONGEST_TEXT = 1 << 18
_OVERLAPPING = 64  # symbols looked at before an address
_COMPRESSED = 0x800
# Go's names of machines; of those with several, the first fits (sizes, byte order).
_ARCHITECTURES = {
    "EM_386": "386", "EM_X86_64": "amd64", "EM_ARM": "arm", "EM_AARCH64": "arm64", "EM_LOONGARCH": "loong64",
    "EM_PPC64": "ppc64", "EM_RISCV": "riscv64", "EM_S390": "s390x", "EM_MIPS": "mips", "EM_PPC": "ppc",
}  # fmt: skip


class Segment(Record):
    """A program header. `type` as in the ELF specification, such as PT_LOAD."""

    type: str
    flags: int  # 1 executable, 2 writable, 4 readable
    offset: int
    address: int
    file_size: int
    memory_size: int
    align: int

    def executable(self) -> bool:
        return self.type == "PT_LOAD" and bool(self.flags & 1)


class Section(Record):
    """A section header. `type` such as SHT_NOBITS; `size` as in the file, compressed or not."""

    name: str
    type: str
    flags: int  # 1 writable, 2 in memory, 4 executable
    address: int
    offset: int
    size: int
    link: int
    align: int
    entry_size: int


class Symbols(Record):
    """A symbol table by ascending address; those of one address in the order of the file.

    Holds every entry of the table but the first, as Go's debug/elf does: also undefined, file and
    section symbols. `code` is the letter of `nm`, lower case for local symbols.
    """

    start: Array  # uint64
    size: Array  # uint64
    code: Array  # uint8, ord() of the letter
    is_function: Array  # bool: in an executable section, marked as code or not marked
    limit: Array  # uint64: where the symbol's section ends
    row: Ints  # place in the file's table
    name_offset: Ints
    strings: Any  # bytes-like: the names, each ended by a zero byte

    def name(self, index: int) -> str:
        return text_at(self.strings, int(self.name_offset[index]))

    def names(self) -> list[str]:
        return [text_at(self.strings, offset) for offset in self.name_offset.tolist()]

    def find(self, address: int) -> int:
        """The index of the function that covers the address; -1 for none."""
        last = int(self.start.searchsorted(U8.type(address), "right")) - 1
        nearest = -1
        for index in range(last, max(last - _OVERLAPPING, -1), -1):
            if not self.is_function[index]:
                continue
            start, size = int(self.start[index]), int(self.size[index])
            if start <= address < start + size:
                return index
            # Hand-written assembly often leaves out sizes; such a function ends where the next one begins.
            # Marks like Go's runtime.etext have none either: nothing reaches beyond its section.
            if nearest == -1:
                nearest = index if not size and address < int(self.limit[index]) else -2
        return max(nearest, -1)

    def named(self, name: str) -> int | None:
        """The address of the first symbol (in the file's order) of that name."""
        encoded = name.encode("utf-8", "surrogateescape") + b"\0"
        strings = bytes(self.strings)
        found, at = None, strings.find(encoded)
        while at >= 0:
            hits = (self.name_offset == at).nonzero()[0]
            if len(hits):
                first = min(hits.tolist(), key=self.row.__getitem__)
                if found is None or self.row[first] < self.row[found]:
                    found = first
            at = strings.find(encoded, at + 1)
        return None if found is None else int(self.start[found])


class Binary:
    """An ELF file. BinaryError when the bytes are no ELF file or its headers make no sense."""

    def __init__(self, data: bytes | mmap, path: str = "") -> None:
        self.path = path
        self.data = memoryview(data).cast("B")
        try:
            self._read_headers(data)
        except BinaryError:
            raise
        except Exception as error:  # pyelftools raises about anything for damaged headers
            raise BinaryError(f"{path}: damaged ELF header ({error})".removeprefix(": ")) from None

    def _read_headers(self, data: bytes | mmap) -> None:
        from io import BytesIO

        from elftools.common.utils import struct_parse
        from elftools.elf.elffile import ELFFile

        stream: Any = BytesIO(data) if isinstance(data, bytes) else data
        stream.seek(0)
        elf = ELFFile(stream)
        header, structs = elf.header, elf.structs
        self.bits: int = elf.elfclass
        self.little: bool = elf.little_endian
        self.type = str(header["e_type"])  # ET_EXEC, ET_DYN, ET_REL, ...
        self.machine = str(header["e_machine"])  # EM_X86_64, ...
        self.order = "<" if self.little else ">"

        def table(offset: int, size: int, count: int, row: Any) -> list[Any]:
            if not offset or not count:
                return []
            if count > _MOST_HEADERS or offset + size * count > len(self.data):
                raise BinaryError(f"{self.path}: an ELF header lies outside the file".removeprefix(": "))
            return [struct_parse(row, stream, stream_pos=offset + n * size) for n in range(count)]

        programs = table(header["e_phoff"], header["e_phentsize"], header["e_phnum"], structs.Elf_Phdr)
        self.segments = tuple(
            Segment(
                str(p["p_type"]), p["p_flags"], p["p_offset"], p["p_vaddr"], p["p_filesz"], p["p_memsz"], p["p_align"]
            )
            for p in programs
        )
        count = elf.num_sections() if header["e_shoff"] else 0
        rows = table(header["e_shoff"], header["e_shentsize"], count, structs.Elf_Shdr)
        names: Any = b""
        if rows and 0 < (index := elf.get_shstrndx()) < len(rows):
            names = self._slice(rows[index]["sh_offset"], rows[index]["sh_size"])
        self.sections = tuple(
            Section(
                text_at(names, s["sh_name"]), str(s["sh_type"]), s["sh_flags"], s["sh_addr"], s["sh_offset"],
                s["sh_size"], s["sh_link"], s["sh_addralign"], s["sh_entsize"],
            )
            for s in rows
        )  # fmt: skip

    @property
    def architecture(self) -> str:
        """Go's name of the machine ("amd64", "arm64", ...); "" for one that it has none for."""
        name = _ARCHITECTURES.get(self.machine, "")
        return name + "le" if name == "ppc64" and self.little else name

    def section(self, name: str) -> Section | None:
        """The first section of that name."""
        return next((section for section in self.sections if section.name == name), None)

    def contents(self, section: Section | str) -> Any:
        """The bytes (a memoryview or bytes) of a section, decompressed; empty when there are none.

        Of `.debug_x` also the old `.zdebug_x`. BinaryError when it does not decompress.
        """
        if isinstance(section, str):
            found = self.section(section)
            if found is None and section.startswith(".debug_"):
                found = self.section(".z" + section[1:])
            if found is None:
                return b""
            section = found
        if section.type == "SHT_NOBITS":
            return b""
        raw = self._slice(section.offset, section.size)
        if section.flags & _COMPRESSED:
            wide = self.bits == 64
            kind = self._number(raw[:4])
            size = self._number(raw[8:16] if wide else raw[4:8])
            return _decompressed(section.name, kind, raw[24 if wide else 12 :], size)
        if section.name.startswith(".zdebug_") and bytes(raw[:4]) == b"ZLIB":
            return _decompressed(section.name, 1, raw[12:], int.from_bytes(raw[4:12], "big"))
        return raw

    def read(self, address: int, size: int) -> bytes:
        """The bytes at a file (virtual) address; fewer, or none, where the file has no more."""
        for segment in self.segments:
            if segment.type == "PT_LOAD" and segment.address <= address < segment.address + segment.file_size:
                skip = address - segment.address
                return bytes(self._slice(segment.offset + skip, min(size, segment.file_size - skip)))
        if not self.segments:  # an object file
            for section in self.sections:
                inside = section.address <= address < section.address + section.size
                if inside and section.flags & 2 and section.type != "SHT_NOBITS":
                    skip = address - section.address
                    return bytes(self._slice(section.offset + skip, min(size, section.size - skip)))
        return b""

    @cached_property
    def symbols(self) -> Symbols:
        """The symbol table (.symtab); empty for a stripped file."""
        return self._symbols("SHT_SYMTAB")

    @cached_property
    def dynamic_symbols(self) -> Symbols:
        """What the dynamic linker sees (.dynsym); survives stripping."""
        return self._symbols("SHT_DYNSYM")

    @cached_property
    def build_id(self) -> str:
        """The GNU build id in hexadecimal; "" without one."""
        for start, size, align in self._notes():
            data, at = self._slice(start, size), 0
            while at + 12 <= len(data):
                name_size, desc_size, kind = (self._number(data[at + i : at + i + 4]) for i in (0, 4, 8))
                name = at + 12
                # In 8-byte aligned notes the description is aligned from the start of the note.
                desc = at + _aligned(12 + name_size, align)
                if kind == 3 and bytes(data[name : name + 4]) == b"GNU\0":
                    return bytes(data[desc : desc + desc_size]).hex() if desc_size <= 1 << 10 else ""
                at = desc + _aligned(desc_size, align)
        return ""

    @cached_property
    def debug_link(self) -> tuple[str, int] | None:
        """(file name, CRC-32) of the separate debug file that .gnu_debuglink names."""
        data = bytes(self.contents(".gnu_debuglink")[: 1 << 12])
        name, zero, _ = data.partition(b"\0")
        at = _aligned(len(name) + 1, 4)
        if not name or not zero or len(data) < at + 4:
            return None
        return name.decode("utf-8", "surrogateescape"), self._number(data[at : at + 4])

    def _slice(self, offset: int, size: int) -> memoryview:
        """Part of the file, shorter where the file ends."""
        return self.data[min(offset, len(self.data)) : min(offset + size, len(self.data))]

    def _number(self, data: Any) -> int:
        return int.from_bytes(data, "little" if self.little else "big")

    def _notes(self) -> list[tuple[int, int, int]]:
        """(offset, size, alignment) of everything that holds notes."""
        found = [(s.offset, s.file_size, s.align) for s in self.segments if s.type == "PT_NOTE"]
        found += [(s.offset, s.size, s.align) for s in self.sections if s.type == "SHT_NOTE"]
        return [(offset, size, 8 if align == 8 else 4) for offset, size, align in found]

    def _symbols(self, kind: str) -> Symbols:
        section = next((section for section in self.sections if section.type == kind), None)
        if section is None:
            return _no_symbols()
        wide = self.bits == 64
        fields = (
            [("name", "u4"), ("info", "u1"), ("other", "u1"), ("section", "u2"), ("value", "u8"), ("size", "u8")]
            if wide
            else [("name", "u4"), ("value", "u4"), ("size", "u4"), ("info", "u1"), ("other", "u1"), ("section", "u2")]
        )
        layout = np.dtype([(name, self.order + code) for name, code in fields])
        raw = self.contents(section)
        table = np.frombuffer(raw, layout, len(raw) // layout.itemsize)[1:]
        strings: Any = b""
        if section.link < len(self.sections):
            strings = self.contents(self.sections[section.link])
        start = table["value"].astype(U8)
        order = start.argsort(kind="stable")
        table = table[order]
        home = table["section"].astype(I4)
        code, executable = self._codes(home, table["info"])
        marked = table["info"] & 15
        # Types 2 and 10 are functions; hand-written assembly often leaves out the type.
        is_function = ((marked == 2) | (marked == 10) | (marked == 0)) & executable
        names = table["name"].astype(I8)
        limit = np.zeros(_MOST_HEADERS, U8)
        for index, header in enumerate(self.sections[:_MOST_HEADERS]):
            limit[index] = (header.address + header.size) & 0xFFFFFFFFFFFFFFFF
        if self.type == "ET_REL":  # addresses are offsets in sections
            limit.fill(0xFFFFFFFFFFFFFFFF)
        return Symbols(start[order], table["size"].astype(U8), code, is_function, limit[home], order, names, strings)

    def _codes(self, section: Array, info: Array) -> tuple[Array, Array]:
        """nm's letter for each symbol, and whether its section holds code."""
        letters = np.zeros(_MOST_HEADERS, "u1")
        letters.fill(ord("?"))
        for index, header in enumerate(self.sections[:_MOST_HEADERS]):
            kind = header.flags & 7
            written = "B" if header.type == "SHT_NOBITS" else "D"
            letters[index] = ord({6: "T", 2: "R", 3: written}.get(kind, "?"))
        letters[0], letters[0xFFF2] = ord("U"), ord("B")  # undefined, common
        code = letters[section]
        executable = (code == ord("T")) & (section != 0)
        return np.where(info >> 4 == 0, code + 32, code).astype("u1"), executable


def text_at(data: Any, offset: int) -> str:
    """The text that a zero byte ends; "" where there is none within reason."""
    size = 64 if 0 <= offset < len(data) else _LONGEST_TEXT
    while size < _LONGEST_TEXT:
        text, zero, _ = bytes(data[offset : offset + size]).partition(b"\0")
        if zero:
            return text.decode("utf-8", "surrogateescape")
        size *= 4
    return ""


def _aligned(size: int, align: int) -> int:
    return (size + align - 1) // align * align


def _no_symbols() -> Symbols:
    none = np.zeros(0, U8)
    return Symbols(none, none, np.zeros(0, "u1"), np.zeros(0, "?"), none, np.zeros(0, I8), np.zeros(0, U4), b"")


def _decompressed(name: str, kind: int, data: Any, size: int) -> bytes:
    """A section's bytes. BinaryError when they are not what the header says."""
    if size > _LARGEST_SECTION:
        raise BinaryError(f"section {name} is too large ({size} bytes)")
    try:
        if kind == 1:
            result = zlib.decompressobj().decompress(data, size) if size else b""
        elif kind == 2:
            from zstandard import ZstdDecompressor

            result = ZstdDecompressor().decompressobj().decompress(data)[:size]
        else:
            raise BinaryError(f"section {name} has an unknown compression ({kind})")
    except ImportError:
        raise BinaryError(f"section {name} is compressed with zstd; pip install zstandard") from None
    except BinaryError:
        raise
    except Exception as error:
        raise BinaryError(f"section {name} does not decompress ({error})") from None
    if len(result) != size:
        raise BinaryError(f"section {name} does not decompress to its size")
    return result
