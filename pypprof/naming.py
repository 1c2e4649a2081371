"""-symbolize: from a profile of addresses to one with names; the binaries opened for it.

Source of the modes: google/pprof internal/symbolizer/symbolizer.go (Symbolize).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from pypprof.columns import any_true
from pypprof.errors import BinaryError
from pypprof.profile.model import Mapping, Profile
from pypprof.records import Record

if TYPE_CHECKING:
    from pypprof.symbolize.elf import Binary
    from pypprof.symbolize.local import Opened

Note = Callable[[str], None]
Remote = Callable[[Profile, bool], Profile]


class Mode(Record):
    """What -symbolize asks for."""

    local: bool = True
    remote: bool = True
    force: bool = False
    inlines: bool = False
    demangle: str = "default"


def mode(text: str, note: Note) -> Mode | None:
    """Read the value of -symbolize; None for "none". What is unknown is noted and has no effect."""
    wanted = Mode()
    for word in text.lower().split(":"):
        style = word.removeprefix("demangle=")
        if word in ("none", "no"):
            return None
        elif word in ("local", "fastlocal"):
            wanted = wanted._replace(local=True, remote=False)
        elif word == "remote":
            wanted = wanted._replace(local=False, remote=True)
        elif word == "force":
            wanted = wanted._replace(force=True)
        elif word == "inlines":
            wanted = wanted._replace(inlines=True)
        elif style in ("full", "none", "templates"):
            wanted = wanted._replace(demangle=style, force=True)
        elif style not in ("", "default"):
            note(f"ignoring unrecognized symbolization option: {text}")
            note("expecting -symbolize=[local|fastlocal|remote|none][:force][:inlines][:demangle=STYLE]")
    return wanted


def named(profile: Profile, symbolize: str, note: Note, remote: Remote | None = None) -> Profile:
    """The profile with all names that the mode allows and that its binaries know, or else its servers.

    remote: asks the servers that the profile came from; told whether names that are there count.
    """
    wanted = mode(symbolize, note)
    if wanted is None:
        return profile
    if wanted.local and _lacks_names(profile, wanted.force):
        from pypprof.symbolize.local import symbolized

        wrong: dict[str, None] = {}
        profile = symbolized(profile, lambda mapping: _opened(mapping, wanted, wrong, note), wanted.force, note)
        if not profile.is_nameless():  # else the doctor says so
            for line in wrong:
                note(line)
    if wanted.remote and remote is not None:
        profile = remote(profile, wanted.force)
    from pypprof.symbolize.demangle import demangled

    return demangled(profile, wanted.force, wanted.demangle)


def _lacks_names(profile: Profile, force: bool) -> bool:
    """Whether some mapping with addresses may get names; asked before anything that reads binaries is loaded."""
    mapping = profile.locations.mapping
    return any(
        (force or not (m.has_functions or m.has_filenames or m.has_line_numbers)) and any_true(mapping == index)
        for index, m in enumerate(profile.mappings)
    )


def open_binary(path: str) -> Binary:
    """A program, library or debug file. BinaryError with the reason when it can't be used."""
    from pypprof.fetch.binaries import map_file
    from pypprof.symbolize.elf import Binary

    data = map_file(path)
    kind = _other_kind(data[:8])
    if kind:
        data.close()
        raise BinaryError(f"{path} is {kind}; only ELF files can be read")
    return Binary(data, path)


def _other_kind(magic: bytes) -> str:
    if magic[:4] == b"\x7fELF":
        return ""
    if magic[:2] == b"MZ":
        return "a Windows program (PE)"
    if magic[:4] in (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"):
        return "a macOS program (Mach-O)"
    if magic[:4] == b"\xca\xfe\xba\xbe":
        return "a macOS universal program (Mach-O)"
    return "an archive" if magic == b"!<arch>\n" else "no program"


def locate(mapping: Mapping, directories: list[str], note: Note) -> str | None:
    """The local file of a mapping, if one of the usual places has it. A build id must agree."""
    from pypprof.fetch.binaries import candidates, is_binary

    for path in dict.fromkeys(map(os.path.normpath, candidates(mapping, directories))):
        if not is_binary(path):
            continue
        if mapping.build_id:
            try:
                own = open_binary(path).build_id
            except BinaryError:
                continue
            if own != mapping.build_id:
                note(f"Ignoring {path}: its build id is {own or 'none'}, the profile's is {mapping.build_id}")
                continue
        return path
    return None


def find_debug(binary: Binary) -> Binary | None:
    """The separate file with the debug information of a stripped one, if a usual place has it."""
    from pypprof.fetch.binaries import checksum, debug_files, is_binary, map_file

    link, check = binary.debug_link or ("", 0)
    for path in debug_files(binary.path, binary.build_id, link):
        if not is_binary(path) or os.path.realpath(path) == os.path.realpath(binary.path):
            continue
        try:
            found = open_binary(path)
            if binary.build_id == found.build_id if binary.build_id else checksum(map_file(path)) == check:
                return found
        except BinaryError:
            continue
    return None


def _opened(mapping: Mapping, wanted: Mode, wrong: dict[str, None], note: Note) -> Opened:
    """A mapping's file, ready to be asked. What is wrong with its build id is put into `wrong`."""
    from pypprof.symbolize.address import bias
    from pypprof.symbolize.local import Opened
    from pypprof.symbolize.resolver import Resolver

    binary = open_binary(mapping.file)
    if mapping.build_id and binary.build_id and mapping.build_id != binary.build_id:
        wrong[
            f"{mapping.file} is not the program that was profiled (build id {binary.build_id},"
            f" the profile has {mapping.build_id}): names may be wrong"
        ] = None
    resolver = Resolver(binary, wanted.inlines, find_debug, note)
    return Opened(resolver.frames, bias(binary, mapping.start, mapping.limit, mapping.offset))
