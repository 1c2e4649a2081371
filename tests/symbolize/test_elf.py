"""Opened ELF files against binutils; addresses of mappings; where files are found."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pypprof.fetch.binaries import map_file
from pypprof.naming import locate, open_binary
from pypprof.profile.model import Mapping
from pypprof.symbolize.address import bias, to_file
from pypprof.symbolize.elf import Binary
from tests.conftest import LEAK

NativeProgram = Callable[[str], Path]


def test_symbols_are_those_of_nm(native_program: NativeProgram) -> None:
    """Names, addresses and letters; nm has letters of its own for weak and unique symbols."""
    program = native_program("dwarf5-pie")
    text = subprocess.run(["nm", "-a", str(program)], capture_output=True, text=True, check=True).stdout
    theirs = sorted(
        (line[17:18], line[19:].partition("@")[0], int(line[:16].strip() or "0", 16)) for line in text.splitlines()
    )
    symbols = open_binary(str(program)).symbols
    ours = sorted(
        (chr(code), name.partition("@")[0], start)
        for code, name, start in zip(symbols.code.tolist(), symbols.names(), symbols.start.tolist(), strict=True)
    )
    assert [row[1:] for row in sorted(ours, key=lambda r: r[1:])] == [
        row[1:] for row in sorted(theirs, key=lambda r: r[1:])
    ]
    same = {row[1:]: row[0] for row in ours}
    assert all(same[name, start] == code for code, name, start in theirs if code in "TtUd")
    assert symbols.named("main") == next(start for _, name, start in theirs if name == "main")


def test_build_id_and_debug_link(native_program: NativeProgram, tmp_path: Path) -> None:
    program, linked = native_program("dwarf4"), tmp_path / "linked"
    notes = subprocess.run(["readelf", "-n", str(program)], capture_output=True, text=True, check=True).stdout
    binary = open_binary(str(program))
    assert binary.build_id and binary.build_id in notes
    assert binary.debug_link is None
    subprocess.run(["objcopy", f"--add-gnu-debuglink={program}", str(program), str(linked)], check=True)
    link = open_binary(str(linked)).debug_link
    assert link is not None and link[0] == program.name


def test_bytes_at_addresses(native_program: NativeProgram) -> None:
    program = native_program("dwarf5")
    binary = Binary(program.read_bytes())
    text = binary.section(".text")
    assert text is not None
    assert binary.read(text.address, text.size) == bytes(binary.contents(text))
    assert binary.read(0, 16) == b"" == binary.read(1 << 63, 16)
    assert binary.read(text.address, 1 << 40).startswith(bytes(binary.contents(text)))


@pytest.mark.parametrize("shift", [0, 0x1000, 0x200000])
def test_mappings_that_begin_inside_the_segment(shift: int, native_program: NativeProgram) -> None:
    """Split mappings and text moved to huge pages: the offset tells."""
    binary = open_binary(str(native_program("dwarf5-pie")))
    segment = next(segment for segment in binary.segments if segment.executable())
    page, base = segment.offset // 4096 * 4096, 0x7F1234560000
    start, offset = base + segment.address // 4096 * 4096, page
    if shift >= segment.file_size:
        shift = 0
    found = bias(binary, start + shift, start + segment.memory_size + 4096, offset + shift)
    assert to_file(base + segment.address + 5, found) == segment.address + 5


def test_fixed_and_unknown_addresses() -> None:
    leak = open_binary(str(LEAK.with_name("leak")))
    assert bias(leak, 0x400000, 0x500000, 0) == 0
    assert bias(leak, 0, 0, 0) == 0 == bias(leak, 0, 1 << 63, 0)


def test_files_are_found_by_build_id_and_name(native_program: NativeProgram, tmp_path: Path) -> None:
    program = native_program("dwarf5")
    build_id = open_binary(str(program)).build_id
    notes: list[str] = []
    places = [
        f"{build_id}/native", f"{build_id}/other", f"srv/bin/native/{build_id}", f"{build_id[:2]}/{build_id[2:]}.debug",
        "native", "srv/bin/native", "srv/bin/native.debug", "srv/bin/.debug/native.debug",
        "usr/lib/debug/srv/bin/native.debug",
    ]  # fmt: skip
    mapping = Mapping(1, file="/srv/bin/native", build_id=build_id)
    for place in places:
        target = tmp_path / place.replace("/", "_") / place
        target.parent.mkdir(parents=True)
        shutil.copy(program, target)
        assert locate(mapping, ["/nowhere", str(target)[: -len(place)]], notes.append) == str(target)
    assert not notes
    directory = str(tmp_path / "native")
    assert locate(Mapping(1, file="native", build_id="abcd"), [directory], notes.append) is None
    assert notes == [f"Ignoring {directory}/native: its build id is {build_id}, the profile's is abcd"]


def test_a_large_file_is_not_loaded(tmp_path: Path, native_program: NativeProgram) -> None:
    """A program with 300 MB more in it costs no more memory."""
    import resource

    program = tmp_path / "large"
    shutil.copy(native_program("dwarf5"), program)
    with open(program, "r+b") as file:
        file.truncate(program.stat().st_size + (300 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    binary = Binary(map_file(str(program)), str(program))
    assert binary.symbols.named("main") is not None
    assert binary.contents(".debug_line")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 << 10
