"""Runs the command line on damaged profiles in a process of its own and reports what it saw.

python -m tests.support.damage SEED COUNT DIRECTORY
"""

from __future__ import annotations

import gzip
import json
import random
import resource
import sys
import time
from pathlib import Path

from tests.conftest import LEAK, LEGACY, PROFILES
from tests.support import inprocess, shapes

REPORTS = ["-top", "-tree", "-raw", "-traces", "-tags", "-dot", "-callgrind", "-proto", "-peek=main", "-text -lines"]


def damaged(rng: random.Random, index: int, truncated: bytes) -> bytes:
    """One input: a truncation, flipped bits, a changed or repeated stretch, noise, bad gzip."""
    if index < len(truncated):
        return truncated[:index]
    kind = rng.randrange(6)
    data = bytearray(_source(rng))
    if kind == 0:
        return rng.randbytes(rng.randrange(200))
    if kind == 1:
        return bytes(data[: rng.randrange(len(data))])
    if kind == 2:
        packed = bytearray(gzip.compress(bytes(data)))
        packed[rng.randrange(len(packed))] ^= 1 << rng.randrange(8)
        return bytes(packed)
    if kind == 3:
        at, size = rng.randrange(len(data)), rng.randrange(1, 30)
        return bytes(data[:at] + data[at : at + size] * rng.randrange(0, 4) + data[at + size :])
    for _ in range(rng.choice([1, 1, 2, 8])):
        data[rng.randrange(len(data))] = rng.choice([0, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    return bytes(data)


def _source(rng: random.Random) -> bytes:
    data = (
        rng.choice([*PROFILES, LEAK, *LEGACY]).read_bytes()
        if rng.random() < 0.3
        else shapes.make(rng.randrange(1 << 30))
    )
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def main() -> None:
    seed, count, directory = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    rng = random.Random(seed)
    truncated = shapes.make(77)
    path = directory / "damaged"
    wrong, results, refused, slowest = [], 0, 0, 0.0
    inprocess.run(["-top", str(LEAK)], directory)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for index in range(count):
        data = damaged(rng, index, truncated)
        path.write_bytes(data)
        began = time.perf_counter()
        try:
            result = inprocess.run([*rng.choice(REPORTS).split(), str(path)], directory)
            failure = _complaint(result)
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            result = inprocess.Result(1, b"", b"")
        slowest = max(slowest, time.perf_counter() - began)
        results += result.status == 0
        refused += result.status != 0
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) * 1024
        if grown > 20 * len(data) + (100 << 20):
            failure = f"{grown >> 20} MB for {len(data)} bytes"
        if failure:
            wrong.append(f"{index}: {failure}")
            (directory / f"wrong{index}").write_bytes(data)
            if len(wrong) > 5:
                break
    print(json.dumps({"wrong": wrong, "results": results, "refused": refused, "slowest": slowest}))


def _complaint(result: inprocess.Result) -> str:
    text = result.stderr.decode("utf-8", "replace")
    if "Traceback" in text:
        return text
    if result.status not in (0, 1):
        return f"status {result.status}"
    errors = [line for line in text.splitlines() if line.startswith("pypprof:")]
    if result.status == 1 and (len(errors) != 1 or result.stdout):
        return f"not one line and nothing else: {text!r}"
    return ""


if __name__ == "__main__":
    main()
