"""Printed names of functions: what pprof makes of a symbol's name.

Source: google/pprof internal/symbolizer/symbolizer.go (demangleSingleFunction and below).
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import I4, number_rows, where_true
from pypprof.profile.model import Interner, Profile


def demangled(profile: Profile) -> Profile:
    """The profile with a printed name for every function whose name is its symbol's."""
    functions = profile.functions
    raw = where_true((functions.name == 0) | (functions.name == functions.system_name))
    if not len(raw):
        return profile
    numbers, first = number_rows([functions.system_name.take(raw)])
    symbols = profile.texts(functions.system_name.take(raw).take(first))
    names = [printed_name(symbol) for symbol in symbols]
    changed = functions.system_name.copy()
    strings = profile.strings
    if names != symbols:
        interner = Interner(profile.strings)
        indices = np.array([interner.add(name) for name in names], I4)
        strings = interner.strings
    else:
        indices = functions.system_name.take(raw).take(first)
    name = functions.name.copy()
    name[raw] = indices.take(numbers)
    del changed
    return profile._replace(strings=strings, functions=functions._replace(name=name))


def printed_name(symbol: str) -> str:
    """The symbol without parameters and template arguments, where it looks like C++."""
    if not _looks_like_cpp(symbol):
        return symbol
    return _without(_without(symbol, "(", ")"), "<", ">")


def _looks_like_cpp(name: str) -> bool:
    # Neither Java's class.<init> nor Go's foo.(*Bar[...]).Method.
    if ".<" in name or "])." in name:
        return False
    return any(char in name for char in "<>[]") or "::" in name


def _without(name: str, begin: str, end: str) -> str:
    """The name without the text between matching brackets; unchanged when one closes too many."""
    nesting = first = at = 0
    while at < len(name):
        if name[at] == begin:
            nesting += 1
            if nesting == 1:
                first = at
        elif name[at] == end:
            nesting -= 1
            if nesting < 0:
                return name
            if nesting == 0:
                name = name[:first] + name[at + 1 :]
                at = first - 1
        at += 1
    return name
