"""Legacy profiles give what they give in Go, whole, damaged and in real life."""

from __future__ import annotations

import random
import struct
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from pypprof.profile.legacy.scaling import go_exp
from tests.conftest import LEGACY
from tests.support import inprocess, oracle
from tests.support.compare import Verdict, compare, unpacked

REPORTS = [
    "-raw",
    "-top",
    "-traces",
    "-tags",
    "-proto",
    "-dot",
    "-tree",
    "-top -addresses -sample_index=0",
    "-comments",
]
NAMELESS = "-symbolize=none"
KINDS = ["heap", "allocs", "goroutine", "mutex", "block", "threadcreate"]


def same(arguments: list[str], cwd: Path) -> None:
    verdict, difference = compare(arguments, cwd)
    assert verdict is Verdict.SAME, f"{arguments}: {difference}"


@pytest.mark.parametrize("path", LEGACY, ids=lambda p: p.name)
def test_samples_of_google_pprof(path: Path, tmp_path: Path, go_pprof: Path) -> None:
    for report in REPORTS:
        same([*report.split(), str(path)], tmp_path)
    twice = [str(path)] * 2
    if path.suffix != ".cpu" or path.stem == "java":
        same(["-raw", *twice], tmp_path)
    else:
        # Go takes the first of two binary CPU profiles for a program (docs/differences.md).
        mine = inprocess.run(["-raw", *twice], tmp_path).stdout
        wanted = oracle.run(["-raw", *twice, str(path)], tmp_path)[1]
        assert mine.partition(b"Mappings")[0] == wanted.partition(b"Mappings")[0]
    same(["-raw", f"-base={path}", str(path)], tmp_path)
    verdict, difference = compare([str(path)], tmp_path, b"raw\ntraces\ntags\n")
    assert verdict is Verdict.SAME, difference


@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_a_real_program(kind: str, texts: Path, tmp_path: Path) -> None:
    """As Go reads them: names are left alone, and labels, which Go does not see, taken out."""
    text = (texts / f"{kind}.1").read_bytes()
    path = tmp_path / "text"
    path.write_bytes(b"\n".join(line for line in text.split(b"\n") if not line.startswith(b"# labels: ")))
    for report in REPORTS:
        same([*report.split(), NAMELESS, str(path)], tmp_path)


def test_exponential_is_gos(program: Path) -> None:
    """To the last bit: the corrected values are cut to integers."""
    output = subprocess.run([program, "exp"], capture_output=True, text=True, check=True).stdout
    lines = output.splitlines()
    assert len(lines) > 10000
    for line in lines:
        x, wanted = (struct.unpack(">d", bytes.fromhex(bits))[0] for bits in line.split())
        assert go_exp(x) == wanted


INSERTED = [
    b"0", b"-", b"\n", b" ", b"9" * 20, b"=", b"$", b"#", b"---", b"@", b"\xff", b"\r\n", b"\x85", b"\xc2\x85", b"\v",
    b"\xe2\x80\x83", b"x" * 70000, b"0x400000-0x500000: /x\n", b"\nMAPPED_LIBRARIES:\n400000-900000 /x (@1000) abc\n",
    b"\nbuild=/a/b\n7f00-8f00 r-xp 0 8:1 22 $build/x.so\n", b"00400000-00c0a000 r-xp 00001000 08:01 123 /bin/y\n",
    b"--- Memory map: ---\n", b"\n400000-410000 r-xp 1000 8:1 2 /p\n410000-420000 r-xp 11000 8:1 2 /p\n",
    b"server.go:12] 0x400000-0xc00000 r-xp 400 8:1 2 /q\n", b"0 @ 0x1\n", b"1: 0 [0: 0] @ 0x5 0x0\n", b"0x0 ",
]  # fmt: skip


def damaged(rng: random.Random, source: bytes) -> bytes:
    """A truncation, flipped bits, something inserted, a line moved or a stretch removed."""
    data = bytearray(source)
    kind = rng.randrange(5)
    at = rng.randrange(min(len(data), rng.choice([60, 400, len(data)])))
    if kind == 0:
        return bytes(data[: rng.randrange(len(data))])
    if kind == 1:
        for _ in range(rng.choice([1, 1, 3])):
            data[rng.randrange(len(data)) if rng.random() < 0.5 else at] ^= 1 << rng.randrange(8)
    elif kind == 2:
        data[at : at + rng.randrange(2)] = rng.choice(INSERTED)
    elif kind == 3:
        lines = bytes(data).split(b"\n")
        index = rng.randrange(len(lines))
        lines.insert(rng.randrange(len(lines)), lines[index] if rng.random() < 0.5 else lines.pop(index))
        return b"\n".join(lines)
    else:
        del data[at : at + rng.randrange(1, 20)]
    return bytes(data)


@pytest.mark.parametrize("shard", range(4))
def test_damaged_profiles(shard: int, texts: Path, tmp_path: Path) -> None:
    """The same result or the same refusal, and never more than a line about it."""
    rng = random.Random(7000 + shard)
    sources = [path.read_bytes() for path in LEGACY]
    sources += [(texts / name).read_bytes() for name in ("mutex.1", "block.1", "threadcreate.1")]
    path = tmp_path / "input"
    seen: Counter[bool] = Counter()
    for _ in range(250):
        data = damaged(rng, rng.choice(sources))
        path.write_bytes(data)
        arguments = [rng.choice(["-raw", "-raw", "-raw", "-top", "-traces", "-proto"]), NAMELESS, "input"]
        succeeds, wanted = oracle.run(arguments, tmp_path)
        mine = inprocess.run(arguments, tmp_path)
        assert b"Traceback" not in mine.stderr, data
        assert succeeds == (mine.status == 0), (data[:300], mine.stderr)
        if not succeeds:
            assert len([line for line in mine.stderr.splitlines() if line.startswith(b"pypprof:")]) == 1
        elif unpacked(wanted) != unpacked(mine.stdout):
            same(arguments, tmp_path)
        seen[succeeds] += 1
    assert seen[True] > 60
    assert seen[False] > 60


def test_jemalloc_is_corrected_as_any_heap(tmp_path: Path, go_pprof: Path) -> None:
    """Go does not read jemalloc's form; the same numbers in gperftools' form it does."""
    samples = [("0x401001 0x402001", "13: 6688 [40: 20480]"), ("0x403001", "1: 8 [1: 8]"), ("0x404001", "0: 0 [3: 96]")]
    maps = "\nMAPPED_LIBRARIES:\n00400000-00500000 r-xp 00000000 08:01 12 /bin/app\n"
    thread = "  t0: 1: 8 [1: 8]\n"
    head = "heap_v2/524288\n  t*: 14: 6696 [44: 20584]\n" + thread
    new = head + "".join(f"@ {stack}\n  t*: {numbers}\n{thread}" for stack, numbers in samples) + maps
    old = "heap profile: 14: 6696 [44: 20584] @ heap_v2/524288\n"
    old += "".join(f"{numbers} @ {stack}\n" for stack, numbers in samples) + maps
    (tmp_path / "new").write_text(new)
    (tmp_path / "old").write_text(old)
    for report in ("-raw", "-top", "-traces"):
        succeeds, wanted = oracle.run([report, "old"], tmp_path)
        assert succeeds
        assert inprocess.run([report, "old"], tmp_path).stdout == wanted
        assert inprocess.run([report, "new"], tmp_path).stdout == wanted
        assert not oracle.run([report, "new"], tmp_path)[0]
