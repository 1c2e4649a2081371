"""record against a real server: resumed, restarted, full, refused; and the parts that need none."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pexpect
import pytest

from pypprof.errors import PprofError, UsageError
from pypprof.hunt.record import read_flags, seconds_of
from pypprof.hunt.store import Store, victim_of
from tests.conftest import ROOT
from tests.hunt.conftest import ROUNDS, command, environment, record
from tests.support import inprocess
from tests.support.golang import Server, wait_until


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("*.pb.gz"))


def test_a_recording(recording: Path) -> None:
    found = names(recording)
    assert len(found) == 2 * ROUNDS
    assert all("Z-life1-" in name for name in found)
    assert not [path for path in recording.iterdir() if path.name.startswith(".") and path.name != ".lock"]
    state = json.loads((recording / "record.json").read_text())
    assert state["finished"]
    assert state["rounds"] == ROUNDS
    # The name tells the profile's own time.
    from pypprof.profile.parse import parse

    path = recording / found[0]
    seconds, rest = divmod(parse(path.read_bytes()).time_nanos // 1_000_000, 1000)
    assert found[0].startswith(time.strftime(f"%Y%m%dT%H%M%S.{rest:03d}Z-life1-", time.gmtime(seconds)))


def test_killed_and_gone_on_with(leakhunt: Path, tmp_path: Path) -> None:
    directory = tmp_path / "d"
    arguments = ("-every=200ms", "-count=10", "-kinds=heap", f"-dir={directory}")
    with Server(leakhunt) as server:
        process = subprocess.Popen(command(server.url, *arguments), cwd=ROOT)
        wait_until(lambda: len(names(directory)) >= 3)
        process.kill()
        process.wait()
        before = names(directory)
        (directory / f".{before[0]}.abcd1234").write_bytes(b"half")  # what a kill in the middle leaves
        done = record(server.url, *arguments)
        assert done.returncode == 0, done.stderr
        after = names(directory)
        assert after[: len(before)] == before
        # A kill between a snapshot and the state counts it twice at most.
        assert 10 <= len(after) <= 11
        assert not list(directory.glob(".*.abcd1234"))
        # Finished: the same command begins another recording beside it, of the same life.
        assert record(server.url, "-every=100ms", "-count=2", "-kinds=heap", f"-dir={directory}").returncode == 0
        assert len(names(directory)) == len(after) + 2
        assert all("-life1-" in name for name in names(directory))


def test_restart_is_noticed_and_respected(leakhunt: Path, tmp_path: Path) -> None:
    directory = tmp_path / "d"
    with Server(leakhunt) as server:
        process = subprocess.Popen(
            command(server.url, "-every=300ms", "-count=40", f"-dir={directory}"), cwd=ROOT,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        wait_until(lambda: len(names(directory)) >= 14)
    with Server(leakhunt, f"-addr={server.address}"):
        wait_until(lambda: sum("-life2-" in name for name in names(directory)) >= 14)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert "the process has started anew" in errors
    assert not any("-life3-" in name for name in names(directory))
    done = inprocess.run(["trend", "-json", str(directory)], ROOT)
    for one in json.loads(done.stdout)["trends"]:
        assert set(one["life"]) == {0, 1}
    text = inprocess.run(["trend", str(directory)], ROOT).stdout.decode()
    assert ", 1 restart\n" in text
    # Without the names, running totals tell it too.
    plain = tmp_path / "plain"
    plain.mkdir()
    for index, path in enumerate(sorted(directory.glob("*heap*"))):
        (plain / f"{index}.pb.gz").write_bytes(path.read_bytes())
    again = json.loads(inprocess.run(["trend", "-json", str(plain)], ROOT).stdout)["trends"][0]
    assert again["life"] == json.loads(done.stdout)["trends"][1]["life"]


def test_restart_between_two_runs_without_a_heap(leakhunt: Path, tmp_path: Path) -> None:
    """Nothing that is kept counts allocations; record.json does."""
    arguments = ("-count=1", "-kinds=goroutine", f"-dir={tmp_path}")
    with Server(leakhunt) as server:
        time.sleep(1)
        for _ in range(2):
            assert record(server.url, *arguments).returncode == 0
    with Server(leakhunt, f"-addr={server.address}"):
        assert record(server.url, *arguments).returncode == 0
    assert [name.split("-")[1] for name in names(tmp_path)] == ["life1", "life1", "life2"]


def test_outages_are_told_once(leakhunt: Path, tmp_path: Path) -> None:
    directory = tmp_path / "d"
    with Server(leakhunt) as server:
        process = subprocess.Popen(
            command(server.url, "-every=100ms", "-for=6s", "-kinds=goroutine", f"-dir={directory}"), cwd=ROOT,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        wait_until(lambda: len(names(directory)) >= 2)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors.count("(will try again)") == 1
    assert re.search("refused|closed the connection|reset by peer", errors)


def test_one_snapshot_for_cron(leakhunt: Path, tmp_path: Path) -> None:
    with Server(leakhunt) as server:
        for count in (1, 2):
            done = record(f"{server.address}/debug/pprof/", "-count", "1", "-kinds", "goroutine", "-dir", str(tmp_path))
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
            assert len(names(tmp_path)) == count


def test_progress_on_a_terminal(leakhunt: Path, tmp_path: Path) -> None:
    with Server(leakhunt) as server:
        child = pexpect.spawn(
            command()[0], [*command()[1:], server.url, "-every=1s", "-count=3", "-dir=d"],
            cwd=str(tmp_path), env=environment() | {"TERM": "xterm"}, timeout=60, dimensions=(24, 120),
        )  # fmt: skip
        child.expect(r"1 of 3 rounds, [\d.]+ kB in d; inuse_space [\d.]+ MB; next in 1 s")
        child.expect(r"3 rounds in d; see: pypprof trend d")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
        child = pexpect.spawn(
            command()[0], [*command()[1:], server.url, "-every=1s", "-dir=e"],
            cwd=str(tmp_path), env=environment() | {"TERM": "xterm"}, timeout=60, dimensions=(24, 120),
        )  # fmt: skip
        child.expect("2 rounds")
        child.sendintr()
        child.expect("see: pypprof trend e")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0


def test_two_may_not_write_to_one_directory(tmp_path: Path) -> None:
    store = Store(str(tmp_path), 10, 1 << 30)
    done = record("http://localhost:1", "-count=1", f"-dir={tmp_path}")
    assert done.returncode == 1
    assert done.stderr == f"pypprof: another pypprof record is writing to {tmp_path}\n"
    store.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        done = record(f"http://127.0.0.1:{free.getsockname()[1]}", "-count=1", f"-dir={tmp_path}")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "refused" in done.stderr


def test_disk_is_bounded_and_the_whole_time_stays(tmp_path: Path) -> None:
    store = Store(str(tmp_path), 20, 1 << 30)
    for minute in range(300):
        store.add("heap", 1_700_000_000 + 60.0 * minute, 1, bytes(100))
        store.add("goroutine", 1_700_000_000 + 60.0 * minute, 1, bytes(50))
    minutes = [(file.time - 1_700_000_000) / 60 for file in sorted(store.files) if file.kind == "heap"]
    assert len(minutes) == 20
    assert minutes[0] == 0
    assert minutes[-10:] == list(range(290, 300)), "the newest half is whole"
    gaps = [b - a for a, b in zip(minutes, minutes[1:], strict=False)]
    assert max(gaps) < 120
    assert len(names(tmp_path)) == 40
    store.close()
    tight = Store(str(tmp_path), 500, 2000)
    assert len(tight.files) == 40
    tight.add("heap", 1_700_100_000.0, 2, bytes(300))
    assert tight.size() <= 2000
    assert sum(path.stat().st_size for path in tmp_path.glob("*.pb.gz")) <= 2000
    tight.close()


def test_small_kinds_are_thinned_when_the_large_one_cannot_be(tmp_path: Path) -> None:
    store = Store(str(tmp_path), 500, 1000)
    for minute in range(20):
        store.add("heap", 1_700_000_000 + 60.0 * minute, 1, bytes(400))
        store.add("goroutine", 1_700_000_000 + 60.0 * minute, 1, bytes(50))
    assert store.size() <= 1000
    assert sorted(file.kind for file in store.files).count("heap") == 2
    store.close()


def test_the_victim_is_old_and_has_near_neighbours() -> None:
    assert victim_of([0, 10, 11, 12, 100, 101, 102, 103]) in (1, 2)
    assert victim_of([5, 6]) in (0, 1)


def test_damaged_state_begins_anew(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"rounds": "x"}', "\xff"):
        (tmp_path / "record.json").write_text(text, encoding="latin-1")
        store = Store(str(tmp_path), 5, 1 << 20)
        assert store.state().get("rounds", "x") == "x"
        store.close()


def test_no_password_reaches_the_disk() -> None:
    plan = read_flags(["http://me:secret@localhost:6060/base/debug/pprof/heap?seconds=3", "-dir=x"])[0]
    assert plan.address.url == "http://me:xxxxx@localhost:6060/base/debug/pprof/"
    assert plan.address.user == "me:secret"


def test_times() -> None:
    assert [seconds_of("every", t) for t in ("500ms", "30s", "1h30m", "1.5h", "2m")] == [0.5, 30, 5400, 5400, 120]
    for text in ("", "30", "0s", "-5s", "3x", "1h 2m", "99999999h"):
        with pytest.raises(UsageError, match="a time is written"):
            seconds_of("every", text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-dir=x"], "needs one URL"),
        (["a:1", "b:2", "-dir=x"], "takes one URL"),
        (["localhost:6060"], "needs -dir"),
        (["localhost:6060", "-dir=x", "-kinds=heap,cpu"], "there are heap, goroutine"),
        (["localhost:6060", "-dir=x", "-for=1h", "-count=3"], "cannot both"),
        (["localhost:6060", "-dir=x", "-every=soon"], "a time is written"),
        (["localhost:6060", "-dir=x", "-max-size=big"], "no size"),
        (["localhost:6060", "-dir=x", "-keep=1"], "positive"),
        (["localhost:6060", "-dir=x", "-bogus"], "not defined: -bogus"),
        (["localhost:6060", "-dir=x", "-header=Secret: x"], "file:PATH or env:NAME"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str) -> None:
    done = inprocess.run(["record", *arguments], ROOT)
    assert done.status == 2
    assert message in done.stderr.decode()


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PprofError, match=r"file: file exists|not a directory"):
        Store(str(tmp_path / "file"), 5, 5)


def test_a_file_called_trend_is_a_file(tmp_path: Path) -> None:
    from tests.conftest import LEAK

    for name in ("trend", "record", "check"):
        (tmp_path / name).write_bytes(LEAK.read_bytes())
        for arguments in (["-top", name], ["--", name], [f"./{name}"]):
            done = inprocess.run(arguments, tmp_path, b"top 1\n")
            assert done.status == 0
            assert b"main.allocateMemory" in done.stdout
        assert inprocess.run([name, "-h"], tmp_path).stdout.startswith(f"usage: pypprof {name}".encode())
    assert os.listdir(tmp_path)
