"""Folded stacks, in and out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypprof.errors import Malformed, ProfileError
from pypprof.profile.legacy.folded import escaped, parse
from pypprof.profile.parse import parse as parse_any
from tests.conftest import FIXTURES, LEAK
from tests.support import inprocess

STORE = FIXTURES / "profiles" / "store.cpu.pb.gz"


def folded(*arguments: str, cwd: Path = FIXTURES) -> list[str]:
    result = inprocess.run(["-folded", *arguments], cwd)
    assert result.status == 0, result.stderr
    return result.stdout.decode("utf-8", "surrogateescape").splitlines()


def total(lines: list[str]) -> int:
    return sum(int(line.rpartition(" ")[2]) for line in lines)


def test_out_and_in_again(tmp_path: Path) -> None:
    """What is written is read as the same stacks, and written again the same."""
    for source in (STORE, LEAK):
        lines = folded(str(source))
        assert lines == sorted(set(lines))
        path = tmp_path / "stacks.folded"
        path.write_text("\n".join(lines) + "\n")
        assert folded(str(path)) == lines
        again = inprocess.run(["-top", "-json", str(path)], tmp_path)
        assert again.status == 0


def test_the_view_applies() -> None:
    whole = folded(str(STORE))
    traces = inprocess.run(["-traces", "-csv", str(STORE)], FIXTURES).stdout.decode().splitlines()[1:]
    assert total(whole) == sum(int(line.split(",")[0]) for line in traces)
    focused = folded("-focus=mallocgc", str(STORE))
    assert focused == [line for line in whole if "mallocgc" in line]
    assert total(focused) < total(whole)
    assert total(folded("-sample_index=samples", str(STORE))) < total(whole)
    assert all(":" in line for line in folded("-lines", "-show=^main", str(STORE)))
    assert all(".go;" in line for line in folded("-files", "-show=/", str(STORE)) if ";" in line)
    leaf = folded("-tagleaf=user", str(STORE))
    assert total(leaf) == total(whole)
    assert leaf != whole
    assert folded("-mean", str(STORE)) != whole


def test_root_first() -> None:
    line = next(line for line in folded(str(LEAK)) if "allocateMemory" in line)
    assert line.startswith("runtime.main;main.main;main.serve;")
    assert "main.allocateMemory " in line


def test_what_scripts_write() -> None:
    profile = parse(b"# comment\n\njava;a b;c_[j] 12\r\njava;a b 3.7\nmain;x -5\n")
    assert profile is not None
    assert [block.values.tolist() for block in profile.blocks] == [[[12], [3], [-5]]]
    assert profile.texts(profile.functions.name) == ["c_[j]", "a b", "java", "x", "main"]


@pytest.mark.parametrize(
    "data", [b"hello, world", b"a b c\n", b"int x = 5;\n", b"a;b\n", b"\x7fELF;a 1\n\0", b"main 5\n"]
)
def test_not_folded(data: bytes) -> None:
    assert parse(data) is None
    with pytest.raises(ProfileError, match="unrecognized"):
        parse_any(data)


def test_damaged() -> None:
    with pytest.raises(Malformed, match="line 2"):
        parse(b"a;b 1\na;b\n")
    with pytest.raises(Malformed, match="64 bits"):
        parse(b"a;b 99999999999999999999\n")


NAMES = (
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
    .map(str.strip)
    .filter(lambda name: name and not name.startswith("#") and "\0" not in name and name.isprintable())
)


@given(
    st.lists(
        st.tuples(
            st.lists(NAMES | st.sampled_from(["a;b", "x\ny", "\\x3b", "\\", ";"]), min_size=2), st.integers(1, 1000)
        ),
        min_size=1,
    )
)
def test_any_name_survives(stacks: list[tuple[list[str], int]]) -> None:
    text = "".join(";".join(map(escaped, names)) + f" {value}\n" for names, value in stacks)
    assert text.count("\n") == len(stacks)
    profile = parse(text.encode())
    assert profile is not None
    names = profile.texts(profile.functions.name)
    found = []
    for block in profile.blocks:
        starts = block.starts.tolist()
        rows = block.stacks.tolist()
        lines = profile.locations.lines.function.tolist()
        for index, (value,) in enumerate(block.values.tolist()):
            stack = [names[lines[row]] for row in rows[starts[index] : starts[index + 1]]]
            found.append((stack[::-1], value))
    assert found == stacks
