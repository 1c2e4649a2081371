"""Servers that stall, die, lie or flood: one clear line, in time, and nothing half saved."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LEAK
from tests.support import hostile, inprocess
from tests.test_cli import run


@pytest.fixture(scope="module")
def server() -> Iterator[hostile.Hostile]:
    with hostile.serving() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pypprof.fetch.address.GRACE", 0.0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stall", "timed out: no complete answer within 1 s"),
        ("stall-in-body", "timed out: no complete answer within 1 s"),
        ("slow-head", "timed out: no complete answer within 1 s"),
        ("slow-body", "timed out: no complete answer within 1 s"),
        ("die", "closed in the middle"),
        ("die-in-chunk", "closed in the middle"),
        ("die-without-length", "unexpected EOF"),
        ("garbage", "unrecognized profile format"),
        ("garbage-http", "does not speak HTTP"),
        ("headers-for-ever", "a broken answer: got more than 100 headers"),
        ("redirects", "stopped after 10 redirects"),
        ("away?to=ftp://x/y", "redirects to an address that cannot be followed"),
        ("denied", "server response: 403 Forbidden - first line second .[31mline (-header="),
        ("long-error", "server response: 500 Internal Server Error - word"),
        ("missing", "server response: 404 Not Found - Unknown profile"),
        ("partial", "server response: 206 Partial Content"),
        ("negative-length", "a broken answer: Content-Length is -5"),
        ("two-lengths", "a broken answer: Content-Length is 2370 and 5"),
        ("negative-chunk", "a broken answer: "),
        ("encoded-in-part", "the answer's compression is damaged: unexpected EOF"),
        ("away?to=http://127.0.0.1:99999/x", "redirects to an address that cannot be followed"),
        ("away?to=http+unix:///run/s.sock/x", "redirects to an address that cannot be followed"),
        ("away?to=http://[::1/x", "a broken answer: Invalid IPv6 URL"),
        ("web-page", "this is a web page, no profile"),
    ],
)
def test_one_clear_line(server: hostile.Hostile, tmp_path: Path, name: str, message: str) -> None:
    began = time.monotonic()
    done = inprocess.run(["-top", "-timeout=1", f"{server.address}/{name}"], tmp_path)
    assert time.monotonic() - began < 20
    assert done.status == 1
    assert done.stdout == b""
    lines = [line for line in done.stderr.decode().splitlines() if not line.startswith("Fetching profile over HTTP")]
    assert len(lines) == 1
    assert message in lines[0] and len(lines[0]) < 500
    assert lines[0].isprintable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["bomb", "encoded-bomb", "endless"])
def test_floods_are_refused_in_bounded_memory(server: hostile.Hostile, tmp_path: Path, name: str) -> None:
    """Refused with the limit and how to raise it, in a process that may not have much more memory."""
    limit = 64 << 20
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = run("-top", f"{server.address}/{name}", PYPPROF_MAX_BYTES=str(limit), HOME=str(tmp_path))
    assert done.returncode == 1
    assert b"larger than 67,108,864 bytes (PYPPROF_MAX_BYTES=N raises the limit)" in done.stderr
    assert done.stderr.count(b"\n") == 2
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert after <= max(before, (4 * limit >> 10) + 200_000)
    assert list(tmp_path.iterdir()) == []


def test_a_file_can_be_a_bomb_too(tmp_path: Path) -> None:
    with (tmp_path / "bomb.pb.gz").open("wb") as file:
        file.writelines(hostile.bomb())
    done = run("-top", str(tmp_path / "bomb.pb.gz"), PYPPROF_MAX_BYTES="20000000")
    assert done.returncode == 1
    assert b"decompressing profile: larger than 20,000,000 bytes" in done.stderr
    fine = run("-top", str(LEAK), PYPPROF_MAX_BYTES="1000000")
    assert fine.returncode == 0
    wrong = run("-top", str(LEAK), PYPPROF_MAX_BYTES="1G")
    assert wrong.returncode == 1
    assert b"PYPPROF_MAX_BYTES is no number of bytes: 1G" in wrong.stderr


def test_what_a_proxy_has_compressed_is_unpacked(server: hostile.Hostile, tmp_path: Path) -> None:
    wanted = inprocess.run(["-top", str(LEAK)], tmp_path).stdout
    for name in ("encoded", "encoded-members"):
        done = inprocess.run(["-top", f"{server.address}/{name}"], tmp_path)
        assert done.status == 0
        assert done.stdout == wanted


def test_one_bad_server_does_not_spoil_the_others(server: hostile.Hostile, tmp_path: Path) -> None:
    """Each failure is reported, and the rest is merged."""
    sources = [f"{server.address}/{name}" for name in ("fine", "stall", "die", "fine", "slow-body")]
    done = inprocess.run(["-top", "-timeout=1", *sources], tmp_path)
    assert done.status == 0
    text = done.stderr.decode()
    assert "Fetched 2 source profiles out of 5" in text
    for source, why in ((sources[1], "timed out"), (sources[2], "closed in the middle"), (sources[4], "timed out")):
        assert f"{source}: " in text and why in text
    twice = inprocess.run(["-top", str(LEAK), str(LEAK)], tmp_path)
    assert done.stdout == twice.stdout
    assert len(list((tmp_path / "pprof").iterdir())) == 1


def test_secrets_stay_with_their_host(server: hostile.Hostile, tmp_path: Path) -> None:
    """-header is sent to the host that was named, not to where it redirects; it is never shown."""
    (tmp_path / "token").write_text("Authorization: Bearer open-sesame\nX-Tenant: blue\n")
    with hostile.serving() as other:
        for target in (f"http://{other.address}/fine", f"http://localhost:{server.port}/fine"):
            words = ["-top", f"-header=file:{tmp_path}/token", f"{server.address}/away?to={target}"]
            done = inprocess.run(words, tmp_path)
            assert done.status == 0
            assert b"sesame" not in done.stderr
        assert other.seen[0][0] == "/fine"
        assert "Authorization" not in other.seen[0][1] and "X-Tenant" not in other.seen[0][1]
    first, second = (headers for path, headers in server.seen[-2:])
    assert first["Authorization"] == "Bearer open-sesame" and first["X-Tenant"] == "blue"
    assert "Authorization" not in second


def test_a_password_in_an_address_is_not_shown(server: hostile.Hostile, tmp_path: Path) -> None:
    done = inprocess.run(["-top", f"http://me:sesame@{server.address}/fine"], tmp_path)
    assert done.status == 0
    assert b"http://me:xxxxx@" in done.stderr and b"sesame" not in done.stderr
    assert server.seen[-1][1]["Authorization"] == "Basic bWU6c2VzYW1l"


def test_a_server_that_repeats_secrets(server: hostile.Hostile, tmp_path: Path) -> None:
    """Neither the header nor its token is shown, nor what would control the terminal."""
    (tmp_path / "token").write_text("Authorization: Bearer open-sesame\n")
    done = inprocess.run(["-top", f"-header=file:{tmp_path}/token", f"{server.address}/echo"], tmp_path)
    assert done.status == 1
    line = done.stderr.decode().splitlines()[-1]
    assert "server response: 403 not for xxxxx .[31mx" in line and '{"error": "xxxxx"}' in line
    assert b"sesame" not in done.stderr
    assert line.isprintable() and len(line) < 600
    done = inprocess.run(["-top", f"http://me:sesame@{server.address}/echo"], tmp_path)
    assert b"not for Basic xxxxx" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("Authorization: Bearer sesame", 2, "wants file:PATH or env:NAME"),
        ("env:NOT_SET", 2, "the environment variable NOT_SET is not set"),
        ("file:/nowhere/token", 1, "cannot read /nowhere/token: no such file"),
        ("file:bad", 1, "line 2 of file:bad is no header"),
    ],
)
def test_wrong_headers(tmp_path: Path, words: str, status: int, message: str) -> None:
    (tmp_path / "bad").write_text("X-A: b\nsesame\n")
    done = inprocess.run(["-top", f"-header={words}", "localhost:1"], tmp_path)
    assert done.status == status
    assert message in done.stderr.decode()
    assert b"sesame" not in done.stderr
