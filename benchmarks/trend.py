"""A thousand snapshots of five thousand samples each, and the time of a trend over them.

    python -m benchmarks.trend [--snapshots 1000] [--samples 5000] [--keep DIR]

The profiles are those of make_profile with the sample types of a heap; one function in fifty leaks.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.make_profile import make, write
from pypprof.profile.model import ValueType

_TYPES = tuple(
    ValueType(f"{kind}_{what}", unit)
    for kind in ("alloc", "inuse")
    for what, unit in (("objects", "count"), ("space", "bytes"))
)


def write_snapshots(directory: Path, snapshots: int, samples: int) -> None:
    """One profile, its values moving with time."""
    base = make(samples, 2000, 3, labels=0.0)._replace(
        sample_types=_TYPES, period_type=ValueType("space", "bytes"), period=524288, drop_frames="", duration_nanos=0
    )
    rng = np.random.default_rng(5)
    sizes = [rng.integers(1, 200, block.size()) * 4096 for block in base.blocks]
    leaks = [rng.random(block.size()) < 0.02 for block in base.blocks]
    for index in range(snapshots):
        blocks = []
        for block, size, leak in zip(base.blocks, sizes, leaks, strict=True):
            held = size * (1 + leak * index / 100) * rng.uniform(0.97, 1.03, len(size))
            held *= rng.random(len(size)) > 0.02  # not every stack is in every snapshot
            total = size * (index + 1.0) * 3
            values = np.stack((total / 4096, total, held / 4096, held), 1).astype("i8")
            blocks.append(block._replace(values=values))
        when = 1_700_000_000_000_000_000 + index * 30_000_000_000
        write(directory / f"{index:05d}.pb.gz", base._replace(blocks=tuple(blocks), time_nanos=when))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapshots", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.keep or Path(temporary)
        directory.mkdir(exist_ok=True)
        if not any(directory.iterdir()):
            write_snapshots(directory, options.snapshots, options.samples)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "pypprof", "trend", directory], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{options.snapshots} snapshots of {options.samples} samples: {seconds:.1f} s, {memory:.0f} MB a process")


if __name__ == "__main__":
    main()
