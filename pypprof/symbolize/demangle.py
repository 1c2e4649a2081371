"""Printed names of functions: what pprof makes of a symbol's name.

Source: google/pprof internal/symbolizer/symbolizer.go (demangleSingleFunction and below).
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import I4, distinct, where_true
from pypprof.profile.model import Interner, Profile

_MANGLED = ("_Z", "_R", "__Z", "__R", "___Z", "_GLOBAL_")

_MOST_PLAIN = 1 << 18
_plain: dict[str, set[str]] = {}  # by style: symbols that stay as they are, as most do in every profile of a program


def demangled(profile: Profile, force: bool = False, style: str = "default") -> Profile:
    """The profile with a printed name for every function whose name is its symbol's.

    With `force`, names that are there already are made anew. The styles: none, full, templates, default.
    """
    functions = profile.functions
    name = functions.name.copy()
    if force:
        named = where_true((name != 0) & (functions.system_name != 0))
        name[named] = functions.system_name.take(named)
    if style == "none":
        return profile._replace(functions=functions._replace(name=name))
    raw = where_true((name == 0) | (name == functions.system_name))
    used = distinct(functions.system_name.take(raw), len(profile.strings))
    plain = _plain.setdefault(style, set())
    changed = {}
    for index, symbol in zip(used.tolist(), profile.texts(used), strict=True):
        if symbol not in plain:
            new = printed_name(symbol, style)
            if new is None:
                plain.add(symbol)
            else:
                changed[index] = new
    if len(plain) > _MOST_PLAIN:
        plain.clear()
    name[raw] = functions.system_name.take(raw)
    if not changed:
        return profile._replace(functions=functions._replace(name=name))
    interner = Interner(profile.strings)
    table = np.arange(len(profile.strings), dtype=I4)
    table[list(changed)] = [interner.add(text) for text in changed.values()]
    name[raw] = table.take(name[raw])
    return profile._replace(strings=interner.strings, functions=functions._replace(name=name))


def printed_name(symbol: str, style: str = "default") -> str | None:
    """The readable name of a mangled symbol, or of one that looks like demangled C++; else None."""
    if symbol.startswith(_MANGLED):
        from pypprof.symbolize.mangled import demangle

        # macOS puts one more underscore before every symbol.
        for text in (symbol, symbol[1:]):
            name = demangle(text, style)
            if name is not None and name != text:
                return name
    brackets = "<" in symbol or ">" in symbol or "[" in symbol or "]" in symbol
    # Neither Java's class.<init> nor Go's foo.(*Bar[...]).Method.
    if style == "full" or not (brackets or "::" in symbol) or ".<" in symbol or "])." in symbol:
        return None
    name = _without(symbol, "(", ")")
    return name if style == "templates" else _without(name, "<", ">")


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
