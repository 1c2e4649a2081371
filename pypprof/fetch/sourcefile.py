"""Source files named by a profile, found and read.

Rules: google/pprof internal/report/source.go (openSourceFile).
"""

from __future__ import annotations

import os
import posixpath

from pypprof.fetch.paths import split_list, trim

# Go's line scanner gives up at a line of this size; the lines before it count.
_LONGEST_LINE = 64 * 1024


class SourceReader:
    """Lines of source files, each file read once.

    search_path  directories, colon-separated; their parents are searched too
    trim_path    prefixes cut off before the search
    """

    def __init__(self, search_path: str, trim_path: str) -> None:
        self._search_path, self._trim_path = search_path or os.getcwd(), trim_path
        self._lines: dict[str, list[str]] = {}
        self.errors: dict[str, str] = {}

    def line(self, path: str, number: int) -> str | None:
        """The text of line `number` (from 1); None when there is none."""
        lines = self._lines.get(path)
        if lines is None:
            lines = self._lines[path] = self._read(path)
        return lines[number - 1] if 0 < number <= len(lines) else None

    def _read(self, path: str) -> list[str]:
        try:
            data = self._open(path)
        except OSError as error:
            self.errors[path] = str(error)
            return []
        lines = data.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        texts = []
        for line in lines:
            if len(line) >= _LONGEST_LINE:
                break
            texts.append(line.removesuffix(b"\r").decode("utf-8", "surrogateescape"))
        return texts

    def _open(self, path: str) -> bytes:
        path = trim(path, self._trim_path, self._search_path)
        if path.startswith("/"):
            return _read_file(path)
        for directory in split_list(self._search_path):
            while True:
                try:
                    return _read_file(posixpath.normpath(posixpath.join(directory, path)))
                except OSError:
                    parent = posixpath.dirname(directory) or "."
                if parent == directory:
                    break
                directory = parent
        raise FileNotFoundError(f"could not find file {path} on path {self._search_path}")


def _read_file(path: str) -> bytes:
    """The file's bytes. OSError with Go's wording; a directory reads as an empty file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except IsADirectoryError:
        return b""
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "invalid argument"
        raise FileNotFoundError(f"open {path}: {reason}") from None
