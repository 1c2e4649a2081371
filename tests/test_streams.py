"""Streams that are closed, full or no files: one line, never a traceback; and what is written arrives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LEAK, ROOT

PYPPROF = f"{sys.executable} -m pypprof"


def shell(command: str, cwd: Path = ROOT, stdin: bytes | None = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a line of /bin/sh in which $P is pypprof and $H a heap profile."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "P": PYPPROF, "H": str(LEAK)}
    return subprocess.run(["sh", "-c", command], input=stdin, capture_output=True, cwd=cwd, env=env, check=False)


@pytest.mark.parametrize(
    "command",
    [
        "$P -top -output=/dev/stdout $H | cat",
        "$P -top -output=/dev/fd/3 $H 3>&1 | cat",
        "echo 'top > /dev/stdout' | $P $H | cat",
        "mkfifo pipe; $P -top -output=pipe $H & cat pipe; wait",
    ],
)
def test_pipes_are_written_to(command: str, tmp_path: Path) -> None:
    done = shell(command, tmp_path)
    assert b"main.allocateMemory" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] in ([], ["pipe"])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("$P -top $H >/dev/full", b"cannot write to stdout: no space left on device"),
        ("$P -top $H >&-", b"cannot write to stdout: bad file descriptor"),
        ("echo top | $P $H >/dev/full", b"cannot write to stdout: no space left on device"),
        ("$P -top -output=/dev/full $H", b"cannot write /dev/full: no space left on device"),
        ("mkdir gone; cd gone; rmdir ../gone; $P -list=main $H", b"the working directory cannot be read"),
    ],
)
def test_streams_that_fail(command: str, message: bytes, tmp_path: Path) -> None:
    done = shell(command, tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"internal error" not in done.stderr


def test_closed_stdin_ends_the_shell() -> None:
    done = shell("$P $H <&-")
    assert (done.returncode, done.stdout) == (0, b"(pprof) ")
    assert b"Traceback" not in done.stderr


def test_a_defect_is_one_line_and_the_shell_lives(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nfrom importlib import import_module\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'pypprof.reports.tags':\n"
        "            raise ZeroDivisionError('on purpose')\n"
        "sys.meta_path.insert(0, Broken())\n"
    )
    script = f"printf 'tags\\ntop1\\n' | PYTHONPATH={tmp_path}:{ROOT} $P $H"
    done = shell(script)
    assert done.returncode == 0
    assert done.stderr.count(b"internal error, please report it: ZeroDivisionError: on purpose") == 1
    assert b"Traceback" not in done.stderr
    assert b"main.allocateMemory" in done.stdout
    assert shell(f"PYTHONPATH={tmp_path}:{ROOT} $P -tags $H").returncode == 1
