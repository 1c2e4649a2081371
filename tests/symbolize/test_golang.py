"""Go programs: every address as Go's pprof names it; inlined calls as the runtime itself names them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pypprof.load import Sources, load
from pypprof.naming import open_binary
from pypprof.profile.model import Profile
from pypprof.profile.parse import parse
from tests.conftest import LEAK
from tests.support.addresses import sampled, without_names
from tests.support.compare import Verdict, compare
from tests.symbolize.conftest import GO_KINDS, GO_VERSIONS

GoProgram = Callable[[str, str], Path]
_PIE = 0x555555554000


@pytest.mark.parametrize("kind", GO_KINDS)
@pytest.mark.parametrize("version", GO_VERSIONS)
@pytest.mark.usefixtures("go_pprof")
def test_addresses_all_over_the_text(version: str, kind: str, go_program: GoProgram, tmp_path: Path) -> None:
    base = _PIE if kind.startswith("pie") else 0
    sampled(go_program(version, kind), tmp_path / "p.pb.gz", 2500, base=base)
    for report in (["-raw"], ["-top", "-nodecount=50"], ["-traces"], ["-top", "-lines", "-nodecount=200"]):
        verdict, difference = compare([*report, "p.pb.gz"], tmp_path)
        assert verdict is Verdict.SAME, f"{report}: {difference}"


@pytest.mark.parametrize("kind", GO_KINDS)
@pytest.mark.parametrize("version", GO_VERSIONS)
@pytest.mark.usefixtures("go_pprof")
def test_real_profiles(version: str, kind: str, go_program: GoProgram, tmp_path: Path) -> None:
    program = go_program(version, kind)
    subprocess.run([str(program), str(tmp_path)], check=True)
    for name in ("cpu", "heap"):
        recorded = parse((tmp_path / f"{name}.pb.gz").read_bytes())
        bare = without_names(tmp_path / f"{name}.pb.gz", tmp_path / f"{name}.bare.pb.gz")
        for report in ("-raw", "-top", "-peek=main", "-traces"):
            verdict, difference = compare([report, bare.name], tmp_path)
            assert verdict is Verdict.SAME, f"{report}: {difference}"
        notes: list[str] = []
        named = load(Sources([str(bare)], symbolize="inlines"), notes.append)
        assert not notes
        assert stacks(recorded) == stacks(named)


def stacks(profile: Profile) -> dict[int, list[tuple[str, int, int]]]:
    """(function, line, start line) of the frames at each address.

    Without the files: the runtime writes a function once, with the file in which it first met it,
    which is not the function's own for a line from somewhere else. Go's pprof vouches for the files.
    """
    lines, starts = profile.locations.lines, profile.locations.line_starts.tolist()
    names = profile.texts(profile.functions.system_name)
    first = profile.functions.start_line.tolist()
    rows = list(zip(lines.function.tolist(), lines.line.tolist(), strict=True))
    return {
        address: [(names[function], line, first[function]) for function, line in rows[start:stop]]
        for address, start, stop in zip(profile.locations.address.tolist(), starts, starts[1:], strict=False)
    }


@pytest.mark.usefixtures("go_pprof")
def test_the_leak_without_names(tmp_path: Path) -> None:
    """A stripped binary given before the profile; -symbolize=none and force as in Go."""
    bare = without_names(LEAK, tmp_path / "bare.pb.gz")
    binary = str(LEAK.with_name("leak"))
    for words in (
        ["-top", binary, bare.name],
        ["-raw", binary, bare.name],
        ["-raw", "-symbolize=none", binary, bare.name],
        ["-raw", "-symbolize=local", binary, bare.name],
        ["-raw", "-symbolize=fastlocal:force", binary, bare.name],
        ["-raw", "-symbolize=remote", binary, bare.name],
        ["-raw", "-symbolize=force", binary, str(LEAK)],
        ["-raw", "-symbolize=demangle=full", binary, str(LEAK)],
        ["-proto", "-symbolize=force", binary, str(LEAK)],
        ["-raw", binary, str(LEAK)],
        ["-raw", "-buildid=abc", binary, bare.name],
        ["-raw", "-tools=/nowhere", binary, bare.name],
        ["-raw", bare.name],
        ["-raw", "-symbolize=what", binary, bare.name],
    ):
        verdict, difference = compare(words, tmp_path)
        assert verdict is Verdict.SAME, f"{words}: {difference}"


def test_nothing_is_named_after_the_end_of_the_text(go_program: GoProgram) -> None:
    """runtime.etext has no size, like functions in assembly, but it marks the end: nothing belongs to it."""
    binary = open_binary(str(go_program(GO_VERSIONS[-1], "plain")))
    text, symbols = binary.section(".text"), binary.symbols
    assert text is not None
    end = text.address + text.size
    assert symbols.named("runtime.etext") in range(end - 64, end + 1)
    assert symbols.find(end + 100) == -1
    assert symbols.find(end + (1 << 20)) == -1
    assert symbols.name(symbols.find(symbols.named("main.main") or 0)) == "main.main"
