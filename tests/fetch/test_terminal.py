"""On a terminal: the line of progress, and Ctrl-C."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.conftest import LEAK, ROOT
from tests.support import hostile


@pytest.fixture
def server() -> Iterator[hostile.Hostile]:
    with hostile.serving() as running:
        yield running


def start(home: Path, *arguments: str) -> pexpect.spawn[str]:
    env = os.environ | {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
        "PAGER": "",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }
    words = ["-m", "pypprof", *arguments]
    return pexpect.spawn(sys.executable, words, env=env, encoding="utf-8", timeout=30, dimensions=(24, 120), cwd=ROOT)


def test_progress_and_cancel(server: hostile.Hostile, tmp_path: Path) -> None:
    child = start(tmp_path, "-top", "-seconds=30", f"{server.address}/stall-in-body")
    child.expect("Fetching profile over HTTP from http://127.0.0.1")
    child.expect(re.escape("Please wait... (30s)"))
    child.expect(re.escape(f"http://{server.address}/stall-in-body?seconds=30  [") + r"\.+\]  30 s left  ")
    child.expect(r"\[#+\.+\]  2[0-9] s left  \d+ B of 1000 B")
    child.sendintr()
    child.expect("\r\x1b\\[K.*interrupted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert "Traceback" not in str(child.before)
    assert list(tmp_path.iterdir()) == []


def test_the_shell_survives_a_cancelled_fetch(server: hostile.Hostile, tmp_path: Path) -> None:
    child = start(tmp_path, str(LEAK))
    child.expect(r"\(pprof\)")
    child.send(f"fetch {server.address}/stall\r")
    child.expect(r"/stall  \d+ s  0 B")
    child.sendintr()
    child.expect("interrupted")
    child.send("comments\r")
    child.send("top1\r")
    child.expect("main.allocateMemory")
    child.send("quit\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_no_progress_without_a_terminal(server: hostile.Hostile, tmp_path: Path) -> None:
    command = f"{sys.executable} -m pypprof -top -timeout=1 {server.address}/stall 2>{tmp_path}/err"
    child = pexpect.spawn("sh", ["-c", command], encoding="utf-8", timeout=30, cwd=ROOT)
    child.expect(pexpect.EOF)
    child.close()
    text = (tmp_path / "err").read_text()
    assert "timed out: no complete answer within 6 s" in text
    assert "\r" not in text and "\x1b" not in text


def test_several_at_once(server: hostile.Hostile, tmp_path: Path) -> None:
    child = start(tmp_path, "-top", *[f"{server.address}/{name}" for name in ("fine", "slow-body", "stall")])
    child.expect(r"\d+ s  [0-9.]+ k?B of [0-9.]+ kB  1 of 3 done")
    child.sendintr()
    child.expect("interrupted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
