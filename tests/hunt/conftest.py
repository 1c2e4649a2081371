"""One leaking server and one recording of it for all tests of the hunt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.golang import Server, build

ROUNDS = 14


@pytest.fixture(scope="session")
def leakhunt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server of the tutorial."""
    return build("leakhunt", tmp_path_factory.mktemp("leakhunt"))


@pytest.fixture(scope="session")
def recording(leakhunt: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with 14 rounds of heap and goroutine profiles, 1.3 s apart, recorded live."""
    directory = tmp_path_factory.mktemp("recording") / "snapshots"
    with Server(leakhunt) as server:
        done = record(server.url, "-every=1300ms", f"-count={ROUNDS}", "-dir", str(directory))
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", ""), "not quiet without a terminal"
    return directory


def record(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pypprof", "record", *arguments]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}
