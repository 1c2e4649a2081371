"""From sources to the profile that a session works on.

Each source is read and given its binary; sources are merged, the base is subtracted, names are
filled in, uninteresting frames dropped. Source of the order: google/pprof internal/driver/fetch.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pypprof.columns import I4
from pypprof.errors import PprofError
from pypprof.fetch import binaries
from pypprof.naming import locate, named
from pypprof.output import reason
from pypprof.profile.model import Mapping, Profile
from pypprof.profile.parse import parse
from pypprof.records import Record

_CHUNK = 128  # profiles merged at a time: bounds the memory
Note = Callable[[str], None]


class Sources(Record):
    """What to load and how."""

    sources: Sequence[str]
    base: Sequence[str] = ()
    diff_base: bool = False
    normalize: bool = False
    binary: str = ""
    build_id: str = ""
    all_frames: bool = False
    comment: str = ""
    symbolize: str = ""


def load(what: Sources, note: Note) -> Profile:
    """Load, merge and complete. PprofError when no source can be read. `note` takes messages."""
    profile = _grab(what.sources, what, note, "source")
    if what.base:
        profile = _without_base(profile, _grab(what.base, what, note, "base"), what)
    if what.all_frames:
        profile = profile._replace(drop_frames="", keep_frames="")
    profile = named(profile, what.symbolize, note)
    profile = _drop_uninteresting(profile)
    profile = profile._replace(mappings=tuple(map(_without_url, profile.mappings)))
    if what.comment:
        profile = profile._replace(comments=(*profile.comments, what.comment))
    return profile


def _grab(sources: Sequence[str], what: Sources, note: Note, kind: str) -> Profile:
    """All readable sources as one profile."""
    merged: Profile | None = None
    count = 0
    for start in range(0, len(sources), _CHUNK):
        profiles = []
        for source in sources[start : start + _CHUNK]:
            try:
                profiles.append(_with_binaries(parse(_read(source)), what, note))
            except PprofError as error:
                note(f"{source}: {error}")
        count += len(profiles)
        if profiles:
            chunk = _combine(profiles)
            merged = chunk if merged is None else _combine([merged, chunk])
    if merged is None:
        raise PprofError(f"failed to fetch any {kind} profiles")
    if count != len(sources):
        note(f"Fetched {count} {kind} profiles out of {len(sources)}")
    return merged


def _combine(profiles: list[Profile]) -> Profile:
    if len(profiles) == 1:
        names = [t.type for t in profiles[0].sample_types]
        if names and len(set(names)) == len(names):
            return profiles[0]
    from pypprof.profile.align import combine

    try:
        return combine(profiles)
    except PprofError as error:
        raise PprofError(f"problem fetching profiles: {error}") from None


def _read(source: str) -> bytes:
    try:
        with open(source, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise PprofError(reason(error)) from None


def _with_binaries(profile: Profile, what: Sources, note: Note) -> Profile:
    """The profile with the local files of its mappings; a profile without mappings gets one."""
    directories = binaries.search_path()
    mappings = [m._replace(file=found) if (found := locate(m, directories, note)) else m for m in profile.mappings]
    if not mappings:
        mappings = [Mapping(1)]
        locations = profile.locations
        profile = profile._replace(locations=locations._replace(mapping=np.zeros(len(locations.id), I4)))
    if what.binary:
        mappings[0] = mappings[0]._replace(file=what.binary)
    if what.build_id and not mappings[0].build_id:
        mappings[0] = mappings[0]._replace(build_id=what.build_id)
    return profile._replace(mappings=tuple(mappings))


def _without_base(profile: Profile, base: Profile, what: Sources) -> Profile:
    from pypprof.profile.merge import normalized, scale, with_label
    from pypprof.view.tags import DIFF_BASE

    if what.diff_base:
        base = with_label(base, DIFF_BASE, "true")
    if what.normalize:
        profile = normalized(profile, base)
    return _combine([profile, scale(base, [-1.0] * len(base.sample_types))])


def _drop_uninteresting(profile: Profile) -> Profile:
    """Prune what the profile itself declares uninteresting (drop_frames, keep_frames)."""
    if not profile.drop_frames:
        return profile
    from pypprof.regex import compile_regex
    from pypprof.view.filters import prune

    try:
        drop = compile_regex(f"^({profile.drop_frames})$")
        keep = compile_regex(f"^({profile.keep_frames})$") if profile.keep_frames else None
    except PprofError:
        return profile  # as in Go: a bad pattern in a profile prunes nothing
    return prune(profile, drop, keep)


def _without_url(mapping: Mapping) -> Mapping:
    """A mapping without build id whose file is a URL: the address of a server, no file."""
    return mapping._replace(file="") if not mapping.build_id and _is_url(mapping.file) else mapping


def _is_url(text: str) -> bool:
    """Whether Go's url.Parse takes the text for an absolute URL."""
    scheme, colon, _ = text.partition(":")
    return (
        bool(colon) and scheme.isascii() and scheme[:1].isalpha() and scheme.replace("+", "0").replace("-", "0")
        .replace(".", "0").isalnum() and text.isprintable()
    )  # fmt: skip
