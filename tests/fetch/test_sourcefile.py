"""Sources are found without flags: on a real -trimpath build with a real module cache, and in made-up trees."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pypprof.errors import PprofError
from pypprof.fetch.sourcefile import SourceReader, _identifier
from tests.conftest import FIXTURES, LEAK
from tests.support import inprocess, oracle
from tests.support.compare import Verdict, compare

MODULE = "github.com/PyPprof/Upper"
ESCAPED = "github.com/!py!pprof/!upper"
UPPER = """package Upper

var held [][]byte

//go:noinline
func Grow() { held = append(held, make([]byte, 1<<20)) }
"""
STORE = """package store

import "strings"

var kept []string

//go:noinline
func Fill(n int) {
	kept = append(kept, strings.Repeat("x", n))
}
"""
MAIN = f"""package main

import (
	"example.com/app/store"
	up "{MODULE}"
	"os"
	"runtime"
	"runtime/pprof"
)

func main() {{
	runtime.MemProfileRate = 1
	store.Fill(1 << 20)
	up.Grow()
	runtime.GC()
	pprof.Lookup("heap").WriteTo(os.Stdout, 0)
}}
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, go_pprof: Path) -> Path:
    """A directory with proxy/, cache/ (GOMODCACHE), checkout/ (the project) and heap.pb.gz (of a -trimpath build)."""
    root = tmp_path_factory.mktemp("modules")
    versions = root / "proxy" / ESCAPED / "@v"
    versions.mkdir(parents=True)
    (versions / "list").write_text("v1.0.0\n")
    (versions / "v1.0.0.info").write_text('{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z"}')
    (versions / "v1.0.0.mod").write_text(f"module {MODULE}\n\ngo 1.21\n")
    with zipfile.ZipFile(versions / "v1.0.0.zip", "w") as archive:
        archive.writestr(f"{MODULE}@v1.0.0/go.mod", f"module {MODULE}\n\ngo 1.21\n")
        archive.writestr(f"{MODULE}@v1.0.0/upper.go", UPPER)
    app = root / "checkout"
    (app / "store").mkdir(parents=True)
    (app / "go.mod").write_text(f"module example.com/app\n\ngo 1.21\n\nrequire {MODULE} v1.0.0\n")
    (app / "main.go").write_text(MAIN)
    (app / "store" / "store.go").write_text(STORE)
    env = os.environ | {
        "GOFLAGS": "-mod=mod -modcacherw", "GOPROXY": f"file://{root}/proxy", "GOSUMDB": "off", "GOTOOLCHAIN": "local",
        "GOMODCACHE": str(root / "cache"), "CGO_ENABLED": "0", "GONOSUMDB": "*", "GOWORK": "off",
    }  # fmt: skip
    go = Path(sys.executable).with_name("go")
    subprocess.run([go, "build", "-trimpath", "-o", root / "program", "."], cwd=app, env=env, check=True)
    (root / "heap.pb.gz").write_bytes(subprocess.run([root / "program"], capture_output=True, check=True).stdout)
    return root


def listing(build: Path, function: str, cwd: Path, monkeypatch: pytest.MonkeyPatch, **env: str) -> inprocess.Result:
    monkeypatch.setattr(inprocess, "environment", lambda home: oracle.environment(home) | env)
    return inprocess.run([f"-list={function}", str(build / "heap.pb.gz")], cwd)


def go_fails(build: Path, function: str, cwd: Path) -> None:
    ok, output = oracle.run([f"-list={function}", str(build / "heap.pb.gz")], cwd)
    assert ok and b"Error: could not find file" in output


