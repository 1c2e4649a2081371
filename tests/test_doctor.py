"""The doctor: each cause of an empty or nameless report has its line, and stdout stays Go's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pypprof.profile.encode import encode
from pypprof.profile.model import Functions, Profile, no_lines
from pypprof.profile.parse import parse
from tests.conftest import FIXTURES, LEAK, PROFILES
from tests.support import inprocess, oracle
from tests.support.desk import Desk
from tests.support.encoder import Builder

LEAK_BINARY = FIXTURES / "leak" / "leak"
LEAK_ID = "84f5369d59d34bc4754b2a48e5b89b8e2dfd53ab"
OTHER_ID = "00112233445566778899aabbccddeeff00112233"


@pytest.fixture(scope="module")
def nameless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The leak's heap profile as a program without symbolization would write it: addresses only."""
    profile = without_names(parse(LEAK.read_bytes()))
    path = tmp_path_factory.mktemp("nameless") / "heap.pb"
    path.write_bytes(b"".join(encode(profile)))
    return path


def without_names(profile: Profile) -> Profile:
    locations, functions = profile.locations, profile.functions
    bare = locations._replace(line_starts=locations.line_starts * 0, lines=no_lines())
    flags = dict.fromkeys(("has_functions", "has_filenames", "has_line_numbers", "has_inline_frames"), False)
    return profile._replace(
        locations=bare, functions=Functions(*(column[:0] for column in functions)),
        mappings=tuple(mapping._replace(file="/srv/leak", **flags) for mapping in profile.mappings),  # type: ignore[arg-type]
    )  # fmt: skip


def said(*arguments: object, script: str = "", cwd: Path = FIXTURES) -> str:
    done = inprocess.run(list(map(str, arguments)), cwd, script.encode())
    assert b"Traceback" not in done.stderr
    return done.stderr.decode()


@pytest.mark.parametrize("report", ["-top", "-tree", "-dot", "-svg", "-traces", "-callgrind", "-peek=x", "-list=x"])
def test_no_names_and_no_binary(nameless: Path, report: str) -> None:
    text = said(report, nameless)
    assert LEAK_ID in text
    assert "no binary was given" in text
    assert f"Give the binary first: pypprof path/to/leak {nameless}" in text


def test_no_names_is_said_once(nameless: Path) -> None:
    text = said(nameless, script="top\ntop\ntree\nraw\n")
    assert text.count("no binary was given") == 1
    assert "no binary" not in said("-tags", nameless) + said("-top", LEAK)
    assert "no binary was given" in said("-raw", nameless)


def test_missing_names_are_explained_once(nameless: Path, tmp_path: Path) -> None:
    """One explanation, whatever is missing: the program's path, its file, or the right file of that path."""
    text = said("-top", nameless)
    assert text.count("\n") == 2
    profile = parse(nameless.read_bytes())
    unknown = tmp_path / "unknown.pb"
    unknown.write_bytes(
        b"".join(encode(profile._replace(mappings=tuple(m._replace(file="") for m in profile.mappings))))
    )
    assert said("-top", unknown).count("\n") == 2
    program = tmp_path / "leak"
    program.write_bytes(Path("/bin/true").read_bytes())
    wrong = tuple(m._replace(file=str(program)) for m in profile.mappings)
    unknown.write_bytes(b"".join(encode(profile._replace(mappings=wrong))))
    text = said("-top", unknown)
    assert text.startswith(f"{program} is not the program that was profiled: its build id is ")
    assert text.count("\n") == 2


def test_a_missing_library_is_one_line(tmp_path: Path) -> None:
    """Names of the program are there; of two libraries, one line."""
    builder = Builder([("samples", "count")])
    builder.mapping(1, 0x1000, 0x9000, file="/bin/app")
    builder.mapping(2, 0x10000, 0x20000, file="/lib/libone.so", has=0)
    builder.mapping(3, 0x20000, 0x30000, file="/lib/libtwo.so", has=0)
    function = builder.function(1, "main.main")
    for number in range(1, 6):
        builder.location(number, [(function, number, 0)], 1, 0x1000 + number)
    builder.location(6, [], 2, 0x10001)
    builder.location(7, [], 3, 0x20001)
    builder.sample([6, 1, 2, 3], [1])
    builder.sample([7, 4, 5], [1])
    source = tmp_path / "p.pb"
    source.write_bytes(builder.encode())
    assert said("-top", source) == (
        "No names for libone.so, libtwo.so: not found; PPROF_BINARY_PATH=DIRECTORY says where to look\n"
    )


