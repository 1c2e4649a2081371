"""The command line run inside the test process, its streams captured."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

from pypprof.cli import main
from tests.support.oracle import environment


class Result(NamedTuple):
    status: int
    stdout: bytes
    stderr: bytes


def run(arguments: list[str], cwd: Path, script: bytes = b"") -> Result:
    """main() in a directory, with the environment that the oracle gets."""
    streams = sys.stdin, sys.stdout, sys.stderr
    before, place = dict(os.environ), os.getcwd()
    out, err = io.BytesIO(), io.BytesIO()
    try:
        os.environ.clear()
        os.environ.update(environment(cwd) | {"PYPPROF_DEBUG": "1"})  # a defect shows itself
        time.tzset()
        os.chdir(cwd)
        sys.stdin = io.TextIOWrapper(io.BytesIO(script))
        sys.stdout, sys.stderr = io.TextIOWrapper(out), io.TextIOWrapper(err)
        status = main(arguments)
        sys.stdout.flush()
        return Result(status, out.getvalue(), err.getvalue())
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        os.chdir(place)
        os.environ.clear()
        os.environ.update(before)
        time.tzset()
