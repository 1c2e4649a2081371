"""Equality with Go, where Go's own output may vary from run to run."""

from __future__ import annotations

import gzip
import re
from enum import Enum
from pathlib import Path

from tests.support import inprocess, oracle

_RUNS = 8  # of Go, before its output counts as varying


class Verdict(Enum):
    SAME = "same"
    VARIES = "Go's output varies; ours is one it could have printed, numbers aside"
    UNDECIDED = "Go's output varies in what it selects"
    DIFFERENT = "different"


def compare(arguments: list[str], cwd: Path, script: bytes = b"") -> tuple[Verdict, str]:
    """Run both; (verdict, what differs)."""
    ok, wanted = oracle.run(arguments, cwd, script)
    mine = inprocess.run(arguments, cwd, script)
    if b"Traceback" in mine.stderr:
        return Verdict.DIFFERENT, mine.stderr.decode("utf-8", "replace")
    if ok != (mine.status == 0):
        return Verdict.DIFFERENT, f"Go {'succeeds' if ok else 'fails'}, ours does not: {mine.stderr!r}"
    output = unpacked(mine.stdout)
    if unpacked(wanted) == output:
        return Verdict.SAME, ""
    outputs = {unpacked(wanted)} | {unpacked(oracle.run(arguments, cwd, script)[1]) for _ in range(_RUNS - 1)}
    if output in outputs:
        return Verdict.SAME, ""
    if len(outputs) == 1:
        return Verdict.DIFFERENT, _first_difference(unpacked(wanted), output)
    alike = any(_masked(output) == _masked(other) for other in outputs)
    return (Verdict.VARIES if alike else Verdict.UNDECIDED), _first_difference(unpacked(wanted), output)


def unpacked(data: bytes) -> bytes:
    """The content of a gzip stream: the compressor may choose other bytes for the same data."""
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _masked(data: bytes) -> list[bytes]:
    """The lines without their numbers, sorted."""
    return sorted(re.sub(rb"[0-9.]+", b"#", line) for line in data.split(b"\n"))


def _first_difference(wanted: bytes, mine: bytes) -> str:
    first, second = wanted.split(b"\n"), mine.split(b"\n")
    for number, (a, b) in enumerate(zip(first, second, strict=False), 1):
        if a != b:
            return f"line {number}:\n  go   {a[:300]!r}\n  ours {b[:300]!r}"
    return f"{len(first)} lines, ours {len(second)}"
