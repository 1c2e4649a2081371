"""Profiles of bare addresses: what a program without names in its profile would write."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from pypprof.fetch.binaries import map_file
from pypprof.profile.encode import encode
from pypprof.profile.model import Profile, no_lines
from pypprof.profile.parse import parse
from pypprof.symbolize.elf import Binary
from tests.support.encoder import Builder


def stripped(profile: Profile) -> Profile:
    """The profile as if nobody had given it names."""
    names = profile.functions
    mappings = tuple(
        m._replace(has_functions=False, has_filenames=False, has_line_numbers=False, has_inline_frames=False)
        for m in profile.mappings
    )
    locations = profile.locations
    locations = locations._replace(lines=no_lines(), line_starts=np.zeros(len(locations.id) + 1, np.int64))
    return profile._replace(
        mappings=mappings, locations=locations, functions=type(names)(*(column[:0] for column in names))
    )


def without_names(source: Path, target: Path) -> Path:
    """Write a profile's stripped copy."""
    target.write_bytes(b"".join(encode(stripped(parse(source.read_bytes())))))
    return target


def sampled(binary: Path, target: Path, count: int, seed: int = 1, base: int = 0) -> list[int]:
    """A profile of addresses drawn over the text of an ELF file loaded at `base`; the file addresses."""
    elf = Binary(map_file(str(binary)), str(binary))
    text = elf.section(".text")
    assert text is not None
    segment = next(segment for segment in elf.segments if segment.executable())
    chance = random.Random(seed)
    addresses = sorted({chance.randrange(text.address, text.address + text.size) for _ in range(count)})
    page = segment.address - segment.address % 4096
    start = page + base
    profile(target, str(binary), start, start + segment.memory_size + 4096, segment.offset // 4096 * 4096,
            [address + base for address in addresses])  # fmt: skip
    return addresses


def profile(target: Path, file: str, start: int, limit: int, offset: int, addresses: list[int]) -> None:
    """A profile with one sample and one location for each address."""
    builder = Builder([("samples", "count")])
    builder.mapping(1, start, limit, offset, file, has=0)
    for number, address in enumerate(addresses, 1):
        builder.location(number, [], 1, address)
        builder.sample([number], [number])
    target.write_bytes(builder.gzipped())
