"""A real Go server with net/http/pprof: every endpoint, TLS, a unix socket; and what is saved."""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LEAK
from tests.support import certificates, compare, hostile, inprocess, leakserver, oracle
from tests.test_cli import run

PPROF = "debug/pprof"


@pytest.fixture(scope="module")
def server(go_pprof: Path) -> Iterator[str]:
    with leakserver.running() as address:
        yield address


def saved(home: Path) -> list[Path]:
    return sorted((home / "pprof").glob("*"))


@pytest.mark.parametrize(
    ("endpoint", "types"),
    [
        ("heap", "alloc_objects.alloc_space.inuse_objects.inuse_space"),
        ("heap?seconds=2", "alloc_objects.alloc_space.inuse_objects.inuse_space"),
        ("profile?seconds=2", "samples.cpu"),
        ("allocs", "alloc_objects.alloc_space.inuse_objects.inuse_space"),
        ("goroutine", "goroutine"),
        ("mutex", "contentions.delay"),
        ("block", "contentions.delay"),
        ("threadcreate", "threadcreate"),
    ],
)
def test_endpoints(server: str, tmp_path: Path, endpoint: str, types: str) -> None:
    """Fetched, saved as Go names it; the report is what Go makes of the saved file, byte for byte."""
    done = inprocess.run(["-traces", f"{server}/{PPROF}/{endpoint}"], tmp_path)
    assert done.status == 0, done.stderr
    [file] = saved(tmp_path)
    assert file.name == f"pprof.leakserver.{types}.001.pb.gz"
    text = done.stderr.decode()
    assert f"Fetching profile over HTTP from http://{server}/{PPROF}/{endpoint}\n" in text
    assert f"Saved profile in {file}\n" in text
    assert ("Please wait... (2s)" in text) == ("seconds" in endpoint)
    assert oracle.run(["-traces", str(file)], tmp_path) == (True, done.stdout)
    for words in (["-top"], ["-peek=main"], ["-top", "-lines", "-cum"]):
        verdict, difference = compare.compare([*words, str(file)], tmp_path)
        assert verdict in (compare.Verdict.SAME, compare.Verdict.VARIES), difference


def test_cpu_is_what_an_address_without_a_path_means(server: str, tmp_path: Path) -> None:
    done = inprocess.run(["-top", "-seconds=1", server], tmp_path)
    assert done.status == 0
    assert f"from http://{server}/debug/pprof/profile?seconds=1\n" in done.stderr.decode()
    assert b"main.spin" in done.stdout


@pytest.mark.parametrize("endpoint", ["heap?debug=1", "goroutine?debug=1", "goroutine?debug=2", "mutex?debug=1"])
def test_text_endpoints(server: str, tmp_path: Path, endpoint: str) -> None:
    """The text forms too, with names; debug=2 is more than Go can read."""
    done = inprocess.run(["-top", f"{server}/{PPROF}/{endpoint}"], tmp_path)
    assert done.status == 0, done.stderr
    assert b"main." in done.stdout
    [file] = saved(tmp_path)
    assert oracle.run(["-top", str(file)], tmp_path) == (True, done.stdout)


def test_an_execution_trace_is_no_profile(server: str, tmp_path: Path) -> None:
    done = inprocess.run(["-top", f"{server}/{PPROF}/trace?seconds=1"], tmp_path)
    assert done.status == 1
    assert b"this is an execution trace, no profile (go tool trace opens it)" in done.stderr
    assert saved(tmp_path) == []


def test_a_wrong_endpoint_says_what_there_is(server: str, tmp_path: Path) -> None:
    done = inprocess.run(["-top", f"{server}/{PPROF}/heep"], tmp_path)
    assert done.status == 1
    wanted = "server response: 404 Not Found - Unknown profile .there are: allocs block goroutine .*heap mutex profile"
    assert re.search(wanted, done.stderr.decode())


def test_one_cpu_profile_at_a_time(server: str, tmp_path: Path) -> None:
    done = inprocess.run(["-top", "-seconds=2", server, server], tmp_path)
    text = done.stderr.decode()
    assert done.status == 0
    assert "cpu profiling already in use (another CPU profile is being taken there" in text
    assert "Fetched 1 source profiles out of 2" in text


