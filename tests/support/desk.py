"""A desk to show pictures on: programs that stand for browsers, and what they were asked to show."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

# A browser that says what it was given, keeps a copy, and stays as long as it is told to.
_BROWSER = """#!/bin/sh
echo "$@" >> {log}
for last; do :; done
cp "$last" {copy} 2>/dev/null
sleep {stays}
exit {status}
"""


class Desk:
    """A directory with programs, a place for temporary files, and what was asked of the programs."""

    def __init__(self, place: Path) -> None:
        self.bin, self.tmp, self.log, self.copy = place / "bin", place / "tmp", place / "log", place / "copy"
        self.bin.mkdir()
        self.tmp.mkdir()
        for name in ("sh", "cp", "sleep", "dot"):  # and none of this machine's browsers
            found = shutil.which(name)
            assert found is not None
            (self.bin / name).symlink_to(found)

    def program(self, name: str, stays: float = 0, status: int = 0) -> Path:
        path = self.bin / name
        path.write_text(_BROWSER.format(log=self.log, copy=self.copy, stays=stays, status=status))
        path.chmod(0o755)
        return path

    def environment(self, **env: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")}
        return kept | {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.tmp), "PATH": str(self.bin)} | env

    def run(self, *arguments: str | Path, script: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pypprof", *map(str, arguments)], cwd=self.tmp.parent, text=True,
            input=script, capture_output=True, check=False, env=self.environment(**env), timeout=60,
        )  # fmt: skip

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []
