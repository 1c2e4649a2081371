"""Whose code a frame is: the user's own, a dependency's, or the standard library's.

A growing buffer is allocated by bytes.growSlice, a parked goroutine stands in runtime.gopark;
neither is what the user can mend. Growth is blamed on the first frame, seen from the leaf, of the
user's own code; without one on the first of a dependency, of the standard library, of the
runtime (its allocator and its scheduler aside); else it stays with the leaf.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import BOOL, I8, Bools, Ints, filled, select_rows, where_true
from pypprof.profile.model import Block, Profile
from pypprof.profile.stacks import first_true
from pypprof.records import Record

INNERMOST, RUNTIME, STANDARD, DEPENDENCY, OWN = range(5)  # from whom nothing is learnt to the user
# Where every allocation and every wait ends.
_INNERMOST = frozenset(
    "runtime." + name
    for name in "mallocgc newobject makeslice makeslice64 makeslicecopy growslice newarray gopark goparkunlock "
    "rawstring rawbyteslice rawruneslice rawstringtmp mapassign systemstack mcall".split()
)

# The first elements of the standard library's package paths.
_ROOTS = frozenset(
    "archive arena bufio builtin bytes cmp compress container context crypto database debug embed encoding errors "
    "expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect regexp "
    "runtime simd slices sort strconv strings structs sync syscall testing text time unicode unique unsafe uuid "
    "vendor weak".split()
)
_known: dict[tuple[str, str], int] = {}


def package(name: str) -> str:
    """The package path of a Go function's name: net/http of net/http.(*conn).serve; '' if it has none."""
    name = name.partition("[")[0]  # type arguments may hold paths of their own
    directory, slash, rest = name.rpartition("/")
    stem, dot, _ = rest.partition(".")
    return directory + slash + stem if dot else ""


def owner(name: str, file: str) -> int:
    """INNERMOST, RUNTIME, STANDARD, DEPENDENCY or OWN. Names that are not Go's are taken for the user's own."""
    found = _known.get((name, file))
    if found is None:
        root = package(name).partition("/")[0]
        if root == "runtime" or name.startswith(("type:", "type..")):
            found = INNERMOST if name in _INNERMOST else RUNTIME
        elif root in _ROOTS:
            found = STANDARD
        elif "/pkg/mod/" in file or "@v" in file or "/vendor/" in file:
            found = DEPENDENCY
        else:
            found = OWN
        if len(_known) > 1 << 18:
            _known.clear()
        _known[name, file] = found
    return found


class Blame(Record):
    """Which slot (nodes.NodeTable) of each location to blame, for each owner from the least to OWN."""

    has: list[Bools]  # whether the location has a slot of that owner or a later one
    slot: list[Ints]  # the innermost such slot


def blame_table(profile: Profile, slot_starts: Ints) -> Blame:
    """Of a profile that still has its file names."""
    lines, functions = profile.locations.lines, profile.functions
    names, files = profile.texts(functions.name), profile.texts(functions.filename)
    known = _known.get
    found = [owner(*pair) if (its := known(pair)) is None else its for pair in zip(names, files, strict=True)]
    owners = np.array(found or [OWN], I8)
    of_line = owners.take(lines.function, mode="clip")
    starts, leaf = profile.locations.line_starts, slot_starts[:-1]
    has, slot = [filled(len(leaf), True, BOOL)], [leaf]
    for level in range(RUNTIME, OWN + 1):
        first = first_true(of_line >= level, starts)
        has.append(first >= 0)
        slot.append(leaf + np.maximum(first, 0))
    return Blame(has, slot)


def blamed_slots(block: Block, table: Blame) -> Ints:
    """The slot that each sample is blamed on; -1 for a sample without frames."""
    slots = np.zeros(block.size(), I8) - 1
    open_ = where_true(block.counts())
    for has, slot in zip(reversed(table.has), reversed(table.slot), strict=True):
        if not len(open_):
            break
        starts, positions = select_rows(block.starts, open_)
        stacks = block.stacks.take(positions) if len(open_) < block.size() else block.stacks
        # The least position of a hit in each row: nearly all rows have one near their leaf.
        place = np.arange(len(stacks))
        place[~has.take(stacks)] = len(stacks)
        place = np.minimum.reduceat(place, starts[:-1])
        hit = place < starts[1:]
        slots[open_[hit]] = slot.take(stacks.take(place[hit]))
        open_ = open_[~hit]
    return slots
