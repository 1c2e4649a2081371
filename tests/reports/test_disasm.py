"""disasm against Go's: addresses, values, source lines and order of every instruction; only the text is ours."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

from pypprof.symbolize.elf import Binary
from tests.conftest import FIXTURES, LEAK
from tests.support import inprocess, oracle
from tests.support.listings import Listing, differences, parse
from tests.support.programs import (
    addresses_profile,
    c_program,
    functions,
    go_program,
    leak_profile,
    random_addresses,
)

C_SOURCE = """
__attribute__((noinline)) int triple(int x) { return x * 3 + 100 / (x + 2); }
__attribute__((noinline)) double sum(const double *v, int n) {
  double t = 0;
  for (int i = 0; i < n; i++) t += v[i] * triple(i);
  return t;
}
int main(int argc, char **argv) { double v[3] = {1, 2, argc}; return (int)sum(v, 3); }
"""


def ours(arguments: list[str], cwd: Path, script: bytes = b"") -> str:
    done = inprocess.run(arguments, cwd, script)
    assert done.status == 0, done.stderr
    return done.stdout.decode("utf-8", "replace")


def both(arguments: list[str], cwd: Path) -> tuple[Listing, Listing]:
    ok, output = oracle.run(arguments, cwd)
    assert ok
    return parse(output.decode("utf-8", "replace")), parse(ours(arguments, cwd))


@pytest.mark.parametrize("options", [[], ["-cum"], ["-focus=serve"], ["-lines", "-noinlines=false"], ["-divide_by=3"]])
def test_a_real_profile(options: list[str], tmp_path: Path, go_pprof: Path) -> None:
    arguments = ["-sample_index=alloc_objects", *options, "-disasm=main|make", str(go_program()), str(leak_profile())]
    go, mine = both(arguments, tmp_path)
    assert sum(name == "main.serve" for name, _ in mine.rows) > 20
    assert any(row.cum for row in mine.rows.values())
    assert differences(go, mine) == []


def test_the_shell(tmp_path: Path, go_pprof: Path) -> None:
    sources = [str(go_program()), str(leak_profile())]
    script = b"sample_index=inuse_objects\ndisasm main.serve\ndisasm parseConfig main > out.txt\n"
    output = ours(sources, tmp_path, script)
    mine = (tmp_path / "out.txt").read_text()
    ok, wanted = oracle.run(sources, tmp_path, script)
    assert ok
    assert differences(parse(wanted.decode()), parse(output)) == []
    assert differences(parse((tmp_path / "out.txt").read_text()), parse(mine)) == []


@pytest.mark.parametrize(
    ("flags", "env", "load"),
    [("", {}, 0), ("-buildmode=pie", {}, 0x555555554000), ("", {"GOARCH": "arm64"}, 0)],
    ids=["plain", "pie", "arm64"],
)
def test_all_instructions(flags: str, env: dict[str, str], load: int, tmp_path: Path, go_pprof: Path) -> None:
    """Functions drawn at random. Go's tool crashes on a few whose cut end looks like AVX: a batch each at most."""
    program, compared, crashed = go_program(flags, **env), 0, 0
    for seed in range(8):
        profile = tmp_path / f"{seed}.pb"
        chosen = random_addresses(program, seed, 25)
        profile.write_bytes(addresses_profile(program, chosen, load))
        arguments = ["-disasm=.", str(program), str(profile)]
        ok, output = oracle.run(arguments, tmp_path)
        if not ok and not output:
            crashed += 1
            continue
        assert ok
        go, mine = parse(output.decode("utf-8", "replace")), parse(ours(arguments, tmp_path))
        assert differences(go, mine) == []
        decoded = {key for key, row in go.rows.items() if row.text != "?"}
        compared += len(decoded & mine.rows.keys())
    assert crashed <= 2
    assert compared > 8000


