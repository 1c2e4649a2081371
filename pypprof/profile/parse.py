"""Bytes to a Profile: gzip, profile.proto, then the legacy formats in turn."""

from __future__ import annotations

import os

from pypprof.errors import Invalid, Malformed, PprofError, Unrecognized
from pypprof.profile import check, fast
from pypprof.profile.draft import Draft
from pypprof.profile.model import Profile

_GZIP = b"\x1f\x8b"
# A gzip file can hold a thousand times its size; a bomb must not eat the machine.
MAX_BYTES = 1 << 30
_PIECE = 256 << 10
_FIRST_PIECE = 4 << 10


def max_bytes() -> int:
    """The most bytes that a profile may have, unpacked: PYPPROF_MAX_BYTES, by default MAX_BYTES."""
    text = os.environ.get("PYPPROF_MAX_BYTES", "")
    if not text:
        return MAX_BYTES
    if not (text.isascii() and text.isdigit() and int(text)):
        raise PprofError(f"PYPPROF_MAX_BYTES is no number of bytes: {text}")
    return int(text)


def too_large() -> str:
    """What to say of a profile beyond the limit."""
    return f"larger than {max_bytes():,} bytes (PYPPROF_MAX_BYTES=N raises the limit)"


def parse(data: bytes) -> Profile:
    """The profile in `data`, compressed or not. ProfileError with one line when there is none."""
    if data[:2] == _GZIP:
        data = gunzip(data)
    else:
        data += bytes(fast.PADDING)
    if len(data) == fast.PADDING:
        raise Malformed("parsing profile: empty input file")
    try:
        return check.resolve(_decode(data))
    except Invalid as error:
        raise Invalid(f"malformed profile: {error}") from None
    except Malformed as error:
        if "concatenated" in str(error):
            raise Malformed(f"parsing profile: {error}") from None
    return _parse_legacy(data[: len(data) - fast.PADDING])


def _parse_legacy(data: bytes) -> Profile:
    from pypprof.profile import legacy

    try:
        profile = legacy.parse(data)
    except Malformed as error:
        raise Malformed(f"parsing profile: {error}") from None
    if profile is None:
        raise Unrecognized("parsing profile: unrecognized profile format")
    return profile


def _decode(data: bytes) -> Draft:
    try:
        return fast.decode(data)
    except fast.Unusual:
        from pypprof.profile import codec

        return codec.decode(data[: len(data) - fast.PADDING])


def gunzip(data: bytes) -> bytes:
    """All members of a gzip file, one after the other, followed by the decoder's padding.

    Malformed when it is damaged, truncated or larger than max_bytes().
    """
    try:
        return b"".join([*unpacked(data, max_bytes()), bytes(fast.PADDING)])
    except Malformed as error:
        raise Malformed(f"decompressing profile: {error}") from None


def unpacked(data: bytes, most: int) -> list[bytes]:
    """The pieces of all members of gzip data. Malformed when it is damaged, truncated or has more than `most` bytes."""
    import zlib

    rest = memoryview(data)
    pieces: list[bytes] = []
    member, size = None, _FIRST_PIECE
    while rest:
        member = member or zlib.decompressobj(zlib.MAX_WBITS | 16)
        given = rest[:size]
        try:
            pieces.append(member.decompress(given, most + 1))
        except zlib.error as error:
            raise Malformed(str(error)) from None
        most -= len(pieces[-1])
        if most < 0:
            raise Malformed(too_large())
        rest = rest[len(given) - len(member.unused_data) :]
        # What is behind the end of a member is copied: little, in case there are many.
        size = min(4 * size, _PIECE)
        if member.eof:
            member, size = None, _FIRST_PIECE
    if member is not None:
        raise Malformed("unexpected EOF")
    return pieces
