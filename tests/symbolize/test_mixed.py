"""Go programs with C in them: stripped, they give the names that they give with symbols."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pypprof.naming import open_binary
from pypprof.symbolize.golang import line_table
from pypprof.symbolize.resolver import Resolver
from tests.symbolize.conftest import CACHE, GO_VERSIONS, SOURCES, go_command


# Go 1.21's table is hidden among other data here; Go 1.27's does not say where the text begins.
@pytest.mark.parametrize(("version", "mode"), [(GO_VERSIONS[0], "pie"), (GO_VERSIONS[-1], "exe")])
def test_stripped_is_as_good(version: str, mode: str, tmp_path: Path) -> None:
    env = os.environ | {
        "CGO_ENABLED": "1", "GOTOOLCHAIN": "local", "GO111MODULE": "off", "GOFLAGS": "", "HOME": str(tmp_path),
        "GOCACHE": str(CACHE / "go-build"),
    }  # fmt: skip
    for name, flags in (("whole", "-ldflags="), ("stripped", "-ldflags=-s -w")):
        command = [str(go_command(version)), "build", f"-buildmode={mode}", flags, "-o", str(tmp_path / name), "."]
        subprocess.run(command, cwd=SOURCES / "mixed", env=env, check=True, capture_output=True)
    whole, stripped = (open_binary(str(tmp_path / name)) for name in ("whole", "stripped"))
    table, bare = line_table(whole, True), line_table(stripped, True)
    assert table is not None and bare is not None
    text = whole.section(".text")
    assert text is not None and int(table.entries[0]) == whole.symbols.named("runtime.text") != text.address
    addresses = np.random.default_rng(1).integers(int(table.entries[0]), int(table.entries[-1]), 3000)
    wanted = np.sort(addresses).astype(np.uint64)
    frames = table.frames(wanted, True)
    assert frames == bare.frames(wanted, True)
    assert max(map(len, frames)) > 2
    work = whole.symbols.named("work")
    assert work is not None
    notes: list[str] = []
    inside = np.arange(work, work + 40).astype(np.uint64)
    names = {
        tuple(f.system_name for f in frames)
        for frames in Resolver(whole, False, lambda _: None, notes.append).frames(inside)
    }
    assert ("inner", "work") in names and not notes
