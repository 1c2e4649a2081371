"""What Go's pprof throws away: names, labels and MemStats of debug=1, goroutine dumps."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from pypprof.errors import Malformed
from pypprof.profile.aside import with_own_names
from pypprof.profile.legacy import goroutines
from pypprof.profile.model import Profile
from pypprof.profile.parse import parse
from tests.conftest import FIXTURES
from tests.profile.legacy.damage import damaged
from tests.support import inprocess, oracle


def top(path: Path, *flags: str) -> dict[str, tuple[int, int]]:
    """(flat, cumulative) of each function."""
    result = inprocess.run(["-top", "-json", "-nodecount=0", "-nodefraction=0", *flags, str(path)], path.parent)
    assert result.status == 0, result.stderr
    return {row["name"]: (row["flat"], row["cum"]) for row in json.loads(result.stdout)["rows"]}


def traces(path: Path) -> list[dict[str, Any]]:
    result = inprocess.run(["-traces", "-json", str(path)], path.parent)
    assert result.status == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)["traces"]
    return found


def lines(profile: Profile) -> dict[int, list[tuple[str, str, int]]]:
    """The named lines of each address."""
    table = profile.locations
    starts = table.line_starts.tolist()
    name, file = profile.texts(profile.functions.name), profile.texts(profile.functions.filename)
    functions, numbers = table.lines.function.tolist(), table.lines.line.tolist()
    return {
        address: [(name[functions[i]], file[functions[i]], numbers[i]) for i in range(starts[row], starts[row + 1])]
        for row, address in enumerate(table.address.tolist())
    }


@pytest.mark.parametrize("kind", ["heap", "goroutine", "mutex", "block"])
def test_names_are_those_of_the_proto_form(kind: str, texts: Path) -> None:
    """Each address that both forms have gets the same function, file and line."""
    proto = lines(parse((texts / f"{kind}.0").read_bytes()))
    text = parse((texts / f"{kind}.1").read_bytes())
    assert all(own == [] for own in lines(text).values())
    named = lines(with_own_names(text, ""))
    compared = 0
    for address, own in named.items():
        # The proto form joins inlined calls to one location, which has the address of the innermost.
        wanted = proto.get(address) or proto.get(address + 1)
        if wanted and own and own[0][1]:
            assert own[0] in wanted
            compared += 1
    assert compared >= 2
    assert with_own_names(text, "none") is text
    assert with_own_names(text, "local:none") is text


def test_a_heap_text_is_the_heap(texts: Path) -> None:
    text, proto = top(texts / "heap.1"), top(texts / "heap.0")
    assert text["main.leak"] == proto["main.leak"]
    assert text["main.recurse"] == proto["main.recurse"]
    assert text["main.inlined"] == proto["main.inlined"]
    assert not {"<unknown>", "runtime.[hidden]"} & set(text)


def test_four_values_although_nothing_was_freed() -> None:
    """Go's header then differs by one byte, so that the text merges with others."""
    same = parse(b"heap profile: 1: 16 [1: 17] @ heap/2\n1: 16 [1: 16] @ 0x1\n")
    assert [t.type for t in same.sample_types] == ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]
    old = parse(b"heap profile: 1: 16 [1: 16] @ heap_v2/1\n1: 16 [1: 16] @ 0x1\n")
    assert [t.type for t in old.sample_types] == ["objects", "space"]


def test_a_goroutine_text_is_the_goroutines(texts: Path) -> None:
    text, proto = top(texts / "goroutine.1"), top(texts / "goroutine.0")
    for name in ("main.worker", "runtime/pprof.Do", "main.main", "main.main.func1"):
        assert text[name][1] == proto[name][1], name
    assert text["runtime.[hidden]"][0] == 27
    labels = [trace["labels"] for trace in traces(texts / "goroutine.1") if trace["labels"]]
    assert labels == [{"user": ['a"b;\n\udcff'], "stage": ["x y"], "plain": ["a/b.c"]}]


def test_frames_given_by_a_binary_win(texts: Path) -> None:
    """A location that has lines keeps them."""
    named = with_own_names(parse((texts / "mutex.1").read_bytes()), "")
    assert named.aside is not None
    assert with_own_names(named, "") is named


