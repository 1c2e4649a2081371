"""Real texts: a Go program, built here, that writes each of its profiles in every form."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import FIXTURES
from tests.support import oracle


@pytest.fixture(scope="session")
def program(go_pprof: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of fixtures/programs/texts."""
    return oracle.build(FIXTURES / "programs" / "texts", tmp_path_factory.mktemp("program") / "texts")


@pytest.fixture(scope="session")
def texts(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of profiles: kind.0 in profile.proto, kind.1 and kind.2 as text."""
    return written(program, tmp_path_factory.mktemp("texts"), labels="0")


@pytest.fixture(scope="session")
def labelled(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, goroutine dumps with labels in their headers (Go 1.27's form)."""
    return written(program, tmp_path_factory.mktemp("labelled"), labels="1")


def written(program: Path, directory: Path, labels: str) -> Path:
    env = os.environ | {"GODEBUG": f"tracebacklabels={labels}"}
    subprocess.run([program, directory], env=env, check=True)
    return directory
