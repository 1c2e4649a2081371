"""Names from the server that a profile came from: addresses go to its symbol page by POST.

Protocol and order: google/pprof internal/symbolz/symbolz.go.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence

import numpy as np

from pypprof.columns import I4, I8, U8, Array, starts_of, where_true
from pypprof.errors import PprofError
from pypprof.fetch.address import Address
from pypprof.fetch.transport import Transport
from pypprof.profile.model import Functions, Interner, Lines, Mapping, Profile

Origins = Map[str, Sequence[tuple[Address, int]]]
_GPERFTOOLS = ("heap", "growth", "profile", "pmuprofile", "contention")
_TIMEOUT = 60.0
_WORD = 1 << 64


def symbolized(profile: Profile, origins: Origins, transport: Transport, force: bool) -> Profile:
    """The profile with the names that its servers know. PprofError when one does not answer.

    `origins`: build id or file of a mapping to the servers that sent it, with the mapping's start there.
    """
    mappings = list(profile.mappings)
    for row, mapping in enumerate(mappings):
        if mapping.has_functions and not force:
            continue
        found = [*origins.get(mapping.file, ()), *(origins.get(mapping.build_id, ()) if mapping.build_id else ())]
        if found:
            address, start = found[0]
            profile = _named(profile, row, start - mapping.start, symbol_page(address), transport)
            mappings[row] = mapping._replace(has_functions=True)
    return profile._replace(mappings=tuple(mappings))


def symbol_page(address: Address) -> Address:
    """Where the server of a profile answers for symbols."""
    import posixpath

    path = address.path
    known = "/debug/pprof/" in path or path.endswith(tuple(f"/pprof/{name}" for name in _GPERFTOOLS))
    page = posixpath.normpath(f"{path}/../{'symbol' if known else 'symbolz'}")
    return address._replace(path="/" + page.lstrip("/"), query="")


def _named(profile: Profile, row: int, offset: int, page: Address, transport: Transport) -> Profile:
    """The profile with names for the bare addresses of one mapping."""
    locations = profile.locations
    own = locations.mapping == row
    bare = own & (locations.address != 0) & (locations.line_starts[1:] == locations.line_starts[:-1])
    addresses = locations.address[bare].tolist()
    if not addresses:
        return profile
    if any(not 0 <= address + offset < _WORD for address in addresses):
        raise PprofError("addresses of a mapping do not fit its place in the server")
    query = "+".join(f"{address + offset:#x}" for address in addresses)
    names = {address - offset: name for address, name in _answers(_post(page, query, transport))}
    hits = own & np.isin(locations.address, np.array(list(names), U8))
    return _with_lines(profile, where_true(hits), names)


def _answers(page: bytes) -> list[tuple[int, str]]:
    """(address, name) of each line `0x401000 main.main`."""
    import re

    found = re.findall(rb"(0x[0-9a-fA-F]+)[ \t\f\r]+([^\n]*)\n", page)
    return [(int(address, 16), name.decode("utf-8", "surrogateescape")) for address, name in found]


def _post(page: Address, query: str, transport: Transport) -> bytes:
    from pypprof.fetch.client import Cancelled, Download, get, one_line

    try:
        answer = get(page, transport, Download(_TIMEOUT), 256 << 20, query.encode())
    except Cancelled:
        raise PprofError("cancelled") from None
    if answer.status != 200:
        words = one_line(answer.body) if answer.go else ""
        raise PprofError(f"server response: {answer.status} {answer.reason}{' - ' + words if words else ''}")
    return answer.body


def _with_lines(profile: Profile, rows: Array, names: Map[int, str]) -> Profile:
    """One line, of the function named, for each of these locations."""
    locations, functions = profile.locations, profile.functions
    interner = Interner(profile.strings)
    texts = [names[address] for address in locations.address[rows].tolist()]
    new = {name: len(functions.id) + number for number, name in enumerate(dict.fromkeys(texts))}
    strings = np.array([interner.add(name) for name in new], I4)
    nothing = np.zeros(len(new), I4)
    more = (np.arange(len(functions.id) + 1, len(functions.id) + len(new) + 1), strings, strings, nothing, nothing)
    columns = (np.concatenate((old, added.astype(old.dtype))) for old, added in zip(functions, more, strict=True))

    counts = (locations.line_starts[1:] - locations.line_starts[:-1]).copy()
    named = np.zeros(len(counts), "?")
    named[rows] = True
    kept = ~named.repeat(counts)
    counts[rows] = 1
    starts = starts_of(counts)
    is_new = np.zeros(int(starts[-1]), "?")
    is_new[starts[rows]] = True
    lines = []
    for column, values in zip(locations.lines, (np.array([new[t] for t in texts], I8), 0, 0), strict=True):
        merged = np.zeros(len(is_new), column.dtype)
        merged[~is_new] = column[kept]
        merged[is_new] = values
        lines.append(merged)
    return profile._replace(
        strings=interner.strings, functions=Functions(*columns),
        locations=locations._replace(line_starts=starts, lines=Lines(*lines)),
    )  # fmt: skip


def remember(origins: dict[str, list[tuple[Address, int]]], mappings: Sequence[Mapping], address: Address) -> None:
    """Note that a server has sent these mappings."""
    for mapping in mappings:
        origins.setdefault(mapping.build_id or mapping.file, []).append((address, mapping.start))
