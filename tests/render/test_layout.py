"""Both layouts draw the same graph; what they do without, and with hostile, surroundings."""

from __future__ import annotations

import io
import os
import random
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pexpect
import pytest

from pypprof.errors import PprofError
from pypprof.load import Sources, load
from pypprof.render import compiled, embedded, svg
from pypprof.render.dot import compose
from pypprof.reports.pictures import drawn_text
from pypprof.session import Session
from tests.conftest import LEAK, PROFILES, ROOT
from tests.support import inprocess, oracle, shapes

_SVG = "{http://www.w3.org/2000/svg}"
SLOW = "digraph{" + "".join(f"n{i}->n{j};" for i in range(300) for j in range(300) if (i * j) % 7 == 1) + "}"


def in_dot(text: str) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """(boxes, arrows) that DOT text declares or, for a callee that is not shown, implies."""
    nodes = Counter(re.findall(r"^(N\w+) \[", text, re.MULTILINE))
    edges = Counter(re.findall(r"^(N\w+) -> (N\w+) \[", text, re.MULTILINE))
    for _, target in edges:
        nodes[target] = nodes[target] or 1
    return nodes, edges


def in_svg(picture: bytes) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    nodes: Counter[str] = Counter()
    edges: Counter[tuple[str, str]] = Counter()
    for group in ElementTree.fromstring(picture).iter(_SVG + "g"):
        title = group.findtext(_SVG + "title") or ""
        if group.get("class") == "edge":
            source, _, target = title.partition("->")
            edges[source, target] += 1
        elif group.get("class") == "node" and re.fullmatch(r"N\w+", title):
            nodes[title] += 1
    return nodes, edges


def graphs(directory: Path, wanted: int) -> list[Session]:
    """Sessions on real profiles and on shapes of other languages', their options drawn at random."""
    rng = random.Random(3)
    sessions = []
    for number in range(wanted):
        path, most = PROFILES[number % len(PROFILES)], rng.choice([20, 80])
        if number >= 2 * len(PROFILES):
            # Everything calls everything in these: larger ones take Graphviz minutes.
            path, most = directory / f"{number}.pb", 12
            path.write_bytes(shapes.make(rng.randrange(1 << 30)))
        session = Session(load(Sources([str(path)]), lambda text: None))
        session.settings = session.settings._replace(
            nodecount=most, call_tree=rng.random() < 0.2,
            granularity=rng.choice(["", "lines", "files", "addresses"]), nodefraction=rng.choice([0.0, 0.005]),
        )  # fmt: skip
        sessions.append(session)
    return sessions


def test_both_layouts_draw_what_the_dot_says(tmp_path: Path) -> None:
    seen = 0
    for session in graphs(tmp_path, 50):
        graph = session.report("dot", "", session.settings)
        dot = "".join(compose(graph))  # type: ignore[arg-type]
        text = drawn_text(graph)  # type: ignore[arg-type]
        wanted = in_dot(dot)
        assert in_dot(text) == wanted
        data = svg.cleaned(text)
        assert in_svg(svg.system(data, "svg")) == wanted
        assert in_svg(embedded.draw(data, "svg", 60)) == wanted
        seen += len(wanted[1])
    assert seen > 500


