"""The completion engine: text and names in, suggestions out."""

from __future__ import annotations

from functools import cache

import pytest

from pypprof.profile.parse import parse
from pypprof.regex import compile_regex
from pypprof.settings import OPTIONS
from pypprof.shell.completion import Names, as_pattern, suggest
from pypprof.shell.words import WORDS
from tests.conftest import FIXTURES


@cache
def names() -> Names:
    return Names(parse((FIXTURES / "profiles" / "store.cpu.pb.gz").read_bytes()))


def texts(line: str) -> list[str]:
    return [suggestion.text for suggestion in suggest(line, names(), WORDS)]


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("to", "top"),
        ("tp", "top"),
        ("foc", "focus="),
        ("und", "undo"),
        ("gran", "granularity="),
        ("granularity=l", "lines"),
        ("call_tree=", "true"),
        ("sample_index=c", "cpu"),
        ("unit=M", "minimum"),
        ("help pee", "peek"),
        ("peek GetOr", as_pattern("main.(*Cache[go.shape.string,go.shape.int]).GetOrLoad")),
        ("focus=busy", "main.busy"),
        ("top 10 -busy", "main.busy"),
        ("top5 -c", "-cum"),
        ("tags end", "endpoint="),
        ("tagfocus=endpoint=/g", "endpoint=/get"),
        ("tagroot=us", "user"),
        ("top focus_me", None),
        ("nonsense x", None),
    ],
)
def test_first_suggestion(line: str, first: str | None) -> None:
    found = texts(line)
    assert (found[0] if found else None) == first


def test_every_option_can_be_completed() -> None:
    assert {name + "=" for name in OPTIONS} <= set(texts(""))


def test_suggested_names_are_patterns_that_match_them() -> None:
    for name in [*names().functions, "operator new(unsigned long)", "a\\b{2}"]:
        pattern = as_pattern(name)
        assert " " not in pattern
        assert compile_regex(pattern).search(name)


def test_length_replaces_what_was_typed() -> None:
    line = "peek mainbusy"
    best = suggest(line, names(), WORDS)[0]
    assert line[: len(line) - best.length] + best.text == "peek main.busy"


def test_trend(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "sheet").touch()
    monkeypatch.chdir(tmp_path)
    assert texts("trend ./s") == ["./snapshots/"]
    assert texts("trend_by=st") == ["stack"]
    assert "label:endpoint" in texts("trend_by=label:e")


def test_files_behind_a_redirection(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "out.svg").touch()
    (tmp_path / "dir").mkdir()
    monkeypatch.chdir(tmp_path)
    assert texts("top > o") == ["out.svg"]
    assert texts("top >d") == ["dir/"]
