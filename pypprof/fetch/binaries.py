"""Finding the binaries that a profile's mappings name.

Search rules: google/pprof internal/driver/fetch.go (locateBinaries) and `pprof -h`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pypprof.errors import BinaryError, NoBinary
from pypprof.fetch.paths import base, split_list
from pypprof.output import reason
from pypprof.profile.model import Mapping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap

SYSTEM_DEBUG = "/usr/lib/debug"

_MAGIC = (
    b"\x7fELF", b"MZ", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe", b"!<arch>\n", b"\x01\xdf", b"\x01\xf7",
)  # fmt: skip


def begins_like_binary(data: bytes) -> bool:
    """Whether bytes begin like an executable, a library or an object."""
    return data.startswith(_MAGIC)


def is_binary(path: str) -> bool:
    """Whether a file begins like an executable, a library or an object."""
    try:
        # A pipe (`<(curl ...)`) can be read only once.
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return begins_like_binary(file.read(8))
    except (OSError, ValueError):
        return False


def map_file(path: str) -> mmap:
    """The file as a read-only map of memory, which loads what is looked at only. BinaryError, NoBinary."""
    from mmap import ACCESS_READ, mmap

    try:
        with open(path, "rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ)
    except FileNotFoundError as error:
        raise NoBinary(f"{path}: {reason(error)}") from None
    except (OSError, ValueError) as error:
        raise BinaryError(f"{path}: {reason(error)}") from None


def search_path() -> list[str]:
    """The directories of PPROF_BINARY_PATH, by default ~/pprof/binaries."""
    default = os.path.join(os.environ.get("HOME", ""), "pprof", "binaries")
    return split_list(os.environ.get("PPROF_BINARY_PATH") or default)


def candidates(mapping: Mapping, directories: list[str]) -> Iterator[str]:
    """Where the local file of a mapping may be, by its build id and by its name."""
    name, directory = base(mapping.file) if mapping.file else "", os.path.dirname(mapping.file).lstrip("/")
    build_id = mapping.build_id
    for place in directories:
        if build_id and "/" not in build_id and build_id not in (".", ".."):
            yield os.path.join(place, build_id, name)
            yield from sorted(_files(os.path.join(place, build_id)))
            yield os.path.join(place, mapping.file.lstrip("/"), build_id)
            yield os.path.join(place, build_id[:2], build_id[2:] + ".debug")
        if mapping.file:
            yield os.path.join(place, name)
            yield place + "/" + mapping.file
            yield place + "/" + mapping.file + ".debug"
            yield os.path.join(place, directory, ".debug", name + ".debug")
            yield os.path.join(place, "usr", "lib", "debug", directory, name + ".debug")


def debug_files(path: str, build_id: str, link: str) -> Iterator[str]:
    """Where the separate debug information of a file may be, by its build id and its debug link."""
    path = os.path.abspath(path)
    directory = os.path.dirname(path)
    places = [*search_path(), SYSTEM_DEBUG]
    if len(build_id) > 2:
        for place in places:
            yield os.path.join(place, ".build-id", build_id[:2], build_id[2:] + ".debug")
            yield os.path.join(place, build_id[:2], build_id[2:] + ".debug")
    if link and "/" not in link:
        yield os.path.join(directory, link)
        yield os.path.join(directory, ".debug", link)
        for place in places:
            yield os.path.join(place, directory.lstrip("/"), link)
            yield os.path.join(place, link)


def checksum(data: mmap) -> int:
    """The CRC-32 of a file, read piece by piece."""
    from zlib import crc32

    value = 0
    for at in range(0, len(data), 1 << 20):
        value = crc32(data[at : at + (1 << 20)], value)
    return value


def _files(directory: str) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(directory) if not entry.name.startswith(".")]
    except (OSError, ValueError):
        return []