def test_the_binary_of_another_build(nameless: Path, tmp_path: Path) -> None:
    other = tmp_path / "leak"
    other.write_bytes(LEAK_BINARY.read_bytes().replace(bytes.fromhex(LEAK_ID), bytes.fromhex(OTHER_ID)))
    text = said("-symbolize=none", "-top", other, nameless)
    assert LEAK_ID in text
    assert OTHER_ID in text
    assert "is not the program that was profiled" in text
    assert "is not the program that was profiled" in said(other, LEAK, script="doctor\n")
    named = said("-top", other, nameless)
    assert named.count("is not the program that was profiled") == 1
    assert "is not the program" not in said(LEAK_BINARY, LEAK, script="doctor\n")


def test_the_binary_of_another_program_is_said_once(nameless: Path) -> None:
    text = said("-top", "/bin/true", nameless)
    assert text.count("is not the program that was profiled") == 1
    assert text.count(f"Give the binary that was running: file path/to/binary shows BuildID[sha1]={LEAK_ID}") == 1
    assert "is not the program that was profiled: its build id is" in said("/bin/true", nameless, script="doctor\n")


def test_a_binary_without_names(nameless: Path, tmp_path: Path) -> None:
    """Given, or where the profile says that it is."""
    program, source = tmp_path / "empty", tmp_path / "p.pb"
    subprocess.run(
        ["gcc", "-s", "-Wl,--build-id=0x" + LEAK_ID, "-x", "c", "-o", program, "-"], input=b"int main(){}", check=True
    )
    assert said("-top", program, nameless).startswith(f"{program} has no names for the addresses")
    profile = parse(nameless.read_bytes())
    there = tuple(mapping._replace(file=str(program)) for mapping in profile.mappings)
    source.write_bytes(b"".join(encode(profile._replace(mappings=there))))
    assert said("-top", source).startswith(f"{program} has no names for the addresses")


def test_names_that_nobody_asked_for(nameless: Path) -> None:
    assert said("-symbolize=none", "-top", LEAK_BINARY, nameless) == "No names: -symbolize=none asks for none\n"


def profile_with_zeros(path: Path, second: int) -> Path:
    builder = Builder([("alloc_space", "bytes"), ("inuse_space", "bytes")])
    builder.mapping(1, file="/bin/app")
    builder.location(1, [(builder.function(1, "main.main"), 1, 0)], mapping=1)
    builder.sample([1], [100, 0])
    builder.sample([1], [second, 0])
    path.write_bytes(builder.encode())
    return path


@pytest.mark.parametrize("report", ["-top", "-dot", "-svg", "-tree"])
def test_all_values_are_zero(tmp_path: Path, report: str) -> None:
    source = profile_with_zeros(tmp_path / "zero.pb", 50)
    text = said(report, source)
    assert "All values of inuse_space are zero; alloc_space has values" in text
    assert "Try sample_index=alloc_space" in text
    assert "sample_index" not in said(report, "-sample_index=alloc_space", source)


