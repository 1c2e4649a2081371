"""Every command of docs/leak-hunt.md runs, in order, on the real server, and says what the tutorial says."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.support import golang

# A shell in which pypprof and go are those under test; the server ends with it.
_HEAD = """\
set -euo pipefail
pypprof() {{ {python} -m pypprof "$@"; }}
trap 'kill $(jobs -p) 2>/dev/null' EXIT
wait_for_server() {{
  for _ in $(seq 200); do (exec 3<>/dev/tcp/localhost/{port}) 2>/dev/null && return; sleep 0.05; done
  false
}}
"""


def test_the_tutorial(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "leak-hunt.md").read_text()
    commands = re.findall(r"^\$ (.*)$", text, re.MULTILINE)
    assert len(commands) >= 10
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    lines = [_HEAD.format(python=shlex.quote(sys.executable), port=port)]
    for index, command in enumerate(commands):
        own = command.replace("localhost:6061", f"localhost:{port}").replace("/tmp/", f"{tmp_path}/")
        lines.append(f"echo '@@@ {index}'\n{own}")
        if own.endswith("&"):
            lines.append("wait_for_server")
    environment = golang.environment() | {"PATH": f"{golang.go().parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    outputs = dict(re.findall(r"@@@ (\d+)\n(.*?)(?=@@@ |\Z)", done.stdout, re.DOTALL))
    told: dict[str, str] = {command: outputs[str(index)] for index, command in enumerate(commands)}

    def output(start: str) -> str:
        return next(out for command, out in told.items() if command.startswith("pypprof " + start))

    trend = output("trend -memory_limit")
    assert re.search(r"main\.fillCache grows 1\.[78]\d? GB/h, 95 % between .*; 512 MB in 1\d\.?\d* min", trend)
    assert re.search(r"main\.readRequest grows (8[5-9]|9[0-4])\d MB/h", trend)
    assert re.search(r"main\.waitForReply grows 7\d{4}/h", trend)
    assert re.search(r"^steady .* main\.loadTable$", trend, re.MULTILINE)
    assert re.search(r"fillCache .*main\.go:\d+", output("trend -lines"))
    assert "inuse_space" not in output("trend -trend_by=stack")
    assert (tmp_path / "leak.html").read_text().startswith("<!DOCTYPE html>")
    assert re.search(r"MB +\d+:\s+entry\.Grow\(entrySize\)", output("-list"))
    assert "main.rememberSession" in output("-peek")
    assert "main.fillCache" in output("-top")
    assert "nothing has grown by more than 50 %" in output("check")
