"""Operations on columns: ragged rows, numbering of equal rows, grouped sums.

A ragged table is a flat column with `starts`, an int64 column one longer than the rows: row i
is flat[starts[i]:starts[i + 1]]. All sums are int64 and wrap, as Go's do.

The start-up of the command line loads NumPy's C core alone (see _faststart.py): what the
engine calls must live there, so methods such as a.sum() and functions such as np.unique are
written as np.add.reduce(a) and unique_numbers(a). Nothing breaks otherwise; it only gets slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    # Of bool, int64, int32 and uint64; for the reader, NumPy's own types of dtypes being what they are.
    Array = npt.NDArray[Any]
    Bools = npt.NDArray[Any]
    Ints = npt.NDArray[Any]
    Rows = npt.NDArray[Any]
    UInts = npt.NDArray[Any]
else:
    Array = Bools = Ints = Rows = UInts = np.ndarray

I4, I8, U4, U8 = (np.dtype(code) for code in ("<i4", "<i8", "<u4", "<u8"))
F8 = np.dtype("<f8")
BOOL = np.dtype("?")


def filled(size: int, value: Any, dtype: Any) -> Array:
    """A column of one value."""
    column = np.empty(size, dtype)
    column.fill(value)
    return column


def frozen(column: Array) -> Array:
    """The column, made read-only."""
    column.flags.writeable = False
    return column


def where_true(mask: Array) -> Ints:
    """The positions of the true (or non-zero) entries, int64."""
    return mask.nonzero()[0]


def total(column: Array) -> int:
    """The wrapping int64 sum."""
    return int(np.add.reduce(column)) if len(column) else 0


def largest(column: Array, default: int = 0) -> int:
    return int(np.maximum.reduce(column)) if len(column) else default


def any_true(mask: Array) -> bool:
    return bool(np.logical_or.reduce(mask))


def all_true(mask: Array) -> bool:
    return bool(np.logical_and.reduce(mask))


def join(parts: list[Array], dtype: Any) -> Array:
    """One column of the parts; an empty one of `dtype` when there are none."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def starts_of(counts: Array) -> Ints:
    """Row starts (one longer than the rows) of a ragged table with these row lengths."""
    starts = np.zeros(len(counts) + 1, I8)
    counts.cumsum(out=starts[1:], dtype=I8)
    return starts


def ragged_positions(first: Array, counts: Array) -> Ints:
    """Flat positions first[i], first[i] + 1, ... (counts[i] of them), row after row."""
    ends = counts.cumsum(dtype=I8)
    size = int(ends[-1]) if len(ends) else 0
    base = first - ends
    base += counts
    positions: Ints = base.repeat(counts)
    positions += np.arange(size)
    return positions


def row_any(mask: Bools, starts: Ints) -> Bools:
    """For each ragged row, whether any of its entries is true (false for an empty row)."""
    running = np.zeros(len(mask) + 1, I8)
    mask.cumsum(out=running[1:], dtype=I8)
    edge = running.take(starts)
    some: Bools = edge[1:] > edge[:-1]
    return some


def select_rows(starts: Ints, rows: Array) -> tuple[Ints, Ints]:
    """(new starts, flat positions) of the ragged table that keeps `rows` (indices) only."""
    first = starts.take(rows)
    counts = starts.take(rows + 1) - first
    return starts_of(counts), ragged_positions(first, counts)


def group_edges(ordered: Array) -> Ints:
    """Where each run of equal values starts in a sorted column."""
    if not len(ordered):
        return np.zeros(0, I8)
    return np.concatenate((np.zeros(1, I8), where_true(ordered[1:] != ordered[:-1]) + 1))


def group_stops(starts: Ints, size: int) -> Ints:
    """Where each run that group_edges() found ends in its column of `size` entries."""
    return np.concatenate((starts[1:], np.array([size] if len(starts) else [], I8)))


def number_values(column: Array) -> tuple[Ints, Ints]:
    """Number equal values alike: (number of each entry, an entry of each number).

    Numbers run from 0 in ascending order of the values; the entry is the first that has it.
    """
    size = len(column)
    if not size:
        return np.zeros(0, I8), np.zeros(0, I8)
    low, high = int(np.minimum.reduce(column)), int(np.maximum.reduce(column))
    if low >= 0 and high <= 4 * size + 1024:
        column = column.astype(I8, copy=False)
        seen = np.zeros(high + 1, BOOL)
        seen[column] = True
        present = where_true(seen)
        number = np.empty(high + 1, I8)
        number[present] = np.arange(len(present))
        first = np.empty(high + 1, I8)
        first[column[::-1]] = np.arange(size - 1, -1, -1)
        return number.take(column), first.take(present)
    order = column.argsort(kind="stable")
    edges = group_edges(column.take(order))
    number = np.zeros(size, I8)
    number[edges[1:]] = 1
    number.cumsum(out=number)
    numbers = np.empty(size, I8)
    numbers[order] = number
    return numbers, order.take(edges)


def number_rows(columns: list[Array]) -> tuple[Ints, Ints]:
    """number_values() of whole rows: columns of equal length, compared entry by entry."""
    numbers, first = number_values(columns[0])
    for column in columns[1:]:
        if all_true(column == column[:1]):
            continue
        other, distinct = number_values(column)
        numbers, first = number_values(numbers * len(distinct) + other)
    return numbers, first


