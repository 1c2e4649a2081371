"""CPU profiles of gperftools and of old Go programs: machine words, then the list of mappings.

Header 0, 3, 0 (1: Java), the sampling period in microseconds, padding; then per stack its count,
its length and its addresses; the end is 0, 1, 0. Words are of 4 or 8 bytes in either order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from pypprof.profile.legacy import java, maps
from pypprof.profile.legacy.lines import Scanner
from pypprof.profile.legacy.numbers import WORD, wrap
from pypprof.profile.legacy.samples import Header, Samples, with_mappings
from pypprof.profile.model import Profile

_WORDS = ("<u4", ">u4", "<u8", ">u8")
_HEADER = 5
_TYPES = [("samples", "count"), ("cpu", "nanoseconds")]


def parse(data: bytes) -> Profile | None:
    """The profile, None when the bytes are none of this kind."""
    for code in _WORDS:
        size = int(code[2])
        if len(data) < _HEADER * size:
            continue
        zero, version, java_, period, padding = np.frombuffer(data, np.dtype(code), _HEADER).tolist()
        if zero == 0 and version == 3 and java_ in (0, 1) and period > 0 and padding == 0:
            return _read(data, code, bool(java_), wrap(period))
    return None


def _read(data: bytes, code: str, of_java: bool, period: int) -> Profile | None:
    header = Header(_TYPES, ("cpu", "nanoseconds"), wrap(period * 1000))
    samples = Samples()
    rest = _read_samples(data, code, samples, header.period, adjust=not of_java)
    if rest is None:
        return None
    if of_java:
        return java.with_locations(header, samples, rest)
    samples.replace_stacks(_without_signal_frames(samples.stacks()))
    samples.number_anew()
    mappings = maps.massaged(maps.read_map(Scanner(rest)))
    samples.replace_stacks(without_doubled_leaf(samples.stacks(), list(samples.address)))
    return with_mappings(header, samples, mappings)


def _read_samples(data: bytes, code: str, samples: Samples, period: int, adjust: bool) -> bytes | None:
    """Collect the stacks; the bytes behind them, None when the words make no sense."""
    size = int(code[2])
    words: list[int] = np.frombuffer(data, np.dtype(code), len(data) // size)[_HEADER:].tolist()
    length = len(data) - _HEADER * size
    at = 0
    while at * size < length:
        if at + 2 > len(words):
            return None
        count, depth = words[at : at + 2]
        at += 2
        # Go's bound, whatever the size of a word; what then is missing reads as 0.
        if depth > (length - at * size) // 4:
            return None
        stack = words[at : at + depth]
        at += depth
        if len(stack) < depth:
            stack += [0] * (depth - len(stack))
            at = length
        if count == 0 and depth == 1 and stack[0] == 0:
            break
        rows = [samples.row((address - (adjust and place > 0)) % WORD) for place, address in enumerate(stack)]
        samples.add(rows, (wrap(count), wrap(wrap(count) * period)))
    return data[(_HEADER + at) * size :]


def _without_signal_frames(stacks: list[list[int]]) -> list[list[int]]:
    """Without the frame above the leaf where (nearly) all stacks have the same: the signal handler's. Twice."""
    for _ in range(2):
        margin = len(stacks) // 32
        above = Counter(stack[1] for stack in stacks if len(stack) > 1)
        for row, count in above.most_common(1):
            if count >= len(stacks) - margin:
                stacks = [s[:1] + s[2:] if len(s) > 1 and s[1] == row else s for s in stacks]
    return stacks


def without_doubled_leaf(stacks: list[list[int]], addresses: Sequence[int]) -> list[list[int]]:
    """Without the frame above the leaf where it is the leaf again, less one: both the signal and the stack had it."""
    return [
        s[:1] + s[2:] if len(s) > 1 and addresses[s[0]] == (addresses[s[1]] + 1) % WORD else s for s in stacks
    ]  # fmt: skip