def test_the_leak_is_found(server: str, tmp_path: Path) -> None:
    """Before, after, the difference: -base in one go, and step by step in the shell."""
    from urllib.request import urlopen

    address = f"{server}/{PPROF}/heap"
    assert inprocess.run(["-proto", "-output=before", address], tmp_path).status == 0
    urlopen(f"http://{server}/step?n=300").close()
    for _ in range(2):  # the profile is of the last but one collection
        urlopen(f"http://{address}?gc=1").close()
    done = inprocess.run(["-top", "-base=before", address], tmp_path)
    assert done.status == 0
    assert float(re.search(r"([0-9.]+)MB.*main.allocateMemory", done.stdout.decode())[1]) > 200  # type: ignore[index]
    script = f"top\nbase before\ntop\nbase\ntop\nreload\ntop\nfetch {address}\ntop\nbase nowhere\ntop\n"
    shell = inprocess.run([address], tmp_path, script.encode())
    reports = shell.stdout.decode().split("(pprof) ")[1:-1]
    assert reports[1:10:2] == [""] * 5
    whole, difference, again, reloaded, fetched = reports[0:10:2]
    assert whole == again == reloaded == fetched == reports[10]
    assert (
        difference == done.stdout.decode().partition("\nShowing")[1][1:] + done.stdout.decode().partition("Showing")[2]
    )
    assert "nowhere: no such file or directory" in shell.stderr.decode()


def test_shell_keeps_options_and_profile(server: str, tmp_path: Path) -> None:
    script = (
        f"focus=main\ninuse_objects\nfetch {server}/{PPROF}/allocs\no\nfetch localhost:1\ntop\nfetch {LEAK}\n"
        f"saved\nsaved 1\nsaved 99\nfetch {server}/{PPROF}/mutex\ntop\n"
    )
    done = inprocess.run([f"{server}/{PPROF}/heap"], tmp_path, script.encode())
    text = done.stderr.decode()
    assert done.status == 0
    assert re.search(r"focus += main", text) and re.search(r"sample_index += inuse_objects", text)
    assert "localhost:1: connection refused" in text
    assert "there is no saved profile 99" in text
    assert re.search(r"  1  20\d\d-\d\d-\d\d .*pprof/pprof\.leakserver\.alloc_.*\.001\.pb\.gz\n   2  ", text)
    assert "sample_index=inuse_objects is not in this profile: its default is used" in text
    listing = inprocess.run(["-saved"], tmp_path).stdout.decode().splitlines()
    assert [line.split()[-1] for line in listing] == [str(p) for p in sorted(saved(tmp_path), key=_time)]


def _time(path: Path) -> float:
    return path.stat().st_mtime


