"""What an address means: frames of functions, innermost first."""

from __future__ import annotations

from pypprof.records import Record


class Frame(Record):
    """One function at an address. `system_name` is the symbol as the linker has it."""

    system_name: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    start_line: int = 0


# Innermost (the inlined) first; empty when nothing is known about the address.
Frames = tuple[Frame, ...]
