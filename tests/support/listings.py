"""Reading disasm reports back: Go's and ours, instruction by instruction."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(r" *(\S+) +(\S+) +([0-9a-f]+): (.*?)(?: *;(.*))?$")
_PLACE = re.compile(r" {74};(.*)$")


class Row(NamedTuple):
    flat: str
    cum: str
    place: str  # function and source line, also where the report leaves them out as unchanged
    text: str


class Listing(NamedTuple):
    """head: the lines that are no instructions. rows: of each (routine, address)."""

    head: list[str]
    rows: dict[tuple[str, int], Row]


def parse(report: str) -> Listing:
    head: list[str] = []
    rows: dict[tuple[str, int], Row] = {}
    routine = place = ""
    for line in report.splitlines():
        if line.startswith("ROUTINE"):
            routine, place = line.split(" ")[2], ""
        alone = _PLACE.match(line)
        found = _LINE.match(line)
        if alone:
            place = alone[1]
        elif found and not line.startswith(("ROUTINE", "Total")):
            place = found[5] or place
            rows[routine, int(found[3], 16)] = Row(found[1], found[2], place, found[4])
        else:
            head.append(line)
    return Listing(head, rows)
