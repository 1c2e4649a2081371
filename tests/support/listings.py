"""Reading disasm reports back: Go's and ours, instruction by instruction."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

_PLACE = 74  # the column of the semicolon before a source line


class Row(NamedTuple):
    flat: int
    cum: int
    place: str  # function and source line, also where the report leaves them out as unchanged
    text: str


class Listing(NamedTuple):
    """head: the lines that are no instructions. rows: of each (routine, address)."""

    head: list[str]
    rows: dict[tuple[str, int], Row]


def parse(report: str) -> Listing:
    """Of a report whose values are whole numbers without unit."""
    head: list[str] = []
    rows: dict[tuple[str, int], Row] = {}
    routine = place = ""
    for line in report.splitlines():
        address = line[22:32].strip()
        if line.startswith("ROUTINE"):
            routine, place = line.partition("= ")[2], ""
        elif line.startswith(" " * _PLACE + ";"):
            place = line[_PLACE + 1 :]
            continue
        elif line[32:34] == ": " and address:
            text = line[34:]
            if line[_PLACE - 1 : _PLACE + 1] == " ;":
                text, place = line[34:_PLACE].rstrip(), line[_PLACE + 1 :]
            flat, cum = (0 if value == "." else int(value) for value in line[:22].split())
            rows[routine, int(address, 16)] = Row(flat, cum, place, text)
            continue
        head.append(line)
    return Listing(head, rows)


def differences(go: Listing, ours: Listing) -> list[str]:
    """What is not as documented.

    Every instruction that Go can decode is there with the same address, values and source line;
    where Go has bytes that it cannot decode ("?"), the instruction that they are of has their values.
    """
    wrong = [] if go.head == ours.head else [f"{set(go.head) - set(ours.head)} is {set(ours.head) - set(go.head)}"]
    starts = sorted(ours.rows)
    sums = {key: [0, 0] for key in starts}
    for key, row in go.rows.items():
        at = starts[bisect_right(starts, key) - 1] if starts else ("", 0)
        if at[0] != key[0]:
            wrong.append(f"{key} has no instruction")
            continue
        sums[at][0] += row.flat
        sums[at][1] += row.cum
        if at == key and row.text != "?" and row.place != ours.rows[at].place:
            wrong.append(f"{key}: {row} is {ours.rows[at]}")
        # Inside an instruction of ours Go has something only where it lost its way.
        if at != key and at in go.rows and go.rows[at].text != "?":
            wrong.append(f"{key}: {row} lies inside {ours.rows[at]} at {at[1]:#x}")
    for key, row in ours.rows.items():
        if sums[key] != [row.flat, row.cum]:
            wrong.append(f"{key}: {sums[key]} is {row}")
    return wrong
