"""What a line means."""

from __future__ import annotations

import pytest

from pypprof.errors import CommandError
from pypprof.line import Assignment, read_assignment, read_request, split_pipe
from pypprof.settings import DEFAULTS


def request(line: str):  # type: ignore[no-untyped-def]
    return read_request(line.split(), DEFAULTS)


def test_numbers_filters_and_redirections() -> None:
    made = request("top12 foo -bar baz -cum > out")
    settings = made.settings
    assert (made.command, settings.nodecount, settings.focus, settings.ignore) == ("top", 12, "foo|baz", "bar")
    assert (settings.sort, settings.output) == ("cum", "out")
    assert request("top").settings.nodecount == 10
    assert request("tree").settings.nodecount == -1
    assert request("tags user -bob").settings.tagfocus == "user"
    assert request("peek main x").argument == "main"
    assert request("top -json").format == "json"
    assert request("top >out").settings.output == "out"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("topp", "did you mean: top"),
        ("focus", "did you mean: focus=<val>"),
        ("lines 5", "did you mean: lines=5"),
        ("peek", "requires an argument"),
        ("top >", "unexpected end of line"),
        ("xyzzy", 'type "help"'),
    ],
)
def test_refusals(line: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        request(line)


def test_assignments() -> None:
    assert read_assignment("focus = a=b //: why") == Assignment("focus", "a=b")
    assert read_assignment("call_tree") == Assignment("call_tree", "")
    assert read_assignment("top 5") is None
    with pytest.raises(CommandError, match="specify a value"):
        read_assignment("focus")


def test_pipes_are_words_not_shell() -> None:
    assert split_pipe("top 5 | grep 'a b' $(x)") == ("top 5", ("grep", "a b", "$(x)"))
    assert split_pipe("peek a|b") == ("peek a|b", ())
    for line in ("top |", "top | 'open"):
        with pytest.raises(CommandError):
            split_pipe(line)
