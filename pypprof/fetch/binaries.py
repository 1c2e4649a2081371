"""Finding the binaries that a profile's mappings name.

Search rules: google/pprof internal/driver/fetch.go (locateBinaries) and `pprof -h`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pypprof.errors import BinaryError
from pypprof.fetch.paths import base, split_list
from pypprof.output import reason
from pypprof.profile.model import Mapping

if TYPE_CHECKING:
    from mmap import mmap

_MAGIC = (
    b"\x7fELF", b"MZ", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe", b"!<arch>\n", b"\x01\xdf", b"\x01\xf7",
)  # fmt: skip


def is_binary(path: str) -> bool:
    """Whether a file begins like an executable, a library or an object."""
    try:
        with open(path, "rb") as file:
            return file.read(8).startswith(_MAGIC)
    except (OSError, ValueError):
        return False


def map_file(path: str) -> mmap:
    """The file as a read-only map of memory, which loads what is looked at only. BinaryError."""
    from mmap import ACCESS_READ, mmap

    try:
        with open(path, "rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ)
    except (OSError, ValueError) as error:
        raise BinaryError(f"{path}: {reason(error)}") from None


def search_path() -> list[str]:
    """The directories of PPROF_BINARY_PATH, by default ~/pprof/binaries."""
    default = os.path.join(os.environ.get("HOME", ""), "pprof", "binaries")
    return split_list(os.environ.get("PPROF_BINARY_PATH") or default)


def locate(mapping: Mapping, directories: list[str]) -> str | None:
    """The local file of a mapping without a build id, if one of the usual places has it."""
    if not mapping.file or mapping.build_id:
        return None
    name, directory = base(mapping.file), os.path.dirname(mapping.file)
    for place in directories:
        for candidate in (
            os.path.join(place, name),
            place + "/" + mapping.file,
            place + "/" + mapping.file + ".debug",
            os.path.join(place, directory.lstrip("/"), ".debug", name + ".debug"),
            os.path.join(place, "usr", "lib", "debug", directory.lstrip("/"), name + ".debug"),
        ):
            if is_binary(candidate):
                return os.path.normpath(candidate)
    return None
