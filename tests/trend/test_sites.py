"""Whose growth it is, restarts, rates, limits and words, on profiles made for it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pypprof.errors import CommandError
from pypprof.trend.own import DEPENDENCY, INNERMOST, OWN, RUNTIME, STANDARD, owner, package
from pypprof.trend.trends import memory_limit
from pypprof.trend.words import amount, digits, duration, sparkline
from tests.conftest import LEAK, ROOT
from tests.support import inprocess
from tests.support.encoder import Builder

FILES = {
    "main.handle": "/src/app/main.go",
    "example.com/app/store.(*Store).Put[go.shape.int]": "/src/app/store/store.go",
    "github.com/lib/pq.(*conn).recv": "/go/pkg/mod/github.com/lib/pq@v1.2.3/conn.go",
    "bytes.growSlice": "/usr/local/go/src/bytes/buffer.go",
    "net/http.(*conn).serve": "net/http/server.go",
    "runtime.gopark": "runtime/proc.go",
    "runtime.malg": "runtime/proc.go",
    "std::vector<int>::push_back": "/usr/include/vector",
}


def make(path: Path, when: float, stacks: list[tuple[list[str], int]], build: str = "b", types: Any = None,
         labels: Any = None, start: int = 0x1000) -> None:  # fmt: skip
    """A profile of (frames leaf first, value) at `when`, gzipped into the path."""
    made = Builder(types or [("inuse_space", "bytes")])
    made.mapping(1, start, start + 0x8000, build_id=build)
    ids: dict[str, int] = {}
    for place, (frames, value) in enumerate(stacks):
        for name in frames:
            if name not in ids:
                ids[name] = len(ids) + 1
                made.function(ids[name], name, file=FILES.get(name, "/src/app/other.go"))
                made.location(ids[name], [(ids[name], 7, 0)], 1, start + ids[name])
        own: Any = labels[place] if labels else ()
        made.sample([ids[name] for name in frames], [value] * len(made.types), own)
    made.header(time=int(when * 1e9), period=1)
    path.write_bytes(gzip.compress(made.encode()))


def trend(*arguments: str) -> list[Any]:
    done = inprocess.run(["trend", "-json", *arguments], ROOT)
    assert done.status == 0, done.stderr
    trends: list[Any] = json.loads(done.stdout)["trends"]
    return trends


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("main.handle", OWN),
        ("example.com/app/store.(*Store).Put[go.shape.int]", OWN),
        ("main.Map[example.com/x/runtime.Y]", OWN),
        ("github.com/lib/pq.(*conn).recv", DEPENDENCY),
        ("bytes.growSlice", STANDARD),
        ("net/http.(*conn).serve", STANDARD),
        ("vendor/golang.org/x/net/http2/hpack.NewEncoder", STANDARD),
        ("runtime.gopark", INNERMOST),
        ("runtime.malg", RUNTIME),
        ("runtime/pprof.writeHeap", RUNTIME),
        ("std::vector<int>::push_back", OWN),
        ("", OWN),
    ],
)
def test_owner(name: str, whose: int) -> None:
    assert owner(name, FILES.get(name, "")) == whose


def test_package() -> None:
    assert package("net/http.(*conn).serve") == "net/http"
    assert package("gopkg.in/yaml%2ev3.Unmarshal") == "gopkg.in/yaml%2ev3"
    assert package("main.F[a/b.C]") == "main"
    assert package("memcpy") == ""


STACKS = {
    "main.handle": ["bytes.growSlice", "github.com/lib/pq.(*conn).recv", "main.handle", "net/http.(*conn).serve"],
    "github.com/lib/pq.(*conn).recv": ["bytes.growSlice", "github.com/lib/pq.(*conn).recv", "net/http.(*conn).serve"],
    "net/http.(*conn).serve": ["runtime.gopark", "net/http.(*conn).serve"],
    "runtime.malg": ["runtime.malg"],
}


def test_blame_and_the_stack_shown(tmp_path: Path) -> None:
    for index in range(12):
        stacks = [(frames, 1_000_000 * (1 + place) * (index + 1)) for place, frames in enumerate(STACKS.values())]
        make(tmp_path / f"{index:02d}", 1e9 + 60 * index, stacks)
    rows = trend(str(tmp_path))[0]["rows"]
    assert [row["name"] for row in rows] == list(STACKS)[::-1]
    for row in rows:
        assert row["verdict"] == "grows"
        stack = row["stacks"][0]
        assert stack["frames"] == STACKS[row["name"]]
        assert stack["frames"][stack["blamed"]] == row["name"]
    leaves = trend("-trend_by=leaf", str(tmp_path))[0]["rows"]
    assert {row["name"] for row in leaves} == {frames[0] for frames in STACKS.values()}
    assert trend("-trend_by=stack", "-ignore=gopark|malg", str(tmp_path))[0]["sites"] == 2
    hidden = trend("-hide=main", str(tmp_path))[0]["rows"]
    assert "main.handle" not in [row["name"] for row in hidden]


def test_labels(tmp_path: Path) -> None:
    for index in range(12):
        stacks = [(["main.handle"], 5_000_000), (["main.handle"], 1_000_000 + 100_000 * index), (["main.x"], 9_000_000)]
        labels = [[("tenant", "a")], [("tenant", "b")], []]
        make(tmp_path / f"{index:02d}", 1e9 + 60 * index, stacks, labels=labels)
    rows = {row["name"]: row["verdict"] for row in trend("-trend_by=label:tenant", str(tmp_path))[0]["rows"]}
    assert (rows["a"], rows["b"]) == ("steady", "grows")
    # A filter of tags applies as everywhere.
    only = trend("-trend_by=label:tenant", "-tagfocus=tenant=b", str(tmp_path))[0]["rows"]
    assert [row["name"] for row in only] == ["b"]


@pytest.mark.parametrize("sign", ["totals", "build", "address"])
def test_restarts_are_seen_in_the_profiles(tmp_path: Path, sign: str) -> None:
    types = [("alloc_space", "bytes")] if sign == "totals" else None
    for index in range(16):
        age = index % 8
        make(
            tmp_path / f"{index:02d}", 1e9 + 60 * index, [(["main.handle"], 1_000_000 * (age + 1))],
            build=f"b{index // 8}" if sign == "build" else "b", types=types,
            start=0x1000 * (1 + index // 8) if sign == "address" else 0x1000,
        )  # fmt: skip
    found = trend(str(tmp_path))[0]
    assert sorted(set(found["life"])) == [0, 1]
    assert found["rate"] == (sign == "totals")
    row = found["rows"][0]
    if sign == "totals":
        assert row["values"] == pytest.approx([60_000_000] * 14)
        assert row["verdict"] == "steady"
    else:
        assert row["slope"] == pytest.approx(60_000_000)
        assert row["verdict"] == "grows"


def test_time_comes_from_the_profiles(tmp_path: Path) -> None:
    """Whatever the order of the names."""
    for index in range(12):
        make(tmp_path / f"{99 - index}", 1e9 + 60 * index, [(["main.handle"], 1_000_000 * (index + 1))])
    row = trend(str(tmp_path))[0]["rows"][0]
    assert row["slope"] == pytest.approx(60_000_000)
    assert (row["rises"], row["falls"], row["intervals"]) == (11, 0, 11)


def test_since_when(tmp_path: Path) -> None:
    for index in range(20):
        make(tmp_path / f"{index:02d}", 1e9 + 60 * index, [(["main.handle"], 1_000_000 + 90_000 * max(0, index - 6))])
    found = trend(str(tmp_path))[0]
    assert found["rows"][0]["since"] == 1e9 + 60 * 6
    text = inprocess.run(["trend", str(tmp_path)], ROOT).stdout.decode()
    assert ", since 2001-09-08 21:52:40\n" in text


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    for index in range(6):
        make(tmp_path / f"{index}", 1e9 + 60 * index, [(["main.handle"], 1_000_000 * (index + 1))])
    (tmp_path / "notes.txt").write_text("not a profile")
    text = inprocess.run(["trend", str(tmp_path)], ROOT).stdout.decode()
    assert "not used: " in text
    assert "notes.txt: parsing profile: unrecognized profile format" in text


def test_a_base_is_refused() -> None:
    done = inprocess.run(["trend", f"-base={LEAK}", str(LEAK)], ROOT)
    assert done.status == 2
    assert b"trend has no base" in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing"], "missing: no such file"),
        (["-sample_index=nothing", str(LEAK)], "must be one of"),
        (["-trend_by=wish", str(LEAK)], 'trend_by "wish" must be one of'),
        (["-memory_limit=much", str(LEAK)], 'memory_limit "much" is not a size'),
        (["-mean", str(LEAK)], "no mean values"),
        (["-focus=(", str(LEAK)], "focus"),
        (["README.md"], "unrecognized profile format"),
        (["docs"], "unrecognized profile format"),
    ],
)
def test_errors_are_one_line(arguments: list[str], message: str) -> None:
    done = inprocess.run(["trend", *arguments], ROOT)
    assert done.status == 1
    assert message in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""


@pytest.mark.parametrize("form", ["-json", "-csv", "-html", "-trend_by=stack", "-cum", "-addresses"])
def test_extreme_values_and_times(tmp_path: Path, form: str) -> None:
    for index, nanos in enumerate([0, 1 << 62, -5, (1 << 63) - 1, 0, 7, 1, 2]):
        made = Builder([("inuse_space", "bytes")])
        for place, value in enumerate([-(1 << 63), (1 << 63) - 1 - index, 0], 1):
            made.function(place, f"main.f{place}")
            made.location(place, [(place, 1, 0)])
            made.sample([place] * place, [value])
        made.sample([], [5])
        made.header(time=nanos & (1 << 64) - 1)
        (tmp_path / f"{index}").write_bytes(made.encode())
    done = inprocess.run(["trend", form, str(tmp_path)], ROOT)
    assert done.status == 0, done.stderr
    assert b"NaN" not in done.stdout
    assert b"main.f2" in done.stdout


def test_many_snapshots_are_read_by_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as by one, whatever process has met a name first."""
    for index in range(60):
        stacks = [([f"main.f{(index * 7 + n) % 40}", "main.handle"], 1_000_000 + n * 1000 * index) for n in range(12)]
        make(tmp_path / f"{index:02d}", 1e9 + 60 * index, [*stacks, (["main.leak"], 1_000_000 * (index + 1))])
    many = trend("-nodecount=0", "-nodefraction=0", str(tmp_path))
    monkeypatch.setattr("pypprof.trend.series._WORTH_PROCESSES", 1000)
    assert trend("-nodecount=0", "-nodefraction=0", str(tmp_path)) == many
    assert many[0]["rows"][0]["name"] == "main.leak"
    assert many[0]["sites"] == 41
    # Too many sites for the memory: the largest stay, the rest is counted.
    monkeypatch.setattr("pypprof.trend.series._MOST_CELLS", 60 * 5)
    few = trend("-nodecount=0", str(tmp_path))[0]
    assert few["sites"] == 41
    assert few["tested"] == 5
    assert few["rows"][0]["name"] == "main.leak"