def test_the_module_cache(build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_fails(build, "Upper.Grow", tmp_path)
    done = listing(build, "Upper.Grow", tmp_path, monkeypatch, GOMODCACHE=str(build / "cache"))
    assert "Upper.Grow in github.com/PyPprof/Upper@v1.0.0/upper.go" in done.stdout.decode()
    assert "6:func Grow() { held = append(held, make([]byte, 1<<20)) }" in done.stdout.decode()
    assert f"{build}/cache/{ESCAPED}@v1.0.0/upper.go" in done.stderr.decode()


def test_the_module_cache_below_gopath(build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "go" / "pkg").mkdir(parents=True)
    (tmp_path / "go" / "pkg" / "mod").symlink_to(build / "cache")
    assert b"func Grow()" in listing(build, "Upper.Grow", tmp_path, monkeypatch).stdout
    (tmp_path / "work").mkdir()
    (tmp_path / "go").rename(tmp_path / "elsewhere")
    done = listing(build, "Upper.Grow", tmp_path / "work", monkeypatch, GOPATH=f"/nowhere:{tmp_path}/elsewhere")
    assert b"func Grow()" in done.stdout


def test_the_main_module(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_fails(build, "store.Fill", build / "checkout")
    done = listing(build, "store.Fill", build / "checkout", monkeypatch)
    assert b"9:\tkept = append(kept, strings.Repeat" in done.stdout


def test_vendored(build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "vendor" / MODULE
    target.mkdir(parents=True)
    (target / "upper.go").write_text(UPPER)
    assert b"func Grow()" in listing(build, "Upper.Grow", tmp_path, monkeypatch).stdout


@pytest.mark.parametrize("how", ["GOROOT", "PATH"])
def test_gos_own_sources(build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    go_fails(build, "strings.*Repeat|grow", tmp_path)
    package = importlib.util.find_spec("go")
    assert package is not None and package.origin is not None
    root = os.path.dirname(package.origin)
    env = {"GOROOT": root} if how == "GOROOT" else {"GOROOT": "", "PATH": os.path.dirname(sys.executable)}
    done = listing(build, "strings.*Repeat|grow", tmp_path, monkeypatch, **env)
    assert b"strings/" in done.stdout
    assert b"Error" not in done.stdout
    assert root in done.stderr.decode()


def test_not_found_keeps_gos_words_and_says_where_it_looked(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["-list=Upper.Grow|store.Fill", str(build / "heap.pb.gz")]
    verdict, difference = compare(arguments, tmp_path)
    assert verdict is Verdict.SAME, difference
    cache = str(build / "proxy")
    said = listing(build, "Upper.Grow|store.Fill", tmp_path, monkeypatch, GOMODCACHE=cache).stderr.decode()
    assert "no source for" in said
    assert str(tmp_path) in said
    assert cache in said
    assert "source_path=" in said


def test_where_go_finds_the_file_the_output_is_gos(build: Path, tmp_path: Path) -> None:
    shutil.copytree(build / "checkout", tmp_path / "app")
    heap = str(build / "heap.pb.gz")
    for options in (["-trim_path=example.com", f"-source_path={tmp_path}"], [f"-source_path={tmp_path}/app/store:/x"]):
        arguments = ["-list=store.Fill", *options, heap]
        assert b"Error" not in oracle.run(arguments, tmp_path)[1]
        assert compare(arguments, tmp_path) == (Verdict.SAME, "")


def test_a_namesake_is_not_shown(build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """store.go in the directory of another project does not hold the function."""
    (tmp_path / "store.go").write_text("package other\n" * 30)
    done = listing(build, "store.Fill", tmp_path, monkeypatch)
    assert b"package other" not in done.stdout
    assert b"store.go is not example.com/app/store/store.go" in done.stderr
    (tmp_path / "store.go").write_text("// moved\n" * 9 + STORE)
    assert b"func Fill" not in listing(build, "store.Fill", tmp_path, monkeypatch).stdout
    (tmp_path / "store.go").write_text(STORE)
    assert b"func Fill" in listing(build, "store.Fill", tmp_path, monkeypatch).stdout


def write(path: Path, text: str = "found\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("recorded", "place"),
    [
        ("/ci/build/7/x/pkg/deep/file.go", "pkg/deep/file.go"),
        ("/ci/build/7/x/pkg/deep/file.go", "../pkg/deep/file.go"),
        ("../../src/vector.cc", "src/vector.cc"),
        ("example.com/replaced@v1.2.3/in.go", "../local/in.go"),
        ("example.com/used/sub/file.go", "../other/sub/file.go"),
        ("example.com/main@v0.0.0-20260101000000-abcdefabcdef+dirty/x/y.go", "x/y.go"),
        ("/go/pkg/mod/gopkg.in/yaml.v3@v3.0.1/decode.go", "../vendor/gopkg.in/yaml.v3/decode.go"),
        ("/home/me/other/vendor/github.com/a/b/c.go", "vendor/github.com/a/b/c.go"),
    ],
)
def test_places_in_the_project(tmp_path: Path, recorded: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "top" / "project"
    mod = "module example.com/main // x\nreplace (\n\texample.com/replaced v1.2.3 => ../local\n)\n"
    write(project / "go.mod", mod)
    write(tmp_path / "top" / "go.work", "go 1.21\n\nuse ./project\nuse (\n\t./other // c\n)\n")
    write(tmp_path / "top" / "other" / "go.mod", 'module "example.com/used"\n')
    expected = write(Path(os.path.normpath(project / place)))
    monkeypatch.chdir(project)
    reader = SourceReader("", "")
    assert reader.line(recorded, 1) == "found"
    assert reader.notes() == [f"{recorded}: the source is {expected}"]


def test_the_working_directory_counts_beside_source_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "here" / "pkg" / "file.go")
    monkeypatch.chdir(tmp_path / "here")
    assert SourceReader("/nowhere", "").line("/ci/pkg/file.go", 1) == "found"


def test_a_removed_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(PprofError):
        SourceReader("", "")
    assert SourceReader("relative", "").line("/ci/pkg/file.go", 1) is None


def test_hostile_paths_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reader = SourceReader("", "")
    for path in ("", "<autogenerated>", "a\0b", "/" * 500, "a/" * 5000 + "x", "@/@@/@v1/x", "..", "../" * 40):
        assert reader.line(path, 1) is None
    os.mkfifo(tmp_path / "pipe")
    assert reader.line("/elsewhere/pipe", 1) is None


@pytest.mark.parametrize(
    ("symbol", "word"),
    [
        ("main.serve", "serve"),
        ("cache.(*LRU[...]).Get.func1", "Get"),
        ("github.com/a/b.v2.(*T).Do-fm", "Do"),
        ("main.(*Server).handle.gowrap1", "handle"),
        ("std::vector<int, std::allocator<int> >::push_back(int const&)", "push_back"),
        ("core::ops::function::FnOnce::call_once{{vtable.shim}}", "call_once"),
        ("main.init.0", "init"),
        ("(anonymous)", ""),
    ],
)
def test_the_word_that_a_source_must_hold(symbol: str, word: str) -> None:
    assert _identifier(symbol) == word


def test_a_source_tree_of_the_fixture(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "leak" / "main.go", tmp_path)
    assert compare(["-list=main\\.", str(LEAK)], tmp_path) == (Verdict.SAME, "")
