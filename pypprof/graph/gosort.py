"""Go's sort.Sort, for the one place where its treatment of equal elements shows.

A call tree is sorted twice, the second time from the order that the first sort left, and many of
its nodes are equal by pprof's criteria (same name, same score). Which of them comes first then
depends on the steps of the algorithm: Go's pattern-defeating quicksort (Go's sort package,
after Orson Peters, https://arxiv.org/abs/2106.05123).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_INSERTION = 12  # ranges up to this length are sorted by insertion
_SHORT = 50  # shorter ranges get no ninther and no repair of nearly sorted input
_REPAIRS = 5
_MOST_SWAPS = 12


def go_sorted(items: list[T], key: Callable[[T], Any]) -> list[T]:
    """The items in the order in which Go's sort.Sort leaves them when it compares keys."""
    sorter = _Sorter([(key(item), index) for index, item in enumerate(items)])
    sorter.sort(0, len(items), len(items).bit_length())
    return [items[index] for _, index in sorter.data]


class _Sorter:
    def __init__(self, data: list[tuple[Any, int]]) -> None:
        self.data = data

    def less(self, i: int, j: int) -> bool:
        return bool(self.data[i][0] < self.data[j][0])

    def swap(self, i: int, j: int) -> None:
        self.data[i], self.data[j] = self.data[j], self.data[i]

    def sort(self, low: int, high: int, limit: int) -> None:
        balanced = partitioned = True
        while high - low > _INSERTION:
            length = high - low
            if limit == 0:
                self.heap_sort(low, high)
                return
            if not balanced:
                self.break_patterns(low, high)
                limit -= 1
            pivot, swaps = self.choose_pivot(low, high)
            if swaps == _MOST_SWAPS:
                self.data[low:high] = self.data[low:high][::-1]
                pivot, swaps = high - 1 - (pivot - low), 0
            if balanced and partitioned and swaps == 0 and self.repair(low, high):
                return
            if low > 0 and not self.less(low - 1, pivot):
                # The element before the range is no smaller than the pivot: skip its equals.
                low = self.partition_equal(low, high, pivot)
                continue
            middle, partitioned = self.partition(low, high, pivot)
            balanced = min(middle - low, high - middle) >= length // 8
            if middle - low < high - middle:
                self.sort(low, middle, limit)
                low = middle + 1
            else:
                self.sort(middle + 1, high, limit)
                high = middle
        self.insertion_sort(low, high)

    def insertion_sort(self, low: int, high: int) -> None:
        for i in range(low + 1, high):
            j = i
            while j > low and self.less(j, j - 1):
                self.swap(j, j - 1)
                j -= 1

    def heap_sort(self, low: int, high: int) -> None:
        size = high - low
        for root in range((size - 1) // 2, -1, -1):
            self.sift_down(low, root, size)
        for last in range(size - 1, -1, -1):
            self.swap(low, low + last)
            self.sift_down(low, 0, last)

    def sift_down(self, first: int, root: int, size: int) -> None:
        while (child := 2 * root + 1) < size:
            if child + 1 < size and self.less(first + child, first + child + 1):
                child += 1
            if not self.less(first + root, first + child):
                return
            self.swap(first + root, first + child)
            root = child

    def break_patterns(self, low: int, high: int) -> None:
        """Swap three elements in the middle with pseudo-random ones."""
        length = high - low
        state, mask = length, (1 << 64) - 1
        modulus = 1 << length.bit_length()
        for index in range(low + length // 4 * 2 - 1, low + length // 4 * 2 + 2):
            state ^= state << 13 & mask
            state ^= state >> 7
            state ^= state << 17 & mask
            other = state & (modulus - 1)
            self.swap(index, low + (other - length if other >= length else other))

    def choose_pivot(self, low: int, high: int) -> tuple[int, int]:
        """(pivot, swaps made to find it: 0 in sorted, _MOST_SWAPS in reversed input)."""
        self._swaps = 0
        quarter = (high - low) // 4
        i, j, k = (low + quarter * n for n in (1, 2, 3))
        if high - low >= _SHORT:
            i, j, k = (self.median(n - 1, n, n + 1) for n in (i, j, k))
        j = self.median(i, j, k)
        return j, self._swaps

    def median(self, a: int, b: int, c: int) -> int:
        a, b = self.order(a, b)
        b, c = self.order(b, c)
        a, b = self.order(a, b)
        return b

    def order(self, a: int, b: int) -> tuple[int, int]:
        if self.less(b, a):
            self._swaps += 1
            return b, a
        return a, b

    def repair(self, low: int, high: int) -> bool:
        """Sort nearly sorted input by a few shifts; False when that is not enough."""
        i = low + 1
        for _ in range(_REPAIRS):
            while i < high and not self.less(i, i - 1):
                i += 1
            if i == high:
                return True
            if high - low < _SHORT:
                return False
            self.swap(i, i - 1)
            if i - low >= 2:
                j = i - 1
                while j >= 1 and self.less(j, j - 1):
                    self.swap(j, j - 1)
                    j -= 1
            if high - i >= 2:
                j = i + 1
                while j < high and self.less(j, j - 1):
                    self.swap(j, j - 1)
                    j += 1
        return False

    def partition_equal(self, low: int, high: int, pivot: int) -> int:
        self.swap(low, pivot)
        i, j = low + 1, high - 1
        while True:
            while i <= j and not self.less(low, i):
                i += 1
            while i <= j and self.less(low, j):
                j -= 1
            if i > j:
                return i
            self.swap(i, j)
            i, j = i + 1, j - 1

    def partition(self, low: int, high: int, pivot: int) -> tuple[int, bool]:
        """(final place of the pivot, whether nothing had to move)."""
        self.swap(low, pivot)
        i, j = low + 1, high - 1
        moved = False
        while True:
            while i <= j and self.less(i, low):
                i += 1
            while i <= j and not self.less(j, low):
                j -= 1
            if i > j:
                self.swap(j, low)
                return j, not moved
            self.swap(i, j)
            moved = True
            i, j = i + 1, j - 1
