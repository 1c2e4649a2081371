"""Source files named by a profile, found and read.

First by the rules of google/pprof internal/report/source.go (openSourceFile); where these find
nothing, in the other places that sources are known to be (sourceplaces.py).
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable

from pypprof.errors import PprofError
from pypprof.fetch.paths import split_list, trim
from pypprof.fetch.sourceplaces import Places
from pypprof.output import reason

# Go's line scanner gives up at a line of this size; the lines before it count.
_LONGEST_LINE = 64 * 1024
_NOTED = 3  # files named in a message
_LARGEST = 64 << 20  # bytes of a file that was guessed
# Functions that the compiler makes: their names are in no source.
_MADE = ("init", "glob", "map", "")
_CLOSURE = re.compile(r"\.func[0-9]+(\.[0-9]+)*$")
_WRAPPER = re.compile(r"\.(gowrap|deferwrap)[0-9]+$")


class SourceReader:
    """Lines of source files, each file read once.

    search_path  directories, colon-separated; their parents are searched too
    trim_path    prefixes cut off before the search
    errors       why a file was not found, in Go's words
    """

    def __init__(self, search_path: str, trim_path: str) -> None:
        self._search_path, self._trim_path = search_path or _working_directory(), trim_path
        self._places = Places([*split_list(self._search_path), *_here()])
        self._lines: dict[str, list[str]] = {}
        self._functions: dict[str, set[tuple[str, int]]] = {}
        self._guessed: list[tuple[str, str]] = []
        self._refused: list[tuple[str, str]] = []
        self.errors: dict[str, str] = {}

    def expect(self, path: str, function: str, start_line: int) -> None:
        """A function that the file should hold, where (0 for unknown): keeps a namesake from passing for the file."""
        self._functions.setdefault(path, set()).add((function, start_line))

    def line(self, path: str, number: int) -> str | None:
        """The text of line `number` (from 1); None when there is none."""
        lines = self._lines.get(path)
        if lines is None:
            lines = self._lines[path] = self._read(path)
        return lines[number - 1] if 0 < number <= len(lines) else None

    def notes(self) -> list[str]:
        """What the user should know: where sources were taken from, where missing ones were looked for."""
        notes = [f"{path}: the source is {found}" for path, found in self._guessed[:_NOTED]]
        if len(self._guessed) > _NOTED:
            notes.append(f"{len(self._guessed) - _NOTED} more sources found away from their recorded paths")
        missing = list(self.errors)
        if missing:
            names = ", ".join(missing[:_NOTED])
            more = f" and {len(missing) - _NOTED} more" if len(missing) > _NOTED else ""
            notes.append(f"no source for {names}{more}: looked {self._places.looked_at()}")
            for path, candidate in self._refused[:_NOTED]:
                notes.append(f"{candidate} is not {path}: its functions are others, or at other lines")
            notes.append("source_path=<directory> says where else to look, trim_path=<prefix> what to cut off before")
        return notes

    def _read(self, path: str) -> list[str]:
        try:
            data = self._open(path)
        except OSError as error:
            guess = self._guess(path)
            if guess is None:
                self.errors[path] = str(error)
                return []
            data = guess
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

    def _guess(self, path: str) -> bytes | None:
        """The file from a place that Go does not look at."""
        for candidate in self._places.candidates(path):
            try:
                if not os.path.isfile(candidate) or os.path.getsize(candidate) > _LARGEST:
                    continue
                data = _read_file(candidate)
            except OSError:
                continue
            candidate = os.path.normpath(candidate)
            if _holds(data, self._functions.get(path, set())):
                self._guessed.append((path, candidate))
                return data
            self._refused.append((path, candidate))
        return None


def _working_directory() -> str:
    """PprofError when it has been removed."""
    try:
        return os.getcwd()
    except OSError as error:
        raise PprofError(f"the working directory cannot be read: {reason(error)}") from None


def _here() -> list[str]:
    """The working directory, if there is one."""
    try:
        return [os.getcwd()]
    except OSError:
        return []


def _holds(data: bytes, functions: Iterable[tuple[str, int]]) -> bool:
    """Whether most of the functions are in the source, at their lines where these are known."""
    lines = data.split(b"\n")
    right = wrong = 0
    for function, start in functions:
        word = "func" if start > 0 and _CLOSURE.search(function) else _identifier(function)
        if _WRAPPER.search(function) or (start <= 0 and word in _MADE) or not word:
            continue
        # The name may be on a line below that of the type.
        places = lines[max(start - 2, 0) : start + 2] if start > 0 else [data]
        if any(word.encode("utf-8", "surrogateescape") in place for place in places):
            right += 1
        else:
            wrong += 1
    return right >= wrong


def _identifier(function: str) -> str:
    """The word that the source of a function holds: `Get` of `cache.(*LRU[...]).Get.func1`."""
    for opening, closing in (("[", "]"), ("<", ">"), ("(", ")"), ("{", "}")):
        if opening == "(" and ")." in function:
            continue  # the receiver of a Go method
        head, bracket, _ = function.partition(opening)
        function = head + function[function.rfind(closing) + 1 :] if bracket and closing in function else head
    words = function.replace("::", ".").replace("-fm", "").replace(" ", ".").rstrip(".").split(".")
    while len(words) > 1 and (words[-1].isdigit() or _numbered(words[-1]) or not words[-1]):
        words.pop()
    word = words[-1].rpartition("/")[2].strip("(*)~&")
    return word if word.isidentifier() else ""


def _numbered(word: str) -> bool:
    """Whether the compiler made the name of a closure or wrapper: func1, gowrap2."""
    return any(word.startswith(made) and word[len(made) :].isdigit() for made in ("func", "gowrap", "deferwrap"))


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
