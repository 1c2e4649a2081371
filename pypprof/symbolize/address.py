"""Runtime addresses and file addresses.

A mapping says that the file's bytes from `offset` on were at `start`; a segment says that they
belong at `address`. Hence: file address = runtime address - bias. Go's tool takes `start` less the
page of the first executable segment, which is the same unless the mapping begins elsewhere (text
moved to huge pages, a mapping split in two, segments aligned to more than a page): there it names
the wrong functions, and we do not follow. Source: cmd/pprof Open, google/pprof internal/elfexec.
"""

from __future__ import annotations

from pypprof.symbolize.elf import Binary, Segment

_PAGE = 4096
_MASK = (1 << 64) - 1
_KERNEL = 1 << 63


def load_address(binary: Binary) -> int | None:
    """Where the first executable segment's page belongs; None without one."""
    for segment in binary.segments:
        if segment.executable():
            return segment.address - segment.address % (segment.align or 1)
    return None


def bias(binary: Binary, start: int, limit: int, offset: int) -> int:
    """What to subtract (modulo 2^64) from the runtime addresses of a mapping."""
    if start == 0:
        return 0  # no mapping is known: the addresses are those of the file
    segment = _segment(binary, start, limit, offset)
    if segment is not None:
        return (start - offset + segment.offset - segment.address) & _MASK
    load = load_address(binary)
    return 0 if load is None else (start - load) & _MASK


def to_file(address: int, bias: int) -> int:
    """The file address of one runtime address."""
    return (address - bias) & _MASK


def _segment(binary: Binary, start: int, limit: int, offset: int) -> Segment | None:
    """The executable segment that the mapping shows, if exactly one is in its range of the file."""
    if limit <= start or start >= _KERNEL or binary.type not in ("ET_EXEC", "ET_DYN"):
        return None
    end = offset + limit - start
    found = [
        segment
        for segment in binary.segments
        if segment.executable()
        and segment.file_size
        and segment.offset // _PAGE * _PAGE < end
        and offset < segment.offset + segment.file_size
    ]
    return found[0] if len(found) == 1 else None
