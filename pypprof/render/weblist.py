"""The page of weblist: source lines with values, their instructions behind each; one HTML file that loads nothing.

Names and sources are escaped; the page's own script and style are the only ones that its policy lets run.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib import resources

from pypprof.output import printable
from pypprof.records import Record

_LEVELS = (0.5, 0.25, 0.1, 0.05, 0.01)  # parts of the total from which a line is hotter


class Call(Record):
    """A line in which the code of the following instructions was inlined; `depth` from 0."""

    depth: int
    source: str
    file: str
    line: int


class Instruction(Record):
    """`place` is file:line. `apart`: code lies between this one and the one before.

    `calls` are new here; `inlined` is a text of the calls that the compiler inlined.
    """

    address: int
    flat: int
    cum: int
    text: str
    place: str
    apart: bool
    calls: list[Call]
    inlined: str


class Line(Record):
    """A source line; `instructions` of those that have any that can be shown."""

    number: int
    flat: int
    cum: int
    source: str
    instructions: list[Instruction]


class Function(Record):
    name: str
    file: str
    flat: int
    cum: int
    percent: str
    lines: list[Line]


def page(
    title: str, legend: Sequence[str], total: int, functions: Sequence[Function], text: Callable[[int], str]
) -> Iterator[str]:
    """The whole page; `text` writes a value."""
    style, script = _file("weblist.css"), _file("weblist.js")
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_html(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
    )
    yield f"<header><h1>{_html(title)}</h1><p>{_html('  ·  '.join([*legend, f'Total: {text(total)}']))}</p>\n"
    yield (
        '<div id="tools" hidden><button id="expand">Expand all</button>'
        '<button id="only" aria-pressed="false">Only lines with values</button>'
        '<button id="theme">Theme</button></div></header>\n'
    )
    yield from _contents(functions, text)
    yield "<main>\n"
    for number, function in enumerate(functions, 1):
        yield from _function(number, function, total, text)
    if not functions:
        yield "<p>Nothing to show: no code of the functions that match has a value.</p>\n"
    yield f"</main>\n<script>{script}</script>\n</body>\n</html>\n"


def _contents(functions: Sequence[Function], text: Callable[[int], str]) -> Iterator[str]:
    if len(functions) < 2:
        return
    yield "<nav><table><thead><tr><th>flat</th><th>cum</th><th></th><th>function</th></tr></thead><tbody>\n"
    for number, function in sorted(enumerate(functions, 1), key=lambda item: -abs(item[1].cum)):
        place = f"{function.file.rpartition('/')[2]}:{function.lines[0].number}" if function.lines else function.file
        yield (
            f"<tr><td>{text(function.flat)}</td><td>{text(function.cum)}</td><td>{function.percent}</td>"
            f'<td><a href="#f{number}">{_html(function.name)}</a> <span>{_html(place)}</span></td></tr>\n'
        )
    yield "</tbody></table></nav>\n"


def _function(number: int, function: Function, total: int, text: Callable[[int], str]) -> Iterator[str]:
    yield (
        f'<section id="f{number}"><h2>{_html(function.name)}</h2><p class="file">{_html(function.file)}</p>\n'
        f'<p class="sum">{text(function.flat)} flat, {text(function.cum)} cum: {function.percent} of the total</p>\n'
        '<div class="code">\n<div class="line head"><i>line</i><b>flat</b><b>cum</b><code>source</code></div>\n'
    )
    for line in function.lines:
        yield from _line(line, total, text)
    yield "</div></section>\n"


def _line(line: Line, total: int, text: Callable[[int], str]) -> Iterator[str]:
    values = line.flat or line.cum
    cells = f"<i>{line.number}</i>{_values(line, text)}<code>{_html(line.source)}</code>"
    heat = f"h{_level(line.cum or line.flat, total)}" if values else "none"
    if not line.instructions:
        yield f'<div class="line {heat}">{cells}</div>\n'
        return
    yield f'<details class="line {heat}"><summary>{cells}</summary><div class="asm">\n'
    inlined = ""
    for at, instruction in enumerate(line.instructions):
        if instruction.apart and at:
            yield '<div class="apart">⋮</div>\n'
        for call in instruction.calls:
            yield (
                f'<div class="call d{min(call.depth, 9)}"><code>{_html(call.source.strip())}</code>'
                f"<span>{_html(call.file)}:{call.line}</span></div>\n"
            )
        if instruction.inlined != inlined:
            inlined = instruction.inlined
            yield f'<div class="inlined">{_html(inlined) if inlined else "not inlined"}</div>\n'
        if instruction.text:
            yield (
                f'<div class="ins">{_values(instruction, text)}<i>{instruction.address:x}</i>'
                f"<code>{_html(instruction.text)}</code><span>{_html(instruction.place)}</span></div>\n"
            )
    yield "</div></details>\n"


def _values(row: Line | Instruction, text: Callable[[int], str]) -> str:
    return "".join(f"<b>{text(value) if value else '.'}</b>" for value in (row.flat, row.cum))


def _level(value: int, total: int) -> int:
    """How hot a value is, from 0 to 5."""
    part = abs(value / total) if total else 0.0
    return sum(part >= least for least in _LEVELS)


def _html(text: str) -> str:
    """Text for the page; invisible and undecodable characters are shown as what they are."""
    return escape(printable(text).replace("\n", "\\n"))


def _file(name: str) -> str:
    return resources.files("pypprof.render").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    """What the page's policy calls a script or style."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