def test_a_c_program(tmp_path: Path, go_pprof: Path) -> None:
    program = c_program(C_SOURCE)
    chosen = [(name, start + at) for name, start, size in functions(program) for at in (0, size // 2)]
    (tmp_path / "p.pb").write_bytes(addresses_profile(program, chosen))
    go, mine = both(["-disasm=triple|sum|main", str(program), str(tmp_path / "p.pb")], tmp_path)
    assert {name for name, _ in mine.rows} >= {"triple", "sum", "main"}
    assert differences(go, mine) == []


def test_the_last_instruction_is_there(tmp_path: Path) -> None:
    """Go's tool leaves out a function's last byte, and with it the `ret` and its samples."""
    program = c_program(C_SOURCE)
    start, size = next((start, size) for name, start, size in functions(program) if name == "triple")
    last = start + size - 1
    (tmp_path / "p.pb").write_bytes(addresses_profile(program, [("triple", start), ("triple", last)]))
    arguments = ["-disasm=triple", str(program), str(tmp_path / "p.pb")]
    mine = parse(ours(arguments, tmp_path))
    row = mine.rows["triple", last]
    assert (row.flat, row.cum) == (3, 3)
    assert row.text.startswith("ret")
    assert ("triple", last) not in parse(oracle.run(arguments, tmp_path)[1].decode()).rows


def test_gnu_objdump_agrees(tmp_path: Path) -> None:
    """The text itself: the same mnemonics, operands and names of targets as binutils gives."""
    program = c_program(C_SOURCE)
    name, start, size = next(row for row in functions(program) if row[0] == "sum")
    (tmp_path / "p.pb").write_bytes(addresses_profile(program, [(name, start)]))
    mine = parse(ours(["-disasm=^sum$", str(program), str(tmp_path / "p.pb")], tmp_path))
    command = ["objdump", "-d", "--no-show-raw-insn", f"--start-address={start}", f"--stop-address={start + size}"]
    lines = re.findall(r"^ +([0-9a-f]+):\t(.*)$", subprocess.check_output([*command, program], text=True), re.M)
    assert [address for _, address in mine.rows] == [int(address, 16) for address, _ in lines]
    calls = [text for _, text in lines if "<triple>" in text]
    assert calls
    assert sum("<triple>" in row.text and row.text.startswith("call") for row in mine.rows.values()) == len(calls)
    jumps = {int(a, 16): m[1] for a, t in lines if t.startswith("j") and (m := re.search("<(.*)>", t))}
    assert jumps
    for address, target in jumps.items():
        assert f"<{target}>" in mine.rows[name, address].text


def test_stripped_binaries_have_their_functions(tmp_path: Path, go_pprof: Path) -> None:
    """Go's tool has no symbols for them and finds nothing; the names are in Go's line table."""
    stripped, plain = go_program("-ldflags=-s"), go_program()
    options = ["-sample_index=alloc_objects", "-disasm=main\\."]
    assert not oracle.run([*options, str(stripped), str(leak_profile())], tmp_path)[0]
    mine, whole = (parse(ours([*options, str(p), str(leak_profile())], tmp_path)) for p in (stripped, plain))
    assert mine.head == whole.head
    assert [(key, *row[:3]) for key, row in mine.rows.items()] == [(key, *row[:3]) for key, row in whole.rows.items()]
    assert "<runtime.makeslice>" in "".join(row.text for row in mine.rows.values())


def test_the_committed_fixture(tmp_path: Path) -> None:
    output = ours(["-disasm=allocateMemory", str(FIXTURES / "leak" / "leak"), str(LEAK)], tmp_path)
    assert re.search(
        r"64MB +64MB +[0-9a-f]+: callq 0x[0-9a-f]+ <runtime.makeslice> +;main.allocateMemory main.go:16", output
    )


def test_syntaxes(tmp_path: Path) -> None:
    sources = ["-disasm=main.serve", str(go_program()), str(leak_profile())]
    assert "movq %rsp, %rbp" in ours(sources, tmp_path)
    intel = ours(["-intel_syntax", *sources], tmp_path)
    assert "mov rbp, rsp" in intel
    assert "%r" not in intel


def test_an_address(tmp_path: Path) -> None:
    start = next(start for name, start, _ in functions(go_program()) if name == "main.serve")
    for address in (hex(start + 5), str(start + 5)):
        output = ours([f"-disasm={address}", str(go_program()), str(leak_profile())], tmp_path)
        assert re.findall("ROUTINE =+ (.*)", output) == ["main.serve"]


def test_data_next_to_the_instruction_is_named(tmp_path: Path) -> None:
    output = ours(["-disasm=main.allocateMemory", str(go_program()), str(leak_profile())], tmp_path)
    assert re.search(r"\(%rip\), %rdx  # 0x[0-9a-f]+ <main.cache>", output)


@pytest.mark.parametrize(
    ("program", "argument", "message"),
    [
        ("", "main", "the program"),
        ("/nowhere/program", "main", "/nowhere/program"),
        (str(LEAK), "main", "heap.pb.gz"),
        ("the program", "nothing_here", "no matches found for regexp nothing_here"),
    ],
)
def test_errors_are_one_line(program: str, argument: str, message: str, tmp_path: Path) -> None:
    from tests.support.encoder import Builder

    builder = Builder([("samples", "count")])
    builder.mapping(1, 0x400000, 0x500000, 0, str(go_program()) if program == "the program" else program)
    builder.function(1, "main.main", "main.main", "main.go")
    builder.location(1, [(1, 3, 0)], 1, functions(go_program())[0][1])
    builder.sample([1], [1])
    (tmp_path / "p.pb").write_bytes(builder.encode())
    done = inprocess.run([f"-disasm={argument}", str(tmp_path / "p.pb")], tmp_path)
    assert done.status == 1
    assert done.stdout == b""
    lines = done.stderr.decode().splitlines()
    assert len([line for line in lines if line.startswith("pypprof: ")]) == 1
    assert message in lines[-1]
    assert not oracle.run([f"-disasm={argument}", str(tmp_path / "p.pb")], tmp_path)[0]


def test_the_wrong_binary_is_noted(tmp_path: Path) -> None:
    done = inprocess.run(["-disasm=main", str(go_program()), str(LEAK)], tmp_path)
    assert "is not the program that was profiled" in done.stderr.decode()
    right = inprocess.run(["-disasm=main", str(go_program()), str(leak_profile())], tmp_path)
    assert right.stderr == b""


def test_damaged_binaries(tmp_path: Path) -> None:
    """Headers, tables and code changed at random, a file cut short: what there is, or one line; never a traceback."""
    whole, rng = go_program().read_bytes(), random.Random(4)
    binary = Binary(whole, "whole")
    spots = [(0, 1024), *((s.offset, min(s.size, 8192)) for s in binary.sections if s.size and s.type != "SHT_NOBITS")]
    statuses = set()
    for turn in range(30):
        data = bytearray(whole if turn % 6 else whole[: rng.randrange(len(whole))])
        for _ in range(rng.choice([1, 8, 64])):
            start, size = rng.choice(spots)
            at = start + rng.randrange(size)
            data[at : at + rng.choice([1, 8])] = rng.choice([b"\xff" * 8, b"\x00", b"\x7f", rng.randbytes(8)])
        (tmp_path / "leak").write_bytes(data)
        for report in ("-disasm=main|make", "-weblist=main|make"):
            done = inprocess.run([report, "-output=out", "leak", str(leak_profile())], tmp_path)
            assert b"Traceback" not in done.stderr
            assert done.status in (0, 1)
            statuses.add(done.status)
    assert statuses == {0, 1}
