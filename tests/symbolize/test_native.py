"""C and C++ programs: every address as addr2line and LLVM's symbolizer name it, inlined calls included."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pypprof.naming import find_debug, open_binary
from pypprof.symbolize.elf import Binary
from pypprof.symbolize.frames import Frames
from pypprof.symbolize.resolver import Resolver
from tests.support.addr2line import addr2line, function, llvm_symbolizer
from tests.support.addresses import sampled
from tests.support.inprocess import run
from tests.symbolize.conftest import NATIVE_KINDS

NativeProgram = Callable[[str], Path]
COUNT = 2500


def resolved(binary: Binary, addresses: list[int]) -> dict[int, Frames]:
    """Our frames; no message is due."""
    notes: list[str] = []
    resolver = Resolver(binary, False, find_debug, notes.append)
    frames = resolver.frames(np.array(addresses, np.uint64))
    assert not notes
    return dict(zip(addresses, frames, strict=True))


def text_addresses(binary: Binary, count: int) -> list[int]:
    text = binary.section(".text")
    assert text is not None
    chance = random.Random(7)
    return sorted({chance.randrange(text.address, text.address + text.size) for _ in range(count)})


@pytest.mark.parametrize("kind", NATIVE_KINDS)
def test_frames_are_those_of_llvm(kind: str, native_program: NativeProgram) -> None:
    """The one difference: of functions without debug information, LLVM names a file that it guesses."""
    program = native_program(kind)
    binary = open_binary(str(program))
    addresses = text_addresses(binary, COUNT)
    ours, inlined = resolved(binary, addresses), 0
    for address, theirs in llvm_symbolizer(program, addresses).items():
        mine = [(function(f.system_name), f.file, f.line, f.column) for f in ours[address]]
        if theirs[0][2] == 0 and len(theirs) == 1 and not (mine and mine[0][1]):
            theirs = [(theirs[0][0], "", 0, 0)] if theirs[0][0] else []
        assert mine == theirs, hex(address)
        inlined += len(mine) > 2
    assert inlined > COUNT / 10


@pytest.mark.parametrize("kind", ["dwarf4", "dwarf5-pie"])
def test_frames_are_those_of_addr2line(kind: str, native_program: NativeProgram) -> None:
    """The same places everywhere. Names too, but where binutils has the short one of a static function or of a
    member of a class in a function, and in cold parts, whose ranges it mixes up; there LLVM agrees with ours."""
    program = native_program(kind)
    binary = open_binary(str(program))
    addresses = text_addresses(binary, COUNT)
    ours, llvm, other = resolved(binary, addresses), llvm_symbolizer(program, addresses), 0
    for address, theirs in addr2line(program, addresses).items():
        if not theirs[-1][2] and not any(frame.file for frame in ours[address]):
            continue  # without debug information it names whatever symbol comes before
        mine = [(function(f.system_name), f.file, f.line) for f in ours[address]]
        assert [frame[1:] for frame in mine] == [frame[1:] for frame in theirs], hex(address)
        if mine != theirs:
            assert [frame[0] for frame in mine] == [frame[0] for frame in llvm[address]], hex(address)
            other += 1
    assert other < COUNT / 4


def test_split_debug_file(native_program: NativeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file beside a stripped program, found by the debug link, by the build id, and not when it is another's."""
    program, stripped = native_program("dwarf5-pie"), tmp_path / "program"
    debug = tmp_path / "program.debug"
    subprocess.run(["objcopy", "--only-keep-debug", str(program), str(debug)], check=True)
    subprocess.run(["objcopy", "--strip-all", f"--add-gnu-debuglink={debug}", str(program), str(stripped)], check=True)
    whole, bare = open_binary(str(program)), open_binary(str(stripped))
    addresses = text_addresses(whole, 500)
    expected = resolved(whole, addresses)
    assert resolved(bare, addresses) == expected
    (tmp_path / ".debug").mkdir()
    debug = debug.rename(tmp_path / ".debug" / debug.name)
    assert resolved(bare, addresses) == expected
    build_id = bare.build_id
    place = tmp_path / "symbols" / ".build-id" / build_id[:2]
    place.mkdir(parents=True)
    debug = debug.rename(place / f"{build_id[2:]}.debug")
    assert resolved(bare, addresses) != expected
    monkeypatch.setenv("PPROF_BINARY_PATH", str(tmp_path / "symbols"))
    assert resolved(bare, addresses) == expected
    shutil.copy(native_program("dwarf4"), debug)
    assert find_debug(bare) is None


def test_zstd(native_program: NativeProgram, tmp_path: Path) -> None:
    """Sections compressed with zstd, which only recent tools write (and LLVM 14 does not read)."""
    program, packed = native_program("dwarf5"), tmp_path / "packed"
    subprocess.run(["objcopy", "--compress-debug-sections=zstd", str(program), str(packed)], check=True)
    whole = open_binary(str(program))
    addresses = text_addresses(whole, 500)
    section = open_binary(str(packed)).section(".debug_info")
    assert section is not None and section.flags & 0x800
    assert resolved(open_binary(str(packed)), addresses) == resolved(whole, addresses)


def test_a_profile_of_a_c_program(native_program: NativeProgram, tmp_path: Path) -> None:
    """Names as people read them, in reports, with inlined calls; a library at another address too."""
    sampled(native_program("dwarf5-pie"), tmp_path / "p.pb.gz", 1500, base=0x7F0000000000)
    done = run(["-traces", "p.pb.gz"], tmp_path)
    assert (done.status, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert "shapes::Grid::area (inline)\n" not in text
    for name in (
        "shapes::make",
        "words()::Local::push",
        "scramble (inline)",
        "std::_Function_handler::_M_invoke",
        "plain_c",
    ):
        assert name in text, name
    full = run(["-top", "-symbolize=demangle=full", "p.pb.gz"], tmp_path).stdout.decode()
    assert "shapes::make(int)" in full
    raw = run(["-top", "-symbolize=demangle=none", "p.pb.gz"], tmp_path).stdout.decode()
    assert "_ZN6shapes4makeEi" in raw
