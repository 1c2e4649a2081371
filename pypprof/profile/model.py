"""The columnar profile.

Text is `str` decoded from UTF-8 with undecodable bytes as lone surrogates (surrogateescape), so
that every byte survives the way in and out. String columns hold indices into Profile.strings,
whose entry 0 is ''. All columns are read-only; a change makes a new table that shares the
columns it did not touch.

Layout and meaning of the fields: profile.proto of google/pprof.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import I4, I8, Array, Bools, Ints, Rows, all_true, starts_of, table_of, where_true
from pypprof.records import Record

ENCODING = "utf-8"
ERRORS = "surrogateescape"


class ValueType(Record):
    """What one column of sample values counts, and in which unit."""

    type: str = ""
    unit: str = ""


class Mapping(Record):
    """A range of addresses [start, limit) that a file was mapped to at `offset`."""

    id: int
    start: int = 0
    limit: int = 0
    offset: int = 0
    file: str = ""
    build_id: str = ""
    has_functions: bool = False
    has_filenames: bool = False
    has_line_numbers: bool = False
    has_inline_frames: bool = False


class Functions(Record):
    """One row a function. Shape (functions,)."""

    id: Array  # uint64
    name: Rows  # string index
    system_name: Rows  # string index
    filename: Rows  # string index
    start_line: Ints


class Lines(Record):
    """The source lines of all locations, location after location, innermost (leaf) first."""

    function: Rows  # function row
    line: Ints
    column: Ints


class Locations(Record):
    """One row a location. Lines of row i: lines[line_starts[i]:line_starts[i + 1]]."""

    id: Array  # uint64
    mapping: Rows  # index into Profile.mappings, -1 for none
    address: Array  # uint64
    folded: Array  # bool
    line_starts: Ints
    lines: Lines

    def without_lines(self) -> Bools:
        """Whether each location is a bare address."""
        mask: Bools = self.line_starts[1:] == self.line_starts[:-1]
        return mask


class Labels(Record):
    """Tags of a block's samples in the order of the file: one row a tag.

    A row with a non-empty string is a string tag, else a numeric one. `sample` ascends.
    """

    sample: Ints  # row in the block
    key: Rows  # string index
    text: Rows  # string index; 0 for a numeric tag
    number: Ints
    unit: Rows  # string index; 0 for none


class Block(Record):
    """Some thousand consecutive samples. Blocks bound the memory of every operation."""

    starts: Ints  # (samples + 1,)
    stacks: Array  # uint32 location rows, leaf first
    values: Ints  # (samples, sample types)
    labels: Labels | None

    def size(self) -> int:
        return len(self.starts) - 1

    def counts(self) -> Ints:
        return self.starts[1:] - self.starts[:-1]


class Frame(Record):
    """A function and a line in it, by name."""

    function: str
    file: str = ""
    line: int = 0


class Aside(Record):
    """What a legacy text says beside its samples.

    names   the frames of an address, innermost first: for locations that nothing else gives lines
    memory  runtime.MemStats, in the order of the text
    """

    names: dict[int, tuple[Frame, ...]]
    memory: dict[str, str]


class Profile(Record):
    """A whole profile, valid by the rules of profile/check.py."""

    strings: list[str]
    sample_types: tuple[ValueType, ...]
    blocks: tuple[Block, ...]
    mappings: tuple[Mapping, ...]
    locations: Locations
    functions: Functions
    default_sample_type: str = ""
    comments: tuple[str, ...] = ()
    doc_url: str = ""
    drop_frames: str = ""
    keep_frames: str = ""
    time_nanos: int = 0
    duration_nanos: int = 0
    period_type: ValueType = ValueType()
    period: int = 0
    aside: Aside | None = None

    def sample_count(self) -> int:
        return sum(block.size() for block in self.blocks)

    def is_nameless(self) -> bool:
        """Whether at least half of the locations are bare addresses."""
        count = len(self.locations.id)
        return count > 0 and 2 * len(where_true(self.locations.without_lines())) >= count

    def texts(self, column: Array) -> list[str]:
        """The strings of a column of string indices."""
        return list(map(self.strings.__getitem__, column.tolist()))


def same_tables(one: Profile, other: Profile) -> bool:
    """Whether two profiles have the same strings, mappings, locations and functions: those of one program may."""
    if one.strings != other.strings or one.mappings != other.mappings:
        return False
    pairs = zip(_columns(one), _columns(other), strict=True)
    return all(a is b or (len(a) == len(b) and all_true(a == b)) for a, b in pairs)


def _columns(profile: Profile) -> list[Array]:
    *columns, lines = profile.locations
    return [*profile.functions, *columns, *lines]


def no_lines() -> Lines:
    return Lines(np.zeros(0, I4), np.zeros(0, I8), np.zeros(0, I8))


class Interner:
    """Adds strings to a profile's table; a known string keeps its index.

    Only strings that were added through it are shared: the table may hold duplicates.
    """

    def __init__(self, strings: list[str]) -> None:
        self.strings = strings.copy()
        self._index: dict[str, int] | None = None

    def add(self, text: str) -> int:
        if self._index is None:
            self._index = {}
            for index, known in enumerate(self.strings):
                self._index.setdefault(known, index)
        index = self._index.setdefault(text, len(self.strings))
        if index == len(self.strings):
            self.strings.append(text)
        return index


def select_labels(labels: Labels | None, keep: Array) -> Labels | None:
    """The tags at the positions (or of the mask) `keep`; None when none are left."""
    if labels is None:
        return None
    picked = Labels(*(column[keep] for column in labels))
    return picked if len(picked.sample) else None


def select_samples(block: Block, rows: Ints) -> Block:
    """The block with the samples at `rows` (ascending) only."""
    size = block.size()
    if len(rows) == size:
        return block
    from pypprof.columns import select_rows

    starts, positions = select_rows(block.starts, rows)
    labels = block.labels
    if labels is not None:
        new_row = table_of(np.arange(len(rows)), size, I8, rows, -1)
        moved = new_row.take(labels.sample)
        labels = select_labels(labels._replace(sample=moved), moved >= 0)
    return Block(starts, block.stacks.take(positions), block.values.take(rows, 0), labels)


def empty_block(types: int) -> Block:
    return Block(starts_of(np.zeros(0, I8)), np.zeros(0, "<u4"), np.zeros((0, types), I8), None)
