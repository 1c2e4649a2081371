"""The bytes behind the sources of a command line: files, directories, patterns, stdin, servers.

What exists as a file is a file, whatever it looks like; only then may it be an address.
Order of the questions: cmd/pprof/pprof.go (Fetch) and google/pprof internal/driver/fetch.go.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence

from pypprof.errors import PprofError
from pypprof.fetch.content import PERF
from pypprof.fetch.transport import Transport
from pypprof.output import reason
from pypprof.profile.parse import max_bytes, too_large
from pypprof.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pypprof.fetch.address import Address, Wanted

STDIN = "-"
_AT_ONCE = 128  # requests under way together, as in Go
Note = Callable[[str], None]


class Source(Record):
    """One file or address. `directory` is where it was found when nobody named it."""

    name: str
    directory: str = ""


class Read(Record):
    """The bytes of a source, and the server that has sent them."""

    data: bytes
    address: Address | None = None


def expanded(names: Sequence[str]) -> list[Source]:
    """The sources that names stand for: a directory for its files, a pattern for what matches."""
    sources: list[Source] = []
    for name in names:
        if name != STDIN and os.path.isdir(name):
            found = [Source(path, name) for path in sorted(_files(name))]
            sources += found or [Source(name, name)]
        elif any(c in name for c in "*?[") and not os.path.exists(name) and not _is_address(name):
            import glob

            sources += [Source(path) for path in sorted(glob.glob(name))] or [Source(name)]
        else:
            sources.append(Source(name))
    return sources


def _files(directory: str) -> Iterator[str]:
    try:
        with os.scandir(directory) as entries:
            yield from (entry.path for entry in entries if not entry.name.startswith(".") and entry.is_file())
    except OSError:
        return


def _is_address(name: str) -> bool:
    from pypprof.fetch.address import wanted

    try:
        return wanted(name) is not None
    except PprofError:
        return True


class Reader:
    """Reads sources by their number; those on servers are asked together."""

    def __init__(self, sources: Sequence[Source], seconds: int, timeout: int, transport: Transport, note: Note) -> None:
        self._sources = sources
        self._timing = seconds, timeout
        self._transport = transport
        self._note = note
        self._answers: dict[int, Read | PprofError] = {}

    def prepare(self, numbers: Sequence[int]) -> None:
        """Read stdin and ask servers, here in the main thread, so that read() may run in any."""
        for index in numbers:
            name = self._sources[index].name
            if index in self._answers or os.path.exists(name):
                continue
            if name != STDIN:
                if self._request(index) is not None:
                    self._fetch_from(index)
                continue
            try:
                self._answers[index] = Read(_read_stdin())
            except PprofError as error:
                self._answers[index] = error

    def read(self, index: int) -> Read:
        """The bytes of a source that was prepared. PprofError with one line when they cannot be had."""
        answer = self._answers.pop(index, None)
        if answer is None:
            return Read(read_file(self._sources[index].name, self._note))
        if isinstance(answer, PprofError):
            raise answer
        return answer

    def _fetch_from(self, index: int) -> None:
        """Ask for this source and the next ones that are on servers."""
        requests: dict[int, Wanted] = {}
        for at in range(index, len(self._sources)):
            if len(requests) == _AT_ONCE:
                break
            if at in self._answers:
                continue
            request = self._request(at)
            if request is not None:
                requests[at] = request
        if not requests:
            return
        from pypprof.fetch.remote import fetch_all

        for request in requests.values():
            self._note(f"Fetching profile over HTTP from {request.address.url}")
        if seconds := max(request.seconds for request in requests.values()):
            self._note(f"Please wait... ({_duration(int(seconds))})")
        fetched = fetch_all(list(requests.values()), self._transport)
        for at, (_, data, error) in zip(requests, fetched, strict=True):
            self._answers[at] = PprofError(error) if error else Read(data, requests[at].address)

    def _request(self, index: int) -> Wanted | None:
        from pypprof.fetch.address import wanted

        name = self._sources[index].name
        if name == STDIN or os.path.exists(name):
            return None
        try:
            return wanted(name, *self._timing)
        except PprofError as error:
            self._answers[index] = error
            return None


def read_file(path: str, note: Note) -> bytes:
    """A file's bytes, perf.data converted. PprofError when it cannot be read or is too large."""
    most = max_bytes()
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size > most:
                raise PprofError(too_large())
            # A pipe (`<(curl ...)`) or a device has no size.
            data = file.read() if stat.S_ISREG(status.st_mode) else _limited(file.read, most)
    except (OSError, ValueError) as error:
        raise PprofError(reason(error)) from None
    return _converted(path, note) if data.startswith(PERF) else data


def _read_stdin() -> bytes:
    if sys.stdin.isatty():
        raise PprofError("stdin is a terminal: send a profile through a pipe")
    return _limited(sys.stdin.buffer.read, max_bytes())


def _limited(read: Callable[[int], bytes], most: int) -> bytes:
    data = read(most + 1)
    if len(data) > most:
        raise PprofError(too_large())
    return data


def _converted(path: str, note: Note) -> bytes:
    """perf.data as a profile, by the program of github.com/google/perf_data_converter."""
    import shutil
    import subprocess
    import tempfile

    program = shutil.which("perf_to_profile")
    if program is None:
        raise PprofError(
            "this is a perf.data file, and perf_to_profile is not installed "
            "(it is part of github.com/google/perf_data_converter)"
        )
    note(f"Converting {path} to a profile.proto... (May take a few minutes)")
    with tempfile.TemporaryDirectory(prefix="pprof_") as directory:
        result = os.path.join(directory, "profile.pb.gz")
        words = [program, "-i", os.path.abspath(path), "-o", result, "-f"]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise PprofError(f"failed to convert perf.data file: perf_to_profile ended with status {done.returncode}")
        return read_file(result, note)


def _duration(seconds: int) -> str:
    """As Go prints durations: 30s, 1m30s, 1h0m0s."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes or hours else "") + f"{rest}s"
