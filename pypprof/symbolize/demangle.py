"""Printed names of functions: what pprof makes of a symbol's name.

Source: google/pprof internal/symbolizer/symbolizer.go (demangleSingleFunction and below).
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import I4, distinct, where_true
from pypprof.profile.model import Interner, Profile


def demangled(profile: Profile, force: bool = False, style: str = "default") -> Profile:
    """The profile with a printed name for every function whose name is its symbol's."""
    functions = profile.functions
    raw = where_true((functions.name == 0) | (functions.name == functions.system_name))
    used = distinct(functions.system_name.take(raw), len(profile.strings))
    changed = {index: new for index in used.tolist() if (new := printed_name(profile.strings[index])) is not None}
    name = functions.name.copy()
    name[raw] = functions.system_name.take(raw)
    if not changed:
        return profile._replace(functions=functions._replace(name=name))
    interner = Interner(profile.strings)
    table = np.arange(len(profile.strings), dtype=I4)
    table[list(changed)] = [interner.add(text) for text in changed.values()]
    name[raw] = table.take(name[raw])
    return profile._replace(strings=interner.strings, functions=functions._replace(name=name))


def printed_name(symbol: str) -> str | None:
    """The symbol without parameters and template arguments where it looks like C++, else None."""
    brackets = "<" in symbol or ">" in symbol or "[" in symbol or "]" in symbol
    # Neither Java's class.<init> nor Go's foo.(*Bar[...]).Method.
    if not (brackets or "::" in symbol) or ".<" in symbol or "])." in symbol:
        return None
    return _without(_without(symbol, "(", ")"), "<", ">")


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
