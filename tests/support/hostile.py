"""A server that does what servers should not, in a thread of the test process."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import re
import select
import socket
import threading
import time
import urllib.parse
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import LEAK
from tests.support.encoder import Builder

BOMB = 10 << 30  # bytes of zeros in the gzip bomb


def _bare() -> bytes:
    builder = Builder([("samples", "count")])
    builder.mapping(1, 0x1000, 0x9000, file="/bin/app", has=0)
    builder.mapping(2, 0x10000, 0x20000, has=0)
    builder.mapping(3, 0x30000, 0x40000, file="[unused]", has=0)
    for id_, mapping, address in ((1, 1, 0x1100), (2, 1, 0x1200), (3, 1, 0x1300), (4, 2, 0x10010), (5, 2, 0x10020)):
        builder.location(id_, [], mapping, address)
    builder.location(6, [(1, 7, 0)], 1, 0x1400)
    builder.function(1, "named")
    for stack in ([1, 2, 6], [3, 4, 6], [5, 6]):
        builder.sample(stack, [len(stack)])
    return builder.gzipped()


BARE = _bare()


def bomb() -> Iterator[bytes]:
    """10 GB of zeros as gzip: one compressed megabyte, over and over; the end is never reached."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    zeros = bytes(1 << 20)
    yield packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    again = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = again.compress(zeros) + again.flush(zlib.Z_FULL_FLUSH)
    for _ in range((BOMB >> 20) - 1):
        yield piece


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *arguments: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        path = re.sub("^http://[^/]+", "", self.path)  # as a proxy is asked
        name = path.partition("?")[0].strip("/").replace("-", "_")
        self.close_connection = True
        self.server.seen.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):  # the client has gone, as it should
            getattr(self, "serve_" + name, self.serve_missing)()

    def do_POST(self) -> None:
        """A symbol page that knows two names."""
        query = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posted.append((self.path, query))  # type: ignore[attr-defined]
        if not self.server.symbols:  # type: ignore[attr-defined]
            self.answer(b"no symbols here", 404, "text/plain")
            return
        lines = [f"{address}\tknown_{address}\n" for address in query.split("+")[:2]]
        self.answer("".join(["num_symbols: 1\n", *lines]).encode(), 200, "text/plain")

    def do_CONNECT(self) -> None:
        """A tunnel to this machine, whatever its name."""
        self.server.seen.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        self.close_connection = True
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as other:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: other, other: self.connection}
            while True:
                for end in select.select(list(ends), [], [], 10)[0]:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    ends[end].sendall(data)

    def serve_bare(self) -> None:
        """A profile of bare addresses."""
        self.answer(BARE)

    def head(self, length: int | None, status: int = 200, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def answer(self, data: bytes, status: int = 200, kind: str = "application/octet-stream") -> None:
        self.head(len(data), status, kind)
        self.wfile.write(data)

    def until_stopped(self) -> Iterator[None]:
        while not self.server.stopping.wait(0.02):  # type: ignore[attr-defined]
            yield

    def serve_fine(self) -> None:
        self.answer(LEAK.read_bytes())

    def serve_missing(self) -> None:
        self.answer(b"Unknown profile\n", 404, "text/plain; charset=utf-8")

    def serve_stall(self) -> None:
        for _ in self.until_stopped():
            pass

    def serve_stall_in_body(self) -> None:
        self.head(1000)
        self.wfile.write(LEAK.read_bytes()[:100])
        self.serve_stall()

    def serve_die(self) -> None:
        data = LEAK.read_bytes()
        self.head(len(data))
        self.wfile.write(data[: len(data) // 2])

    def serve_die_in_chunk(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"ffff\r\n" + LEAK.read_bytes()[:50])

    def serve_die_without_length(self) -> None:
        data = LEAK.read_bytes()
        self.head(None)
        self.wfile.write(data[: len(data) // 2])

    def serve_garbage(self) -> None:
        self.answer(b"\x07\xff not a profile \x00" * 999)

    def serve_garbage_http(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n")

    def serve_bomb(self) -> None:
        self.head(None)
        for piece in bomb():
            self.wfile.write(piece)

    def serve_encoded_bomb(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        for piece in bomb():
            self.wfile.write(piece)

    def serve_endless(self) -> None:
        self.head(None)
        for _ in self.until_stopped():
            self.wfile.write(bytes(1 << 20))

    def serve_encoded(self) -> None:
        data = gzip.compress(LEAK.read_bytes())
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def serve_redirects(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"/redirects?{time.monotonic_ns()}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def serve_away(self) -> None:
        self.send_response(302)
        self.send_header("Location", urllib.parse.unquote(self.path.partition("?to=")[2]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def serve_slow_head(self) -> None:
        for _ in self.until_stopped():
            self.wfile.write(b"H")

    def serve_slow_body(self) -> None:
        self.head(100_000)
        for _ in self.until_stopped():
            self.wfile.write(b"x")

    def serve_headers_for_ever(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number, _ in enumerate(self.until_stopped()):
            self.wfile.write(b"X-%d: x\r\n" % number * 50)

    def serve_denied(self) -> None:
        self.answer(b"first line\nsecond \x1b[31mline\n", 403, "text/plain")

    def serve_long_error(self) -> None:
        self.answer(b"word " * 100_000, 500, "text/plain")

    def serve_echo(self) -> None:
        """Repeats secrets, in the line of the status too."""
        said = f"{self.headers['Authorization']}"
        self.send_response(403, f"not for {said} \x1b[31m" + "x" * 999)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(f'{{"error": "{said}"}}'.encode())

    def serve_partial(self) -> None:
        """No error text, and no type that says so."""
        self.answer(LEAK.read_bytes(), 206, "")

    def headed(self, *headers: tuple[str, str], body: bytes = b"", status: int = 200) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def serve_negative_length(self) -> None:
        self.headed(("Content-Length", "-5"), body=LEAK.read_bytes())

    def serve_two_lengths(self) -> None:
        data = LEAK.read_bytes()
        self.headed(("Content-Length", f"{len(data)}"), ("Content-Length", "5"), body=data)

    def serve_negative_chunk(self) -> None:
        self.headed(("Transfer-Encoding", "chunked"), body=b"-5\r\nabc")

    def serve_encoded_members(self) -> None:
        data = gzip.decompress(LEAK.read_bytes())
        self.headed(("Content-Encoding", "gzip"), body=gzip.compress(data[:99]) + gzip.compress(data[99:]))

    def serve_encoded_in_part(self) -> None:
        self.headed(("Content-Encoding", "gzip"), body=gzip.compress(LEAK.read_bytes())[:-9])

    def serve_web_page(self) -> None:
        self.answer(b"<!DOCTYPE html><html><body>Please sign in</body></html>", 200, "text/html")


class Hostile:
    """The running server: its address, and what has been asked of it."""

    def __init__(self, server: http.server.ThreadingHTTPServer) -> None:
        self.port = server.server_port
        self.address = f"127.0.0.1:{server.server_port}"
        self._server = server
        self.posted: list[tuple[str, str]] = server.posted  # type: ignore[attr-defined]
        self.seen: list[tuple[str, dict[str, str]]] = server.seen  # type: ignore[attr-defined]

    def refuse_symbols(self) -> None:
        self._server.symbols = False  # type: ignore[attr-defined]


@contextmanager
def serving() -> Iterator[Hostile]:
    """The server while the block runs."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.seen, server.posted, server.stopping = [], [], threading.Event()  # type: ignore[attr-defined]
    server.symbols = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Hostile(server)
    finally:
        server.stopping.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()
        server.server_close()
