"""A report's data as bytes: its text, or the form for programs, a page, a picture."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from pypprof.errors import CommandError
from pypprof.reports.command import Command


def in_format(command: Command, report: object, format_: str) -> Iterator[bytes]:
    """The report piece by piece, as text ("" or "colour") or in another format (json, csv, html)."""
    if format_ == "html":
        if command.page is None:
            raise CommandError(f"{command.name} has no -html form (trend has)")
        yield from command.page(report)
    elif format_ in ("json", "csv"):
        from pypprof.reports.records import records

        yield from (piece.encode("utf-8", "backslashreplace") for piece in records(command.name, report, format_))
    elif command.data is not None:
        yield from command.data(report)
    else:
        write = command.coloured if format_ == "colour" and command.coloured else command.text
        assert write is not None
        pieces = iter(write(report))
        while text := "".join(islice(pieces, 1024)):
            yield text.encode("utf-8", "surrogateescape")
