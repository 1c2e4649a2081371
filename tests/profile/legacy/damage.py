"""Damage to a legacy profile."""

from __future__ import annotations

import random

INSERTED = [
    b"0", b"-", b"\n", b" ", b"9" * 20, b"=", b"$", b"#", b"---", b"@", b"\xff", b"\r\n", b"\x85", b"\xc2\x85", b"\v",
    b"\xe2\x80\x83", b"x" * 70000, b"0x400000-0x500000: /x\n", b"\nMAPPED_LIBRARIES:\n400000-900000 /x (@1000) abc\n",
    b"\nbuild=/a/b\n7f00-8f00 r-xp 0 8:1 22 $build/x.so\n", b"00400000-00c0a000 r-xp 00001000 08:01 123 /bin/y\n",
    b"--- Memory map: ---\n", b"\n400000-410000 r-xp 1000 8:1 2 /p\n410000-420000 r-xp 11000 8:1 2 /p\n",
    b"server.go:12] 0x400000-0xc00000 r-xp 400 8:1 2 /q\n", b"0 @ 0x1\n", b"1: 0 [0: 0] @ 0x5 0x0\n", b"0x0 ",
]  # fmt: skip


def damaged(rng: random.Random, source: bytes) -> bytes:
    """A truncation, flipped bits, something inserted, a line moved or a stretch removed."""
    data = bytearray(source)
    kind = rng.randrange(5)
    at = rng.randrange(min(len(data), rng.choice([60, 400, len(data)])))
    if kind == 0:
        return bytes(data[: rng.randrange(len(data))])
    if kind == 1:
        for _ in range(rng.choice([1, 1, 3])):
            data[rng.randrange(len(data)) if rng.random() < 0.5 else at] ^= 1 << rng.randrange(8)
    elif kind == 2:
        data[at : at + rng.randrange(2)] = rng.choice(INSERTED)
    elif kind == 3:
        lines = bytes(data).split(b"\n")
        index = rng.randrange(len(lines))
        lines.insert(rng.randrange(len(lines)), lines[index] if rng.random() < 0.5 else lines.pop(index))
        return b"\n".join(lines)
    else:
        del data[at : at + rng.randrange(1, 20)]
    return bytes(data)
