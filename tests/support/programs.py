"""Programs built for tests, each once a session, and profiles of addresses in them."""

from __future__ import annotations

import functools
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from pypprof.symbolize.elf import Binary
from tests.conftest import FIXTURES
from tests.support.encoder import Builder

LEAK_SOURCE = FIXTURES / "leak" / "main.go"


@functools.cache
def _directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="pypprof-programs")


@functools.cache
def go_program(flags: str = "", **env: str) -> Path:
    """The leaking program, built with flags and environment of its own."""
    target = Path(_directory().name) / f"leak{len(list(Path(_directory().name).iterdir()))}"
    environment = os.environ | {
        "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-trimpath", "GO111MODULE": "off"
    } | env  # fmt: skip
    go = Path(sys.executable).with_name("go")
    subprocess.run([go, "build", *flags.split(), "-o", target, str(LEAK_SOURCE)], env=environment, check=True)
    return target


@functools.cache
def leak_profile() -> Path:
    """The heap profile of the plain build, taken from a run."""
    target = Path(_directory().name) / "heap.pb.gz"
    subprocess.run([go_program(), target], check=True)
    return target


@functools.cache
def c_program(source: str, flags: str = "-O2 -g -no-pie") -> Path:
    target = Path(_directory().name) / f"c{abs(hash((source, flags)))}"
    subprocess.run(["gcc", "-x", "c", *flags.split(), "-o", target, "-"], input=source.encode(), check=True)
    return target


def functions(program: Path) -> list[tuple[str, int, int]]:
    """(name, start, size) of the functions in a program's text."""
    binary = Binary(program.read_bytes(), str(program))
    text, symbols = binary.section(".text"), binary.symbols
    assert text is not None
    found = zip(symbols.names(), symbols.start.tolist(), symbols.size.tolist(), symbols.code.tolist(), strict=True)
    inside = range(text.address, text.address + text.size)
    return [(n, start, size) for n, start, size, code in found if chr(code) in "Tt" and size > 4 and start in inside]


def addresses_profile(program: Path, chosen: list[tuple[str, int]], load: int = 0, stack: int = 1) -> bytes:
    """A profile of samples at (function, address). `load`: how far from its own addresses the program ran."""
    binary = Binary(program.read_bytes(), str(program))
    segment = next(s for s in binary.segments if s.executable())
    start = segment.address - segment.address % (segment.align or 1) + load
    limit = start + (segment.memory_size + 8191) // 4096 * 4096
    builder = Builder([("samples", "count")])
    builder.mapping(1, start, limit, segment.offset - segment.offset % 4096, str(program))
    for number, (name, address) in enumerate(chosen, 1):
        builder.function(number, name, name, f"/build/{name.partition('.')[0]}.go")
        builder.location(number, [(number, number % 90 + 1, 0)], 1, address + load)
    for number in range(1, len(chosen) + 1):
        callers = range(number, min(number + stack, len(chosen) + 1))
        builder.sample(list(callers), [number % 7 + 1])
    return builder.encode()


def random_addresses(program: Path, seed: int, count: int, samples: int = 2) -> list[tuple[str, int]]:
    """Addresses in some functions, also in the middle of instructions; none at the last byte."""
    rng = random.Random(seed)
    chosen = rng.sample(functions(program), count)
    return [(name, start + rng.randrange(size - 1)) for name, start, size in chosen for _ in range(samples)]