def test_values_that_cancel_out(tmp_path: Path) -> None:
    source = profile_with_zeros(tmp_path / "zero.pb", -100)
    assert "cancel out" in said("-top", "-sample_index=alloc_space", source)


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        (["-focus=nothing_here"], ["The filter focus=nothing_here leaves no samples", "Clear with focus= "]),
        (["-ignore=.", "-focus=serve"], ["The filter ignore=. leaves no samples"]),
        (["-hide=."], ["The filter hide=. leaves no samples"]),
        (["-show=nothing_here"], ["The filter show=nothing_here leaves no samples"]),
        (["-show_from=nothing_here"], ["The filter show_from=nothing_here leaves no samples"]),
        (["-tagfocus=nothing_here"], ["The filter tagfocus=nothing_here leaves no samples"]),
        (["-tagignore=1b:"], ["The filter tagignore=1b: leaves no samples"]),
        (["-focus=serve", "-ignore=allocateMemory"], ["focus=serve and ignore=allocateMemory together leave"]),
        (
            ["-focus=zzz", "-show=yyy"],
            ["The filters focus=zzz and show=yyy leave no samples", "Clear with focus= show="],
        ),
    ],
)
@pytest.mark.parametrize("report", ["-top", "-svg", "-peek=main"])
def test_filters_that_leave_nothing(report: str, filters: list[str], named: list[str]) -> None:
    text = said(report, *filters, LEAK)
    for part in named:
        assert part in text
    if report == "-svg":
        assert named[0] in inprocess.run([report, *filters, str(LEAK)], FIXTURES).stdout.decode()
    assert "leave" not in said(report, LEAK)


@pytest.mark.parametrize("option", ["focus", "show_from", "tagfocus"])
def test_a_filter_that_matches_nothing_is_said_once(option: str) -> None:
    assert said("-top", f"-{option}=zzz", LEAK).count("no samples") == 1
    text = said("-top", f"-{option}=zzz", "-ignore=yyy", LEAK)
    assert "Ignore expression matched no samples" in text, "it is not why the report is empty"
    assert text.count("no samples") == 2


def test_a_filter_of_names_without_names(nameless: Path) -> None:
    text = said(nameless, script="svg main > /dev/null\nsvg -leak > /dev/null\n")
    assert "The filter focus=main leaves no samples: the profile has no names to match" in text
    assert "The filter ignore=leak leaves no samples\n" in text


@pytest.mark.parametrize("report", ["-top", "-dot", "-svg", "-tree"])
def test_everything_is_trimmed(report: str) -> None:
    text = said(report, "-nodefraction=2", LEAK)
    assert "nodes are below nodefraction=2 of the total" in text
    assert "Try nodefraction=0.005" in text
    assert "nodefraction" not in said(report, LEAK)


def test_no_samples_at_all(tmp_path: Path) -> None:
    (tmp_path / "none.pb").write_bytes(Builder([("cpu", "ns")]).encode())
    assert "holds no samples" in said("-top", tmp_path / "none.pb")


def test_doctor_looks_at_the_session(nameless: Path) -> None:
    text = said(nameless, script="focus=zzz\ndoctor\n")
    assert "no binary was given" in text
    assert "The filter focus=zzz leaves no samples" in text
    assert "Nothing is wrong" in said(LEAK, script="doctor\n")
    for path in PROFILES:
        assert "Nothing is wrong" in said(path, script="doctor\n"), path.name


def test_stdout_stays_that_of_go(nameless: Path, tmp_path: Path, go_pprof: Path) -> None:
    zero = profile_with_zeros(tmp_path / "zero.pb", 50)
    for arguments in (
        ["-top", str(nameless)], ["-dot", str(nameless)], ["-top", str(zero)], ["-tree", str(zero)],
        ["-top", "-focus=zzz", str(LEAK)], ["-dot", "-nodefraction=2", str(LEAK)], ["-peek=zzz", str(LEAK)],
    ):  # fmt: skip
        mine = inprocess.run(arguments, tmp_path)
        assert (mine.status == 0, mine.stdout) == oracle.run(arguments, tmp_path), arguments


def test_web_on_a_nameless_heap_profile(nameless: Path, tmp_path: Path) -> None:
    """The picture that started it all: without the binary it explains itself, with it it has names."""
    desk = Desk(tmp_path)
    browser = str(desk.program("browser"))
    done = desk.run(nameless, script="web\n", BROWSER=browser)
    assert LEAK_ID in done.stderr
    assert f"pypprof path/to/leak {nameless}" in done.stderr
    assert b"allocateMemory" not in desk.copy.read_bytes()
    assert b"Give the binary first: pypprof path/to/leak" in desk.copy.read_bytes(), "in the picture too"
    done = desk.run(LEAK_BINARY, nameless, script="web\n", BROWSER=browser)
    assert "binary" not in done.stderr
    assert b'data-name="main.allocateMemory"' in desk.copy.read_bytes()
