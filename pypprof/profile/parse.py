"""Bytes to a Profile: gzip, profile.proto, then the legacy formats in turn."""

from __future__ import annotations

from pypprof.errors import Invalid, Malformed, Unrecognized
from pypprof.profile import check, fast
from pypprof.profile.draft import Draft
from pypprof.profile.model import Profile

_GZIP = b"\x1f\x8b"
# A gzip file can hold a thousand times its size; a bomb must not eat the machine.
MAX_BYTES = 4 << 30


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

    Malformed when it is damaged, truncated or larger than MAX_BYTES.
    """
    import zlib

    pieces: list[bytes] = []
    size = 0
    rest = data
    while rest:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            piece = member.decompress(rest, MAX_BYTES - size + 1)
        except zlib.error as error:
            raise Malformed(f"decompressing profile: {error}") from None
        size += len(piece)
        if size > MAX_BYTES:
            raise Malformed(f"decompressing profile: more than {MAX_BYTES >> 30} GiB")
        if not member.eof:
            raise Malformed("decompressing profile: unexpected EOF")
        pieces.append(piece)
        rest = member.unused_data
    pieces.append(bytes(fast.PADDING))
    return b"".join(pieces)
