"""Profiles from servers: several at once, with one line of progress, ended by Ctrl-C.

Each request has a thread of its own; the calling thread waits, shows the progress and keeps the
deadlines, so that even a name server that hangs holds nobody up.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from pypprof.errors import PprofError
from pypprof.fetch.address import Wanted, wanted
from pypprof.fetch.transport import Transport
from pypprof.profile.parse import max_bytes
from pypprof.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pypprof.fetch.client import Answer, Download

_TICK = 0.1  # seconds between two looks at the progress
_LATE = 0.5  # seconds that a thread gets to notice its deadline itself
_INDEX_TIMEOUT = 3.0
_NO_PROFILES = {"cmdline", "symbol", "trace"}  # also listed by net/http/pprof
_TEXTS = {"text/plain", "application/json", "application/problem+json", ""}
_PLAIN = Transport()


class Fetched(Record):
    """What came of one request: bytes or the reason why not."""

    url: str
    data: bytes
    error: str = ""


def fetch(source: str, seconds: int = -1, timeout: int = -1, transport: Transport = _PLAIN) -> Fetched:
    """The bytes of one address. PprofError with one line when they cannot be had."""
    request = wanted(source, seconds, timeout)
    if request is None:
        raise PprofError(f"{source} is not the address of a server")
    fetched = fetch_all([request], transport)[0]
    if fetched.error:
        raise PprofError(fetched.error)
    return fetched


def fetch_all(requests: Sequence[Wanted], transport: Transport = _PLAIN, quiet: bool = False) -> list[Fetched]:
    """All requests at once, in their order. KeyboardInterrupt ends them all."""
    from pypprof.fetch.progress import Progress

    jobs = [_Job(request, transport) for request in requests]
    progress = Progress(jobs, quiet)
    try:
        for job in jobs:
            job.thread.start()
        for job in jobs:
            while job.thread.is_alive() and not job.late():
                progress.show()
                job.thread.join(_TICK)
        return [job.outcome() for job in jobs]
    finally:
        for job in jobs:
            job.download.cancel()
        progress.clear()


class _Job:
    """One request and its thread."""

    def __init__(self, request: Wanted, transport: Transport) -> None:
        from pypprof.fetch.client import Download

        self.request = request
        self.download: Download = Download(request.timeout)
        self.thread = threading.Thread(target=self._run, args=(transport,), daemon=True)
        self.data: bytes | None = None
        self.error = ""

    def _run(self, transport: Transport) -> None:
        from pypprof.fetch.client import Cancelled, get

        try:
            answer = get(self.request.address, transport, self.download, max_bytes())
            if answer.status == 200:
                self.data = answer.body
            else:
                self.error = self._refusal(answer, transport)
        except PprofError as error:
            self.error = str(error)
        except Cancelled:
            self.error = "cancelled"
        except MemoryError:
            self.error = "out of memory"
        except Exception as error:  # a thread's traceback would go to the terminal
            self.error = f"{type(error).__name__}: {error}"

    def late(self) -> bool:
        import time

        return time.monotonic() > self.download.end + _LATE

    def outcome(self) -> Fetched:
        url = self.request.address.url
        if self.data is not None:
            return Fetched(url, self.data)
        return Fetched(url, b"", self.error or f"timed out within {self.download.timeout:g} s, looking up the name")

    def _refusal(self, answer: Answer, transport: Transport) -> str:
        """The server's words in one line, and what to try next."""
        from pypprof.fetch.client import one_line

        text = f"server response: {answer.status} {answer.reason}".rstrip()
        words = one_line(answer.body) if _is_text(answer) else ""
        if words and words != answer.reason:
            text += f" - {words}"
        hint = _hint(answer, words)
        if answer.status == 404:
            names = self._endpoints(transport)
            hint = f"there are: {' '.join(names)}" if names else "is net/http/pprof served there?"
        return f"{text} ({hint})" if hint else text

    def _endpoints(self, transport: Transport) -> list[str]:
        """The profiles that the server's index page lists."""
        from pypprof.fetch.client import Cancelled, Download, get

        address = self.request.address
        before, found, _ = address.path.partition("/debug/pprof/")
        index = address._replace(path=(before if found else "") + "/debug/pprof/", query="")
        self.download = Download(min(_INDEX_TIMEOUT, max(self.download.end - self.download.began, 0.1)))
        try:
            answer = get(index, transport, self.download, 1 << 20)
        except (PprofError, Cancelled):
            return []
        return endpoints(answer.body) if answer.status == 200 else []


def _is_text(answer: Answer) -> bool:
    """Whether the body is for people: no page, no binary data."""
    kind = answer.content_type.partition(";")[0].strip().lower()
    return kind in _TEXTS and b"\0" not in answer.body and not answer.body.startswith(b"\x1f\x8b")


def endpoints(page: bytes) -> list[str]:
    """The names of the profiles in an index page of net/http/pprof."""
    import re

    found = re.findall(rb"<a href=['\"]?/?(?:debug/pprof/)?([A-Za-z0-9_.-]{1,60})(?:\?[^'\">]*)?['\"]?>", page)
    return sorted({name.decode() for name in found} - _NO_PROFILES)


def _hint(answer: Answer, words: str) -> str:
    if "already in use" in words:
        return "another CPU profile is being taken there: try again when it has ended"
    if answer.status in (401, 403):
        return "-header=file:PATH or -header=env:NAME sends what the server asks for"
    if "HTTP request to an HTTPS server" in words:
        return "try https://"
    if answer.status == 400 and "WriteTimeout" in words:
        return "the server's WriteTimeout is shorter: ask for fewer -seconds"
    return ""
