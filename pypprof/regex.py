"""Regular expressions: RE2 syntax, linear time, in one place.

The only module that imports google-re2. Names are text in which undecodable bytes are
surrogates (see profile/model.py). Go's matcher takes such a byte for the character U+FFFD,
and RE2 would not match it at all, so each becomes that character on its way to RE2.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from functools import cache

from pypprof.errors import BadRegex

# A pattern of these alone means itself, and Python finds it faster than any matcher.
_LITERAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/:-<>=,;!@#%&~ \"'")


_REPLACE = "pypprof.replacement-character"
_CHARACTER = "\ufffd".encode()
codecs.register_error(_REPLACE, lambda e: (_CHARACTER * (e.end - e.start), e.end))  # type: ignore[attr-defined]

# Bytes for one pattern and its automaton. Go allows patterns of this size; RE2's own limit is 8 MiB.
_MEMORY = 64 << 20


class Regex:
    """A compiled pattern. `search(text)` says whether it matches anywhere."""

    __slots__ = ("_search", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._search = None if pattern and _LITERAL.issuperset(pattern) else _matcher(pattern)

    def search(self, text: str) -> bool:
        if self._search is None:
            return self.pattern in text
        return self._search(text.encode("utf-8", _REPLACE)) is not None

    def groups(self, text: str) -> list[str] | None:
        """The texts of the first match's groups; None when there is no match."""
        found = _compiled(self.pattern).search(text.encode("utf-8", _REPLACE))
        return None if found is None else [(g or b"").decode("utf-8") for g in found.groups()]

    def matching(self, texts: Iterable[str]) -> list[bool]:
        """search() of each text."""
        if self._search is None:
            pattern = self.pattern
            return [pattern in text for text in texts]
        search = self._search
        return [search(t.encode("utf-8", _REPLACE)) is not None for t in texts]


def compile_regex(pattern: str, what: str = "") -> Regex:
    """Compile; BadRegex names the option (`what`), the pattern and RE2's reason."""
    try:
        return Regex(pattern)
    except BadRegex as error:
        raise BadRegex(f"parsing {what} regexp: {error}" if what else str(error)) from None


@cache
def _byte_matcher(pattern: str):  # type: ignore[no-untyped-def]
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern.encode(), options).search


def byte_groups(pattern: str, data: bytes) -> list[bytes] | None:
    """The groups (b"" for one that took no part) of the first match of one of our own patterns, byte by byte."""
    found = _byte_matcher(pattern)(data)
    return None if found is None else [group or b"" for group in found.groups()]


def _compiled(pattern: str):  # type: ignore[no-untyped-def]
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    if _takes_bytes(pattern):
        raise BadRegex(f"error parsing regexp: invalid escape sequence: \\C: `{pattern}`")
    try:
        return re2.compile(pattern.encode("utf-8", "surrogateescape"), options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise BadRegex(f"error parsing regexp: {text}: `{pattern}`") from None


def _takes_bytes(pattern: str) -> bool:
    """Whether the pattern has RE2's \\C, a single byte, which Go's regular expressions lack."""
    if "\\C" not in pattern:
        return False
    literal = False
    escapes = iter(pattern)
    for char in escapes:
        if char == "\\":
            escaped = next(escapes, "")
            if escaped == "C" and not literal:
                return True
            literal = escaped == "Q" or (literal and escaped != "E")
    return False


def _matcher(pattern: str):  # type: ignore[no-untyped-def]
    return _compiled(pattern).search
