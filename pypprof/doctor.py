"""Why a report is empty or nameless, and what to type. Pure: profile and settings in, lines out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pypprof.columns import I8, total
from pypprof.errors import PprofError
from pypprof.fetch.paths import base
from pypprof.profile.model import Mapping, Profile
from pypprof.records import Record
from pypprof.settings import DEFAULTS, Settings, replaced, text_of
from pypprof.view import SampleKind, View, build_view, filter_profile, sample_kind, total_value

_FILTERS = ("focus", "ignore", "hide", "show", "show_from", "prune_from", "tagfocus", "tagignore")
_OF_NAMES = {"focus", "show", "show_from"}  # leave nothing when no name matches
_PSEUDO_FRAMES = ("tagroot", "tagleaf", "unit")  # filters may match these frames: they are kept in every trial


class Case(Record):
    """What the session knows.

    binary    the file given as the binary, "" for none
    build_id  reads a binary's build id, "" when it has none or cannot be read
    sources   the profiles, as the user named them
    unasked   whether -symbolize=none was given
    """

    profile: Profile
    settings: Settings
    binary: str = ""
    build_id: Callable[[str], str] = str
    sources: tuple[str, ...] = ()
    unasked: bool = False


def why_nameless(case: Case) -> list[str]:
    """Lines on missing names; none when there are enough."""
    if not case.profile.is_nameless():
        return []
    mapping = _nameless_mapping(case.profile)
    wrong = why_wrong_binary(case)
    if wrong:
        return wrong
    if case.unasked:
        return ["No names: -symbolize=none asks for none"]
    program = case.binary or (mapping.file if case.build_id(mapping.file) else "")
    if program:
        return [f"{program} has no names for the addresses of the profile: it is stripped, or another program"]
    import shlex

    sources = " ".join(map(shlex.quote, case.sources[:2])) + (" ..." if len(case.sources) > 2 else "")
    build_id = f" (build id {mapping.build_id})" if mapping.build_id else ""
    program = shlex.quote("path/to/" + (base(mapping.file) if mapping.file else "binary"))
    whose = (mapping.file or "the program") + build_id
    return [
        f"No names: the profile has only addresses of {whose}, and no binary was given",
        f"Give the binary first: pypprof {program} {sources or 'profile'}",
    ]


def why_wrong_binary(case: Case) -> list[str]:
    """Lines on a binary that is not the program that was profiled; none when it may be."""
    main = case.profile.mappings[0] if case.profile.mappings else Mapping(0)
    wanted, program = main.build_id, case.binary or main.file
    own = case.build_id(program) if program and wanted else ""
    if not own or own == wanted:
        return []
    return [
        f"{program} is not the program that was profiled: its build id is {own}, the profile's is {wanted}",
        f"Give the binary that was running: file path/to/binary shows BuildID[sha1]={wanted}",
    ]


def _nameless_mapping(profile: Profile) -> Mapping:
    """The mapping with the most addresses that have no function."""
    rows = profile.locations.mapping[profile.locations.without_lines()]
    counts = np.bincount(rows[rows >= 0].astype(I8), minlength=len(profile.mappings) or 1)
    return profile.mappings[int(counts.argmax())] if profile.mappings else Mapping(0)


def why_empty(case: Case) -> list[str]:
    """Lines on why the settings leave nothing to show; none when they leave something."""
    settings = case.settings
    try:
        plain = build_view(filter_profile(case.profile, _without_filters(settings)), settings)
        view = build_view(filter_profile(case.profile, settings), settings)
    except PprofError:
        return []  # the report itself says what is wrong
    if not case.profile.sample_count():
        return ["The profile holds no samples: nothing was recorded, or nothing is left when the base is subtracted"]
    if not _weight(plain.profile, plain.sample):
        return _why_zero(case, plain)
    if not _weight(view.profile, view.sample):
        return _why_filtered(case, plain.sample)
    return _why_trimmed(view, settings)


def _weight(profile: Profile, sample: SampleKind) -> int:
    """The sum of the absolute values: 0 only when every value is."""
    return sum(total(np.absolute(sample.values(block))) for block in profile.blocks)


def _without_filters(settings: Settings) -> Settings:
    return replaced(DEFAULTS, {name: getattr(settings, name) for name in _PSEUDO_FRAMES})


def _why_zero(case: Case, view: View) -> list[str]:
    others = []
    for type_ in case.profile.sample_types:
        sample = sample_kind(case.profile, DEFAULTS._replace(sample_index=type_.type))
        if total_value(case.profile, sample):
            others.append(type_.type)
    if not others:
        return [f"All values of the profile are zero, {view.sample.type} and the others"]
    return [
        f"All values of {view.sample.type} are zero; {_listed(others)} {'has' if len(others) == 1 else 'have'} values",
        f"Try sample_index={others[-1]}",
    ]


def _why_filtered(case: Case, sample: SampleKind) -> list[str]:
    """The filter that alone leaves nothing; else the first ones that do so together."""
    settings = case.settings
    active = [name for name in _FILTERS if getattr(settings, name) != getattr(DEFAULTS, name)]
    base = _without_filters(settings)

    def leaves_nothing(names: list[str]) -> bool:
        tried = replaced(base, {name: getattr(settings, name) for name in names})
        return not _weight(filter_profile(case.profile, tried).profile, sample)

    alone = [name for name in active if leaves_nothing([name])]
    if alone:
        filters = _listed([_written(settings, name) for name in alone])
        one = len(alone) == 1
        unmatched = case.profile.is_nameless() and set(alone) <= _OF_NAMES
        why = ": the profile has no names to match" if unmatched else ""
        return [f"The filter{'' if one else 's'} {filters} leave{'s' if one else ''} no samples{why}", _clear(alone)]
    for count in range(2, len(active) + 1):
        if leaves_nothing(active[:count]):
            together = _listed([_written(settings, name) for name in active[:count]])
            return [f"The filters {together} together leave no samples", _clear(active[:count][-1:])]
    return []


def _written(settings: Settings, name: str) -> str:
    return f"{name}={text_of(settings, name)}"


def _clear(names: list[str]) -> str:
    return f"Clear with {' '.join(name + '=' for name in names)} or try another pattern"


def _why_trimmed(view: View, settings: Settings) -> list[str]:
    from pypprof.graph.trim import trimmed_graph

    trimmed = trimmed_graph(view, settings)
    if len(trimmed.nodes):
        return []
    if trimmed.dropped_nodes:
        return [
            f"All {trimmed.dropped_nodes} nodes are below {_written(settings, 'nodefraction')} of the total",
            f"Try {_written(DEFAULTS, 'nodefraction')}, or trim=false to show everything",
        ]
    if settings.drop_negative:
        return ["All nodes are negative, and drop_negative leaves them out", "Try drop_negative=false"]
    return ["All values cancel out: profile and base do not differ here"]


def unrepeated(warnings: Sequence[str], lines: Sequence[str]) -> tuple[str, ...]:
    """The warnings without those of a filter that the first of the doctor's lines names: it says it better."""
    named = [name.replace("_", "") for name in _FILTERS if lines and f" {name}=" in lines[0]]
    return tuple(text for text in warnings if text.removesuffix(" expression matched no samples").lower() not in named)


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def checkup(case: Case) -> Iterator[str]:
    """All lines of all checks, for a look at a whole session."""
    nameless = why_nameless(case)
    wrong = why_wrong_binary(case)
    yield from nameless
    yield from (line for line in wrong if line not in nameless)
    yield from why_empty(case)
