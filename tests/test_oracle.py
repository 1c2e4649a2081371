"""The first promise: the same bytes as Go's pprof, on command lines and scripts drawn from a seed."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import LEAK, LEGACY, PROFILES
from tests.support import shapes
from tests.support.commandlines import Chooser
from tests.support.compare import Verdict, compare

SEED = int(os.environ.get("PYPPROF_SEED", "20261123"))
ONE_SHOTS, PER_SHARD = 2000, 250
SCRIPTS, LINES = 170, 12
SCRIPTS_PER_SHARD = 34


class Corpus:
    """Real profiles of Go programs, and shapes of other languages', drawn at random."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.rng = random.Random(seed)
        self._directory = directory
        self._made = 0

    def draw(self) -> tuple[Path, list[str]]:
        """(a profile, names that occur in it)."""
        if self.rng.random() < 0.5:
            return self.rng.choice([*PROFILES, LEAK]), []
        if self.rng.random() < 0.15:
            return self.rng.choice(LEGACY), []
        self._made += 1
        path = self._directory / f"shape{self._made}.pb"
        path.write_bytes(shapes.make(self.rng.randrange(1 << 30)))
        return path, []

    def partner(self, path: Path) -> Path:
        """A profile that can be merged with another or subtracted from it."""
        if path not in PROFILES:
            return path
        kind = path.name.split(".")[1]
        return self.rng.choice([other for other in PROFILES if other.name.split(".")[1] == kind])

    def command_line(self) -> list[str]:
        rng = self.rng
        path, names = self.draw()
        line = Chooser(rng.randrange(1 << 30), names).command_line()
        if rng.random() < 0.12:
            base = f"{rng.choice(['-base', '-diff_base'])}={self.partner(path)}"
            line = [base, *(["-normalize"] if rng.random() < 0.3 else []), *line]
        # Go takes the first of two binary CPU profiles for a program: docs/differences.md.
        alone = path.suffix == ".cpu" or rng.random() >= 0.15
        sources = [path, *([] if alone else [self.partner(path)])]
        return [*line, *map(str, sources)]

    def script(self) -> tuple[list[str], bytes]:
        path, names = self.draw()
        chooser = Chooser(self.rng.randrange(1 << 30), names)
        return [str(path)], "".join(chooser.shell_line() + "\n" for _ in range(LINES)).encode()


def check(cases: list[tuple[list[str], bytes]], cwd: Path) -> None:
    """All cases are the same; where Go's output varies, few may be undecided."""
    verdicts: Counter[Verdict] = Counter()
    for arguments, script in cases:
        verdict, difference = compare(arguments, cwd, script)
        verdicts[verdict] += 1
        assert verdict is not Verdict.DIFFERENT, f"{' '.join(arguments)}\n{script.decode()}\n{difference}"
    assert verdicts[Verdict.VARIES] + verdicts[Verdict.UNDECIDED] <= len(cases) * 0.03 + 2, verdicts


@pytest.mark.parametrize("shard", range(ONE_SHOTS // PER_SHARD))
def test_command_lines(shard: int, tmp_path: Path, go_pprof: Path) -> None:
    corpus = Corpus(SEED + shard, tmp_path)
    check([(corpus.command_line(), b"") for _ in range(PER_SHARD)], tmp_path)


@pytest.mark.parametrize("shard", range(SCRIPTS // SCRIPTS_PER_SHARD))
def test_scripts(shard: int, tmp_path: Path, go_pprof: Path) -> None:
    corpus = Corpus(SEED + 1000 + shard, tmp_path)
    check([corpus.script() for _ in range(SCRIPTS_PER_SHARD)], tmp_path)
