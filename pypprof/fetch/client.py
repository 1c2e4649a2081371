"""One HTTP request with one deadline for all of it: name, connection, TLS, redirects, body.

http.client reads from sockets whose timeout is set anew, to the time that is left, for every
read; a server that answers byte by byte gains nothing. Another thread may cancel.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import threading
import time

from pypprof import __version__
from pypprof.errors import Malformed, PprofError
from pypprof.fetch.address import Address, parse
from pypprof.fetch.transport import Transport
from pypprof.output import reason
from pypprof.profile.parse import too_large, unpacked
from pypprof.records import Record

_REDIRECTS = 10
_PIECE = 256 << 10
_CONNECT = 10.0  # seconds for one of several addresses of a name
_SHOWN = 300  # characters of an error body
_HTTPError = (OSError, http.client.HTTPException, ValueError)


class Answer(Record):
    """What a server said. `error` is for a status other than 200."""

    status: int
    reason: str
    content_type: str
    go: bool  # whether net/http/pprof has answered
    body: bytes


class Cancelled(Exception):
    """Another thread has given the request up."""


class Download:
    """A request under way: its deadline, what has arrived, and the way to cancel it."""

    def __init__(self, timeout: float) -> None:
        self.began = time.monotonic()
        self.end = self.began + timeout
        self.timeout = timeout
        self.received = 0
        self.length: int | None = None
        self._cancelled = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def remaining(self) -> float:
        """Seconds until the deadline. TimeoutError behind it, Cancelled when cancelled."""
        if self._cancelled:
            raise Cancelled
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def uses(self, connection: socket.socket | None) -> None:
        """The socket that cancel() has to wake."""
        with self._lock:
            self._socket = connection

    def cancel(self) -> None:
        """Give up, from any thread."""
        self._cancelled = True
        with self._lock:
            if self._socket is not None:
                with contextlib.suppress(OSError):  # not connected any more
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def get(address: Address, transport: Transport, download: Download, most: int, data: bytes | None = None) -> Answer:
    """The answer to a GET, or to a POST of `data`, redirects followed. PprofError with one line when there is none."""
    import urllib.parse

    first = address
    try:
        for _ in range(_REDIRECTS):
            answer, location = _ask(address, first, transport, download, most, data)
            if not location:
                return answer
            place = urllib.parse.urljoin(_joinable(address), location)
            target = parse(place) if place.lower().startswith(("http://", "https://")) else None
            if target is None or not target.host or (target.port or 0) > 65535:
                raise PprofError("the server redirects to an address that cannot be followed")
            if address.socket and not urllib.parse.urlsplit(location).netloc:
                target = target._replace(scheme=address.scheme, host="", port=None, socket=address.socket)
            insecure = address.scheme == "https+insecure" and target.origin == address.origin
            target = target._replace(query=urllib.parse.quote(target.query, safe="%/?:@!$&'()*+,;=-._~"))
            address = target._replace(scheme=address.scheme) if insecure else target
        raise PprofError(f"stopped after {_REDIRECTS} redirects")
    except TimeoutError:
        raise PprofError(
            f"timed out: no complete answer within {download.timeout:g} s (-timeout=SECONDS waits longer)"
        ) from None
    except _HTTPError as error:
        download.remaining()  # a cancelled request fails in any way
        raise PprofError(_explained(error, address)) from None


def _joinable(address: Address) -> str:
    scheme = "https" if address.tls else "http"
    return address._replace(scheme=scheme, socket="", host=address.host or "localhost", user="").url


def _ask(
    address: Address, first: Address, transport: Transport, download: Download, most: int, data: bytes | None
) -> tuple[Answer, str]:
    """One exchange: (the answer, where it redirects to)."""
    connection = _Connection(address, transport, download)
    try:
        headers = {"User-Agent": f"pypprof/{__version__}"}
        if trusted(first, address):
            headers.update(transport.headers)
            if first.user:
                headers.setdefault("Authorization", _basic(first.user))
        query = f"?{address.query}" if address.query else ""
        target = (connection.prefix + address.path or "/") + query
        connection.putrequest("GET" if data is None else "POST", target, skip_host="host" in map(str.lower, headers))
        for name, value in headers.items():
            connection.putheader(name, value)
        for name, value in connection.proxy_headers.items():
            connection.putheader(name, value)
        if data is not None:
            connection.putheader("Content-Type", "application/octet-stream")
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        response = connection.getresponse()
        location = response.getheader("Location", "") if response.status in (301, 302, 303, 307, 308) else ""
        _check_length(response)
        body = b"" if location else _body(response, download, most if response.status == 200 else 1 << 16)
        words = response.reason.encode("latin-1", "replace")
        if response.status != 200:  # it will be shown, and some servers repeat what they were sent
            body, words = (transport.without_secrets(text, first.user) for text in (body, words))
        answer = Answer(
            response.status, one_line(words), response.getheader("Content-Type", ""),
            bool(response.getheader("X-Go-Pprof")), body,
        )  # fmt: skip
        return answer, location
    finally:
        connection.done()


def trusted(first: Address, target: Address) -> bool:
    """Whether what was meant for the first host may be sent to this one: the same, or the same by TLS."""
    if first.origin == target.origin:
        return True
    plain, _, port, _ = first.origin
    upgraded = (True, first.origin[1], 443, "")
    return not plain and port == 80 and not first.socket and target.origin == upgraded


def _basic(user: str) -> str:
    import base64

    return "Basic " + base64.b64encode(user.encode()).decode()


def _check_length(response: http.client.HTTPResponse) -> None:
    """PprofError for a length that is none, or for several: http.client would read on to the end."""
    lengths = {text.strip() for text in response.headers.get_all("Content-Length") or ()}
    if len(lengths) > 1 or any(not (text.isascii() and text.isdigit()) for text in lengths):
        raise PprofError(f"a broken answer: Content-Length is {one_line(' and '.join(sorted(lengths)).encode())}")


def _body(response: http.client.HTTPResponse, download: Download, most: int) -> bytes:
    download.length = response.length
    pieces, size = [], 0
    failing = response.status != 200
    try:
        while piece := response.read(min(_PIECE, most + 1 - size)):
            pieces.append(piece)
            size += len(piece)
            if size > most:
                if failing:
                    break
                raise PprofError(f"the answer is {too_large()}")
        short = response.length if not failing and size <= most else None
    except http.client.IncompleteRead:
        short = -1
    if short:
        total = f" of {size + short:,}" if short > 0 else ""
        raise PprofError(f"the connection was closed in the middle: {size:,}{total} bytes arrived")
    return _decoded(b"".join(pieces), response.getheader("Content-Encoding", ""), most)


def _decoded(body: bytes, encoding: str, most: int) -> bytes:
    """What a proxy has compressed on the way. A profile that is gzip itself says nothing here."""
    if encoding.lower() not in ("gzip", "x-gzip"):
        return body
    try:
        return b"".join(unpacked(body, most))
    except Malformed as error:
        raise PprofError(f"the answer's compression is damaged: {error}") from None


class _Stream(io.RawIOBase):
    """The bytes of a socket, each read within what is left of the deadline."""

    def __init__(self, connection: socket.socket, download: Download) -> None:
        self._connection, self._download = connection, download

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(self._download.remaining())
        count = self._connection.recv_into(buffer)
        self._download.received += count
        return count


class _Timed:
    """As much of a socket as http.client needs."""

    def __init__(self, connection: socket.socket, download: Download) -> None:
        self._connection, self._download = connection, download

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Stream(self._connection, self._download), _PIECE)

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(self._download.remaining())
        self._connection.sendall(data)

    def close(self) -> None:
        """The body may still be read: done() closes."""


class _Connection(http.client.HTTPConnection):
    """A connection by TCP, TLS, a proxy or a unix socket."""

    def __init__(self, address: Address, transport: Transport, download: Download) -> None:
        super().__init__(address.host.strip("[]") or "localhost", address.port or (443 if address.tls else 80))
        self._address, self._transport, self._download = address, transport, download
        self._raw: socket.socket | None = None
        self._response: http.client.HTTPResponse | None = None
        self._proxy = _proxy(address)
        self.default_port = 443 if address.tls else 80
        plain_proxy = self._proxy is not None and not address.tls
        self.prefix = _joinable(address._replace(path="", query="")) if plain_proxy else ""
        self.proxy_headers = _proxy_headers(self._proxy) if plain_proxy else {}

    def connect(self) -> None:
        address, download = self._address, self._download
        if address.socket:
            self._raw = self._unix(address.socket)
        else:
            host, port = (self._proxy.host, self._proxy.port or 80) if self._proxy else (self.host, self.port)
            self._raw = self._dial(host.strip("[]"), port)
        if address.tls:
            if self._proxy:
                self._tunnel_to(self._proxy)
            context = tls_context(self._transport, address.scheme == "https+insecure")
            self._raw.settimeout(download.remaining())
            self._raw = context.wrap_socket(self._raw, server_hostname=self.host)
        download.uses(self._raw)
        self.sock = _Timed(self._raw, download)

    def getresponse(self) -> http.client.HTTPResponse:
        self._response = super().getresponse()
        return self._response

    def done(self) -> None:
        """Close everything."""
        self._download.uses(None)
        if self._response is not None:
            self._response.close()
        self.close()
        if self._raw is not None:
            self._raw.close()

    def _unix(self, path: str) -> socket.socket:
        self._raw = raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        raw.settimeout(self._download.remaining())
        raw.connect(path)
        return raw

    def _dial(self, host: str, port: int) -> socket.socket:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        for index, (family, kind, protocol, _, place) in enumerate(found):
            left = self._download.remaining()
            last = index == len(found) - 1
            raw = socket.socket(family, kind, protocol)
            try:
                self._download.uses(raw)
                raw.settimeout(left if last else min(left, _CONNECT))
                raw.connect(place)
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return raw
            except OSError:
                self._download.uses(None)
                raw.close()
                if last:
                    raise
        raise OSError("the name has no addresses")

    def _tunnel_to(self, proxy: Address) -> None:
        assert self._raw is not None
        host = f"[{self.host}]" if ":" in self.host else self.host
        lines = [f"CONNECT {host}:{self.port} HTTP/1.1", f"Host: {host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in _proxy_headers(proxy).items()]
        timed = _Timed(self._raw, self._download)
        timed.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        response = http.client.HTTPResponse(timed, method="CONNECT")  # type: ignore[arg-type]
        response.begin()
        status = response.status
        response.close()
        if status != 200:
            raise PprofError(f"the proxy refuses: {status} {response.reason}")


def tls_context(transport: Transport, insecure: bool) -> ssl.SSLContext:
    """Whom to trust and who we are. PprofError when the files cannot be used."""
    cert, key, ca = transport.tls_cert, transport.tls_key, transport.tls_ca
    if bool(cert) != bool(key):
        given, missing = ("tls_cert", "tls_key") if cert else ("tls_key", "tls_cert")
        raise PprofError(f"-{given} is specified, so -{missing} must also be specified")
    context = ssl.create_default_context()
    if ca:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(ca)
        except OSError as error:
            raise PprofError(f"could not load CA specified by -tls_ca: {_ssl_reason(error)}") from None
    if cert:
        try:
            # An encrypted key would be asked for on the terminal.
            context.load_cert_chain(cert, key, password=lambda: b"")
        except OSError as error:
            what = "could not load certificate/key pair specified by -tls_cert and -tls_key"
            raise PprofError(f"{what}: {_ssl_reason(error)}") from None
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _ssl_reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM data").replace("_", " ").lower()
    return reason(error)


def _proxy(address: Address) -> Address | None:
    """The proxy that the environment names for an address; as in Go, none for this machine."""
    import ipaddress
    import urllib.request

    host = address.host.strip("[]").lower()
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if local or address.socket or urllib.request.proxy_bypass(host):
        return None
    found = urllib.request.getproxies().get("https" if address.tls else "http", "")
    proxy = parse(found) if found else None
    return proxy if proxy and proxy.host and proxy.scheme == "http" else None


def _proxy_headers(proxy: Address | None) -> dict[str, str]:
    return {"Proxy-Authorization": _basic(proxy.user)} if proxy and proxy.user else {}


def _explained(error: Exception, address: Address) -> str:
    """One line, with what to try next."""
    if isinstance(error, socket.gaierror):
        return f"no such host: {address.host}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the server's certificate is not trusted: {error.verify_message} "
            "(-tls_ca=FILE trusts its authority, https+insecure:// does without)"
        )
    if isinstance(error, ssl.SSLError):
        why = (error.reason or str(error)).replace("_", " ").lower()
        if "wrong version number" in why or "http request" in why:
            return "the server does not speak TLS (try http:// instead of https://)"
        if "certificate" in why or "handshake failure" in why:
            why += " (does the server want -tls_cert and -tls_key?)"
        return f"TLS: {why}"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the server closed the connection without an answer"
    if isinstance(error, http.client.BadStatusLine):
        return "the server does not speak HTTP" + (" (try https://)" if not address.tls else "")
    if isinstance(error, http.client.HTTPException):
        return f"a broken answer: {one_line(str(error).encode()) or type(error).__name__}"
    if isinstance(error, UnicodeError):
        return f"no such host: {one_line(address.host.encode('utf-8', 'replace'))}"
    if isinstance(error, ValueError):
        return f"a broken answer: {one_line(str(error).encode('utf-8', 'replace'))}"
    return reason(error)


def one_line(body: bytes) -> str:
    """The text of an error page in one short line, safe to show."""
    text = " ".join(body.decode("utf-8", "replace").split())
    text = "".join(c if c.isprintable() else "." for c in text)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + " ..."
