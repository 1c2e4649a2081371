"""What binutils' addr2line and LLVM's symbolizer say about addresses."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

Frame = tuple[str, str, int]  # function, file, line; "" and 0 for what is not known


def addr2line(program: Path, addresses: list[int]) -> dict[int, list[Frame]]:
    """Frames by address, innermost first."""
    query = "\n".join(map(hex, addresses))
    command = ["addr2line", "-a", "-i", "-f", "-e", str(program)]
    text = subprocess.run(command, input=query, capture_output=True, text=True, check=True).stdout
    found: dict[int, list[Frame]] = {}
    lines = iter(text.splitlines())
    frames: list[Frame] = []
    for line in lines:
        if re.fullmatch("0x[0-9a-f]{16}", line):
            frames = found[int(line, 16)] = []
            continue
        file, _, number = next(lines).partition(" (discriminator")[0].rpartition(":")
        frames.append((function(line), known(file), int(number) if number.isdigit() else 0))
    return found


def llvm_symbolizer(program: Path, addresses: list[int]) -> dict[int, list[tuple[str, str, int, int]]]:
    """Frames and columns by address, innermost first."""
    query = "\n".join(map(hex, addresses))
    command = ["llvm-symbolizer", "--output-style=JSON", "--no-demangle", "--inlines", "-e", str(program)]
    text = subprocess.run(command, input=query, capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in text.splitlines()]
    return {
        address: [
            (function(frame["FunctionName"]), known(frame["FileName"]), frame["Line"], frame["Column"])
            for frame in answer["Symbol"]
        ]
        for address, answer in zip(addresses, answers, strict=True)
    }


def known(text: str) -> str:
    """The text, "" for "??"."""
    return "" if text == "??" else text


def function(name: str) -> str:
    """A function's name without the suffix of a part of it (.cold, .isra.0); "" for "??"."""
    return re.sub(r"(\.[a-z_0-9]+)+$", "", known(name))
