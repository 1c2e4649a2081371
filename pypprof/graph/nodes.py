"""Nodes: the distinct program locations of a view, and which node each frame is.

A node's identity is what pprof's NodeInfo holds; the granularity has already removed from the
profile what must not tell nodes apart. Source: google/pprof internal/graph/graph.go.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import (
    BOOL,
    I4,
    I8,
    Array,
    Bools,
    Ints,
    Rows,
    all_true,
    distinct,
    filled,
    largest,
    number_rows,
    starts_of,
)
from pypprof.fetch import paths
from pypprof.profile.model import Profile
from pypprof.records import Record


class NodeInfo(Record):
    """A program location."""

    name: str
    address: int
    file: str
    start_line: int
    line: int
    column: int
    objfile: str

    def components(self) -> list[str]:
        """The parts of the printed name."""
        parts = [f"{self.address:016x}"] if self.address else []
        if self.name:
            parts.append(self.name)
        if self.line:
            parts.append(f"{self.file}:{self.line}" + (f":{self.column}" if self.column else ""))
        elif self.file:
            parts.append(self.file)
        elif not self.name:
            parts.append(f"[{paths.base(self.objfile)}]" if self.objfile else "<unknown>")
        return parts

    def printable(self) -> str:
        return " ".join(self.components())

    def order_key(self) -> str:
        """What Go compares last: fmt.Sprint of the NodeInfo (with its empty OrigName)."""
        return f"{{{self.name}  {self.address} {self.file} {self.start_line} {self.line} {self.column} {self.objfile}}}"


class NodeTable:
    """The nodes of a profile. File names are trimmed (paths.trim) unless trim_path is None.

    A slot is one line of a location, or the location itself when it has no line. Slots of
    location i: slot_starts[i]..slot_starts[i + 1], innermost first.

    slot_node  int32, the node of each slot
    slot_inner bool, whether the slot is inlined into the next one of its location
    count      number of nodes
    """

    def __init__(
        self, profile: Profile, keep_objfiles: bool, trim_path: str | None = None, source_path: str = ""
    ) -> None:
        self.slot_starts, line_of = _slots(profile)
        counts = self.slot_starts[1:] - self.slot_starts[:-1]
        self.slot_inner: Bools = filled(len(line_of), True, BOOL)
        self.slot_inner[self.slot_starts[1:] - 1] = False
        self._columns = _Columns(profile, line_of, counts, keep_objfiles, trim_path, source_path)
        numbers, first = number_rows(self._columns.identity())
        self.slot_node: Rows = numbers.astype(I4)
        self.first_slot = first
        self.count = len(first)
        self.max_slots = largest(counts)
        self._infos: dict[int, NodeInfo] = {}
        self._printable: dict[int, str] = {}

    def info(self, node: int) -> NodeInfo:
        info = self._infos.get(node)
        if info is None:
            info = self._infos[node] = self._columns.info(int(self.first_slot[node]))
        return info

    def printable(self, node: int) -> str:
        text = self._printable.get(node)
        if text is None:
            text = self._printable[node] = self.info(node).printable()
        return text

    def names(self) -> list[str]:
        """The function name of every node."""
        return self._columns.names(self.first_slot)

    def functions(self) -> Ints:
        """A number for the whole function that each node belongs to (pprof's Node.Function)."""
        return self._columns.functions(self.first_slot)


def _slots(profile: Profile) -> tuple[Ints, Ints]:
    """(slot starts, the line of each slot, -1 for a location without lines)."""
    starts = profile.locations.line_starts
    counts = starts[1:] - starts[:-1]
    if all_true(counts > 0):
        return starts, np.arange(int(starts[-1]))
    slot_starts = starts_of(np.maximum(counts, 1))
    line_of = filled(int(slot_starts[-1]), -1, I8)
    place = np.arange(int(starts[-1])) + (slot_starts[:-1] - starts[:-1]).repeat(counts)
    line_of[place] = np.arange(int(starts[-1]))
    return slot_starts, line_of


class _Columns:
    """The NodeInfo columns of all slots."""

    def __init__(
        self, profile: Profile, line_of: Ints, counts: Ints, keep_objfiles: bool, trim_path: str | None,
        source_path: str,
    ) -> None:  # fmt: skip
        locations, functions = profile.locations, profile.functions
        self._strings = profile.strings
        bare = line_of < 0
        function = _pick(locations.lines.function, line_of, 0)
        self.name = _pick(_equal_strings(profile, functions.name), function, 0)
        self._files, file_of = _files(profile, trim_path, source_path)
        self.file = _pick(file_of, function, 0)
        self.line = _pick(locations.lines.line, line_of, 0)
        self.column = _pick(locations.lines.column, line_of, 0)
        self.start_line = _pick(functions.start_line, function, 0)
        self.address = locations.address.repeat(counts)
        self._objfiles, objfile_of = _numbered([m.file for m in profile.mappings])
        # The last entry serves locations without a mapping (-1) and stands for ''.
        self.objfile = np.array([*objfile_of, 0], I8).take(locations.mapping.repeat(counts))
        if not all_true(np.logical_not(bare)):
            for column in (self.name, self.file, self.line, self.column, self.start_line):
                column[bare] = 0
        if not keep_objfiles:
            nameless = self.name == 0
            self.objfile *= nameless
            self.start_line = self.start_line * nameless

    def identity(self) -> list[Array]:
        return [self.name, self.address, self.file, self.line, self.column, self.start_line, self.objfile]

    def info(self, slot: int) -> NodeInfo:
        return NodeInfo(
            self._strings[int(self.name[slot])], int(self.address[slot]), self._files[int(self.file[slot])],
            int(self.start_line[slot]), int(self.line[slot]), int(self.column[slot]),
            self._objfiles[int(self.objfile[slot])],
        )  # fmt: skip

    def names(self, slots: Ints) -> list[str]:
        return list(map(self._strings.__getitem__, self.name.take(slots).tolist()))

    def functions(self, slots: Ints) -> Ints:
        whole = (self.address.take(slots) == 0) & (self.line.take(slots) == 0)
        column = self.column.take(slots) * whole
        rest = [c.take(slots) for c in (self.file, self.start_line, self.objfile)]
        return number_rows([self.name.take(slots), column, *rest])[0]


def _pick(values: Array, rows: Array, default: int) -> Ints:
    """values[rows] as int64; `default` where there is no table at all."""
    if not len(values):
        return np.zeros(len(rows), I8) + default
    return values.take(rows, mode="clip").astype(I8)


def _numbered(texts: list[str]) -> tuple[list[str], list[int]]:
    """(distinct texts with '' first, the number of each text)."""
    numbers = {"": 0}
    places = [numbers.setdefault(text, len(numbers)) for text in texts]
    return list(numbers), places


def _used(profile: Profile, indices: Array) -> tuple[Ints, list[str]]:
    rows = distinct(indices, len(profile.strings))
    return rows, profile.texts(rows)


def _equal_strings(profile: Profile, indices: Rows) -> Array:
    """String indices in which equal strings have equal indices, and '' has 0."""
    rows, texts = _used(profile, indices)
    if len(set(texts)) == len(texts) and "" not in texts[1:] and (not texts or texts[0] or rows[0] == 0):
        return indices
    first: dict[str, int] = {"": 0}
    table = np.zeros(len(profile.strings), I8)
    table[rows] = [first.setdefault(text, row) for text, row in zip(texts, rows.tolist(), strict=True)]
    return table.take(indices)


def _files(profile: Profile, trim_path: str | None, source_path: str) -> tuple[list[str], Array]:
    """(distinct cleaned file names, the number of each function's)."""
    rows, texts = _used(profile, profile.functions.filename)
    if trim_path is not None:
        texts = [paths.trim(text, trim_path, source_path) for text in texts]
    names, numbers = _numbered([paths.clean(text) if text else "" for text in texts])
    table = np.zeros(len(profile.strings), I8)
    table[rows] = numbers
    return names, table.take(profile.functions.filename)
