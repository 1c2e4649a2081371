"""Reading weblist pages back: Go's and ours, as the same rows."""

from __future__ import annotations

import re
from html import unescape
from typing import NamedTuple


class Instruction(NamedTuple):
    address: int
    flat: str
    cum: str
    place: str
    text: str


class Line(NamedTuple):
    number: int
    flat: str
    cum: str
    source: str
    instructions: list[Instruction]
    calls: list[tuple[str, str]]  # source, file:line of inlined calls


class Function(NamedTuple):
    name: str
    file: str
    flat: str
    cum: str
    percent: str
    lines: list[Line]


_GO_LINE = re.compile(
    r"<span class=line> +(-?\d+)</span> <span class=\w+>  (.{10,}?) (.{10,}?) {11}(.*?) </span>", re.DOTALL
)
_GO_INSTRUCTION = re.compile(
    r"^ +(\S+) +(\S+) +([0-9a-f]+): +(.*?) *(?:<span class=unimportant>(.*?)</span>)?$", re.MULTILINE
)
_GO_CALL = re.compile(r"<span class=inlinesrc>(.*?)</span> <span class=unimportant>(.*?)</span>")


def go_page(page: str) -> list[Function]:
    functions = []
    for part in page.split("<h2>")[1:]:
        head = re.match(
            r'(.*?)</h2><p class="filename">(.*?)</p>.*?Total: +(\S+) +(\S+) \(flat, cum\) +(\S+)', part, re.DOTALL
        )
        assert head
        lines = []
        for chunk in re.split(r"(?=<span class=line>)", part)[1:]:
            found = _GO_LINE.match(chunk)
            assert found, chunk[:200]
            rest = chunk[found.end() :].replace("<span class=asm>", "\n")
            instructions = [
                Instruction(int(m[3], 16), m[1], m[2], unescape(unescape(m[5] or "")), unescape(m[4]))
                for m in _GO_INSTRUCTION.finditer(rest)
            ]
            calls = [(unescape(m[1]).strip(), unescape(m[2])) for m in _GO_CALL.finditer(rest)]
            flat, cum = found[2].strip(), found[3].strip()
            lines.append(Line(int(found[1]), flat, cum, unescape(found[4]), instructions, calls))
        functions.append(Function(unescape(head[1]), unescape(head[2]), head[3], head[4], head[5], lines))
    return functions


_CELLS = r"<i>(-?\d+)</i><b>(.*?)</b><b>(.*?)</b><code>(.*?)</code>"
_INSTRUCTION = re.compile(
    r'<div class="ins"><b>(.*?)</b><b>(.*?)</b><i>([0-9a-f]+)</i><code>(.*?)</code><span>(.*?)</span></div>'
)
_CALL = re.compile(r'<div class="call d\d"><code>(.*?)</code><span>(.*?)</span></div>')


def our_page(page: str) -> list[Function]:
    functions = []
    for part in page.split("<section ")[1:]:
        head = re.match(
            r'.*?<h2>(.*?)</h2><p class="file">(.*?)</p>\n<p class="sum">(\S+) flat, (\S+) cum: (\S+) of', part
        )
        assert head
        lines = []
        for chunk in re.split(r'(?=<(?:div|details) class="line )', part)[2:]:
            found = re.search(_CELLS, chunk)
            assert found, chunk[:200]
            rest = chunk[found.end() :]
            instructions = [
                Instruction(int(m[3], 16), m[1], m[2], unescape(m[5]), unescape(m[4]))
                for m in _INSTRUCTION.finditer(rest)
            ]
            calls = [(unescape(m[1]), unescape(m[2])) for m in _CALL.finditer(rest)]
            lines.append(Line(int(found[1]), found[2], found[3], unescape(found[4]), instructions, calls))
        functions.append(Function(unescape(head[1]), unescape(head[2]), head[3], head[4], head[5], lines))
    return functions
