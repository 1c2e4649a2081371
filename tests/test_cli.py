"""The command line as a user meets it: real processes, exit statuses, files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, LEAK, PROFILES, ROOT
from tests.support import inprocess


def run(*arguments: str, stdin: bytes = b"", cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "pypprof", *arguments],
        input=stdin, capture_output=True, cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT)} | env, check=False,
    )  # fmt: skip


def test_one_shot() -> None:
    done = run("-top", str(FIXTURES / "leak" / "leak"), str(LEAK))
    assert done.returncode == 0
    assert b"main.allocateMemory" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no profile source specified"),
        (["-bogus", "x"], "flag provided but not defined: -bogus"),
        (["-focus"], "flag needs an argument: -focus"),
        (["-nodecount=x", "x"], "invalid value"),
        (["-trim=maybe", "x"], "invalid boolean value"),
        (["-top", "-tree", "x"], "at most one output format"),
        (["-cum", "-flat", "x"], "conflicting options"),
        (["-base=a", "-diff_base=b", "x"], "cannot both be specified"),
        (["-normalize", "x"], "must have base profile"),
        (["-no_browser", "x"], "only makes sense with -http"),
        (["---top", "x"], "bad flag syntax"),
    ],
)
def test_usage_errors(arguments: list[str], message: str) -> None:
    done = inprocess.run(arguments, ROOT)
    assert done.status == 2
    assert message in done.stderr.decode()
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-top", "missing.pb"], "missing.pb: no such file or directory"),
        (["-top", "."], "is a directory"),
        (["-top", "README.md"], "unrecognized profile format"),
        (["-peek=nothing", str(LEAK)], "no matches found for regexp: nothing"),
        (["-top", "-focus=(", str(LEAK)], "parsing focus regexp"),
        (["-top", "-sample_index=9", str(LEAK)], "outside the range [0..3]"),
        (["-top", "-divide_by=0", str(LEAK)], "zero divisor"),
        (["-top", "-output=/nowhere/x", str(LEAK)], "cannot write /nowhere/x"),
    ],
)
def test_errors_are_one_line(arguments: list[str], message: str) -> None:
    done = inprocess.run(arguments, ROOT)
    assert done.status == 1
    assert message in done.stderr.decode()
    assert sum(line.startswith("pypprof:") for line in done.stderr.decode().splitlines()) == 1
    assert done.stdout == b""


def test_output_is_whole_or_absent(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_text("old")
    target.chmod(0o640)
    assert inprocess.run(["-peek=nothing", f"-output={target}", str(LEAK)], tmp_path).status == 1
    assert target.read_text() == "old"
    assert inprocess.run(["-top", f"-output={target}", str(LEAK)], tmp_path).status == 0
    assert "allocateMemory" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["report.txt"]


def test_broken_pipe_is_quiet() -> None:
    command = f"{sys.executable} -m pypprof -traces {PROFILES[2]} | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, cwd=ROOT, check=True)
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


def test_help_names_everything() -> None:
    from pypprof.flags import SOURCE_FLAGS
    from pypprof.reports import COMMANDS
    from pypprof.settings import CHOICES, OPTIONS

    text = inprocess.run(["-h"], ROOT).stdout.decode()
    flags = [n for n, o in OPTIONS.items() if not o.choices]
    for name in [*flags, *CHOICES, *COMMANDS, *SOURCE_FLAGS]:
        assert re.search(rf"^ +-{name}\b", text, re.MULTILINE), name


def test_version() -> None:
    import pypprof

    assert inprocess.run(["-version"], ROOT).stdout.decode() == f"pypprof {pypprof.__version__}\n"


def test_strict_script(tmp_path: Path) -> None:
    script = b"top 1\nfocus=(\npeek x\ntop 1\n"
    assert inprocess.run([str(LEAK)], tmp_path, script).status == 0
    strict = inprocess.run(["-strict", str(LEAK)], tmp_path, script)
    assert strict.status == 1
    assert strict.stdout.count(b"(pprof)") == 3
    assert inprocess.run(["-strict", str(LEAK)], tmp_path, b"top 1\nquit\nbogus\n").status == 0


def test_script_writes_binary_reports_to_files(tmp_path: Path) -> None:
    done = inprocess.run([str(LEAK)], tmp_path, b"proto\ntopproto\ntop 1 > t.txt\ncallgrind\n")
    assert done.status == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["profile001.callgraph.out", "profile001.pb.gz", "profile002.pb.gz", "t.txt"]
    assert inprocess.run(["-top", "profile001.pb.gz"], tmp_path).status == 0


def test_several_sources_one_bad(tmp_path: Path) -> None:
    done = inprocess.run(["-top", str(LEAK), "missing.pb"], tmp_path)
    assert done.status == 0
    assert "Fetched 1 source profiles out of 2" in done.stderr.decode()


def test_names_cannot_reach_the_terminal_as_commands() -> None:
    from pypprof.output import printable

    assert printable("a\x1b[31mb\tc\n") == "a\\x1b[31mb\tc\n"
    assert printable("é\udcff") == "é\ufffd"
