"""What a source names: the address of a server, spelled as briefly as pprof allows.

`localhost:6060` is http://localhost:6060/debug/pprof/profile. Rules: cmd/pprof/pprof.go
(adjustURL) of the Go distribution, and Go's net/url where it shows.
"""

from __future__ import annotations

import re

from pypprof.errors import PprofError
from pypprof.records import Record

CPU_PROFILE = "/debug/pprof/profile"
SCHEMES = ("http", "https", "https+insecure", "http+unix")
_SPELLED = ("http://", "https://", "https+insecure://")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%25[^\]]+)?\]|[^\[\]:<>\"\s\\^`{}|]*)(?::([0-9]*))?")
_IN_PATH = "!$&'()*+,;=:@/-._~%[]"
_DEFAULT_TIMEOUT = 60.0
_CPU_SECONDS = 30.0  # what servers take when they are not told
GRACE = 5.0  # seconds that an answer may be late, as in Go


class Address(Record):
    """Where a profile is fetched. `url` is what is asked for; `user` its user:password, kept apart."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    user: str = ""
    socket: str = ""

    @property
    def url(self) -> str:
        """The address without its password: it is shown and kept in profiles."""
        host = self.socket_host if self.socket else self.host
        port = "" if self.port is None else f":{self.port}"
        name = self.user.partition(":")
        user = f"{name[0]}{':xxxxx' if name[1] else ''}@" if self.user else ""
        return f"{self.scheme}://{user}{host}{port}{self.path}{'?' if self.query else ''}{self.query}"

    @property
    def socket_host(self) -> str:
        from urllib.parse import quote

        return quote(self.socket, safe="")

    @property
    def tls(self) -> bool:
        return self.scheme.startswith("https")

    @property
    def origin(self) -> tuple[bool, str, int, str]:
        """What must be equal for secrets to be sent on."""
        return self.tls, self.host.lower(), self.port or (443 if self.tls else 80), self.socket


class Wanted(Record):
    """A request to make, and how long it may take."""

    address: Address
    seconds: float  # how long the server will collect, 0 when it answers at once
    timeout: float  # until everything has arrived


def wanted(source: str, seconds: int = -1, timeout: int = -1) -> Wanted | None:
    """The request for a source; None when it is no address (a file, then). PprofError for a wrong address."""
    address = parse(source)
    if address is None or not (address.host or address.socket):
        return None
    if source.lower().startswith(_SPELLED) and _parse(source) is None:
        raise PprofError("this is no valid address")
    if (address.port or 0) > 65535:
        raise PprofError(f"there is no port {address.port}")
    if address.scheme not in SCHEMES:
        raise PprofError(f'unsupported protocol scheme "{address.scheme}" (known: {", ".join(SCHEMES)})')
    pairs = _pairs(address.query)
    if seconds > 0:
        pairs["seconds"] = [str(seconds)]
    length = seconds if seconds > 0 else _int32(pairs.get("seconds", [""])[0])
    if timeout > 0:
        wait = float(timeout)
    else:
        wait = length * 1.5 if length > 0 else _DEFAULT_TIMEOUT
    path = CPU_PROFILE if address.path in ("", "/") else address.path
    address = address._replace(path=path, query=_encode(pairs))
    usual = _CPU_SECONDS if path.endswith("/pprof/profile") else 0.0
    return Wanted(address, float(length) if length > 0 else usual, wait + GRACE)


def parse(source: str) -> Address | None:
    """The address in a text, with http:// in front where that is missing; None when it is none."""
    if source.lower().startswith("http+unix:"):
        return _unix(source)
    address = _parse(source)
    if address is None or (not address.host and address.scheme not in ("", "file")):
        address = _parse("http://" + source)
    return address


def _parse(text: str) -> Address | None:
    """net/url's Parse; None for its errors. What has no `//` has no host."""
    text = text.partition("#")[0]
    if any(c < " " or c == "\x7f" for c in text):
        return None
    match = _SCHEME.match(text)
    scheme, rest = (match[1].lower(), text[match.end() :]) if match else ("", text)
    rest, _, query = rest.partition("?")
    if not rest.startswith("//"):
        if not scheme and ":" in rest.partition("/")[0]:
            return None
        return Address(scheme, "", None, rest, query)
    authority, slash, path = rest[2:].partition("/")
    user, at, host = authority.rpartition("@")
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    if re.search("%(?![0-9A-Fa-f]{2})", path + user):
        return None
    from urllib.parse import quote, unquote

    port = int(found[2][:9]) if found[2] else None
    return Address(scheme, found[1], port, quote(slash + path, safe=_IN_PATH), query, unquote(user) if at else "")


def _unix(source: str) -> Address:
    """http+unix://%2Frun%2Fapp.sock/path, or the socket's path written plainly."""
    import os
    import stat
    from urllib.parse import quote, unquote

    rest, _, query = source.partition("#")[0][len("http+unix:") :].partition("?")
    host, slash, path = rest.removeprefix("//").partition("/")
    if host:
        return Address("http+unix", "", None, quote(slash + path, safe=_IN_PATH), query, "", unquote(host))
    parts = path.split("/")
    for count in range(len(parts), 0, -1):
        place = "/" + unquote("/".join(parts[:count]))
        try:
            if stat.S_ISSOCK(os.stat(place).st_mode):
                inner = "".join("/" + part for part in parts[count:])
                return Address("http+unix", "", None, quote(inner, safe=_IN_PATH), query, "", place)
        except (OSError, ValueError):
            continue
    raise PprofError(f"no unix socket on the path /{path}")


def _pairs(query: str) -> dict[str, list[str]]:
    """The values of each key. As in Go, a pair with a `;` or a broken escape is dropped."""
    from urllib.parse import unquote_plus

    pairs: dict[str, list[str]] = {}
    for part in query.split("&"):
        if part and ";" not in part and not re.search("%(?![0-9A-Fa-f]{2})", part):
            key, _, value = (unquote_plus(t, errors="surrogateescape") for t in part.partition("="))
            pairs.setdefault(key, []).append(value)
    return pairs


def _encode(pairs: dict[str, list[str]]) -> str:
    from urllib.parse import quote_plus

    def escaped(text: str) -> str:
        return quote_plus(text.encode("utf-8", "surrogateescape"))

    return "&".join(f"{escaped(key)}={escaped(value)}" for key in sorted(pairs) for value in pairs[key])


def _int32(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text):
        return 0
    number = int(text)
    return number if abs(number) < 1 << 31 else 0
