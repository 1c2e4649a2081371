"""Damaged and hostile binaries: a clear line, no traceback, no endless work."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pypprof.errors import BinaryError
from pypprof.symbolize import address
from pypprof.symbolize.elf import Binary
from pypprof.symbolize.golang import line_table
from pypprof.symbolize.resolver import Resolver
from tests.support.addresses import profile
from tests.support.inprocess import run
from tests.symbolize.conftest import SOURCES

SEED = 20261124
_LONGEST = 20.0  # seconds for one file; far above what any needs, so that only endless work fails


def look(data: bytes, wanted: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> str:
    """Do with the bytes whatever a report may do; "" or what was said."""
    said: list[str] = []
    try:
        binary = Binary(data, "program")
        address.bias(binary, 0x400000, 0x500000, 0)
        Resolver(binary, True, lambda _: None, said.append).frames(wanted)
        assert isinstance(binary.build_id, str)
        assert binary.debug_link is None or binary.debug_link[0]
        binary.symbols.named("main")
        binary.read(int(wanted[0]), 64)
    except BinaryError as error:
        said.append(str(error))
    assert all(line and "\n" not in line for line in said)
    return "; ".join(said)


def mutated(data: bytes, chance: random.Random, places: list[tuple[int, int]]) -> bytes:
    """A copy with some bytes changed in one of the places that decide, or cut short."""
    out = bytearray(data)
    start, size = chance.choice(places)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = min(start + chance.randrange(size), len(out) - 1)
        count = chance.choice((1, 1, 4, 8))
        value = chance.choice((b"\0", b"\xff", b"\x7f", b"\x80", bytes([chance.randrange(256)])))
        out[at : at + count] = (value * count)[: len(out[at : at + count])]
    if chance.random() < 0.05:
        del out[chance.randrange(len(out)) :]
    return bytes(out)


def decisive(data: bytes, names: tuple[str, ...]) -> list[tuple[int, int]]:
    """The header, the section headers and the sections of the names."""
    binary = Binary(data)
    places = [(0, 64), (0, 1024), (len(data) - 64 * len(binary.sections), 64 * len(binary.sections))]
    for name in names:
        section = binary.section(name)
        if section is not None and section.size:
            places += [(section.offset, min(section.size, 4096)), (section.offset, section.size)]
    return places


def attack(data: bytes, names: tuple[str, ...], count: int) -> int:
    """Look at mutations; how many were complained about."""
    binary, chance = Binary(data), random.Random(SEED)
    text = binary.section(".text")
    assert text is not None
    wanted = np.array(sorted(chance.randrange(text.address, text.address + text.size) for _ in range(40)), np.uint64)
    places, complaints = decisive(data, names), 0
    for _ in range(count):
        began = time.monotonic()
        complaints += bool(look(mutated(data, chance, places), wanted))
        assert time.monotonic() - began < _LONGEST
    return complaints


_DEBUG = tuple(
    ".debug_" + name for name in ("info", "abbrev", "line", "aranges", "rnglists", "ranges", "line_str", "str")
)


@pytest.fixture(scope="module")
def small_c(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """A small C library with debug information: a version of DWARF -> bytes."""
    import subprocess

    place = tmp_path_factory.mktemp("small")

    def build(flag: str) -> bytes:
        path = place / "small.so"
        command = ["gcc", "-O2", "-g", "-shared", "-fPIC", *flag.split(), "plain.c", "-o", str(path)]
        subprocess.run(command, cwd=SOURCES, check=True)
        return path.read_bytes()

    return build


@pytest.mark.parametrize("flag", ["-gdwarf-4", "-gdwarf-5", "-gdwarf-5 -gz=zlib"])
def test_debug_information(flag: str, small_c: Callable[[str], bytes]) -> None:
    data = small_c(flag)
    assert look(data, np.array([0x1100], np.uint64)) == ""
    assert attack(data, (*_DEBUG, ".symtab", ".strtab", ".shstrtab"), 400) > 20


def test_inlined_calls(native_program: Callable[[str], Path]) -> None:
    assert attack(native_program("dwarf5").read_bytes(), _DEBUG, 300) > 10


def test_go_line_tables() -> None:
    data = (Path(__file__).parent.parent.parent / "fixtures" / "leak" / "leak").read_bytes()
    assert line_table(Binary(data)) is not None
    assert attack(data, (".gopclntab", ".go.module"), 500) > 50


def test_entries_that_refer_to_each_other(small_c: Callable[[str], bytes]) -> None:
    """Every reference of the debug information made to point at its own unit's first function."""
    data = bytearray(small_c("-gdwarf-4"))
    binary = Binary(bytes(data))
    section = binary.section(".debug_info")
    assert section is not None
    chance = random.Random(SEED)
    text = binary.section(".text")
    assert text is not None
    wanted = np.arange(text.address, text.address + text.size, 7).astype(np.uint64)
    for _ in range(200):
        copy = bytearray(data)
        for _ in range(40):
            at = section.offset + 11 + chance.randrange(section.size - 15)
            copy[at : at + 4] = chance.randrange(section.size).to_bytes(4, "little")
        look(bytes(copy), wanted)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MZ\x90\0" + bytes(200), b"Windows"),
        (b"\xcf\xfa\xed\xfe" + bytes(200), b"macOS"),
        (b"\x7fELF", b"damaged ELF header"),
        (b"\x7fELF\x02\x01\x01" + b"\xff" * 200, b"ELF header"),
        (b"!<arch>\n" + bytes(100), b"an archive"),
    ],
)
def test_the_report_is_made_all_the_same(content: bytes, words: bytes, tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(content)
    profile(tmp_path / "p.pb.gz", "", 0x400000, 0x500000, 0, [0x401000, 0x402000])
    done = run(["-top", "program", "p.pb.gz"], tmp_path)
    assert done.status == 0
    assert b"[program]" in done.stdout
    assert words in done.stderr
    assert b"Traceback" not in done.stderr
