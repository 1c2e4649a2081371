"""From sources to the profile that a session works on.

Each source is read and given its binary; sources are merged, the base is subtracted, names are
filled in, uninteresting frames dropped. Source of the order: google/pprof internal/driver/fetch.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pypprof.columns import I4, in_parallel
from pypprof.errors import PprofError, Unrecognized
from pypprof.fetch import binaries
from pypprof.fetch.content import described
from pypprof.fetch.reading import Reader, Source, expanded
from pypprof.fetch.transport import Transport
from pypprof.naming import locate, named
from pypprof.profile.aside import disagrees, with_own_names
from pypprof.profile.model import Mapping, Profile
from pypprof.profile.parse import parse
from pypprof.records import Record

_CHUNK = 128  # profiles merged at a time: bounds the memory
Note = Callable[[str], None]
if TYPE_CHECKING:
    from pypprof.fetch.address import Address
    from pypprof.fetch.symbolz import Origins


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
    seconds: int = -1
    timeout: int = -1
    transport: Transport = Transport()


class Taken(Record):
    """What the sources gave, merged: kept so that the base can change and the sources be taken again."""

    what: Sources
    profile: Profile
    base: Profile | None
    origins: Origins  # the servers that have sent any of it, by mapping


def load(what: Sources, note: Note) -> Profile:
    """Load, merge and complete. PprofError when no source can be read. `note` takes messages."""
    return finish(take(what, note), note)


def take(what: Sources, note: Note) -> Taken:
    """Read the sources and the base, each merged to one profile. PprofError when there is none."""
    sources, bases = expanded(what.sources), expanded(what.base)
    reader = Reader([*sources, *bases], what.seconds, what.timeout, what.transport, note)
    grab = _Grab(reader, what, note)
    profile = grab.merged(sources, 0, "source")
    base = grab.merged(bases, len(sources), "base") if bases else None
    return Taken(what, profile, base, grab.origins)


def finish(taken: Taken, note: Note, save: bool = True) -> Profile:
    """The profile to work on: the base subtracted, names filled in, what a server has sent saved."""
    what, profile = taken.what, taken.profile
    if taken.base is not None:
        profile = _without_base(profile, taken.base, what)
    if what.all_frames:
        profile = profile._replace(drop_frames="", keep_frames="")
    profile = _named(profile, what, taken.origins, note)
    profile = _drop_uninteresting(profile)
    profile = profile._replace(mappings=tuple(map(_without_url, profile.mappings)))
    if what.comment:
        profile = profile._replace(comments=(*profile.comments, what.comment))
    if taken.origins and save:
        _save(profile, note)
    return profile


def load_one(what: Sources, source: str) -> Profile:
    """One of the sources by itself. PprofError with the reason why it cannot be had."""
    try:
        return load(what._replace(sources=[source], base=()), lambda _: None)
    except PprofError as error:
        raise PprofError(str(error).removeprefix(f"{source}: ")) from None


def _save(profile: Profile, note: Note) -> None:
    from pypprof.fetch.saved import save

    try:
        note(f"Saved profile in {save(profile)}")
    except PprofError as error:
        note(f"Could not save profile: {error}")


class _Grab:
    """Reads and merges in chunks."""

    def __init__(self, reader: Reader, what: Sources, note: Note) -> None:
        self._reader, self._what, self._note = reader, what, note
        self.origins: dict[str, list[tuple[Address, int]]] = {}

    def merged(self, sources: Sequence[Source], first: int, kind: str) -> Profile:
        """All readable sources as one profile; `first` is the reader's number of the first."""
        merged: Profile | None = None
        count = others = 0
        for start in range(0, len(sources), _CHUNK):
            profiles = []
            some = sources[start : start + _CHUNK]
            numbers = range(first + start, first + start + len(some))
            self._reader.prepare(numbers)
            for source, (profile, address, error) in zip(some, in_parallel(self._outcome, numbers), strict=True):
                if profile is not None:
                    profiles.append(profile if address is None else self._with_origin(profile, address))
                else:
                    if source.directory and isinstance(error, Unrecognized):
                        others += 1  # nobody said that it is a profile
                    elif len(sources) == 1:
                        raise PprofError(f"{source.name}: {error}") from None
                    else:
                        self._note(f"{source.name}: {error}")
            count += len(profiles)
            if profiles:
                chunk = _combine(profiles)
                merged = chunk if merged is None else _combine([merged, chunk])
        if merged is None and all(source.directory for source in sources):
            raise PprofError(f"{sources[0].directory}: is a directory without profiles")
        if merged is None:
            raise PprofError(f"failed to fetch any {kind} profiles")
        if count != len(sources):
            skipped = f", {others} files of other kinds skipped" if others else ""
            self._note(f"Fetched {count} {kind} profiles out of {len(sources)}{skipped}")
        return merged

    def _outcome(self, index: int) -> tuple[Profile | None, Address | None, PprofError | None]:
        """(the profile, the server it came from, or why there is none); runs in any thread."""
        try:
            data, address = self._reader.read(index)
            profile = _with_binaries(_parsed(data), self._what, self._note)
            return _with_text_names(profile, self._what), address, None
        except PprofError as error:
            return None, None, error

    def _with_origin(self, profile: Profile, address: Address) -> Profile:
        """Mappings without build id and file get the server's address, as in Go, until the profile is complete.

        It keeps such mappings of different servers apart in a merge.
        """
        from pypprof.fetch.symbolz import remember

        url = address.url
        named = (m if m.build_id or m.file else m._replace(file=url) for m in profile.mappings)
        profile = profile._replace(mappings=tuple(named))
        remember(self.origins, profile.mappings, address)
        return profile


def _parsed(data: bytes) -> Profile:
    try:
        return parse(data)
    except Unrecognized:
        if what := described(data):
            raise Unrecognized(what) from None
        raise


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


def _with_text_names(profile: Profile, what: Sources) -> Profile:
    """The profile with the names of its own text, unless a binary may know better: then they come last.

    Before the merge, because equal addresses of two texts may have different names.
    """
    return profile if what.binary or what.build_id else with_own_names(profile, what.symbolize)


def _without_base(profile: Profile, base: Profile, what: Sources) -> Profile:
    from pypprof.profile.merge import normalized, scale, with_label
    from pypprof.view.tags import DIFF_BASE

    if what.diff_base:
        base = with_label(base, DIFF_BASE, "true")
    if what.normalize:
        profile = normalized(profile, base)
    return _combine([profile, scale(base, [-1.0] * len(base.sample_types))])


def _named(profile: Profile, what: Sources, origins: Origins, note: Note) -> Profile:
    def by_servers(profile: Profile, force: bool) -> Profile:
        return _named_by_servers(profile, what, origins, force, note)

    profile = named(profile, what.symbolize, note, by_servers if origins else None)
    if what.binary and disagrees(profile):
        note(
            f"{what.binary} is not the program that was profiled, names are wrong: the profile's own text has"
            " others for these addresses. They are used when no binary is given"
        )
    return with_own_names(profile, what.symbolize)


def _named_by_servers(profile: Profile, what: Sources, origins: Origins, force: bool, note: Note) -> Profile:
    """Go gives up when the server does not answer; what has been fetched is worth more than that."""
    from pypprof.fetch.symbolz import symbolized

    try:
        return symbolized(profile, origins, what.transport, force)
    except PprofError as error:
        note(f"remote symbolization: {error}")
        return profile


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
