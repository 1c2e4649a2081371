"""Who we are to servers: certificates, and headers that nobody else may see."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pypprof.errors import PprofError, UsageError
from pypprof.output import reason
from pypprof.records import Record

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Transport(Record):
    """What requests have in common. `headers` are secret: never shown, never sent to another host."""

    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    headers: Mapping[str, str] = {}

    def without_secrets(self, text: bytes, user: str) -> bytes:
        """What a server says, without the headers and the user:password that it was sent."""
        import base64

        said = [*self.headers.values(), user.partition(":")[2], base64.b64encode(user.encode()).decode()]
        # `Bearer x`: x alone is the secret. Short words are in every text.
        words = {word for value in said for word in (value, value.rpartition(" ")[2]) if len(word) >= 4}
        for word in sorted(words, key=len, reverse=True):
            text = text.replace(word.encode(), b"xxxxx")
        return text


def read_headers(where: str) -> dict[str, str]:
    """The headers that `-header=file:PATH` or `-header=env:NAME` names, one `Name: value` a line.

    Messages never hold a value.
    """
    kind, _, name = where.partition(":")
    if kind == "env":
        text = os.environ.get(name, "")
        if not text:
            raise UsageError(f"-header: the environment variable {name} is not set")
    elif kind == "file":
        try:
            with open(name, encoding="latin-1") as file:
                text = file.read(1 << 20)
        except (OSError, ValueError) as error:
            raise PprofError(f"-header: cannot read {name}: {reason(error)}") from None
    else:
        # What stands on a command line is seen by everybody on the machine and kept in the history.
        raise UsageError("-header wants file:PATH or env:NAME, where the header is, not the header itself")
    headers = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            key, colon, value = line.partition(":")
            fine = colon and key and _TOKEN.issuperset(key) and all(c == "\t" or c >= " " for c in value.strip())
            if not fine or not value.isascii():
                raise PprofError(f"-header: line {number} of {where} is no header (Name: value)")
            headers[key] = value.strip()
    return headers
