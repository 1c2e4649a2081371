"""What a command loads: nothing that it does not use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LEAK, ROOT

_HEAVY = {
    "prompt_toolkit", "google.protobuf", "capstone", "elftools", "graphviz", "wasmtime", "re2", "http.server",
    "urllib.request", "asyncio", "numpy.linalg", "numpy.lib", "json",
    "csv", "logging", "dataclasses", "inspect", "tempfile", "subprocess",
    "concurrent.futures", "argparse", "email", "ssl", "difflib", "shlex", "xml", "pypprof.browser", "pypprof.shell",
    "pypprof.web",
}  # fmt: skip
_SHOW = (
    "import sys; from pypprof.cli import main; main(sys.argv[1:]); sys.stderr.write(chr(0) + chr(0).join(sys.modules))"
)


def modules(*arguments: str) -> set[str]:
    """The modules that a command line has loaded when it is done."""
    done = subprocess.run(
        [sys.executable, "-c", _SHOW, *arguments], cwd=ROOT, capture_output=True, check=True, input=b"top\n"
    )
    return set(done.stderr.decode().partition("\0")[2].split("\0"))


@pytest.mark.parametrize("report", ["-top", "-tree", "-tags", "-traces", "-raw", "-comments", "-callgrind"])
def test_reports_load_little(report: str) -> None:
    loaded = modules(report, f"-output={os.devnull}", str(LEAK))
    assert "pypprof.session" in loaded
    assert not loaded & _HEAVY


def test_only_the_named_report_is_loaded() -> None:
    loaded = {name for name in modules("-tags", str(LEAK)) if name.startswith("pypprof.reports.")}
    assert loaded == {
        "pypprof.reports." + name for name in ("command", "formats", "header", "tabwriter", "tags", "values")
    }


def test_patterns_load_re2_only_when_they_need_it() -> None:
    assert "re2" not in modules("-top", "-focus=main", str(LEAK))
    assert "re2" in modules("-top", "-focus=ma.n", str(LEAK))


def test_a_script_loads_no_terminal() -> None:
    loaded = modules(str(LEAK))
    assert "pypprof.shell.script" in loaded
    assert "prompt_toolkit" not in loaded


def test_plain_numpy_gives_the_same(tmp_path: Path) -> None:
    """The quick start and the plain import of NumPy print the same; a stand-in becomes the real thing."""
    plain = f"import numpy; import sys; from pypprof.cli import main; sys.exit(main(['-dot', {str(LEAK)!r}]))"
    quick = plain.replace("import numpy; ", "")
    outputs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for code in (plain, quick)
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith(b"digraph")
    whole = (
        "from pypprof import _faststart; _faststart.start(); import numpy as np; a = np.arange(4); "
        "print(type(np).__name__, a.sum(), np.unique(a).tolist(), np.linalg.det(np.eye(2)), type(np).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True)
    assert done.stdout == "_Standin 6 [0, 1, 2, 3] 1.0 module\n"
