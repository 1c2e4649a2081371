"""fixtures/programs/leakserver: a real Go server with net/http/pprof, built once, run where needed."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import FIXTURES
from tests.support import oracle


@functools.cache
def built() -> Path:
    """The program, built with the pinned Go."""
    directory = tempfile.mkdtemp(prefix="pypprof-tests-")
    atexit.register(shutil.rmtree, directory, True)
    target = Path(directory) / "leakserver"
    env = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-trimpath", "GOTOOLCHAIN": "local"}
    words = [str(oracle.go()), "build", "-o", str(target), "./leakserver"]
    subprocess.run(words, cwd=FIXTURES / "programs", env=env, check=True)
    return target


@contextmanager
def running(*flags: str) -> Iterator[str]:
    """The server with these flags; its address (host:port, or the path of its socket)."""
    process = subprocess.Popen([built(), *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()
