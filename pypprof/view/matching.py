"""Regular expressions against names, once per distinct name."""

from __future__ import annotations

import numpy as np

from pypprof.columns import BOOL, Array, Bools, distinct, row_any, table_of
from pypprof.profile.model import Profile
from pypprof.regex import Regex


def matching_strings(profile: Profile, regex: Regex, indices: Array) -> Bools:
    """Whether the string at each of the indices matches."""
    rows = distinct(indices, len(profile.strings))
    hits = regex.matching(profile.texts(rows))
    return table_of(np.array(hits, BOOL), len(profile.strings), BOOL, rows, False).take(indices)


def matching_functions(profile: Profile, regex: Regex) -> Bools:
    """Whether the name or the file name of each function matches."""
    functions = profile.functions
    return matching_strings(profile, regex, functions.name) | matching_strings(profile, regex, functions.filename)


def matching_lines(profile: Profile, regex: Regex) -> Bools:
    """Whether the function of each line matches by name or file name."""
    return matching_functions(profile, regex).take(profile.locations.lines.function)


def matching_mappings(profile: Profile, regex: Regex) -> Bools:
    """Whether the mapped file of each location matches; false without a mapping."""
    hits = regex.matching([mapping.file for mapping in profile.mappings])
    return np.array([*hits, False], BOOL).take(profile.locations.mapping)


def matching_locations(profile: Profile, regex: Regex) -> Bools:
    """Whether a line's function, a line's file or the mapped file of each location matches."""
    lines = matching_lines(profile, regex)
    return row_any(lines, profile.locations.line_starts) | matching_mappings(profile, regex)


def simplify_function(name: str) -> str:
    """The name without a leading dot and from the argument list on.

    The parentheses of "(anonymous namespace)" and "operator()" begin no argument list.
    """
    name = name.removeprefix(".")
    at = 0
    while (at := name.find("(", at)) >= 0:
        if name.startswith("(anonymous namespace)", at):
            at += len("(anonymous namespace)")
        elif name.startswith("operator()", at - len("operator")) and at >= len("operator"):
            at += len("()")
        else:
            return name[:at]
    return name
