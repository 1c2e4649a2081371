"""Colours for the input line. Pure: a line in, (class, text) pieces out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pypprof.reports import COMMANDS
from pypprof.settings import is_option

STYLES = {
    "command": "bold ansigreen",
    "word": "ansigreen",
    "option": "ansicyan",
    "value": "ansiyellow",
    "number": "ansimagenta",
    "exclude": "ansired",
    "redirect": "ansiblue",
    "unknown": "underline",
    "toolbar": "noreverse",
}


def highlight(line: str, words: Iterable[str], samples: Iterable[str]) -> list[tuple[str, str]]:
    """The line in pieces; their texts joined are the line."""
    name, equals, value = line.partition("=")
    if equals and is_option(name.strip()):
        return [("option", name), ("", "="), ("value", value)]
    pieces: list[tuple[str, str]] = []
    first = True
    for text in re.findall(r"\s+|\S+", line):
        if text.isspace():
            pieces.append(("", text))
            continue
        pieces.append((_first(text, words, samples) if first else _argument(text), text))
        first = False
    return pieces


def _first(text: str, words: Iterable[str], samples: Iterable[str]) -> str:
    if text in COMMANDS or text.rstrip("0123456789") in COMMANDS:
        return "command"
    if text in words or text == ":":
        return "word"
    return "option" if is_option(text) or text in samples else "unknown"


def _argument(text: str) -> str:
    if text.lstrip("+-").isdigit():
        return "number"
    if text.startswith((">", "|")):
        return "redirect"
    return "exclude" if text.startswith("-") else "value"
