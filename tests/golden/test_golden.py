"""What Go's pprof printed once, kept: ours prints the same, also where Go is not installed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.golden.cases import CASES
from tests.support import inprocess, oracle

GOLDENS = {path.name.removesuffix(".golden.gz"): path for path in Path(__file__).parent.glob("*.golden.gz")}


def test_most_cases_are_kept() -> None:
    """Cases without a golden are those in which Go varies; few do."""
    assert set(GOLDENS) <= set(CASES)
    assert len(GOLDENS) >= 0.85 * len(CASES)


@pytest.mark.parametrize("name", sorted(GOLDENS))
def test_golden(name: str) -> None:
    head, _, wanted = gzip.decompress(GOLDENS[name].read_bytes()).partition(b"\n")
    assert head.decode() == f"go tool pprof, go{oracle.GO_VERSION}: pprof {' '.join(CASES[name])}"
    result = inprocess.run(CASES[name], ROOT)
    assert result.status == 0
    assert result.stdout == wanted