def test_tls(go_pprof: Path, tmp_path: Path) -> None:
    certificates.make(tmp_path)
    at = {name: str(tmp_path / name) for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")}
    us = [f"-tls_cert={at['client.pem']}", f"-tls_key={at['client.key']}"]
    flags = f"-cert={at['server.pem']}", f"-key={at['server.key']}"
    with leakserver.running(*flags, f"-ca={at['ca.pem']}") as address:
        source = f"{address.replace('127.0.0.1', 'localhost')}/{PPROF}/heap"

        def top(*words: str) -> tuple[int, str]:
            done = inprocess.run(["-top", *words], tmp_path)
            return done.status, done.stderr.decode()

        assert top(*us, f"-tls_ca={at['ca.pem']}", f"https://{source}")[0] == 0
        assert top(*us, f"https+insecure://{source}")[0] == 0
        for words, message in (
            ([*us, f"https://{source}"], "certificate is not trusted"),
            ([*us, f"-tls_ca={tmp_path}/other.pem", f"https://{source}"], "certificate is not trusted"),
            ([f"-tls_ca={at['ca.pem']}", f"https://{source}"], "does the server want -tls_cert and -tls_key?"),
            ([us[0], f"https://{source}"], "-tls_cert is specified, so -tls_key must also be specified"),
            ([us[0], f"-tls_key={at['ca.pem']}", f"https://{source}"], "could not load certificate/key pair"),
            (["-tls_ca=/nowhere", f"https://{source}"], "could not load CA specified by -tls_ca: no such file"),
            ([f"http://{source}"], "Client sent an HTTP request to an HTTPS server. (try https://)"),
        ):
            status, text = top(*words)
            assert status == 1
            assert message in text, text
            assert text.count("\n") == 2


def test_proxies(go_pprof: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment, by request and by tunnel; none for this machine."""
    certificates.make(tmp_path)
    leakserver.built()  # with the real HOME, where Go's cache is
    with hostile.serving() as proxy:
        env = {"HTTP_PROXY": f"http://us:pw@{proxy.address}", "HTTPS_PROXY": proxy.address, "HOME": str(tmp_path)}
        for name, value in env.items():
            monkeypatch.setenv(name, value)
            monkeypatch.delenv(name.lower(), raising=False)
        assert run("-top", "http://app.invalid/fine").returncode == 0
        path, headers = proxy.seen.pop()
        assert path == "http://app.invalid/fine" and headers["Host"] == "app.invalid"
        assert headers["Proxy-Authorization"] == "Basic dXM6cHc="
        assert run("-top", f"{proxy.address}/fine").returncode == 0
        assert proxy.seen.pop()[0] == "/fine"
        flags = f"-cert={tmp_path}/server.pem", f"-key={tmp_path}/server.key"
        with leakserver.running(*flags) as address:
            place = f"app.invalid:{address.rpartition(':')[2]}"
            done = run("-top", f"https+insecure://{place}/{PPROF}/heap")
            assert done.returncode == 0, done.stderr
            assert proxy.seen.pop()[0] == place
            assert (
                b"not valid for 'app.invalid'"
                in run("-top", f"-tls_ca={tmp_path}/ca.pem", f"https://{place}/{PPROF}/heap").stderr
            )


def test_without_a_symbol_page_the_profile_is_still_there(tmp_path: Path) -> None:
    with hostile.serving() as running:
        running.refuse_symbols()
        done = inprocess.run(["-top", f"{running.address}/bare"], tmp_path)
        assert done.status == 0
        assert b"remote symbolization: server response: 404 Not Found" in done.stderr
        assert len(saved(tmp_path)) == 1


def test_tls_to_a_plain_server(server: str, tmp_path: Path) -> None:
    done = inprocess.run(["-top", f"https://{server}/{PPROF}/heap"], tmp_path)
    assert b"the server does not speak TLS (try http:// instead of https://)" in done.stderr


def test_unix_socket(go_pprof: Path, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as directory, leakserver.running(f"-unix={directory}/s.sock") as path:
        escaped = path.replace("/", "%2F")
        for source in (f"http+unix://{escaped}/{PPROF}/heap", f"http+unix://{path}/{PPROF}/heap"):
            done = inprocess.run(["-top", source], tmp_path)
            assert done.status == 0, done.stderr
            assert b"main.allocateMemory" in done.stdout
            assert f"Fetching profile over HTTP from http+unix://{escaped}/{PPROF}/heap\n" in done.stderr.decode()
    gone = inprocess.run(["-top", f"http+unix://{escaped}/{PPROF}/heap"], tmp_path)
    assert b"no such file or directory" in gone.stderr
    gone = inprocess.run(["-top", f"http+unix://{path}/{PPROF}/heap"], tmp_path)
    assert b"no unix socket on the path" in gone.stderr


def test_protected_endpoint(server: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("Authorization: Bearer open-sesame\n")
    denied = inprocess.run(["-top", f"{server}/headers"], tmp_path)
    assert b"401 Unauthorized - who are you? (-header=file:PATH or -header=env:NAME" in denied.stderr
    done = inprocess.run(["-top", "-header=file:token", f"{server}/headers"], tmp_path)
    assert done.status == 0
    assert b"sesame" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["{}/fine"],
        ["{}/fine", "{}/fine?x"],
        ["-base={}/fine", "{}/fine"],
        ["-diff_base=heap.pb.gz", "{}/fine"],
        ["-base=heap.pb.gz", "-base={}/fine", "heap.pb.gz", "{}/fine", "{}/die"],
        ["{}/bare"],
        ["{}/bare", "{}/bare?2"],
        ["-symbolize=none", "{}/bare"],
        ["-symbolize=local", "{}/bare"],
        ["-symbolize=remote", "-diff_base={}/bare?1", "{}/bare"],
        ["-seconds=3", "-add_comment=why", "heap.pb.gz", "{}/fine?b=1&a=%20x"],
        ["{}/die"],
        ["{}/missing"],
    ],
)
def test_the_same_as_go(go_pprof: Path, tmp_path: Path, words: list[str]) -> None:
    """The same command line against the same server: stdout, success, and the names and content of what is saved."""
    with hostile.serving() as running:
        argv = ["-raw", *(word.format(running.address) for word in words)]
        results = []
        for program in (oracle.run, inprocess.run):
            home = tmp_path / program.__module__
            home.mkdir()
            (home / "heap.pb.gz").write_bytes(LEAK.read_bytes())
            done = program(argv, home)
            asked = sorted(path for path, _ in running.seen if "debug" not in path), sorted(running.posted)
            running.seen.clear()
            running.posted.clear()
            files = {path.name: gzip.decompress(path.read_bytes()) for path in saved(home)}
            results.append((done[0] if isinstance(done[0], bool) else done[0] == 0, done[1], asked, files))
    assert results[0] == results[1]
