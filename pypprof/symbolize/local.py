"""Names for a profile's addresses, from the local files of its mappings.

Source of the rules and of the order of new functions: google/pprof internal/symbolizer/symbolizer.go.
"""

from __future__ import annotations

from collections.abc import Callable

from pypprof.columns import U8, Array, Ints, where_true
from pypprof.errors import NoBinary, PprofError
from pypprof.profile.model import Mapping, Profile
from pypprof.symbolize.frames import Frames
from pypprof.symbolize.tables import Builder

Note = Callable[[str], None]


class Opened:
    """A mapping's file: its frames, and the bias between its addresses and the mapping's."""

    def __init__(self, resolve: Callable[[Array], list[Frames]], bias: int) -> None:
        self.resolve, self.bias = resolve, bias


Open = Callable[[Mapping], Opened]
_MOST_TITLES = 4  # files named in one line


def symbolized(profile: Profile, opened: Open, force: bool, note: Note) -> Profile:
    """The profile with frames for what its mappings' files know; a file that can't be read is noted.

    Files that are not there go into one line, and not even that when half of the names or more are
    missing: then the doctor says what to type.
    """
    builder = Builder(profile)
    mappings, missing = list(profile.mappings), dict[str, None]()
    for index, mapping in enumerate(profile.mappings):
        rows = where_true(profile.locations.mapping == index)
        if not len(rows) or (_named(mapping) and not force) or _has_no_file(mapping):
            continue
        if not mapping.file:
            missing["a program that the profile does not name"] = None
            continue
        try:
            file = opened(mapping)
        except NoBinary:
            missing[_title(mapping)] = None
            continue
        except PprofError as error:
            note(f"No names for {_title(mapping)}: {error}")
            continue
        mappings[index] = _resolve(builder, mapping, file, rows)
    profile = builder.profile()._replace(mappings=tuple(mappings))
    if missing and not profile.is_nameless():
        note(f"No names for {_listed(list(missing))}: not found; PPROF_BINARY_PATH=DIRECTORY says where to look")
    return profile


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_TITLES
    return ", ".join(names[:_MOST_TITLES]) + (f" and {more} more" if more > 0 else "")


def _named(mapping: Mapping) -> bool:
    return mapping.has_functions or mapping.has_filenames or mapping.has_line_numbers


def _has_no_file(mapping: Mapping) -> bool:
    """Whether the mapping is the kernel's, or an address on the net."""
    name = mapping.file.rstrip("/").rpartition("/")[2]
    if name.startswith(("[", "linux-vdso")) or mapping.file.startswith(("/dev/dri/", "/memfd:")):
        return True
    if mapping.file == "//anon":
        return True
    scheme = mapping.file.partition(":")[0].lower()
    return not mapping.build_id and scheme != mapping.file.lower() and scheme.isascii() and "http" in scheme and (
        scheme.replace("+", "").replace("-", "").replace(".", "").isalnum()
    )  # fmt: skip


def _title(mapping: Mapping) -> str:
    name = mapping.file.rstrip("/").rpartition("/")[2] or "/"
    return f"{name} (build id {mapping.build_id})" if mapping.build_id else name


def _resolve(builder: Builder, mapping: Mapping, file: Opened, rows: Ints) -> Mapping:
    """Give the locations at `rows` their frames; the mapping with what is known now."""
    addresses = builder.addresses(rows) - U8.type(file.bias)
    order = addresses.argsort(kind="stable")
    frames: list[Frames] = [()] * len(rows)
    for at, answer in zip(order.tolist(), file.resolve(addresses.take(order)), strict=True):
        frames[at] = answer
    for row, answer in zip(rows.tolist(), frames, strict=True):
        if answer:
            builder.add(row, answer)
    known = [frame for answer in set(frames) for frame in answer]
    if not known:
        return mapping
    return mapping._replace(
        has_functions=mapping.has_functions or any(frame.system_name for frame in known),
        has_filenames=mapping.has_filenames or any(frame.file for frame in known),
        has_line_numbers=mapping.has_line_numbers or any(frame.line for frame in known),
        has_inline_frames=True,  # the frames may hold inlined calls, so nobody need look again
    )
