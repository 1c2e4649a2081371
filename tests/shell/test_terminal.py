"""The shell in a real pseudo-terminal, its screen read by a terminal emulator."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.conftest import LEAK, ROOT
from tests.support.encoder import Builder

TAB, CTRL_C, CTRL_D, CTRL_R, ENTER, ESCAPE = "\t", "\x03", "\x04", "\x12", "\r", "\x1b"


class Terminal:
    """A pypprof on a pseudo-terminal."""

    def __init__(self, home: Path, *arguments: str, rows: int = 40, columns: int = 100, **env: str) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(
            sys.executable, ["-m", "pypprof", *arguments], dimensions=(rows, columns), cwd=str(ROOT),
            env=os.environ | {"TERM": "xterm-256color", "HOME": str(home), "XDG_STATE_HOME": "", "PAGER": ""} | env,
        )  # fmt: skip
        self.wait("(pprof)")

    def read(self) -> str:
        """The screen now."""
        try:
            while True:
                data: bytes = self.child.read_nonblocking(65536, timeout=0.05)  # type: ignore[assignment]
                self._stream.feed(data)
                if b"\x1b[6n" in data:  # the cursor's position is asked for
                    self.child.send(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")
        except (pexpect.TIMEOUT, pexpect.EOF):
            pass
        return "\n".join(self.screen.display)

    def until(self, done: Callable[[str], bool], what: str) -> str:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            screen = self.read()
            if done(screen):
                return screen
        raise AssertionError(f"no {what} on:\n{self.read()}")

    def wait(self, text: str) -> str:
        return self.until(lambda screen: text in screen, repr(text))

    def type(self, text: str) -> None:
        self.child.send(text)
        time.sleep(0.1)
        self.read()

    def run(self, line: str, text: str) -> str:
        self.type(line + ENTER)
        return self.wait(text)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    shell = Terminal(tmp_path, str(LEAK))
    yield shell
    shell.child.close(force=True)


def test_greeting_reports_and_status_line(terminal: Terminal) -> None:
    screen = terminal.read()
    assert "Type: inuse_space" in screen
    assert "Entering interactive mode" in screen
    assert "inuse_space  functions" in screen.splitlines()[-1]
    terminal.run("top 2", "main.allocateMemory")
    terminal.run("focus=serve", "focus=serve")
    terminal.run("alloc_space", "alloc_space  functions  focus=serve")
    terminal.run("granularity=lines", "alloc_space  lines  focus=serve")
    terminal.run("undo", "granularity =")
    terminal.run("topp", "did you mean: top")
    terminal.run("help peek", "peek function_regex")


def test_completion(terminal: Terminal) -> None:
    terminal.type("peek alloc" + TAB)
    terminal.wait("main.allocateMemory")
    terminal.type(TAB)
    terminal.wait("peek main.allocateMemory")
    terminal.run("", "main.serve")


def test_history_is_kept_across_runs(tmp_path: Path) -> None:
    first = Terminal(tmp_path, str(LEAK))
    first.run("peek serve", "main.allocateMemory")
    first.child.send(CTRL_D)
    first.child.expect(pexpect.EOF)
    first.child.close()
    assert first.child.exitstatus == 0
    history = tmp_path / ".local/state/pypprof/history"
    assert history.stat().st_mode & 0o777 == 0o600
    second = Terminal(tmp_path, str(LEAK))
    second.type(CTRL_R + "ser")
    second.wait("peek serve")
    second.type(ENTER)  # ends the search
    second.type(ENTER)
    second.wait("main.allocateMemory")
    second.child.close(force=True)


def test_keys_that_leave_or_stay(terminal: Terminal) -> None:
    terminal.type("focus=half a li" + CTRL_C)
    terminal.run("top 1", "Showing top 1")
    assert terminal.child.isalive()
    terminal.child.send("quit" + ENTER)
    terminal.child.expect(pexpect.EOF)
    terminal.child.close()
    assert terminal.child.exitstatus == 0


def slow_profile(directory: Path) -> Path:
    """A profile whose call tree takes long."""
    builder = Builder([("samples", "count")])
    for id_ in range(1, 3001):
        builder.function(id_, f"f{id_}")
        builder.location(id_, [(id_, 1, 0)])
    for index in range(4000):
        builder.sample([1 + (index * 7919 + depth * 104729) % 3000 for depth in range(400)], [1])
    builder.header()
    path = directory / "slow.pb"
    path.write_bytes(builder.encode())
    return path


def test_interrupting_a_slow_command(tmp_path: Path) -> None:
    shell = Terminal(tmp_path, str(slow_profile(tmp_path)))
    shell.type("call_tree=true" + ENTER)
    shell.type(f"callgrind > {tmp_path}/big.out" + ENTER)
    time.sleep(1)
    shell.child.kill(signal.SIGINT)
    shell.wait("interrupted")
    assert not list(tmp_path.glob("*big.out*"))
    shell.run("top 1", "Showing top 1")
    shell.child.close(force=True)


def test_resize(terminal: Terminal) -> None:
    terminal.child.setwinsize(20, 60)
    terminal.screen.resize(20, 60)
    terminal.run("top 1", "Showing top 1")
    assert "inuse_space" in terminal.read().splitlines()[-1]


def test_pipe_and_pager(tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho PAGER\nexec head -3\n")
    pager.chmod(0o755)
    shell = Terminal(tmp_path, str(LEAK), rows=20, PAGER=str(pager))
    shell.run("top | wc -l", "7")
    shell.run("top | no-such-program", "cannot run no-such-program")
    shell.run("raw", "PAGER")
    shell.run("top 1 > " + str(tmp_path / "out.txt"), "Generating report in")
    assert "allocateMemory" in (tmp_path / "out.txt").read_text()
    shell.child.close(force=True)


def test_dumb_terminal_reads_as_a_script(tmp_path: Path) -> None:
    child = pexpect.spawn(
        sys.executable, ["-m", "pypprof", str(LEAK)], cwd=str(ROOT), env=os.environ | {"TERM": "dumb"}
    )
    child.sendline("top 1")
    child.expect("main.allocateMemory")
    child.sendline("quit")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