def in_order_of_appearance(numbers: Ints, first: Ints) -> tuple[Ints, Ints]:
    """Renumber so that numbers ascend with the position where each appears first."""
    order = first.argsort()
    rank = np.empty(len(order), I8)
    rank[order] = np.arange(len(order))
    return rank.take(numbers), first.take(order)


def distinct(indices: Array, size: int) -> Ints:
    """The distinct values among `indices` (0 <= index < size), ascending."""
    used = np.zeros(size, BOOL)
    used[indices] = True
    return where_true(used)


def table_of(values: Any, size: int, dtype: Any, at: Array, default: Any) -> Array:
    """A look-up column of `size` entries: `values` at the positions `at`, else `default`."""
    table = filled(size, default, dtype)
    table[at] = values
    return table


_MIX_A, _MIX_B = np.array([0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93], U8)
_SHIFT, _ONE = np.array([32, 1], U8)


def mix(values: Array, salt: int = 0) -> UInts:
    """A well-spread 64-bit hash of each value (multiply and shift, after Wyhash's finisher)."""
    h = values.astype(U8)
    h += np.array([(salt * 0xA0761D6478BD642F + 0x8EBC6AF09C88C6E3) & 0xFFFFFFFFFFFFFFFF], U8)[0]
    h *= _MIX_A
    h ^= h >> _SHIFT
    h *= _MIX_B
    h ^= h >> _SHIFT
    return h


def hash_rows(flat: Array, starts: Ints) -> UInts:
    """A 64-bit hash of each ragged row; equal rows hash alike, order matters."""
    return _hash_mixed(mix(flat), starts)


def _hash_mixed(h: UInts, starts: Ints) -> UInts:
    """hash_rows() of entries that are mixed already; they are used up."""
    counts = starts[1:] - starts[:-1]
    place = np.arange(len(h), dtype=I8)
    place -= starts[:-1].repeat(counts)
    # A sum of products with odd factors: rows that differ in one entry never hash alike.
    factors = mix(np.arange(largest(counts)), 1)
    factors |= _ONE
    h *= factors.take(place)
    running = np.zeros(len(h) + 1, U8)
    h.cumsum(out=running[1:])
    edge = running.take(starts)
    return mix(edge[1:] - edge[:-1], 3) + counts.astype(U8)


_PIECE = 1 << 16  # entries worked on at a time: they fit in a cache


def number_ragged(columns: list[Array], starts: Ints) -> tuple[Ints, Ints]:
    """Number equal ragged rows alike, exactly: (number of each row, a first row of each number).

    Piece by piece: what is needed beside the columns does not grow with them.
    """
    for salt in range(64):
        hashes = list(in_parallel(partial(_hashes, columns, starts, salt), _pieces(starts)))
        numbers, first = number_values(join(hashes, U8).view(I8))
        if all(in_parallel(partial(_alike, columns, starts, numbers, first), _pieces(starts))):
            return numbers, first
    raise AssertionError("64 hash functions collide")


def _pieces(starts: Ints) -> list[tuple[int, int]]:
    """Ranges of rows with about _PIECE entries each."""
    rows = len(starts) - 1
    count = int(starts[-1]) // _PIECE + 1
    edges = [int(starts.searchsorted(piece * _PIECE)) for piece in range(1, count)]
    edges = [0, *sorted({edge for edge in edges if 0 < edge < rows}), rows]
    return list(zip(edges[:-1], edges[1:], strict=True))


def _hashes(columns: list[Array], starts: Ints, salt: int, piece: tuple[int, int]) -> Array:
    """A hash of each row of the piece."""
    low, high = piece
    own = slice(int(starts[low]), int(starts[high]))
    h = mix(columns[0][own], salt * 97 + 11)
    for index, column in enumerate(columns[1:], 1):
        h ^= mix(column[own], salt * 97 + index * 7 + 11)
    if len(columns) > 1:
        h = mix(h)
    return _hash_mixed(h, starts[low : high + 1] - own.start)


def _alike(columns: list[Array], starts: Ints, numbers: Ints, first: Ints, piece: tuple[int, int]) -> bool:
    """Whether each row of the piece equals the first row of its number."""
    low, high = piece
    like = first.take(numbers[low:high])
    if all_true(like == np.arange(low, high)):
        return True
    begin = starts.take(like)
    counts = starts[low + 1 : high + 1] - starts[low:high]
    if not all_true(counts == starts.take(like + 1) - begin):
        return False
    own, other = slice(int(starts[low]), int(starts[high])), ragged_positions(begin, counts)
    return all(all_true(column[own] == column.take(other)) for column in columns)


T = TypeVar("T")
R = TypeVar("R")
_WORTH_THREADS = 6  # blocks; fewer are done before a pool of threads is up


def in_parallel(work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """work() of each item, in order; of many items on all cores (NumPy lets go of the lock)."""
    import os

    cores = min(os.cpu_count() or 1, 8)
    if len(items) < _WORTH_THREADS or cores == 1:
        yield from map(work, items)
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(cores)
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
