"""Functions of a unit and the calls inlined in them.

A unit's entries are walked once, from function to function; what lies between is stepped over, by
the sibling references that GCC writes. Only functions with a wanted address are looked into.
Source: DWARF 5, section 3.3.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any

from pypprof.errors import BinaryError
from pypprof.records import Record
from pypprof.symbolize.dwarf import forms
from pypprof.symbolize.dwarf.forms import Abbreviation, Value
from pypprof.symbolize.dwarf.units import Ranges, Unit, Units

_SUBPROGRAM, _INLINED, _BLOCK = 0x2E, 0x1D, (0x0B, 0x32, 0x25, 0x22)  # blocks: lexical, try, catch, with
_BARREN = (0x39, _INLINED, 0x48, 0x4109)  # never hold functions behind siblings: namespaces, inlined and other calls
_LONGEST = 16  # references from a function to its origin


class Call(Record):
    """A function at an address: itself, or inlined at file and line of the one around it."""

    name: int  # the entry that names it, a position in .debug_info
    depth: int
    file: int = 0
    line: int = 0
    column: int = 0


class Name(Record):
    """What a function is called: the linker's name, else the source's."""

    text: str = ""
    start_line: int = 0


class Functions:
    """The functions of all units, read when asked for.

    covered: whether an address may be in a function; what is between functions is not worth a long search.
    """

    def __init__(self, units: Units, covered: Callable[[int], bool]) -> None:
        self._units, self._covered = units, covered
        self._names: dict[int, Name] = {}

    def calls(self, unit: Unit, addresses: list[int]) -> dict[int, list[Call]]:
        """The calls at each of the (ascending) addresses, the outer function first."""
        found = dict[int, list[Call]]()
        missing = addresses
        # Members of classes in functions hide behind the siblings: look everywhere for what is missing.
        for thorough in (False, True):
            for at, ranges in _subprograms(unit, thorough):
                inside = _inside(missing, ranges)
                if inside:
                    self._expand(unit, at, inside, found)
            missing = [address for address in addresses if address not in found and self._covered(address)]
            if not missing:
                break
        return found

    def name(self, position: int) -> Name:
        """The name of the function that an entry describes."""
        known = self._names.get(position)
        if known is None:
            known = self._names[position] = self._read_name(position)
        return known

    def _read_name(self, position: int | None) -> Name:
        name = linkage = ""
        start = 0
        for _ in range(_LONGEST):
            unit = self._units.at(position) if position is not None else None
            if unit is None or position is None:
                break
            try:
                attributes = _attributes(unit, position - unit.start)
            except IndexError:
                break
            linkage = linkage or unit.text(
                attributes.get(forms.LINKAGE_NAME) or attributes.get(forms.MIPS_LINKAGE_NAME)
            )
            name = name or unit.text(attributes.get(forms.NAME))
            line = attributes.get(forms.DECL_LINE)
            start = start or (line[1] if line is not None and isinstance(line[1], int) else 0)
            if linkage:
                break
            origin = attributes.get(forms.ABSTRACT_ORIGIN) or attributes.get(forms.SPECIFICATION)
            position = unit.reference(origin)
        return Name(linkage or name, start if start < 1 << 31 else 0)

    def _expand(self, unit: Unit, at: int, addresses: list[int], found: dict[int, list[Call]]) -> None:
        """Add the calls at addresses inside the function at `at`, a position in the unit."""
        for address in addresses:
            found[address] = [Call(unit.start + at, 0)]
        for depth, position, inlined, attributes, inside in _scopes(unit, at, addresses):
            if not inlined:
                continue
            origin = unit.reference(attributes.get(forms.ABSTRACT_ORIGIN))
            file, line, column = (
                _number(attributes.get(key)) for key in (forms.CALL_FILE, forms.CALL_LINE, forms.CALL_COLUMN)
            )
            call = Call(origin if origin is not None else unit.start + position, depth, file, line, column)
            for address in inside:
                chain = found[address]
                # Where entries overlap, the last one counts, as in LLVM's symbolizer.
                while chain[-1].depth >= depth:
                    chain.pop()
                chain.append(call)


def _number(value: Value | None) -> int:
    return value[1] if value is not None and isinstance(value[1], int) else 0


def _inside(addresses: list[int], ranges: Ranges) -> list[int]:
    """The (ascending) addresses within ranges."""
    if len(ranges) == 1:
        return addresses[bisect_left(addresses, ranges[0][0]) : bisect_left(addresses, ranges[0][1])]
    inside = set[int]()
    for low, high in ranges:
        inside.update(addresses[bisect_left(addresses, low) : bisect_left(addresses, high)])
    return sorted(inside)


def _attributes(unit: Unit, at: int) -> dict[int, Value]:
    code, at = forms.leb(unit.data, at)
    kind = unit.kinds.get(code)
    return forms.read_attributes(unit.data, at, kind, unit.sizes)[0] if kind is not None else {}


def _behind(unit: Unit, at: int, kind: Abbreviation) -> tuple[int, bool]:
    """(position behind an entry's attributes and, if it says where that is, its children; whether it does)."""
    data, (place, size, form) = unit.data, kind.sibling
    if place == -1:
        return (at + kind.fixed if kind.fixed >= 0 else forms.skip(data, at, kind, unit.sizes)), False
    if place >= 0 and form in forms.UNIT_REFERENCES:
        order: Any = unit.sizes.order
        sibling = int.from_bytes(data[at + place : at + place + size], order)
    else:
        attributes, after = forms.read_attributes(data, at, kind, unit.sizes)
        value = attributes.get(forms.SIBLING)
        if value is None or value[0] not in forms.UNIT_REFERENCES:
            return after, False
        sibling = value[1]
    # A reference backwards would never end.
    if at < sibling <= len(data):
        return sibling, True
    return forms.skip(data, at, kind, unit.sizes), False


def _subprograms(unit: Unit, thorough: bool) -> Iterator[tuple[int, Ranges]]:
    """(position, ranges) of the functions with code; with `thorough` also of those in others."""
    data, kinds, sizes, end = unit.data, unit.kinds, unit.sizes, unit.end - unit.start
    unit.sections.spend(end)
    start, (code, at) = unit.first, forms.leb(data, unit.first)
    if code not in kinds:
        return
    at = forms.skip(data, at, kinds[code], sizes)
    inside = 0  # where the function that is looked into ends
    while at < end:
        start, code = at, data[at]
        at += 1
        if not code:
            continue
        if code > 127:
            code, at = forms.leb(data, start)
        kind = kinds.get(code)
        if kind is None:
            raise BinaryError("damaged debug information (an unknown abbreviation)")
        if kind.tag == _SUBPROGRAM and kind.has_pc and (ranges := _ranges(unit, at, kind)):
            yield start, ranges
        if kind.children and (not thorough or kind.tag in _BARREN or (kind.tag != _SUBPROGRAM and at > inside)):
            at, _ = _behind(unit, at, kind)
            continue
        if kind.tag == _SUBPROGRAM and kind.children and at > inside:
            inside, _ = _behind(unit, at, kind)
        if kind.fixed >= 0:
            at += kind.fixed
        else:
            at = forms.skip(data, at, kind, sizes)


def _ranges(unit: Unit, at: int, kind: Abbreviation) -> Ranges:
    """The addresses of the entry whose attributes are at a position."""
    plain = _plain_range(unit, at, kind)
    if plain is not None:
        return plain
    return unit.ranges_of(forms.read_attributes(unit.data, at, kind, unit.sizes)[0])


def _plain_range(unit: Unit, at: int, kind: Abbreviation) -> Ranges | None:
    """The same without reading all attributes, where that is possible; else None."""
    low, high = kind.low, kind.high
    if low[0] < 0 or high[0] < 0 or low[2] != forms.ADDR or high[2] not in forms.CONSTANTS:
        return None
    data = unit.data
    order: Any = unit.sizes.order
    start = int.from_bytes(data[at + low[0] : at + low[0] + low[1]], order)
    size = int.from_bytes(data[at + high[0] : at + high[0] + high[1]], order)
    return [(start, start + size)] if size else []


Scope = tuple[int, int, bool, dict[int, Value], list[int]]


def _scopes(unit: Unit, at: int, addresses: list[int]) -> Iterator[Scope]:
    """(depth, position, whether inlined, attributes, addresses inside) of the blocks in a function.

    Blocks without a wanted address are passed over with all that is in them.
    """
    data, kinds, sizes, end = unit.data, unit.kinds, unit.sizes, unit.end - unit.start
    first = at
    code, at = forms.leb(data, at)
    at = forms.skip(data, at, kinds[code], sizes)
    if not kinds[code].children:
        return
    depth, barren = 1, 0  # `barren`: the depth of a scope without wanted addresses that is walked through
    while depth and at < end:
        start, code = at, data[at]
        at += 1
        if not code:
            depth -= 1
            if depth < barren:
                barren = 0
            continue
        if code > 127:
            code, at = forms.leb(data, start)
        kind = kinds.get(code)
        if kind is None:
            raise BinaryError("damaged debug information (an unknown abbreviation)")
        inlined = kind.tag == _INLINED
        if not barren and (inlined or kind.tag in _BLOCK):
            if not kind.has_pc:
                # A block without addresses of its own is all of the one around it.
                inside, attributes = [] if inlined else addresses, None
            elif (ranges := _plain_range(unit, at, kind)) is not None:
                inside, attributes = _inside(addresses, ranges), None
            else:
                attributes, after = forms.read_attributes(data, at, kind, sizes)
                inside = _inside(addresses, unit.ranges_of(attributes))
            if inside:
                if attributes is None:
                    attributes, after = forms.read_attributes(data, at, kind, sizes)
                at = after
                yield depth, start, inlined, attributes, inside
                depth += kind.children
                continue
        if not kind.children:
            at = at + kind.fixed if kind.fixed >= 0 else forms.skip(data, at, kind, sizes)
            continue
        at, whole = _behind(unit, at, kind)
        if not whole:
            depth += 1
            # What is in a block without wanted addresses, in a type or another function, does not count.
            barren = barren or depth
    unit.sections.spend(at - first)
