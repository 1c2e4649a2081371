"""Machine code as text, by capstone. The only module that imports it.

Go's tool prints its own assembler's syntax; this prints what objdump and the processors' manuals
have: AT&T syntax for x86, or Intel's. Targets of jumps and calls, and addresses relative to the
instruction, get the name of the symbol there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from pypprof.errors import BinaryError
from pypprof.records import Record
from pypprof.symbolize.elf import Binary


class Instruction(Record):
    address: int
    size: int
    text: str


# Go's name of a machine: capstone's architecture, modes; how names of jumps and calls begin; whether
# the text of their target counts from the instruction.
_MACHINES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], bool]] = {
    "386": ("X86", ("32",), ("call", "j", "loop"), False),
    "amd64": ("X86", ("64",), ("call", "j", "loop"), False),
    "arm": ("ARM", ("ARM",), ("b",), False),
    "arm64": ("ARM64", ("ARM",), ("b", "cb", "tb"), False),
    "ppc64": ("PPC", ("64", "BIG_ENDIAN"), ("b",), False),
    "ppc64le": ("PPC", ("64",), ("b",), False),
    "riscv64": ("RISCV", ("RISCV64", "RISCVC"), ("b", "j", "c.b", "c.j"), True),
    "s390x": ("SYSZ", ("BIG_ENDIAN",), ("br", "j", "cr", "cg"), False),
    "mips": ("MIPS", ("MIPS32",), ("b", "j"), False),
}
_CHUNK = 1 << 16  # bytes decoded at a time: bounds what capstone holds
_LONGEST = 16  # bytes of an instruction
_NONE = ".byte"  # capstone's name of bytes that are no instruction
_UNKNOWN = "?"
_TARGET = re.compile(r"(?:^|[ ,$#])(-?(?:0x[0-9a-f]+|[0-9]+))$")
_RELATIVE = re.compile(r"(-?(?:0x[0-9a-f]+|[0-9]+))?\(%rip\)|\[rip(?: ([+-]) (0x[0-9a-f]+|[0-9]+))?\]")
_HUGE = re.compile(r"\$([0-9]{19,20})\b")
_MASK = (1 << 64) - 1

Name = Callable[[int], tuple[str, int] | None]  # address -> (symbol, its address)


class Disassembler:
    """Decodes a binary's code. BinaryError for a machine that capstone does not know."""

    def __init__(self, binary: Binary, intel: bool, name: Name) -> None:
        if binary.architecture not in _MACHINES:
            machine = binary.architecture or binary.machine
            raise BinaryError(f"{binary.path}: instructions of {machine} cannot be decoded")
        self._binary, self._name = binary, name
        _, _, self._jumps, self._counted = _MACHINES[binary.architecture]
        self._engine = _engine(binary.architecture, binary.little, intel)

    def decode(self, start: int, end: int) -> Iterator[Instruction]:
        """The instructions of [start, end); "?" for bytes that are none."""
        code, at = self._binary.read(start, max(end - start, 0)), 0
        while at < len(code):
            chunk = code[at : at + _CHUNK]
            # What a chunk cuts off is decoded with the next one.
            enough = len(chunk) - _LONGEST if at + len(chunk) < len(code) else len(chunk)
            begin = at
            for address, size, name, operands in self._engine.disasm_lite(chunk, start + at):
                if at - begin >= enough:
                    break
                text = self._text(address, size, name, operands) if name != _NONE else _UNKNOWN
                yield Instruction(address, size, text)
                at = address + size - start
            if at == begin:  # less than the machine's smallest instruction
                yield Instruction(start + at, len(code) - at, _UNKNOWN)
                return

    def _text(self, address: int, size: int, name: str, operands: str) -> str:
        # capstone writes a negative operand of 64 bits as a huge decimal.
        if "$1" in operands and (huge := _HUGE.search(operands)):
            operands = f"{operands[: huge.start()]}$-{(1 << 64) - int(huge[1]):#x}{operands[huge.end() :]}"
        text = f"{name} {operands}".rstrip()
        if name.startswith(self._jumps):
            found = _TARGET.search(operands)
            if found:
                target = int(found[1], 0) + (address if self._counted else 0)
                return text + self._comment(target & _MASK, " ", self._counted)
        if "rip" in operands:
            found = _RELATIVE.search(operands)
            if found:
                skip = int(found[1] or found[3] or "0", 0)
                target = address + size + (-skip if found[2] == "-" else skip)
                return text + self._comment(target & _MASK, "  # ", True)
        return text

    def _comment(self, target: int, before: str, number: bool) -> str:
        """The target's symbol, and its address where the instruction's text does not have it."""
        symbol = self._name(target)
        parts = [f"{target:#x}"] if number else []
        if symbol is not None:
            name, start = symbol
            parts.append(f"<{name}>" if start == target else f"<{name}+{target - start:#x}>")
        return before + " ".join(parts) if parts else ""


@cache
def _engine(architecture: str, little: bool, intel: bool) -> Any:
    import capstone

    kind, modes, *_ = _MACHINES[architecture]
    mode = sum(getattr(capstone, "CS_MODE_" + name) for name in modes)
    engine = capstone.Cs(getattr(capstone, "CS_ARCH_" + kind), mode if little else mode | capstone.CS_MODE_BIG_ENDIAN)
    engine.skipdata = True
    if kind == "X86":
        engine.syntax = capstone.CS_OPT_SYNTAX_INTEL if intel else capstone.CS_OPT_SYNTAX_ATT
    return engine
