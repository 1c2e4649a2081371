"""Large profiles like those of a busy server, made from a seed: python -m benchmarks.make_profile.

A static call graph: each function calls a few others, in layers with some recursion, and one
callee dominates in half of them. Samples are random walks from a few roots, 10 to 60 frames deep;
30 % of the locations hold inlined calls; part of the samples carry tags.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from pypprof.profile.encode import encode_gzip
from pypprof.profile.merge import merge
from pypprof.profile.model import (
    Block,
    Functions,
    Labels,
    Lines,
    Locations,
    Mapping,
    Profile,
    ValueType,
    select_samples,
)

_PACKAGES = "server storage index query codec rpc auth cache render metrics net/http encoding/json runtime".split()
_VERBS = "read write parse encode flush open handle serve lookup insert merge split sort hash visit render".split()
_TYPES = "Reader Writer Server Client Conn Pool Index Tree Node Buffer".split()
_BLOCK = 50_000


def make(samples: int, functions: int, sites: int, labels: float = 0.25, seed: int = 1) -> Profile:
    """A profile of `samples` samples over `functions` functions with `sites` locations each."""
    rng = np.random.default_rng(seed)
    strings = ["", "samples", "count", "cpu", "nanoseconds", "endpoint", "bytes", "/usr/local/bin/acmed"]
    endpoints = _add(strings, [f"/api/v{i % 3}/resource{i}" for i in range(60)])
    names = _add(strings, [_name(rng, i) for i in range(functions)])
    files = _add(strings, [f"/go/src/acme/file{i}.go" for i in range(functions // 8 + 1)])
    count = functions * sites
    calls = _calls(rng, functions, sites)
    return Profile(
        strings,
        (ValueType("samples", "count"), ValueType("cpu", "nanoseconds")),
        tuple(_blocks(rng, samples, sites, calls, labels, endpoints)),
        (Mapping(1, 0x400000, 0x400000 + 64 * count, 0, "/usr/local/bin/acmed", "feed", True, True, True, True),),
        _locations(rng, functions, sites),
        Functions(
            np.arange(1, functions + 1).astype("u8"), names, names, files[rng.integers(0, len(files), functions)],
            rng.integers(1, 1500, functions),
        ),
        time_nanos=1_700_000_000_000_000_000,
        duration_nanos=30_000_000_000,
        period_type=ValueType("cpu", "nanoseconds"),
        period=10_000_000,
    )  # fmt: skip


def _add(strings: list[str], texts: list[str]) -> Any:
    strings += texts
    return np.arange(len(strings) - len(texts), len(strings), dtype="i4")


def _name(rng: np.random.Generator, index: int) -> str:
    package, verb, kind = (words[rng.integers(len(words))] for words in (_PACKAGES, _VERBS, _TYPES))
    return f"github.com/acme/{package}.(*{kind}).{verb.title()}{index}" if index % 3 else f"{package}.{verb}{index}"


def _calls(rng: np.random.Generator, functions: int, sites: int) -> Any:
    """The function that each call site calls."""
    order = rng.permutation(functions)
    place = np.argsort(order)
    own = np.arange(functions * sites) // sites
    step = (rng.random(len(own)) ** 3 * functions * 0.05).astype("i8") + 1
    back = rng.random(len(own)) < 0.03
    step[back] = -rng.integers(0, max(2, functions // 50), int(back.sum()))
    return order[(place[own] + step) % functions]


def _blocks(rng: np.random.Generator, samples: int, sites: int, calls: Any, share: float, endpoints: Any) -> Any:
    functions = len(calls) // sites
    dominated = rng.random(functions) < 0.55
    even = np.cumsum(1.0 / np.arange(1, sites + 1) ** 1.3)
    even /= even[-1]
    steep = np.concatenate(([0.97], np.linspace(0.97, 1.0, sites)[1:]))
    for start in range(0, samples, _BLOCK):
        size = min(_BLOCK, samples - start)
        depth = np.clip(rng.gamma(6, 4.5, size).astype("i8") + 8, 10, 60)
        frames = np.empty((size, int(depth.max())), "i4")
        current = np.minimum((rng.random(size) ** 2 * 8).astype("i8"), 7)
        for column in range(frames.shape[1]):
            draw = rng.random(size)
            site = np.where(dominated[current], steep.searchsorted(draw), even.searchsorted(draw))
            frames[:, column] = current * sites + np.minimum(site, sites - 1)
            current = calls[frames[:, column]]
        starts = np.concatenate(([0], depth.cumsum()))
        row = np.repeat(np.arange(size), depth)
        column = np.repeat(depth, depth) - 1 - (np.arange(len(row)) - np.repeat(starts[:-1], depth))
        counts = np.minimum(rng.zipf(2.0, size), 2000).astype("i8")
        values = np.stack((counts, counts * 10_000_000), 1)
        yield Block(starts, frames[row, column], values, _labels(rng, size, share, endpoints))


def _labels(rng: np.random.Generator, size: int, share: float, endpoints: Any) -> Labels | None:
    tagged = (rng.random(size) < share).nonzero()[0]
    if not len(tagged):
        return None
    count = len(tagged)
    zeros = np.zeros(count, "i4")
    text = endpoints[np.minimum((rng.random(count) ** 3 * 60).astype("i8"), 59)]
    key, unit = zeros + 5, zeros + 6
    strings = (tagged, key, text, zeros.astype("i8"), zeros)
    numbers = (tagged, unit, zeros, (1 << rng.integers(4, 20, count)).astype("i8"), unit)
    columns = [np.stack(pair, 1).reshape(-1) for pair in zip(strings, numbers, strict=True)]
    return Labels(*columns)


def _locations(rng: np.random.Generator, functions: int, sites: int) -> Locations:
    count = functions * sites
    lines = np.where(rng.random(count) < 0.3, rng.integers(2, 4, count), 1)
    starts = np.concatenate(([0], lines.cumsum()))
    function = rng.integers(0, functions, int(starts[-1])).astype("i4")
    function[starts[1:] - 1] = np.arange(count) // sites
    return Locations(
        np.arange(1, count + 1).astype("u8"), np.zeros(count, "i4"),
        (0x400000 + 64 * np.arange(count)).astype("u8"), np.zeros(count, "?"), starts,
        Lines(function, rng.integers(1, 2000, len(function)), np.zeros(len(function), "i8")),
    )  # fmt: skip


def write(path: Path, profile: Profile) -> None:
    with path.open("wb") as file:
        file.writelines(encode_gzip(profile))


def write_many(directory: Path, count: int, samples: int, functions: int) -> None:
    """Profiles of one busy program, as taken every minute: each has `samples` of its 20,000 stacks."""
    directory.mkdir(parents=True, exist_ok=True)
    whole = merge([make(4 * samples, functions, 2)])
    rng = np.random.default_rng(2)
    for number in range(count):
        blocks = []
        for block in whole.blocks:
            keep = np.flatnonzero(rng.random(block.size()) < 0.25)
            picked = select_samples(block, keep)
            blocks.append(picked._replace(values=picked.values * rng.integers(1, 9, (len(keep), 1))))
        write(directory / f"{number:04}.pb.gz", merge([whole._replace(blocks=tuple(blocks))]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--functions", type=int, default=5000)
    parser.add_argument("--sites", type=int, default=4)
    parser.add_argument("--many", type=int, default=0, help="so many profiles of one program in a directory")
    options = parser.parse_args()
    if options.many:
        write_many(options.path, options.many, options.samples, options.functions)
    else:
        write(options.path, make(options.samples, options.functions, options.sites))
