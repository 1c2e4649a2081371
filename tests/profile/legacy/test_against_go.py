"""Legacy profiles give what they give in Go, whole, damaged and in real life."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pypprof.profile.legacy.scaling import go_exp
from tests.conftest import FIXTURES, LEGACY
from tests.profile.legacy.damage import damaged
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


@pytest.mark.parametrize("code", ["<u4", ">u4", "<u8", ">u8"])
@pytest.mark.parametrize("kind", [0, 1], ids=["native", "java"])
def test_words_of_every_size_and_order(code: str, kind: int, tmp_path: Path, go_pprof: Path) -> None:
    """A CPU profile re-encoded; its Java form has no names for its addresses."""
    data = (FIXTURES / "legacy" / "cppbench.cpu").read_bytes()
    end = data.index(struct.pack("<3Q", 0, 1, 0)) + 24
    words = np.frombuffer(data[:end], "<u8").copy()
    words[2] = kind
    path = tmp_path / "cpu"
    path.write_bytes(words.astype(code).tobytes() + data[end:])
    for report in ("-raw", "-top", "-traces"):
        same([report, str(path)], tmp_path)
    # Go's bound for the depth of a stack is loose for words of 8 bytes: what is missing is 0.
    path.write_bytes(words.astype(code).tobytes()[: -4 * int(code[2])])
    same(["-raw", str(path)], tmp_path)


def test_exponential_is_gos(program: Path) -> None:
    """To the last bit: the corrected values are cut to integers."""
    output = subprocess.run([program, "exp"], capture_output=True, text=True, check=True).stdout
    lines = output.splitlines()
    assert len(lines) > 10000
    for line in lines:
        x, wanted = (struct.unpack(">d", bytes.fromhex(bits))[0] for bits in line.split())
        assert go_exp(x) == wanted


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
        if not succeeds and re.search(rb"^[0-9]+ @\r?$", data, re.MULTILINE):
            continue  # an empty stack: docs/differences.md
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