def test_heap_and_allocs_are_two_kinds(tmp_path: Path) -> None:
    for index in range(6):
        for default in ("inuse_space", "alloc_space"):
            made = Builder([("alloc_space", "bytes"), ("inuse_space", "bytes")])
            made.function(1, "main.a")
            made.location(1, [(1, 1, 0)])
            made.sample([1], [1000 * (index + 1), 500])
            made.header(time=int((1e9 + index) * 1e9), default=default)
            (tmp_path / f"{index}.{default}").write_bytes(made.encode())
    assert [(one["type"], len(one["paths"])) for one in trend(str(tmp_path))] == [
        ("alloc_space", 6),
        ("inuse_space", 6),
    ]


def test_damaged_profiles_are_left_out(tmp_path: Path) -> None:
    whole = LEAK.read_bytes()
    for index in range(8):
        (tmp_path / f"{index}").write_bytes(whole)
        (tmp_path / f"{index}.cut").write_bytes(whole[: 200 * (index + 1)])
    found = trend(str(tmp_path))[0]
    assert len(found["paths"]) == 8
    assert len(found["errors"]) == 8
    assert found["warnings"]


def test_one_or_two_snapshots_give_no_verdict(tmp_path: Path) -> None:
    for index in range(2):
        make(tmp_path / f"{index}", 1e9 + 60 * index, [(["main.handle"], 1_000_000 * (index + 1))])
        found = trend(str(tmp_path))[0]
        assert [row["verdict"] for row in found["rows"]] == ["too few snapshots"]
    assert "take more" in inprocess.run(["trend", str(tmp_path)], ROOT).stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (["-head", str(LEAK)], "behind -base", 2),
        (["-base", str(LEAK)], "behind -head", 2),
        ([str(LEAK)], "stand behind -base or -head", 2),
        (["-base", str(LEAK), "-head", str(LEAK), "-max-growth=x"], "a share is written", 2),
        (["-base", str(LEAK), "-head", str(LEAK), "-top"], "prints Markdown", 2),
        (["-base", str(LEAK), "-head", "missing"], "no usable profile", 1),
        (["-base", str(LEAK), "-head", "fixtures/profiles/store.goroutine.pb.gz"], "different kinds", 1),
    ],
)
def test_check_refuses(arguments: list[str], message: str, status: int) -> None:
    done = inprocess.run(["check", *arguments], ROOT)
    assert done.status == status
    assert message in done.stderr.decode()
    assert done.stdout == b""