def test_threads_without_a_stack(tmp_path: Path, go_pprof: Path) -> None:
    """What Go 1.21 writes for threads of the system, and its pprof refuses."""
    text = "threadcreate profile: total 5\n4 @\n#\t0x0\n\n1 @ 0x43b0a5\n#\t0x43b0a4\tmain.main+0x1\t/a.go:1\n\n"
    (tmp_path / "text").write_text(text)
    result = inprocess.run(["-top", "text"], tmp_path)
    assert result.status == 0
    assert b"of 5 total" in result.stdout
    assert not oracle.run(["-top", "text"], tmp_path)[0]


def test_equal_addresses_of_two_programs_keep_their_names(tmp_path: Path) -> None:
    text = "goroutine profile: total 1\n1 @ 0x401001\n#\t0x401000\tmain.{0}+0x10\t/{0}.go:5\n\n"
    for name in ("one", "two"):
        (tmp_path / name).write_text(text.format(name))
    result = inprocess.run(["-top", "one", "two"], tmp_path)
    assert b"main.one" in result.stdout
    assert b"main.two" in result.stdout


def test_recursion_and_inlined_frames() -> None:
    """A run of equal addresses shares its lines; several lines of one address are inlined calls."""
    text = (
        b"heap profile: 2: 32 [2: 32] @ heap/2\n1: 16 [1: 16] @ 0x11 0x21 0x21 0x31 0x41\n"
        b"#\t0x20\tmain.inner+0x1\t/a.go:1\n#\t0x20\tmain.outer+0x1\t/a.go:2\n"
        b"#\t0x20\tmain.inner+0x1\t/a.go:1\n#\t0x20\tmain.outer+0x1\t/a.go:2\n#\t0x30\tmain.main+0x1\t/a b:c.go:3\n\n"
    )
    assert lines(with_own_names(parse(text), "")) == {
        0x10: [("runtime.[hidden]", "", 0)],
        0x20: [("main.inner", "/a.go", 1), ("main.outer", "/a.go", 2)],
        0x30: [("main.main", "/a b:c.go", 3)],
        0x40: [("runtime.goexit", "", 0)],
    }


def test_memstats(texts: Path) -> None:
    text = (texts / "heap.1").read_text()
    wanted = dict(re.findall(r"^# (\w+) = (.*)$", text, re.MULTILINE))
    profile = parse(text.encode())
    assert profile.aside is not None
    assert profile.aside.memory == wanted
    shown = inprocess.run(["-memstats", "heap.1"], texts)
    assert shown.status == 0
    for name in ("HeapAlloc", "HeapInuse", "HeapIdle", "HeapReleased", "Sys", "NextGC", "NumGC", "PauseNs"):
        assert re.search(rf"^{name} +\S", shown.stdout.decode(), re.MULTILINE), name
    assert re.search(rf"^NumGC +{wanted['NumGC']} ", shown.stdout.decode(), re.MULTILINE)
    missing = inprocess.run(["-memstats", "heap.0"], texts)
    assert missing.status == 1
    assert b"debug=1" in missing.stderr
    assert missing.stdout == b""


def test_dump_of_a_real_program(texts: Path, labelled: Path) -> None:
    for directory in (texts, labelled):
        found = traces(directory / "goroutine.2")
        assert sum(trace["value"] for trace in found) == 27
        worker = next(t for t in found if t["value"] == 20)
        assert [frame["name"] for frame in worker["stack"]] == ["main.worker", "main.main.func1", "runtime/pprof.Do"]
        assert worker["labels"]["state"] == ["chan receive"]
        assert worker["labels"]["creator"] == ["main.main"]
        assert ("user" in worker["labels"]) == (directory is labelled)
        locked = next(t for t in found if "thread" in t["labels"])
        assert locked["labels"]["state"] == ["select (no cases)"]
    named = next(t for t in traces(labelled / "goroutine.2") if t["value"] == 20)
    assert {k: named["labels"][k] for k in ("user", "stage", "plain")} == {
        "user": ['a"b;\n\udcff'], "stage": ["x y"], "plain": ["a/b.c"],
    }  # fmt: skip
    assert top(texts / "goroutine.2")["main.worker"] == (25, 25)


DUMP = """\
SIGQUIT: quit
PC=0x46e8a1 m=0 sigcode=0

goroutine 7 gp=0xc000 m=nil [sync.Mutex.Lock, 65 minutes, locked to thread, synctest bubble 3] {"a}]:": "x, y", k: v}:
main.inlined[...](...)
\t/src/a b.go:10
main.(*T).run(0xc000012345, {0x1, 0x2?})
\t/src/a b.go:20 +0x45 fp=0xc00004 sp=0xc00003 pc=0x46e8a1
non-Go function at pc=0x1234
...additional frames elided...
created by main.start.func1 in goroutine 1
\t/src/a b.go:31 +0x19e

goroutine 8 [running]:
\tgoroutine running on other thread; stack unavailable
created by main.old
\t/src/old.go:1 +0x1
[originating from goroutine 1]:
anything
goroutine 9 [IO wait]:
panic({0x1, 0x2})
\t/go/panic.go:5 +0x1

rax    0x0
exit status 2
"""