def run(tmp_path: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """A process with no program in its PATH but Python, a home of its own."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "pypprof", *arguments, str(LEAK)], cwd=tmp_path, capture_output=True, check=False,
        env={"PATH": "/nonexistent", "PYTHONPATH": str(ROOT), "HOME": str(home)} | env, timeout=120,
    )  # fmt: skip


def test_a_default_install_draws(tmp_path: Path) -> None:
    """Without Graphviz: the first picture prepares the layout and says so, the second finds it."""
    first = run(tmp_path, "-svg")
    assert first.returncode == 0
    assert b"happens once" in first.stderr
    assert b"allocateMemory" in first.stdout
    cache = tmp_path / "home" / ".cache" / "pypprof"
    (file,) = cache.iterdir()
    assert cache.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600
    second = run(tmp_path, "-svg")
    assert second.stderr == b""
    assert second.stdout == first.stdout
    file.write_bytes(file.read_bytes()[:1000])
    damaged = run(tmp_path, "-svg")
    assert damaged.returncode == 0
    assert b"happens once" in damaged.stderr
    assert run(tmp_path, "-svg").stderr == b""


def test_png_without_graphviz(tmp_path: Path) -> None:
    done = run(tmp_path, "-png", "-output=leak.png")
    assert done.returncode == 0
    data = (tmp_path / "leak.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(set(data)) > 200, "not a blank sheet"
    block = tmp_path / "block"
    (block / "resvg_py").mkdir(parents=True)
    (block / "resvg_py" / "__init__.py").write_text("raise ImportError('blocked')")
    done = run(tmp_path, "-png", PYTHONPATH=f"{block}:{ROOT}")
    assert done.returncode == 1
    assert b"pip install 'pypprof-shell[pictures]'" in done.stderr
    assert done.stdout == b""


def test_png_without_any_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """resvg would leave out the text: a picture that says nothing."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(svg, "_FONT_PLACES", ("/nonexistent",))
    with pytest.raises(PprofError, match="needs a font"):
        svg.draw("digraph{a->b}", "png")


def test_postscript_without_graphviz(tmp_path: Path) -> None:
    done = run(tmp_path, "-ps")
    assert done.returncode == 0
    assert done.stdout.startswith(b"%!PS-Adobe")
    assert b"(allocateMemory) alignedtext" in done.stdout
    assert done.stdout.rstrip().endswith(b"%%EOF")


@pytest.mark.parametrize(("format_", "start"), [("pdf", b"%PDF"), ("gif", b"GIF8"), ("jpg", b"\xff\xd8\xff")])
def test_other_formats_without_graphviz(tmp_path: Path, format_: str, start: bytes) -> None:
    done = run(tmp_path, "-" + format_)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(start)
    if format_ == "pdf":
        return
    from PIL import Image

    with Image.open(io.BytesIO(done.stdout)) as image, Image.open(io.BytesIO(run(tmp_path, "-png").stdout)) as png:
        assert image.size == png.size
        red, green, _ = image.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
        assert 200 < green < red < 255, "reddish boxes and black text on white"


@pytest.mark.parametrize("format_", ["pdf", "gif", "jpg", "evince"])
def test_formats_that_need_more_say_so(tmp_path: Path, format_: str) -> None:
    block = tmp_path / "block"
    (block / "PIL").mkdir(parents=True)
    (block / "PIL" / "__init__.py").write_text("raise ImportError('blocked')")
    done = run(tmp_path, "-" + format_, PYTHONPATH=f"{block}:{ROOT}")
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"install Graphviz" in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("format_", "start"),
    [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("ps", b"%!PS"), ("gif", b"GIF8"), ("jpg", b"\xff\xd8\xff")],
)
def test_formats_by_graphviz(format_: str, start: bytes) -> None:
    session = Session(load(Sources([str(LEAK)]), print))
    assert b"".join(session.render(format_, "", session.settings).pieces).startswith(start)


def test_a_dot_that_fails(tmp_path: Path) -> None:
    """A broken installation: the picture comes from the embedded layout, other formats say why."""
    program = tmp_path / "bin" / "dot"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "Format not recognized" >&2\nexit 1\n')
    program.chmod(0o755)
    path = f"{program.parent}:/bin:/usr/bin"
    assert b"allocateMemory" in run(tmp_path, "-svg", PATH=path).stdout
    done = run(tmp_path, "-pdf", PATH=path)
    assert done.returncode == 1
    assert b"dot failed: Format not recognized" in done.stderr


@pytest.mark.parametrize("system", [True, False])
def test_time_is_bounded(system: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svg, "SECONDS", 0.5)
    if not system:
        monkeypatch.setattr("shutil.which", lambda name: None)
        embedded.draw(b"digraph{}", "svg", 60)  # compiles outside of the time
    with pytest.raises(PprofError, match="show fewer nodes"):
        svg.draw(SLOW, "svg")
    if not system:
        assert b"<svg" in embedded.draw(b"digraph{a->b}", "svg", 60), "the next one is not affected"


@pytest.mark.parametrize("system", [True, False])
def test_a_layout_can_be_interrupted(tmp_path: Path, system: bool) -> None:
    """Ctrl-C while the layout runs ends it at once, and nothing of it goes on."""
    code = f"from pypprof.render import svg; print('ready', flush=True); svg.draw({SLOW!r}, 'svg')"
    path = os.environ["PATH"] if system else "/nonexistent"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "XDG_CACHE_HOME": ""},
    )  # fmt: skip
    with process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        if system:
            time.sleep(1.5)
        else:
            while not list(tmp_path.glob(".cache/pypprof/graphviz*")):
                time.sleep(0.1)
            time.sleep(0.5)
        assert process.poll() is None, "the layout is too quick for this test"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) != 0
        assert b"KeyboardInterrupt" in process.stderr.read()


