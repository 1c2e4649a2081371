"""Whose code a frame is: the user's own, a dependency's, or the standard library's.

A growing buffer is allocated by bytes.growSlice, a parked goroutine stands in runtime.gopark;
neither is what the user can mend. Growth is blamed on the first frame, seen from the leaf, of the
user's own code; without one on the first of a dependency; else it stays with the leaf.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import I8, Array, Bools, Ints, where_true
from pypprof.profile.model import Block, Profile
from pypprof.profile.stacks import first_true
from pypprof.records import Record

STANDARD, DEPENDENCY, OWN = range(3)

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
    """STANDARD, DEPENDENCY or OWN. Names that are not Go's are taken for the user's own."""
    found = _known.get((name, file))
    if found is None:
        root = package(name).partition("/")[0]
        if root in _ROOTS or name.startswith(("type:", "type..")):
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
    """Where to look for the blamed slot (nodes.NodeTable) of each sample, one entry a location."""

    own: Bools  # has a slot of the user's own code
    own_slot: Ints  # the innermost such slot
    other: Bools  # has a slot that is not the standard library's
    other_slot: Ints
    leaf_slot: Ints


def blame_table(profile: Profile, slot_starts: Ints) -> Blame:
    """Of a profile that still has its file names."""
    lines, functions = profile.locations.lines, profile.functions
    names, files = profile.texts(functions.name), profile.texts(functions.filename)
    owners = np.array([owner(*pair) for pair in zip(names, files, strict=True)] or [OWN], I8)
    of_line = owners.take(lines.function, mode="clip")
    starts = profile.locations.line_starts
    found: list[Array] = []
    for level in (OWN, DEPENDENCY):
        first = first_true(of_line >= level, starts)
        found += [first >= 0, slot_starts[:-1] + np.maximum(first, 0)]
    return Blame(*found, slot_starts[:-1])


def blamed_slots(block: Block, table: Blame) -> Ints:
    """The slot that each sample is blamed on; -1 for a sample without frames."""
    slots = np.zeros(block.size(), I8) - 1
    leaf = where_true(block.counts())
    slots[leaf] = table.leaf_slot.take(block.stacks.take(block.starts.take(leaf)))
    for has, its_slot in ((table.other, table.other_slot), (table.own, table.own_slot)):
        place = first_true(has.take(block.stacks), block.starts)
        rows = where_true(place >= 0)
        slots[rows] = its_slot.take(block.stacks.take(block.starts.take(rows) + place.take(rows)))
    return slots
