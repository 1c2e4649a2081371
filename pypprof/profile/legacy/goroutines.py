"""Goroutine dumps: debug=2, SIGQUIT, a crash. Go's pprof refuses them.

    goroutine 18 [chan receive, 5 minutes, locked to thread] {user: alice}:
    main.work(0x1, {0xc000012345, 0x3})
        /src/main.go:12 +0x45
    created by main.main in goroutine 1
        /src/main.go:31 +0x19e

The labels in braces are there from Go 1.27 on. Goroutines alike in everything become one sample.
Source of the format: runtime/traceback.go (goroutineheader, traceback2).
"""

from __future__ import annotations

import re

from pypprof.errors import Malformed
from pypprof.profile.legacy.gotext import unquoted
from pypprof.profile.legacy.lines import lines_of
from pypprof.profile.legacy.samples import Header, Samples, profile_of_frames
from pypprof.profile.model import ENCODING, ERRORS, Frame, Mapping, Profile

_STATE = r"(?: gp=[^ \[\n]++ m=[^ \[\n]++(?: mp=[^ \[\n]++)?+)?+ \[([^\]\n]*+)\]"
_HEADER = re.compile(rf"goroutine [0-9]++{_STATE}(?: \{{(.*)\}})?:")
_FIND_HEADER = re.compile(rf"^goroutine [0-9]++{_STATE}(?: \{{.*\}})?:\r?$".encode(), re.MULTILINE)
_FILE = re.compile(r"\t(.*?):([0-9]{1,18}+)( \+0x[0-9a-f]++)?(?: fp=0x[0-9a-f]++ sp=0x[0-9a-f]++ pc=0x[0-9a-f]++)?")
_LABEL = re.compile(r'("(?:[^"\\]++|\\.)*+"|[^":,]++): ("(?:[^"\\]++|\\.)*+"|[^",]*+)(?:, |$)')
_MINUTES = re.compile("([0-9]{1,15}) minutes")
_CREATED, _NO_GO = "created by ", "non-Go function"
_TYPE = ("goroutine", "count")
_Location = tuple[Frame, ...]
_Frames = dict[tuple[str, str], tuple[Frame, bool]]


class _Goroutine:
    """One goroutine while it is read."""

    def __init__(self, status: str, labels: str, frames: _Frames) -> None:
        self.status, self.labels, self.creator = status, labels, ""
        self._frames = frames  # by name and line of the file, of the whole dump
        self.stack: list[_Location] = []
        self._inner: list[Frame] = []  # inlined into the next frame
        self._call = ""  # the line that waits for its file
        self._skip = False

    def line(self, line: str) -> bool:
        """Take a line; False when it belongs to no goroutine."""
        if self._skip:
            return True
        if line[:1] == "\t":
            return self._file(line)
        if self._call:
            return False
        if line.startswith(_CREATED):
            self.creator = line[len(_CREATED) :].partition(" in goroutine ")[0]
            self._call = line
        elif line.startswith("["):  # the stacks of those who created it (GODEBUG=tracebackancestors)
            self._skip = True
        elif line.startswith(_NO_GO):
            self._add(Frame(_NO_GO), inlined=False)
        elif line[-1:] == ")" and "(" in line:
            self._call = line
        else:
            return line.startswith("...") and line.endswith("elided...")
        return True

    def _file(self, line: str) -> bool:
        call, self._call = self._call, ""
        if not call:
            return line.startswith(("\tgoroutine running", "\tpc="))
        if call.startswith(_CREATED):
            return _FILE.fullmatch(line) is not None
        name, _, arguments = call.rpartition("(")
        known = self._frames.get((name, line))
        if known is None:
            found = _FILE.fullmatch(line)
            if found is None:
                return False
            # Of an inlined call neither arguments nor offset are printed.
            inlined = arguments == "...)" and not found[3]
            known = self._frames[name, line] = (Frame(name, found[1], int(found[2])), inlined)
        self._add(*known)
        return True

    def _add(self, frame: Frame, inlined: bool) -> None:
        self._inner.append(frame)
        if not inlined:
            self.stack.append(tuple(self._inner))
            self._inner = []

    def finish(self) -> None:
        """The text of this goroutine has ended."""
        if self._call and not self._call.startswith(_CREATED):
            self._inner.append(Frame(self._call.rpartition("(")[0]))
        if self._inner:
            self.stack.append(tuple(self._inner))


def parse(data: bytes) -> Profile | None:
    """The profile; None without a goroutine, Malformed for a line that is none of its own."""
    if not _FIND_HEADER.search(data):
        return None
    dump = _Dump()
    frames: _Frames = {}
    current: _Goroutine | None = None
    # The last line may be cut off, anywhere: Go ends a dump at 64 MB.
    whole = data.rfind(b"\n") + 1
    for number, line in enumerate(lines_of(data[:whole]), 1):
        line = line[:-1] if line[-1:] == "\r" else line
        header = _HEADER.fullmatch(line) if line.startswith("goroutine ") else None
        if header is not None or not line or line.startswith("exit status "):
            dump.add(current)
            current = _Goroutine(header[1], header[2] or "", frames) if header else None
        elif current is not None and not current.line(line):
            raise Malformed(f"goroutine dump: line {number} is neither call nor file: {line[:80]}")
    if current is not None:
        current.line(data[whole:].decode(ENCODING, ERRORS))
    dump.add(current)
    return dump.profile()


class _Dump:
    """The goroutines of a dump, those alike counted."""

    def __init__(self) -> None:
        self._rows: dict[_Location, int] = {}
        self._counts: dict[tuple[tuple[int, ...], str, str, str], int] = {}

    def add(self, goroutine: _Goroutine | None) -> None:
        if goroutine is None:
            return
        goroutine.finish()
        rows = self._rows
        stack = tuple([rows.setdefault(location, len(rows)) for location in goroutine.stack])
        key = (stack, goroutine.status, goroutine.labels, goroutine.creator)
        self._counts[key] = self._counts.get(key, 0) + 1

    def profile(self) -> Profile:
        samples = Samples()
        for (stack, status, labels, creator), count in self._counts.items():
            samples.add(stack, (count,))
            _tag(samples, status, creator, labels)
        mapping = Mapping(1, has_functions=True, has_filenames=True, has_line_numbers=True, has_inline_frames=True)
        return profile_of_frames(Header([_TYPE], _TYPE, 1), samples, (mapping,), list(self._rows))


def _tag(samples: Samples, status: str, creator: str, labels: str) -> None:
    """The tags of the last sample."""
    state, *more = status.split(", ")
    samples.tag("state", state)
    for text in more:
        if minutes := _MINUTES.fullmatch(text):
            samples.number("wait", int(minutes[1]) * 60, "seconds")
        elif text == "locked to thread":
            samples.tag("thread", "locked")
        elif text.startswith("synctest bubble "):
            samples.tag("bubble", text[16:])
    if creator:
        samples.tag("creator", creator)
    at = 0
    while found := _LABEL.match(labels, at):
        key, text = (unquoted(part[1:-1]) if part[:1] == '"' else part for part in found.groups())
        samples.tag(key, text)
        at = found.end()
