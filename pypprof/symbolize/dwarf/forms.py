"""How attributes are written: sizes of forms, abbreviations, and reading the few attributes that count.

An abbreviation lists the attributes of an entry (DIE) and their forms. Most entries are only
stepped over, so each abbreviation carries how far that is. Source: DWARF 5, section 7.5.
"""

from __future__ import annotations

from typing import Any

from pypprof.errors import BinaryError
from pypprof.records import Record

# Attributes.
SIBLING, NAME, LOW_PC, HIGH_PC, COMP_DIR = 0x01, 0x03, 0x11, 0x12, 0x1B
STMT_LIST, ABSTRACT_ORIGIN, DECL_LINE, SPECIFICATION, RANGES = 0x10, 0x31, 0x3B, 0x47, 0x55
CALL_COLUMN, CALL_FILE, CALL_LINE, LINKAGE_NAME = 0x57, 0x58, 0x59, 0x6E
STR_OFFSETS_BASE, ADDR_BASE, RNGLISTS_BASE, MIPS_LINKAGE_NAME = 0x72, 0x73, 0x74, 0x2007
GNU_RANGES_BASE, GNU_ADDR_BASE = 0x2132, 0x2133
WANTED = frozenset((
    SIBLING, NAME, LOW_PC, HIGH_PC, COMP_DIR, STMT_LIST, ABSTRACT_ORIGIN, DECL_LINE, SPECIFICATION, RANGES,
    CALL_COLUMN, CALL_FILE, CALL_LINE, LINKAGE_NAME, MIPS_LINKAGE_NAME, STR_OFFSETS_BASE, ADDR_BASE, RNGLISTS_BASE,
    GNU_RANGES_BASE, GNU_ADDR_BASE,
))  # fmt: skip

# Forms.
ADDR, STRING, STRP, LINE_STRP, SEC_OFFSET, REF_ADDR, REF_UDATA = 0x01, 0x08, 0x0E, 0x1F, 0x17, 0x10, 0x15
UDATA, SDATA, INDIRECT, EXPRLOC, IMPLICIT_CONST, RNGLISTX, ADDRX, STRX = 0x0F, 0x0D, 0x16, 0x18, 0x21, 0x23, 0x1B, 0x1A
GNU_ADDR_INDEX, GNU_STR_INDEX = 0x1F01, 0x1F02
STRING_INDICES = frozenset((STRX, 0x25, 0x26, 0x27, 0x28, GNU_STR_INDEX))
ADDRESS_INDICES = frozenset((ADDRX, 0x29, 0x2A, 0x2B, 0x2C, GNU_ADDR_INDEX))
CONSTANTS = frozenset((0x05, 0x06, 0x07, 0x0B))
UNIT_REFERENCES = frozenset((0x11, 0x12, 0x13, 0x14, REF_UDATA))
_FIXED = {
    0x05: 2, 0x06: 4, 0x07: 8, 0x0B: 1, 0x0C: 1, 0x11: 1, 0x12: 2, 0x13: 4, 0x14: 8, 0x19: 0, 0x1C: 4, 0x1E: 16,
    0x20: 8, 0x21: 0, 0x24: 8, 0x25: 1, 0x26: 2, 0x27: 3, 0x28: 4, 0x29: 1, 0x2A: 2, 0x2B: 3, 0x2C: 4,
}  # fmt: skip
_OFFSETS = frozenset((STRP, SEC_OFFSET, LINE_STRP, 0x1D, 0x1F20, 0x1F21))  # of the size of an offset
_NUMBERS = frozenset((UDATA, REF_UDATA, STRX, ADDRX, 0x22, RNGLISTX, GNU_ADDR_INDEX, GNU_STR_INDEX))
_BLOCKS = {0x0A: 1, 0x03: 2, 0x04: 4}  # with a length of so many bytes
_SKIP_NUMBER, _SKIP_OTHER = -1, -2

UNWANTED = -1

Value = tuple[int, Any]  # form, what is written


class Sizes(Record):
    """What the sizes of some forms depend on."""

    address: int
    offset: int
    version: int
    order: str  # "little" or "big"


Place = tuple[int, int, int]  # position, size, form
NOWHERE: Place = (-1, 0, 0)
SOMEWHERE: Place = (-2, 0, 0)


class Abbreviation(Record):
    """One kind of entry."""

    tag: int
    children: bool
    # Attribute, form, size or < 0, implicit value; neighbours that nobody wants are one.
    attributes: tuple[tuple[int, int, int, int], ...]
    fixed: int  # the size of all attributes, -1 when it varies
    has_pc: bool
    # Where the attributes are, counted from the first one; SOMEWHERE when that varies.
    sibling: Place
    low: Place
    high: Place


