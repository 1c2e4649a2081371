"""The done-when of the hunt: a real server that leaks, recorded live, judged by trend."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.hunt.conftest import ROUNDS
from tests.support import inprocess

# What fixtures/programs/leakhunt/main.go says that it leaks, a second.
RATES = {
    "inuse_space": {"main.fillCache": 512 << 10, "main.readRequest": 256 << 10},
    "inuse_objects": {"main.waitForReply": 20},
    "goroutine": {"main.waitForReply": 20},
}


def trends(recording: Path, *arguments: str) -> dict[str, Any]:
    done = inprocess.run(["trend", "-json", *arguments, str(recording)], ROOT)
    assert done.status == 0, done.stderr
    return {one["type"]: one for one in json.loads(done.stdout)["trends"]}


@pytest.mark.parametrize("kind", ["inuse_space", "goroutine"])
def test_exactly_the_leaks_in_order_of_rate(recording: Path, kind: str) -> None:
    found = trends(recording)[kind]
    assert len(found["paths"]) == ROUNDS
    growing = [row for row in found["rows"] if row["verdict"] in ("grows", "may grow")]
    assert [row["name"] for row in growing] == list(RATES[kind])
    assert {row["verdict"] for row in growing} == {"grows"}
    for row in growing:
        rate = RATES[kind][row["name"]]
        assert row["slope"] / 3600 == pytest.approx(rate, rel=0.05)
        assert row["low"] <= row["slope"] <= row["high"]


def test_neither_garbage_nor_the_constant_table(recording: Path) -> None:
    rows = {row["name"]: row for row in trends(recording)["inuse_space"]["rows"]}
    assert rows["main.loadTable"]["verdict"] == "steady"
    assert rows["main.loadTable"]["end"] > 30 << 20
    assert rows["runtime.malg"]["verdict"] == "follows goroutines"
    assert not any(row["verdict"] == "grows" and "arbage" in name for name, row in rows.items())
    # By allocations the garbage is the first of all.
    rates = trends(recording, "-sample_index=alloc_space")["alloc_space"]
    assert rates["rate"]
    assert max(rates["rows"], key=lambda row: row["end"])["name"] == "main.makeGarbage"
    cache = next(
        row
        for row in trends(recording, "-sample_index=alloc_space", "-focus=fillCache", "-nodefraction=0")["alloc_space"][
            "rows"
        ]
    )
    assert sorted(cache["values"])[len(cache["values"]) // 2] / 3600 == pytest.approx(512 << 10, rel=0.1)


def test_growth_in_the_library_is_blamed_on_own_code(recording: Path) -> None:
    row = trends(recording)["inuse_space"]["rows"][0]
    stack = row["stacks"][0]
    assert stack["frames"][0].startswith("bytes.")
    assert stack["frames"][stack["blamed"]] == "main.fillCache"
    assert stack["value"] > 1 << 20
    leaf = trends(recording, "-trend_by=leaf")["inuse_space"]["rows"][0]
    assert leaf["name"] == "bytes.growSlice"


def test_granularity_filters_stacks_and_objects(recording: Path) -> None:
    lines = trends(recording, "-lines")["inuse_space"]["rows"]
    assert re.fullmatch(r"main\.fillCache .*leakhunt/main\.go:\d+", lines[0]["name"])
    assert [row["name"] for row in trends(recording, "-ignore=fillCache", "-sample_index=inuse_space", "-nodecount=1")[
        "inuse_space"]["rows"]] == ["main.readRequest"]  # fmt: skip
    stacks = trends(recording, "-trend_by=stack")["inuse_space"]["rows"]
    assert [row["name"] for row in stacks[:2]] == ["main.fillCache", "main.readRequest"]
    assert stacks[0]["stacks"][0]["frames"][-1] == "main.at"
    objects = trends(recording, "-sample_index=inuse_objects", "-focus=fillCache|readRequest")["inuse_objects"]["rows"]
    assert {row["name"] for row in objects if row["verdict"] == "grows"} == {"main.fillCache", "main.readRequest"}
    cum = trends(recording, "-cum", "-focus=main.at", "-sample_index=inuse_space")["inuse_space"]["rows"]
    assert cum[0]["name"] == "main.at"
    assert cum[0]["slope"] / 3600 == pytest.approx(768 << 10, rel=0.05)
    labels = trends(recording, "-trend_by=label:bytes", "-sample_index=inuse_space")["inuse_space"]["rows"]
    assert {row["name"] for row in labels if row["verdict"] == "grows"} >= {"16384", "32768"}


def test_the_verdict_in_plain_words(recording: Path) -> None:
    done = inprocess.run(["trend", "-memory_limit=512MB", str(recording)], ROOT)
    text = done.stdout.decode()
    found = re.search(
        r"^main\.fillCache grows (1\.\d+) GB/h, 95 % between [\d.]+ and [\d.]+, in 1[123] of 13 intervals; "
        r"512 MB in ([\d.]+) min$", text, re.MULTILINE,
    )  # fmt: skip
    assert found, text
    assert float(found[1]) == pytest.approx(1.758, rel=0.05)
    # (512 MB - the total at the end) / 0.5 MB a second.
    assert float(found[2]) == pytest.approx(15, rel=0.15)
    assert re.search(r"^At this rate the inuse_space reaches 512 MB in (9|1\d)\.?\d* min\.$", text, re.MULTILINE)
    assert "  > main.fillCache\n" in text
    assert re.search(r"▁.*█  main\.fillCache$", text, re.MULTILINE)


def test_csv(recording: Path) -> None:
    done = inprocess.run(["trend", "-csv", str(recording)], ROOT)
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [row["name"] for row in rows if row["verdict"] == "grows" and row["name"] != "total"] == [
        "main.fillCache", "main.readRequest", "main.waitForReply",
    ]  # fmt: skip
    assert rows[0]["stack"].startswith("main.at;main.fillCache;bytes.")


def test_in_the_shell(recording: Path) -> None:
    heaps = sorted(map(str, recording.glob("*heap*")))
    script = b"trend 2\nfocus=readRequest\ntrend -json\n"
    done = inprocess.run(heaps, ROOT, script)
    text = done.stdout.decode()
    assert text.startswith("(pprof) inuse_space: 14 snapshots")
    assert [row["name"] for row in json.loads(text.split("(pprof) ")[3])["trends"][0]["rows"]] == ["main.readRequest"]
    assert "memory_limit" in inprocess.run([*heaps], ROOT, b"memory_limit=4 elephants\ntrend\n").stderr.decode()


def test_the_shell_follows_a_directory(recording: Path, tmp_path: Path) -> None:
    heap = min(map(str, recording.glob("*heap*")))
    done = inprocess.run([heap], tmp_path, f"trend {recording} -html > page.html\ntrend {recording} 1\n".encode())
    assert "inuse_space: 14 snapshots" in done.stdout.decode()
    assert "goroutine: 14 snapshots" in done.stdout.decode()
    assert (tmp_path / "page.html").read_bytes().startswith(b"<!DOCTYPE html>")


def test_check_finds_the_leaks_and_nothing_else(recording: Path, tmp_path: Path) -> None:
    heaps = sorted(map(str, recording.glob("*heap*")))
    done = inprocess.run(["check", "-base", *heaps[:3], "-head", *heaps[-3:], "-max-growth", "20%"], ROOT)
    text = done.stdout.decode()
    assert done.status == 1
    assert [name for name in re.findall(r"❌ grown \| `(.*?)`", text) if name != "total"] == [
        "main.fillCache",
        "main.readRequest",
    ]
    assert inprocess.run(["check", "-base", *heaps[:3], "-head", *heaps[-3:], "-max-growth=100000%"], ROOT).status == 0
    same = inprocess.run(["check", "-base", *heaps[:2], "-head", *heaps[:2], "-json"], ROOT)
    assert same.status == 0
    assert not json.loads(same.stdout)["regression"]
    target = tmp_path / "comment.md"
    args = ["check", "-head", heaps[-1], "-base", heaps[0], "-max-growth=0.5", f"-output={target}", "-focus=fillCache"]
    assert inprocess.run(args, ROOT).status == 1
    assert "`main.fillCache`" in target.read_text()
    assert "`main.readRequest`" not in target.read_text()
