"""Colours of a terminal, for reports that a person reads there."""

from __future__ import annotations

from pypprof.output import printable

_RESET = "\x1b[0m"
HEADING, DIM, PLAIN = "1;36", "2", ""
# The hotter the colour, the larger the part of the total.
_HEAT = ((0.25, "1;31"), (0.05, "31"), (0.01, "33"))
_SOME = "32"


def paint(style: str, text: str) -> str:
    """One line (or less) in a style. What else in it would control the terminal becomes visible."""
    text = printable(text.replace("\n", "\\n"))
    return f"\x1b[{style}m{text}{_RESET}" if style and text else text


def heat(value: int, total: int) -> str:
    """The style of a value."""
    if not value:
        return DIM
    part = abs(value / total) if total else 0.0
    return next((style for least, style in _HEAT if part >= least), _SOME)
