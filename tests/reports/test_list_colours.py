"""list has colours on a terminal, and nowhere else."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pexpect
import pytest

from tests.conftest import FIXTURES, LEAK, ROOT
from tests.support import inprocess

ARGUMENTS = ["-m", "pypprof", f"-source_path={FIXTURES / 'leak'}", "-list=main.serve", str(LEAK)]


def on_terminal(arguments: list[str], **env: str) -> str:
    """What a command line prints on a real terminal."""
    child = pexpect.spawn(
        sys.executable, arguments, encoding="utf-8", timeout=60, dimensions=(60, 200),
        env=os.environ | {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "NO_COLOR": ""} | env,
    )  # fmt: skip
    output: str = child.read()
    child.close()
    assert child.exitstatus == 0
    return output.replace("\r\n", "\n")


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_colours_on_a_terminal_only(tmp_path: Path) -> None:
    plain = inprocess.run(ARGUMENTS[2:], tmp_path).stdout.decode()
    assert "\x1b" not in plain
    coloured = on_terminal(ARGUMENTS)
    assert without_colours(coloured) == plain
    assert "\x1b[1;36mROUTINE ======================== main.serve" in coloured
    assert re.search(r"\x1b\[1;31m +64MB\x1b\[0m +33:\t\tallocateMemory\(\)", coloured)


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_refused(env: dict[str, str]) -> None:
    assert "\x1b" not in on_terminal(ARGUMENTS, **env)


def test_a_source_cannot_control_the_terminal(tmp_path: Path) -> None:
    source = (FIXTURES / "leak" / "main.go").read_text()
    (tmp_path / "main.go").write_text(
        source.replace("allocateMemory()\n\t", "allocateMemory() // \x1b]0;owned\x07\n\t")
    )
    arguments = [*ARGUMENTS]
    arguments[2] = f"-source_path={tmp_path}"
    output = without_colours(on_terminal(arguments))
    assert "\x1b" not in output
    assert r"\x1b]0;owned\x07" in output


def test_the_shell_pages_and_pipes(tmp_path: Path) -> None:
    """Colours in the shell; none behind | and in files."""
    target = tmp_path / "listing.txt"
    child = pexpect.spawn(
        sys.executable, ["-m", "pypprof", f"-source_path={FIXTURES / 'leak'}", str(LEAK)],
        encoding="utf-8", timeout=60, dimensions=(100, 200), cwd=str(tmp_path),
        env=os.environ | {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "NO_COLOR": ""},
    )  # fmt: skip
    child.expect("inuse_space")
    child.sendline("list main.serve")
    child.expect(r"\x1b\[1;31m +64MB\x1b\[0m +33:")
    child.sendline(f"list main.serve > {target}")
    child.expect("Generating report")
    child.sendline(f"list main.serve | tee {tmp_path}/piped.txt")
    child.expect("64MB     33:")
    child.sendline("quit")
    child.expect(pexpect.EOF)
    plain = inprocess.run(ARGUMENTS[2:], tmp_path).stdout
    assert target.read_bytes() == plain
    assert (tmp_path / "piped.txt").read_bytes() == plain
