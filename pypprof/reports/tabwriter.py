"""Columns aligned as Go's text/tabwriter does it with AlignRight and one blank of padding.

A cell ends with a tab; a column is a run of consecutive lines that have a cell there, and is as
wide as its widest cell. Text behind the last tab of a line belongs to no column. (Elastic
tabstops: https://pkg.go.dev/text/tabwriter)
"""

from __future__ import annotations


class _Writer:
    """Cells of lines; columns are closed as soon as a line does not continue them."""

    def __init__(self, padding: int) -> None:
        self._padding = padding
        self._lines: list[list[str]] = []
        self.out: list[str] = []

    def add(self, cells: list[str]) -> None:
        """One line: its tab-terminated cells and, last, its trailing text."""
        self._lines.append(cells)
        # A line without a tab ends all columns.
        if len(cells) == 1:
            self.flush()

    def flush(self) -> None:
        self._format([], 0, len(self._lines))
        self._lines = []

    def _format(self, widths: list[int], first: int, last: int) -> None:
        column = len(widths)
        line = first
        while line < last:
            if column >= len(self._lines[line]) - 1:
                line += 1
                continue
            # A column block begins here: what stands before it is complete.
            self._write(widths, first, line)
            first = line
            width = 0
            while line < last and column < len(self._lines[line]) - 1:
                width = max(width, len(self._lines[line][column]) + self._padding)
                line += 1
            self._format([*widths, width], first, line)
            first = line
        self._write(widths, first, last)

    def _write(self, widths: list[int], first: int, last: int) -> None:
        for cells in self._lines[first:last]:
            padded = [
                cell.rjust(widths[column]) if column < len(widths) else cell for column, cell in enumerate(cells[:-1])
            ]
            self.out.append("".join(padded) + cells[-1] + "\n")


_ESCAPE = "\udcff"  # the byte 0xFF: from one to the next, all characters are text
_HIDDEN = dict(zip("\t\v\n\f", "\ud800\ud801\ud802\ud803", strict=True))


def align(text: str, padding: int = 1) -> str:
    """The text with its tab-terminated cells right-aligned."""
    if _ESCAPE not in text:
        return _align(text, padding)
    pieces = text.split(_ESCAPE)
    pieces[1::2] = ["".join(_HIDDEN.get(c, c) for c in piece) for piece in pieces[1::2]]
    aligned = _align(_ESCAPE.join(pieces), padding)
    if len(pieces) % 2 == 0:
        aligned = aligned[:-1]  # the last line's end is text too
    shown = {hidden: char for char, hidden in _HIDDEN.items()}
    return "".join(shown.get(c, c) for c in aligned)


def _align(text: str, padding: int) -> str:
    writer = _Writer(padding)
    # A form feed ends a line and all columns; a vertical tab ends a cell.
    for index, chapter in enumerate(text.replace("\v", "\t").split("\f")):
        if index:
            writer.flush()
        lines = chapter.split("\n")
        last = lines.pop()
        for line in lines:
            writer.add(line.split("\t"))
        if last:
            writer.add(last.split("\t"))
    writer.flush()
    return "".join(writer.out)
