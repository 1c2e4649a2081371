"""Ten thousand damaged inputs: a result or one clear line, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conftest import ROOT
from tests.support import inprocess
from tests.support.encoder import Builder

_WORKERS, _EACH = 4, 2500


def _run(seed: int, directory: Path) -> dict[str, object]:
    directory.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.damage", str(seed), str(_EACH), str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_damaged_inputs(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda i: _run(100 + i, tmp_path / str(i)), range(_WORKERS)))
    for report in reports:
        assert report["wrong"] == []
        assert float(str(report["slowest"])) < 20
    # Both happen often, or the test tests nothing.
    assert sum(int(str(r["results"])) for r in reports) > 500
    assert sum(int(str(r["refused"])) for r in reports) > 500


def test_huge_counts_do_not_allocate(tmp_path: Path) -> None:
    """Lengths and ids near 2^63 are refused or kept, never used as a size."""
    builder = Builder([("samples", "count")])
    builder.function((1 << 64) - 1, "f", None, "f.go", -1)
    builder.location((1 << 63) + 5, [((1 << 64) - 1, (1 << 63) - 1, -1)], 0, (1 << 64) - 1)
    builder.sample([(1 << 63) + 5], [-(1 << 63)], [("k", (1 << 63) - 1, "bytes")])
    builder.header(time=(1 << 63) - 1, duration=-(1 << 63), period=-1)
    path = tmp_path / "huge.pb"
    path.write_bytes(builder.encode())
    for report in ("-top", "-raw", "-dot", "-tags", "-traces", "-callgrind", "-proto", "-tree"):
        result = inprocess.run([report, str(path)], tmp_path)
        assert result.status == 0, result.stderr


def test_catastrophic_pattern(tmp_path: Path) -> None:
    """What makes a backtracking matcher run for hours is linear here."""
    builder = Builder([("samples", "count")])
    builder.function(1, "a" * 100_000)
    builder.location(1, [(1, 1, 0)])
    builder.sample([1], [1])
    builder.header()
    path = tmp_path / "name.pb"
    path.write_bytes(builder.encode())
    for pattern in ("(a+)+$", "(a*)*b", "(a|aa)+$", "(.*)(.*)(.*)(.*)x"):
        assert inprocess.run(["-top", f"-focus={pattern}", str(path)], tmp_path).status == 0
    result = inprocess.run(["-dot", str(path)], tmp_path)
    assert result.status == 0