def leb(data: Any, at: int) -> tuple[int, int]:
    """(unsigned LEB128 number, position behind it)."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 70:
            raise BinaryError("damaged debug information (a number without end)")


def signed_leb(data: Any, at: int) -> tuple[int, int]:
    """(signed LEB128 number, position behind it)."""
    first = at
    value, at = leb(data, at)
    bits = 7 * (at - first)
    return (value - (1 << bits) if value >> (bits - 1) else value), at


def form_size(form: int, sizes: Sizes) -> int:
    """The bytes that a form takes; negative when that varies."""
    if form in _FIXED:
        return _FIXED[form]
    if form in _OFFSETS:
        return sizes.offset
    if form == ADDR:
        return sizes.address
    if form == REF_ADDR:
        return sizes.address if sizes.version < 3 else sizes.offset
    return _SKIP_NUMBER if form in _NUMBERS or form == SDATA else _SKIP_OTHER


def read_abbreviations(data: Any, at: int, sizes: Sizes) -> tuple[dict[int, Abbreviation], int]:
    """(a table by code, position behind it)."""
    table = dict[int, Abbreviation]()
    while True:
        code, at = leb(data, at)
        if not code:
            return table, at
        tag, at = leb(data, at)
        children = bool(data[at])
        at += 1
        rows, fixed, pc = list[tuple[int, int, int, int]](), 0, False
        places = {SIBLING: NOWHERE, LOW_PC: NOWHERE, HIGH_PC: NOWHERE}
        while True:
            attribute, at = leb(data, at)
            form, at = leb(data, at)
            implicit = 0
            if form == IMPLICIT_CONST:
                implicit, at = signed_leb(data, at)
            if not attribute and not form:
                break
            size = form_size(form, sizes)
            if attribute in places:
                places[attribute] = (fixed, size, form) if size > 0 and fixed >= 0 else SOMEWHERE
            fixed = -1 if size < 0 or fixed < 0 else fixed + size
            pc |= attribute in (LOW_PC, RANGES)
            if attribute not in WANTED:
                attribute = UNWANTED
                if size >= 0 and rows and rows[-1][0] == UNWANTED and rows[-1][2] >= 0:
                    size += rows.pop()[2]
            rows.append((attribute, form, size, implicit))
        table[code] = Abbreviation(tag, children, tuple(rows), fixed, pc, *places.values())


def skip(data: Any, at: int, abbreviation: Abbreviation, sizes: Sizes) -> int:
    """The position behind an entry's attributes."""
    if abbreviation.fixed >= 0:
        return at + abbreviation.fixed
    for _, form, size, _ in abbreviation.attributes:
        if size >= 0:
            at += size
        elif size == _SKIP_NUMBER:
            while data[at] > 127:
                at += 1
            at += 1
        else:
            _, at = read_form(data, at, form, sizes)
    return at


def read_attributes(data: Any, at: int, abbreviation: Abbreviation, sizes: Sizes) -> tuple[dict[int, Value], int]:
    """(the wanted attributes of an entry, position behind it)."""
    found = dict[int, Value]()
    order: Any = sizes.order
    for attribute, form, size, implicit in abbreviation.attributes:
        if size >= 0:
            if attribute > 0:
                found[attribute] = form, int.from_bytes(data[at : at + size], order) if size else implicit
            at += size
        else:
            value, at = read_form(data, at, form, sizes)
            if form == INDIRECT:
                form, value = value
            if attribute > 0:
                found[attribute] = form, value
    return found, at


def read_form(data: Any, at: int, form: int, sizes: Sizes) -> tuple[Any, int]:
    """(value, position behind it) of one form: a number, or bytes."""
    order: Any = sizes.order
    size = form_size(form, sizes)
    if size >= 0:
        return int.from_bytes(data[at : at + size], order), at + size
    if form == SDATA:
        return signed_leb(data, at)
    if form in _NUMBERS:
        return leb(data, at)
    if form == STRING:
        end = at
        while data[end]:
            end += 1
        return bytes(data[at:end]), end + 1
    if form in _BLOCKS:
        width = _BLOCKS[form]
        start, size = at + width, int.from_bytes(data[at : at + width], order)
    elif form in (EXPRLOC, 0x09):
        size, start = leb(data, at)
    elif form == INDIRECT:
        form, at = leb(data, at)
        if form in (INDIRECT, IMPLICIT_CONST):
            raise BinaryError("damaged debug information (an indirect form)")
        value, at = read_form(data, at, form, sizes)
        return (form, value), at
    else:
        raise BinaryError(f"unknown kind of debug information (form {form:#x})")
    if start + size > len(data):
        raise BinaryError("damaged debug information (a block beyond its section)")
    return data[start : start + size], start + size
