"""The documents say what the code does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile

from pypprof.reports import COMMANDS, load
from pypprof.settings import OPTIONS, TYPES, Settings, text_of
from tests.conftest import LEAK, ROOT
from tests.support import inprocess

OPTIONS_DOC = ROOT / "docs" / "options.md"
PICTURE = ROOT / "docs" / "leak.svg"


def options_table() -> str:
    """docs/options.md, from the declarations."""
    lines = [
        "# Options",
        "",
        "Every option, from its declaration in `pypprof/settings.py`. On the command line `-name=value` (a choice is a",
        "flag of its own: `-cum`), in the shell `name=value`.",
        "",
        "| option | type | default | what it does |",
        "|---|---|---|---|",
    ]
    for name, option in sorted(OPTIONS.items()):
        kind = " \\| ".join(option.choices) or TYPES[name].__name__
        default = text_of(Settings(), name)
        lines.append(f"| `{name}` | {kind} | {f'`{default}`' if default else ''} | {option.help} |")
    return "\n".join(lines) + "\n"


def test_options() -> None:
    assert OPTIONS_DOC.read_text() == options_table(), "run: python -m tests.test_docs"


def test_json_schema_is_documented() -> None:
    text = (ROOT / "docs" / "machine-readable.md").read_text()
    for report in ("-top", "-tree", "-peek=main", "-tags", "-traces", "-list=main", "-trend"):
        source = LEAK if report != "-tags" else ROOT / "fixtures/profiles/store.cpu.pb.gz"
        done = inprocess.run([report, "-json", str(source)], ROOT)
        for key in _keys(json.loads(done.stdout)):
            assert f"`{key}`" in text, key
        columns = inprocess.run([report, "-csv", str(source)], ROOT).stdout.splitlines()[0].decode()
        assert f"`{columns}`" in text


def _keys(value: object) -> set[str]:
    """All keys but those of free maps (tags of a sample)."""
    if isinstance(value, dict):
        inner = [v for k, v in value.items() if k not in ("labels", "numeric_labels", "numeric_units")]
        return set(value) | set().union(*map(_keys, inner)) if value else set()
    if isinstance(value, list):
        return set().union(*map(_keys, value)) if value else set()
    return set()


def test_commands_in_the_readme_run() -> None:
    """Every `pypprof ...` line in README's code blocks works from the project's root."""
    text = (ROOT / "README.md").read_text()
    commands = re.findall(r"^\$ pypprof (.*)$", text, re.MULTILINE)
    assert len(commands) >= 3
    for command in commands:
        words = command.replace("'", "").split()
        if "<" in words:
            continue
        assert inprocess.run(words, ROOT, b"quit\n").status == 0, command


def leak_picture() -> bytes:
    """README's picture, drawn by the embedded layout, which is the same everywhere."""
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": "/nonexistent", "PYTHONPATH": str(ROOT), "TZ": "UTC", "HOME": home}
        command = [sys.executable, "-m", "pypprof", "-svg", "-symbolize=none", str(LEAK)]
        return subprocess.run(command, env=env, capture_output=True, check=True).stdout


def test_the_picture_in_the_readme() -> None:
    drawn = leak_picture()
    assert PICTURE.read_bytes() == drawn, "run: python -m tests.test_docs"
    assert b"main.allocateMemory" in drawn and len(drawn) < 200_000
    assert f"({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text()


def test_pictures_name_every_command() -> None:
    text = (ROOT / "docs" / "pictures.md").read_text()
    for name in COMMANDS:
        if COMMANDS[name][0] == "pictures" or load(name).viewer == name:
            assert f"`{name}`" in text, name


if __name__ == "__main__":
    OPTIONS_DOC.write_text(options_table())
    PICTURE.write_bytes(leak_picture())
