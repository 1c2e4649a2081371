"""A plain encoder of profile.proto for tests: dictionaries in, bytes out.

Independent of the package's own encoder on purpose. Field order and packing can be chosen, to
cover what other writers do.
"""

from __future__ import annotations

import gzip
from typing import Any


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value) if value else b""


def message(field: int, body: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(body)) + body


class Builder:
    """Collects a profile. Strings may be str or bytes."""

    def __init__(self, types: list[tuple[str, str]], packed: bool = True) -> None:
        self.strings: dict[bytes, int] = {b"": 0}
        self.packed = packed
        self.types = [(self.text(t), self.text(u)) for t, u in types]
        self.samples: list[bytes] = []
        self.mappings: list[bytes] = []
        self.locations: list[bytes] = []
        self.functions: list[bytes] = []
        self.tail = b""

    def text(self, value: str | bytes) -> int:
        data = value.encode() if isinstance(value, str) else value
        return self.strings.setdefault(data, len(self.strings))

    def repeated(self, field: int, values: list[int]) -> bytes:
        if self.packed:
            return message(field, b"".join(map(varint, values))) if values else b""
        return b"".join(varint(field << 3) + varint(value) for value in values)

    def mapping(self, id_: int, start: int = 0, limit: int = 0, offset: int = 0, file: str = "",
                build_id: str = "", has: int = 15) -> int:  # fmt: skip
        fields = [id_, start, limit, offset, self.text(file), self.text(build_id)]
        fields += [has >> bit & 1 for bit in range(4)]
        self.mappings.append(message(3, b"".join(number(i, v) for i, v in enumerate(fields, 1))))
        return id_

    def function(self, id_: int, name: str | bytes, system: str | bytes | None = None, file: str | bytes = "",
                 start: int = 0) -> int:  # fmt: skip
        fields = [id_, self.text(name), self.text(name if system is None else system), self.text(file), start]
        self.functions.append(message(5, b"".join(number(i, v) for i, v in enumerate(fields, 1))))
        return id_

    def location(self, id_: int, lines: list[tuple[int, int, int]], mapping: int = 0, address: int = 0,
                 folded: bool = False) -> int:  # fmt: skip
        body = number(1, id_) + number(2, mapping) + number(3, address)
        for line in lines:
            body += message(4, b"".join(number(i, v) for i, v in enumerate(line, 1)))
        self.locations.append(message(4, body + number(5, int(folded))))
        return id_

    def sample(self, stack: list[int], values: list[int], labels: list[tuple[Any, ...]] = ()) -> None:  # type: ignore[assignment]
        """`labels`: (key, text) or (key, number, unit)."""
        body = self.repeated(1, stack) + self.repeated(2, values)
        for label in labels:
            if len(label) == 2:
                body += message(3, number(1, self.text(label[0])) + number(2, self.text(label[1])))
            else:
                key, value, unit = label
                body += message(3, number(1, self.text(key)) + number(3, value) + number(4, self.text(unit)))
        self.samples.append(message(2, body))

    def header(self, time: int = 0, duration: int = 0, period: int = 0, period_type: tuple[str, str] | None = None,
               comments: list[str] = (), default: str = "", doc: str = "", drop: str = "", keep: str = "") -> None:  # type: ignore[assignment]  # fmt: skip
        tail = number(7, self.text(drop)) + number(8, self.text(keep)) + number(9, time) + number(10, duration)
        if period_type:
            tail += message(11, number(1, self.text(period_type[0])) + number(2, self.text(period_type[1])))
        tail += number(12, period)
        for comment in comments:
            tail += varint(13 << 3) + varint(self.text(comment))
        self.tail = tail + number(14, self.text(default)) + number(15, self.text(doc))

    def encode(self, interleaved: bool = False) -> bytes:
        types = b"".join(message(1, number(1, t) + number(2, u)) for t, u in self.types)
        parts = [self.mappings, self.functions, self.locations, self.samples]
        if interleaved:
            longest = max(map(len, parts))
            body = b"".join(part[i] for i in range(longest) for part in parts if i < len(part))
        else:
            body = b"".join(b"".join(part) for part in reversed(parts))
        strings = b"".join(message(6, s) for s in self.strings)
        return types + body + strings + self.tail

    def gzipped(self, members: int = 1) -> bytes:
        data = self.encode()
        step = -(-len(data) // members)
        return b"".join(gzip.compress(data[i : i + step], mtime=0) for i in range(0, len(data), step))