def test_bad_dot_is_refused_with_a_reason() -> None:
    with pytest.raises(PprofError, match="the layout failed: Failed to parse"):
        embedded.draw(b"digraph { a -> }", "svg", 60)
    assert b"<svg" in embedded.draw(b"digraph{a->b}", "svg", 60)


class TestCache:
    """The directory of compiled code is ours alone, or it is not used."""

    @pytest.fixture(autouse=True)
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def test_kept(self, tmp_path: Path) -> None:
        assert compiled.read("module") is None
        compiled.write("module", b"code")
        assert compiled.read("module") == b"code"
        assert [path.name for path in (tmp_path / "pypprof").iterdir()] == ["module"]

    @pytest.mark.parametrize("mode", [0o755, 0o770, 0o707])
    def test_an_open_directory_is_not_trusted(self, tmp_path: Path, mode: int) -> None:
        compiled.write("module", b"code")
        (tmp_path / "pypprof").chmod(mode)
        assert compiled.read("module") is None
        compiled.write("other", b"code")
        assert not (tmp_path / "pypprof" / "other").exists()

    @pytest.mark.parametrize("mode", [0o644, 0o620, 0o602])
    def test_an_open_file_is_not_trusted(self, tmp_path: Path, mode: int) -> None:
        compiled.write("module", b"code")
        (tmp_path / "pypprof" / "module").chmod(mode)
        assert compiled.read("module") is None

    def test_links_are_not_followed(self, tmp_path: Path) -> None:
        compiled.write("module", b"code")
        real = tmp_path / "pypprof"
        (real / "link").symlink_to(real / "module")
        assert compiled.read("link") is None
        real.rename(tmp_path / "elsewhere")
        real.symlink_to(tmp_path / "elsewhere")
        assert compiled.read("module") is None

    def test_files_of_others_are_not_trusted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        compiled.write("module", b"code")
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        assert compiled.read("module") is None

    def test_a_pipe_does_not_block(self, tmp_path: Path) -> None:
        compiled.write("module", b"code")
        os.mkfifo(tmp_path / "pypprof" / "pipe", 0o600)
        assert compiled.read("pipe") is None

    def test_no_place_to_write(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        compiled.write("module", b"code")
        assert compiled.read("module") is None


def test_files_and_contents_are_those_of_go(tmp_path: Path, go_pprof: Path) -> None:
    """The same names of files, the same formats, the same nodes and edges in the SVG."""
    script = b"svg\nsvg 2\npng\npdf > given.pdf\ngif\nps\ncallgrind\ndot > a.dot\nsvg > b.svg\nproto\n"
    places = [tmp_path / "go", tmp_path / "ours"]
    for place in places:
        place.mkdir()
    ok, out = oracle.run([str(LEAK)], places[0], script)
    mine = inprocess.run([str(LEAK)], places[1], script)
    assert (ok, out) == (mine.status == 0, mine.stdout)
    theirs, ours = ({p.name: p for p in place.iterdir() if p.is_file()} for place in places)
    assert set(theirs) == set(ours)
    assert len(ours) == 10
    for name, path in ours.items():
        if name.endswith(".svg"):
            # Go's pictures come with other ids, but with the titles of the DOT text.
            assert titles(theirs[name].read_text()) == titles(path.read_text()), name
        elif name.endswith((".dot", ".callgraph.out")):
            assert path.read_bytes() == theirs[name].read_bytes(), name
        else:
            assert path.read_bytes()[:3] == theirs[name].read_bytes()[:3], name
    for arguments in (["-svg"], ["-png"], ["-gif", "-output=x.gif"], ["-svg", "-focus=nothing"]):
        ok, out = oracle.run([*arguments, str(LEAK)], places[0])
        mine = inprocess.run([*arguments, str(LEAK)], places[1])
        assert (ok, out[:4]) == (mine.status == 0, mine.stdout[:4]), arguments


def titles(text: str) -> Counter[str]:
    return Counter(re.findall(r"<title>(N\d+(?:(?:&#45;|-)(?:&gt;|>)N\d+)?)</title>", text.replace("&#45;", "-")))


def test_on_a_terminal_a_picture_goes_to_a_file(tmp_path: Path) -> None:
    child = pexpect.spawn(
        sys.executable, ["-m", "pypprof", "-svg", str(LEAK)], cwd=str(tmp_path),
        env=os.environ | {"PYTHONPATH": str(ROOT)}, encoding="utf-8",
    )  # fmt: skip
    child.expect("Generating report in profile001.svg")
    child.expect(pexpect.EOF)
    assert "allocateMemory" in (tmp_path / "profile001.svg").read_text()
