"""Numbers in legacy texts: Go's parsing, and its 64-bit integers that wrap."""

from __future__ import annotations

from pypprof.errors import Malformed

WORD = 1 << 64
_TOP = 1 << 63


def wrap(value: int) -> int:
    """The value as an int64 that has wrapped around."""
    return (value + _TOP) % WORD - _TOP


def truncated(value: float) -> int:
    """int64(value) as x86-64 converts: the lowest integer for what does not fit."""
    return int(value) if -9223372036854775808.0 <= value < 9223372036854775808.0 else -_TOP


def divided(value: int, by: int) -> int:
    """Integer division towards zero."""
    quotient = abs(value) // abs(by)
    return wrap(quotient if (value < 0) == (by < 0) else -quotient)


def decimal(text: str) -> int:
    """strconv.ParseInt(text, 10, 64) of an optional sign and digits. Malformed when it does not fit."""
    if len(text) <= 18:
        return int(text)
    digits = text.lstrip("+-").lstrip("0")
    value = int(digits or "0") if len(digits) <= 19 else WORD
    value = -value if text[0] == "-" else value
    if not -_TOP <= value < _TOP:
        raise Malformed(f"malformed sample: {text[:40]} does not fit in 64 bits")
    return value


def prefixed(text: str) -> int:
    """strconv.ParseInt(text, 0, 64): 0x, 0o, 0b or a leading 0 choose the base. Malformed when it is no number."""
    sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567_":
        digits = "0o" + digits[1:]
    try:
        if len(digits) > 128 or not digits.isascii() or digits != digits.strip() or digits[:1] in ("+", "-"):
            raise ValueError
        value = int(sign + digits, 0)
    except ValueError:
        raise Malformed(f"malformed number: {text[:40]}") from None
    if not -_TOP <= value < _TOP:
        raise Malformed(f"malformed number: {text[:40]} does not fit in 64 bits")
    return value


def hexadecimal(text: str | bytes) -> int:
    """strconv.ParseUint(text, 16, 64) of hexadecimal digits. Malformed when it does not fit."""
    value = int(text, 16)
    if value >= WORD:
        raise Malformed(f"malformed address: {text[:40]!s} does not fit in 64 bits")
    return value
