"""weblist: the numbers of Go's page, on a page of our own, looked at in a real Chromium."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import FIXTURES, LEAK, PROFILES, ROOT
from tests.support import inprocess, oracle
from tests.support.chromium import Visit, chromium
from tests.support.encoder import Builder
from tests.support.pages import Function, go_page, our_page
from tests.support.programs import addresses_profile, c_program, functions, go_program, leak_profile, random_addresses

SOURCE = f"-source_path={FIXTURES / 'leak'}"
STORE = next(path for path in PROFILES if path.name == "store.cpu.pb.gz")


def ours(arguments: list[str], cwd: Path) -> str:
    done = inprocess.run(["-output=our.html", *arguments], cwd)
    assert done.status == 0, done.stderr
    assert b"Traceback" not in done.stderr
    return (cwd / "our.html").read_text()


def both(arguments: list[str], cwd: Path) -> tuple[list[Function], list[Function]]:
    ok, _ = oracle.run(["-output=go.html", *arguments], cwd)
    assert ok
    return go_page((cwd / "go.html").read_text(errors="replace")), our_page(ours(arguments, cwd))


def numbers(functions: list[Function]) -> list[object]:
    """Functions, and each line with its values and inlined calls."""
    return [(*f[:5], [(*line[:4], line.calls) for line in f.lines]) for f in functions]


def check_instructions(go: list[Function], mine: list[Function]) -> int:
    """Each instruction that Go shows is ours with the same values, but for those that it decodes out of step
    (it begins 500 bytes before a sample, wherever that is); these have no values. How many are the same."""
    same = 0
    for theirs, own in zip(go, mine, strict=True):
        for line, our_line in zip(theirs.lines, own.lines, strict=True):
            known = {i.address: i for i in our_line.instructions}
            for instruction in line.instructions:
                found = known.get(instruction.address)
                if found is None:
                    assert instruction.flat == instruction.cum == "."
                else:
                    assert instruction[:4] == found[:4]
                    same += 1
            valued = [[i[:3] for i in rows if i.cum != "."] for rows in (line.instructions, our_line.instructions)]
            assert valued[0] == valued[1]
    return same


@pytest.mark.parametrize(
    "options",
    [
        ["-weblist=main\\."],
        ["-weblist=main.go", "-sample_index=alloc_objects"],
        ["-weblist=runtime|main", "-focus=serve"],
    ],
)
def test_numbers_of_a_real_profile(options: list[str], tmp_path: Path, go_pprof: Path) -> None:
    go, mine = both([*options, SOURCE, str(go_program()), str(leak_profile())], tmp_path)
    assert {"main.serve", "main.allocateMemory"} <= {f.name for f in mine}
    assert numbers(go) == numbers(mine)
    assert check_instructions(go, mine) > 150


@pytest.mark.parametrize("options", [["-weblist=."], ["-weblist=store|capture"], ["-weblist=sync", "-mean"]])
@pytest.mark.parametrize("profile", [p for p in PROFILES if p.name in ("store.cpu.pb.gz", "words.allocs.pb.gz")])
def test_numbers_without_a_binary(options: list[str], profile: Path, tmp_path: Path, go_pprof: Path) -> None:
    """Here Go shows the inlined calls that the profile has, grouped. Of a line that is part of two functions
    it names one by chance, so lines are compared."""

    def lines(functions: list[Function]) -> dict[tuple[str, int], object]:
        return {
            (f.file, line.number): (line.flat, line.cum, line.source, set(line.calls))
            for f in functions
            for line in f.lines
            if line.cum != "."
        }

    go, mine = both([*options, str(profile)], tmp_path)
    assert lines(go) == lines(mine)
    assert lines(mine)
    if options == ["-weblist=."]:
        assert any(line.calls for f in mine for line in f.lines)


def test_numbers_of_random_addresses(tmp_path: Path, go_pprof: Path) -> None:
    program = go_program()
    for seed in range(3):
        chosen = random_addresses(program, seed, 12)
        (tmp_path / "p.pb").write_bytes(addresses_profile(program, chosen, stack=3))
        arguments = ["-weblist=.", str(program), str(tmp_path / "p.pb")]
        go, mine = both(arguments, tmp_path)
        values = [
            [(f.name, line.number, line.flat, line.cum) for f in functions for line in f.lines if line.cum != "."]
            for functions in (go, mine)
        ]
        assert values[0] == values[1]
        assert [f[:5] for f in go] == [f[:5] for f in mine]


def test_inlined_functions_are_found(tmp_path: Path) -> None:
    """Go's tool knows only the outer function of an address: its page would be empty."""
    source = "static inline __attribute__((always_inline)) int inner(int x) { return x / 7 + 3; }\n"
    source += "__attribute__((noinline)) int outer(int x) {\n  return inner(x) * 2;\n}\n"
    program = c_program(source + "int main(int argc, char **argv) { return outer(argc); }\n")
    start, size = next((start, size) for name, start, size in functions(program) if name == "outer")
    (tmp_path / "p.pb").write_bytes(_unnamed(program, [start + size // 2]))
    page = ours(["-weblist=^inner$", str(program), str(tmp_path / "p.pb")], tmp_path)
    assert [f.name for f in our_page(page)] == ["inner"]
    assert "inner, inlined into outer" in page


def _unnamed(program: Path, addresses: list[int]) -> bytes:
    builder = Builder([("samples", "count")])
    builder.mapping(1, 0x400000, 0x500000, 0, str(program), has=0)
    for number, address in enumerate(addresses, 1):
        builder.location(number, [], 1, address)
        builder.sample([number], [5])
    return builder.encode()


def test_intel_syntax(tmp_path: Path) -> None:
    page = ours(["-intel_syntax", "-weblist=serve", str(go_program()), str(leak_profile())], tmp_path)
    assert "mov rbp, rsp" in page


def test_a_stripped_binary(tmp_path: Path) -> None:
    page = ours(["-weblist=serve", SOURCE, str(FIXTURES / "leak" / "leak"), str(LEAK)], tmp_path)
    assert "&lt;main.allocateMemory&gt;" in page


def test_no_match_is_an_error(tmp_path: Path, go_pprof: Path) -> None:
    arguments = ["-weblist=nothing_here", "-output=x.html", str(LEAK)]
    done = inprocess.run(arguments, tmp_path)
    assert (done.status, done.stdout) == (1, b"")
    assert b"no matches found for regexp: nothing_here" in done.stderr
    assert not oracle.run(arguments, tmp_path)[0]
    assert not (tmp_path / "x.html").exists()


def test_without_output_a_browser_opens(tmp_path: Path) -> None:
    """One-shot and in the shell; the file is whole when the browser gets it."""
    fake = tmp_path / "browser"
    fake.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/seen-$$.html\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    env = os.environ | {
        "BROWSER": str(fake),
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "PPROF_TMPDIR": str(tmp_path),
    }
    for arguments, script in ((["-weblist=serve"], b""), ([], b"weblist serve\nquit\n")):
        command = [sys.executable, "-m", "pypprof", *arguments, str(LEAK)]
        done = subprocess.run(command, env=env, cwd=tmp_path, input=script, capture_output=True, check=True, timeout=60)
        assert b"DOCTYPE" not in done.stdout
        seen = list(tmp_path.glob("seen-*.html"))
        assert len(seen) == 1
        assert seen[0].read_text().rstrip().endswith("</html>")
        seen[0].unlink()


def test_the_shell_writes_files(tmp_path: Path) -> None:
    assert inprocess.run([str(LEAK)], tmp_path, b"weblist serve > page.html\n").status == 0
    assert our_page((tmp_path / "page.html").read_text())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def leak_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weblist") / "leak.html"
    arguments = [f"-output={path}", "-weblist=main", SOURCE, str(go_program()), str(leak_profile())]
    assert inprocess.run(arguments, path.parent).status == 0
    return path


def test_lines_open(browser: Browser, leak_page: Path) -> None:
    visit = Visit(browser)
    page = visit.open(leak_page)
    line = page.locator("details", has_text=re.compile(r"allocateMemory\(\)\n*")).filter(has_text="64MB").first
    call = line.get_by_text("<main.allocateMemory>")
    assert not call.is_visible()
    line.locator("summary").click()
    assert call.is_visible()
    assert "64MB" in line.locator(".ins", has_text="<main.allocateMemory>").inner_text()
    line.locator("summary").focus()
    page.keyboard.press("Enter")
    assert not call.is_visible()
    visit.close(leak_page)


def test_buttons(browser: Browser, leak_page: Path) -> None:
    visit = Visit(browser)
    page = visit.open(leak_page)
    page.get_by_role("button", name="Expand all").click()
    assert page.locator("details[open]").count() == page.locator("details").count() > 10
    page.get_by_role("button", name="Collapse all").click()
    assert page.locator("details[open]").count() == 0
    faint = page.locator(".line.none").first
    assert faint.is_visible()
    page.get_by_role("button", name="Only lines with values").click()
    assert not faint.is_visible()
    page.locator("nav a", has_text="main.serve").click()
    assert page.locator("h2", has_text="main.serve").is_visible()
    visit.requests[1:] = []  # Chromium counts the jump within the page
    visit.close(leak_page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes(browser: Browser, leak_page: Path, theme: str) -> None:
    visit = Visit(browser, theme)  # type: ignore[arg-type]
    page = visit.open(leak_page)

    def dark() -> bool:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3])) < 384

    assert dark() == (theme == "dark")
    page.get_by_role("button", name="Theme").click()
    assert dark() == (theme == "light")
    visit.close(leak_page)


HOSTILE = "</code></details><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;\x1b[31m\u202e\udcff"


def test_hostile_names_and_sources(browser: Browser, tmp_path: Path) -> None:
    builder = Builder([("samples", "count")])
    builder.mapping(1, 0x1000, 0x2000, 0, f"/x/{HOSTILE}".encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    name = HOSTILE.encode("utf-8", "surrogateescape")
    builder.function(1, name, b"raw", b"hostile/source.c")
    builder.function(2, b"caller " + name, b"raw too", name + b".c")
    builder.location(1, [(1, 2, 0), (2, 7, 0)], 1, 0x1100)
    builder.sample([1], [3])
    (tmp_path / "p.pb").write_bytes(builder.encode())
    (tmp_path / "hostile").mkdir()
    (tmp_path / "hostile" / "source.c").write_bytes(b"first\n" + name + b"</script>\x00\nlast\n")
    path = tmp_path / "our.html"
    page_text = ours(["-weblist=.", str(tmp_path / "p.pb")], tmp_path)
    assert page_text.count("<script") == 1
    visit = Visit(browser)
    page = visit.open(path)
    assert page.locator("img").count() == 0
    assert "onerror=alert(2)" in page.locator("h2").first.inner_text()
    visit.close(path)
