"""Colours of the input line."""

from __future__ import annotations

import pytest

from pypprof.shell.highlight import STYLES, highlight
from pypprof.shell.words import WORDS


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("top 10 main -runtime > f", ["command", "number", "value", "exclude", "redirect", "value"]),
        ("top5 | less", ["command", "redirect", "value"]),
        ("focus = main", ["option", "", "value"]),
        ("undo", ["word"]),
        ("cpu", ["option"]),
        ("bogus x", ["unknown", "value"]),
    ],
)
def test_highlight(line: str, kinds: list[str]) -> None:
    pieces = highlight(line, WORDS, ["cpu"])
    assert "".join(text for _, text in pieces) == line
    assert [kind for kind, text in pieces if not text.isspace()] == kinds
    assert {kind for kind, _ in pieces} <= {"", *STYLES}