def test_parts_of_a_dump() -> None:
    profile = goroutines.parse(DUMP.encode())
    assert profile is not None
    (block,) = profile.blocks
    assert block.values.tolist() == [[1], [1], [1]]
    assert block.labels is not None
    assert profile.texts(block.labels.key) == (
        ["state", "wait", "thread", "bubble", "creator", "a}]:", "k", "state", "creator", "state"]
    )
    values = zip(profile.texts(block.labels.text), block.labels.number.tolist(), strict=True)
    assert [text or number for text, number in values] == [
        "sync.Mutex.Lock", 3900, "locked", "3", "main.start.func1", "x, y", "v", "running", "main.old", "IO wait",
    ]  # fmt: skip
    assert block.counts().tolist() == [2, 0, 1]
    names = profile.texts(profile.functions.name)
    assert names == ["main.inlined[...]", "main.(*T).run", "non-Go function", "panic"]
    # An inlined call is a line of its caller's location.
    assert profile.locations.line_starts.tolist() == [0, 2, 3, 4]
    assert profile.locations.lines.line.tolist() == [10, 20, 0, 5]


def test_dumps_break_off_but_are_not_patched() -> None:
    """Go cuts a dump at 64 MB, anywhere; what stands between the lines is refused by its number."""
    for size in range(DUMP.index("goroutine 8"), len(DUMP)):
        assert goroutines.parse(DUMP[:size].encode()) is not None
    with pytest.raises(Malformed, match="line 6"):
        goroutines.parse(DUMP.replace("\t/src/a b.go:10\n", "2026/11/24 log line\n").encode())


@pytest.mark.parametrize("name", ["heap.1", "goroutine.1", "goroutine.2", "mutex.1"])
def test_damaged_texts(name: str, labelled: Path, tmp_path: Path) -> None:
    """A report or one line, whatever happened to names, labels and stacks."""
    source = (labelled / name).read_bytes()
    source = source[:3000] + source[-4000:]
    rng = random.Random(name)
    refused = 0
    for _ in range(150):
        (tmp_path / "text").write_bytes(damaged(rng, source))
        report = rng.choice(["-raw", "-top", "-tags", "-traces", "-folded", "-proto", "-dot"])
        result = inprocess.run([report, "text"], tmp_path)
        assert b"Traceback" not in result.stderr
        refused += result.status != 0
        assert result.status == 0 or result.stdout == b""
    assert 0 < refused < 150


def test_waiting_goroutines_can_be_found(tmp_path: Path) -> None:
    (tmp_path / "dump").write_text(DUMP)
    for value, found in (("1hr:", True), ("2hr:", False), ("3900s", True)):
        result = inprocess.run(["-traces", f"-tagfocus=wait={value}", "dump"], tmp_path)
        assert (b"main.(*T).run" in result.stdout) == found


def test_labels_that_would_deceive() -> None:
    """Go quotes what could be taken for syntax; what is not, ends the labels."""
    labels_line = rb'# labels: {"a":"\u00e9\xc3\n\U0001f600\\", "b":"}, \"c\":\"d"}'
    profile = parse(b"goroutine profile: total 1\n1 @ 0x1\n" + labels_line + b"\n")
    labels = profile.blocks[0].labels
    assert labels is not None
    assert profile.texts(labels.key) == ["a", "b"]
    assert profile.texts(labels.text) == ["é\udcc3\n😀\\", '}, "c":"d']


def test_the_binary_of_another_build_is_told_by_the_names(texts: Path, program: Path, tmp_path: Path) -> None:
    """A text has no build id, but names. stdout is Go's: the binary's names."""
    other = oracle.build(FIXTURES / "programs" / "words", tmp_path / "other")
    for kind in ("heap.1", "goroutine.1", "mutex.1"):
        right = inprocess.run(["-top", str(program), str(texts / kind)], tmp_path)
        assert b"is not the program" not in right.stderr
        wrong = inprocess.run(["-top", str(other), str(texts / kind)], tmp_path)
        assert wrong.stderr.startswith(f"{other} is not the program that was profiled, names are wrong".encode())
