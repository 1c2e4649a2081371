"""Starting browsers and viewers: real programs, real files, real exits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import LEAK
from tests.support.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_web_honours_browser_and_leaves_no_file(desk: Desk) -> None:
    program = desk.program("mine")
    done = desk.run(LEAK, script="web\nquit\n", BROWSER=f"{program} --new-window")
    assert done.stdout == "(pprof) (pprof) "
    (line,) = desk.asked()
    option, path = line.split()
    assert option == "--new-window"
    assert path.startswith(str(desk.tmp))
    assert path.endswith(".svg")
    assert b"allocateMemory" in desk.copy.read_bytes()
    assert not list(desk.tmp.iterdir())


@pytest.mark.parametrize("browser", ["'{}' --app=%s --x", "/none/such:{}", "{}:/none/such"])
def test_forms_of_browser(desk: Desk, browser: str) -> None:
    program = desk.program("mine")
    assert desk.run("-web", LEAK, BROWSER=browser.format(program)).returncode == 0
    (line,) = desk.asked()
    assert line.startswith("--app=/") == ("%s" in browser)
    assert line.endswith("--x") == ("%s" in browser)


def test_without_any_browser_the_path_is_printed(desk: Desk) -> None:
    done = desk.run(LEAK, script="web\n")
    (file,) = desk.tmp.iterdir()
    assert f"Open this file: {file}" in done.stderr
    assert "allocateMemory" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_browser_that_fails_is_passed_over(desk: Desk) -> None:
    desk.program("google-chrome", status=1)
    desk.program("chromium")
    desk.run("-web", LEAK, DISPLAY=":99")
    assert len(desk.asked()) == 2
    assert not list(desk.tmp.iterdir())
    desk.program("chromium", status=1)
    desk.program("firefox", status=1)
    done = desk.run("-web", LEAK, DISPLAY=":99")
    assert "Open this file" in done.stderr


def test_the_shell_goes_on_while_the_browser_runs(desk: Desk) -> None:
    """The browser would run for a minute; the next report comes at once, the file goes at the end."""
    program = desk.program("mine", stays=60)
    shell = subprocess.Popen(
        [sys.executable, "-m", "pypprof", str(LEAK)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=desk.environment(BROWSER=str(program)),
    )  # fmt: skip
    with shell:
        assert shell.stdin is not None and shell.stdout is not None
        shell.stdin.write(b"web\ntop 1\n")
        shell.stdin.flush()
        output = b""
        while b"allocateMemory" not in output:
            output += os.read(shell.stdout.fileno(), 65536)
        assert len(list(desk.tmp.iterdir())) == 1
        shell.stdin.close()
        assert shell.wait(timeout=30) == 0
    assert not list(desk.tmp.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_closed_terminal_leaves_no_file(desk: Desk, number: signal.Signals) -> None:
    program = desk.program("mine")
    shell = subprocess.Popen(
        [sys.executable, "-m", "pypprof", str(LEAK)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=desk.environment(BROWSER=str(program)),
    )  # fmt: skip
    with shell:
        assert shell.stdin is not None and shell.stdout is not None
        shell.stdin.write(b"web\ntop 1\n")
        shell.stdin.flush()
        output = b""
        while b"allocateMemory" not in output:
            output += os.read(shell.stdout.fileno(), 65536)
        shell.send_signal(number)
        assert shell.wait(timeout=30) == 128 + number
    assert not list(desk.tmp.iterdir())


def test_one_shot_waits_for_the_program(desk: Desk) -> None:
    """As Go does: the file lives as long as the program that was started for it."""
    desk.program("eog", stays=2)
    start = time.monotonic()
    assert desk.run("-eog", LEAK).returncode == 0
    assert time.monotonic() - start >= 2
    assert not list(desk.tmp.iterdir())


@pytest.mark.parametrize(
    ("command", "program", "start", "arguments"),
    [
        ("eog", "eog", b"<?xml", 1),
        ("evince", "evince", b"%PDF", 1),
        ("gv", "gv", b"%!PS", 2),
        ("kcachegrind", "kcachegrind", b"positions:", 1),
    ],
)
def test_viewers(desk: Desk, command: str, program: str, start: bytes, arguments: int) -> None:
    desk.program(program)
    done = desk.run(LEAK, script=f"{command}\n")
    assert "Open this file" not in done.stderr
    assert desk.copy.read_bytes().startswith(start)
    assert len(desk.asked()[0].split()) == arguments
    assert not list(desk.tmp.iterdir())


def test_a_viewer_that_is_not_installed(desk: Desk) -> None:
    done = desk.run(LEAK, script="kcachegrind\n")
    (file,) = desk.tmp.iterdir()
    assert f"kcachegrind could not be started. Open this file: {file}" in done.stderr


def test_open_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from pypprof.browser import open_page

    monkeypatch.setenv("BROWSER", str(desk.program("mine")))
    assert open_page("http://localhost:1/ui")
    assert desk.asked() == ["http://localhost:1/ui"]
    monkeypatch.setenv("BROWSER", "/none/such")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not open_page("http://localhost:1/ui")


def test_a_real_browser_reads_the_file_before_it_goes(desk: Desk, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    options = (
        f"--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync "
        f"--disable-component-update --disable-quic --user-data-dir={tmp_path / 'user'} --screenshot={picture}"
    )
    # The path of its socket, in its own temporary directory, must be short.
    done = desk.run("-web", LEAK, BROWSER=f"env TMPDIR=/tmp chromium {options}", PATH=os.environ["PATH"])
    assert done.returncode == 0
    assert len(picture.read_bytes()) > 10_000, "not a blank page"
    assert not list(desk.tmp.glob("pprof.*"))
