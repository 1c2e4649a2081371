"""Commands from a stdin that is no terminal, byte for byte as Go's pprof runs them."""

from __future__ import annotations

import sys

from pypprof.output import write_stdout
from pypprof.session import Session
from pypprof.shell.loop import Loop, greet
from pypprof.shell.words import Quit

PROMPT = b"(pprof) "


def run(session: Session, strict: bool) -> int:
    """Run every line of stdin. The exit status: 1 when `strict` and a line failed, else 0."""
    greet(session)
    loop = Loop(session)
    while True:
        write_stdout([PROMPT])
        line = sys.stdin.buffer.readline()
        if not line:
            return 0
        try:
            fine = loop.run(line.decode("utf-8", "surrogateescape"))
        except Quit:
            return 0
        if strict and not fine:
            return 1
