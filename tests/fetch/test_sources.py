"""Sources without a network: addresses as Go reads them, directories, patterns, stdin, perf.data, saved names."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pypprof.errors import PprofError
from pypprof.fetch import client, saved
from pypprof.fetch.address import parse, wanted
from pypprof.load import Sources, load
from tests.conftest import FIXTURES, LEAK, ROOT
from tests.support import inprocess
from tests.test_cli import run


@pytest.mark.parametrize(
    ("source", "url", "seconds", "timeout"),
    [
        ("localhost:6060", "http://localhost:6060/debug/pprof/profile", 30, 65),
        ("127.0.0.1:6060/", "http://127.0.0.1:6060/debug/pprof/profile", 30, 65),
        ("[::1]:6060/x", "http://[::1]:6060/x", 0, 65),
        ("https://host", "https://host/debug/pprof/profile", 30, 65),
        ("HTTPS+insecure://host/a%2Fb#part", "https+insecure://host/a%2Fb", 0, 65),
        ("host:1/p?seconds=4&debug=1&a;b&c=%zz", "http://host:1/p?debug=1&seconds=4", 4, 11),
        ("host:1/p?b=2&a=x+y&b=1", "http://host:1/p?a=x+y&b=2&b=1", 0, 65),
        ("abc:123/mem_2023-11-02_03:55:24", "http://abc:123/mem_2023-11-02_03:55:24", 0, 65),
        ("http://me:secret@host/x", "http://me:xxxxx@host/x", 0, 65),
        ("http+unix://%2Frun%2Fapp.sock", "http+unix://%2Frun%2Fapp.sock/debug/pprof/profile", 30, 65),
    ],
)
def test_addresses(source: str, url: str, seconds: int, timeout: float) -> None:
    found = wanted(source)
    assert found is not None
    assert (found.address.url, found.seconds, found.timeout) == (url, seconds, timeout)


@pytest.mark.parametrize("source", ["heap.pb.gz", "dir/heap", "/abs", "-", "", "file:///x", "host:port_x", "a b:c d"])
def test_no_addresses(source: str) -> None:
    assert wanted(source) is None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("ftp://host/x", 'unsupported protocol scheme "ftp"'),
        ("//host/x", 'unsupported protocol scheme ""'),
        ("http://host:77777/", "there is no port 77777"),
        ("http://ho st/", "this is no valid address"),
        ("http+unix:///nowhere/s.sock/x", "no unix socket on the path /nowhere/s.sock/x"),
    ],
)
def test_wrong_addresses(source: str, message: str) -> None:
    with pytest.raises(PprofError, match=message.replace("+", r"\+")):
        wanted(source)


def test_seconds_and_timeout() -> None:
    taken = wanted("host:1/p?seconds=4", seconds=30)
    assert taken is not None and taken.address.query == "seconds=30"
    assert (taken.seconds, taken.timeout) == (30, 50)
    patient = wanted("host:1", seconds=30, timeout=100)
    assert patient is not None and patient.timeout == 105


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ("http://a/", "http://a/x", True),
        ("http://a/", "http://A:80/x", True),
        ("http://a/", "https://a/x", True),
        ("https://a/", "http://a/x", False),
        ("http://a:1/", "http://a:2/", False),
        ("http://a:1/", "https://a/", False),
        ("http://a/", "http://a.evil.example/", False),
        ("http+unix://%2Fs/", "http://localhost/", False),
    ],
)
def test_who_may_see_headers(first: str, second: str, allowed: bool) -> None:
    one, other = parse(first), parse(second)
    assert one and other
    assert client.trusted(one, other) == allowed


def test_directories_and_patterns(tmp_path: Path) -> None:
    place = tmp_path / "snapshots"
    place.mkdir()
    for name in ("a.pb.gz", "b", ".hidden"):
        (place / name).write_bytes(LEAK.read_bytes())
    (place / "notes.txt").write_text("no profile")
    (place / "broken.gz").write_bytes(LEAK.read_bytes()[:99])
    both = inprocess.run(["-top", str(LEAK), str(LEAK)], tmp_path).stdout
    whole = inprocess.run(["-top", "snapshots"], tmp_path)
    assert whole.stdout == both
    assert b"Fetched 2 source profiles out of 4, 1 files of other kinds skipped" in whole.stderr
    assert b"snapshots/broken.gz: decompressing profile: unexpected EOF" in whole.stderr
    assert inprocess.run(["-top", "snapshots/[ab]*"], tmp_path).stderr.count(b"\n") == 2
    assert inprocess.run(["-top", "snap*/a*", "snapshots/?"], tmp_path).stdout == both
    nothing = inprocess.run(["-top", "x*.pb.gz"], tmp_path)
    assert nothing.status == 1 and b"x*.pb.gz: no such file or directory" in nothing.stderr
    (tmp_path / "a?b[1]").write_bytes(LEAK.read_bytes())
    assert inprocess.run(["-top", "a?b[1]"], tmp_path).status == 0


def test_content_counts_not_the_name(tmp_path: Path) -> None:
    """A binary without a telling name is the binary; behind the profiles it is an error that says so."""
    program = tmp_path / "heap.pb.gz"
    program.write_bytes((FIXTURES / "leak" / "leak").read_bytes())
    (tmp_path / "program").write_bytes(LEAK.read_bytes())
    done = inprocess.run(["-top", "heap.pb.gz", "program"], tmp_path)
    assert done.status == 0 and done.stderr == b"" and done.stdout.startswith(b"File: heap.pb.gz\n")
    done = inprocess.run(["-top", "program", "heap.pb.gz"], tmp_path)
    assert b"heap.pb.gz: this is a binary, no profile (name it before the profiles)" in done.stderr
    (tmp_path / "x").write_text('{"a": 1}')
    assert b"x: this is JSON, no profile" in inprocess.run(["-top", "x"], tmp_path).stderr


def test_stdin_and_pipes(tmp_path: Path) -> None:
    wanted_text = inprocess.run(["-top", str(LEAK)], tmp_path).stdout
    assert inprocess.run(["-top", "-"], tmp_path, LEAK.read_bytes()).stdout == wanted_text
    assert inprocess.run(["-top", "-base=-", str(LEAK)], tmp_path, LEAK.read_bytes()).status == 0
    shell = inprocess.run(["-"], tmp_path, LEAK.read_bytes())
    assert shell.status == 2 and b"the shell has nothing to read" in shell.stderr
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    for words in ([pipe], [pipe, str(LEAK)]):
        thread = threading.Thread(target=Path(pipe).write_bytes, args=(LEAK.read_bytes(),))
        thread.start()
        assert run("-top", *words).returncode == 0
        thread.join()


def test_perf_data(tmp_path: Path) -> None:
    data = tmp_path / "perf.data"
    data.write_bytes(b"PERFILE2" + bytes(100))
    missing = run("-top", str(data), PATH=str(tmp_path))
    assert missing.returncode == 1
    assert b"this is a perf.data file, and perf_to_profile is not installed" in missing.stderr
    tool = tmp_path / "perf_to_profile"
    tool.write_text(f'#!/bin/sh\n[ "$1 $2 $3 $5" = "-i {data} -o -f" ] && cp {LEAK} "$4"\n')
    tool.chmod(0o755)
    done = run("-top", str(data), PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.stdout == run("-top", str(LEAK)).stdout
    tool.write_text("#!/bin/sh\nexit 3\n")
    failed = run("-top", str(data), PATH=f"{tmp_path}:/usr/bin:/bin")
    assert b"failed to convert perf.data file: perf_to_profile ended with status 3" in failed.stderr


_SAVE = """
import sys
from pypprof.fetch.saved import save
from pypprof.profile.parse import parse
profile = parse(open(sys.argv[1], "rb").read())
for _ in range(25):
    save(profile)
