"""Readable names of Rust symbols, as Go's demangler writes them."""

from __future__ import annotations

import re

_LEGACY = re.compile(r"_ZN(.*)17h([0-9a-f]{16})E(?:\..*)?", re.DOTALL)
_CODES = {"SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ","}
_ESCAPE = re.compile(r"\$(?:(SP|BP|RF|LT|GT|LP|RP|C)|u([2-7][0-9a-f]))\$|(\.\.)|(\$)|([^$.]+|\.)", re.DOTALL)
_LEAST_DIGITS = 5  # different ones in a hash; a C++ name could end like one


def legacy_rust(symbol: str) -> str | None:
    """The name in an old symbol (_ZN...17h<hash>E), without the hash; None for another one."""
    found = _LEGACY.fullmatch(symbol)
    if not found or len(set(found[2])) < _LEAST_DIGITS:
        return None
    parts, rest = [], found[1]
    while rest:
        size = re.match(r"(\d{1,9})(_?)", rest, re.ASCII)
        if not size:
            return None
        length, start = int(size[1]) - len(size[2]), size.end()
        if length < 0 or len(rest) < start + length:
            return None
        parts.append(_unescaped(rest[start : start + length]))
        rest = rest[start + length :]
    return "::".join(parts)


def _unescaped(name: str) -> str:
    if name.startswith("_$"):
        name = name[1:]
    out, at = "", 0
    while at < len(name):
        found = _ESCAPE.match(name, at)
        assert found is not None
        if found[4]:
            return out + name[at:]
        if found[1]:
            out += _CODES[found[1]]
        elif found[2]:
            out += chr(int(found[2], 16))
        else:
            out += "::" if found[3] else found[5]
        at = found.end()
    return out


def rust_v0(text: str | None, style: str) -> str | None:
    """The name of a new symbol (_R...) from its decoded text."""
    if text is None or style != "default":
        return text
    # Arguments of generics go; brackets that begin a path (<T as Trait>) stay.
    out, depth, opened = [], 0, list[bool]()
    for at, char in enumerate(text):
        if char == "<":
            generic = at > 0 and (text[at - 1].isalnum() or text[at - 1] in "_:}")
            if depth == 0:
                out.append(char)
            opened.append(generic)
            depth += generic
        elif char == ">" and text[at - 1] != "-" and opened:
            depth -= opened.pop()
            if depth == 0:
                out.append(char)
        elif depth == 0:
            out.append(char)
    return "".join(out)
