"""What a file is, from its first bytes: for the reader who gets it instead of a profile."""

from __future__ import annotations

from pypprof.fetch.binaries import begins_like_binary

PERF = b"PERFILE2"
_HEAD = 1024


def described(data: bytes) -> str:
    """What `data` is when it is no profile, and what to do with it; "" when that is not known."""
    head = data[:_HEAD].lstrip()
    if head.startswith(b"go 1.") and b" trace\0" in head[:16]:
        return "this is an execution trace, no profile (go tool trace opens it)"
    if head.startswith(PERF):
        return "this is a perf.data file: save it and convert it with perf_to_profile"
    if begins_like_binary(head):
        return "this is a binary, no profile (name it before the profiles)"
    if head[:1] == b"<" and (b"<html" in head.lower() or b"<!doctype" in head.lower()):
        from pypprof.fetch.remote import endpoints

        names = endpoints(data[: 1 << 16])
        known = [name for name in names if name in _ENDPOINTS]
        return "this is a web page, no profile" + (f" (there are: {' '.join(names)})" if known else "")
    if head[:1] in (b"{", b"["):
        return "this is JSON, no profile"
    return ""


_ENDPOINTS = frozenset(("heap", "allocs", "goroutine", "profile", "mutex", "block", "threadcreate"))