"""


def test_saving_never_takes_a_number_twice(tmp_path: Path) -> None:
    """Four processes save at once: a hundred whole files, nothing else."""
    env = os.environ | {"PPROF_TMPDIR": str(tmp_path / "deep" / "er"), "PYTHONPATH": str(ROOT)}
    writers = [subprocess.Popen([sys.executable, "-c", _SAVE, str(LEAK)], env=env) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    names = sorted(path.name for path in (tmp_path / "deep" / "er").iterdir())
    stem = "pprof.leak.alloc_objects.alloc_space.inuse_objects.inuse_space."
    assert names == [f"{stem}{number:03d}.pb.gz" for number in range(1, 101)]
    assert len({path.read_bytes() for path in (tmp_path / "deep" / "er").iterdir()}) == 1


def test_where_profiles_are_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = load(Sources([str(LEAK)]), print)
    evil = profile._replace(mappings=(profile.mappings[0]._replace(file="/x/a b"),))
    evil = evil._replace(sample_types=tuple(t._replace(type="../" + t.type) for t in evil.sample_types))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PPROF_TMPDIR", str(tmp_path / "file"))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = Path(saved.save(evil))
    assert path.parent == tmp_path / "pprof"
    assert path.name.startswith("pprof.a b..._alloc_objects.")


def test_merging_in_chunks_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(LEAK)] * 7
    whole = inprocess.run(["-raw", *paths], tmp_path).stdout
    monkeypatch.setattr("pypprof.load._CHUNK", 3)
    assert inprocess.run(["-raw", *paths], tmp_path).stdout == whole