def test_check_escapes_names(tmp_path: Path) -> None:
    make(tmp_path / "a", 1e9, [(["main.x"], 1_000_000)])
    make(tmp_path / "b", 1e9, [(["main.x"], 1_000_000), (["main.`|`\n| x"], 9_000_000)])
    done = inprocess.run(["check", "-base", str(tmp_path / "a"), "-head", str(tmp_path / "b")], ROOT)
    assert done.status == 1
    rows = [line for line in done.stdout.decode().splitlines() if line.startswith("| ❌ grown | `main")]
    assert rows == ["| ❌ grown | `main.'\\|'�\\| x` | 0 B | 8.58 MB | +8.58 MB | ± 621 kB |"]


def test_words() -> None:
    assert [digits(x) for x in (7.6241, 76.24, 762.4, 0.0, -0.001, float("nan"))] == [
        "7.62",
        "76.2",
        "762",
        "0",
        "0",
        "?",
    ]
    assert [amount(x, "bytes") for x in (0, 900, 1536, -3 << 20)] == ["0 B", "900 B", "1.5 kB", "-3 MB"]
    assert [amount(x, "count") for x in (12, 71972.4)] == ["12", "71972"]
    assert [duration(x) for x in (0.001, 0.2, 61, 200, 1e9)] == [
        "3.6 s",
        "12 min",
        "61 h",
        "8.33 days",
        "more than 1000 days",
    ]
    assert sparkline([0, 1, 2, 3], [0, 0, 1, 1]) == "▁▃|▆█"
    assert sparkline([], []) == ""
    assert len(sparkline(list(range(1000)), [0] * 1000)) == 24


def test_memory_limit() -> None:
    assert [memory_limit(t) for t in ("512MB", "2GiB", "1000", "1.5 kB", "")] == [512 << 20, 2 << 30, 1000, 1536, None]
    for text in ("-5MB", "5 s", "MB", "1e300GB", "5 elephants"):
        with pytest.raises(CommandError, match="is not a size"):
            memory_limit(text)
