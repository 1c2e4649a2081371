"""From bytes to a profile: gzip, members, refusals."""

from __future__ import annotations

import gzip

import pytest

from pypprof.errors import ProfileError
from pypprof.profile import parse as parse_module
from pypprof.profile.parse import parse
from tests.support.encoder import Builder


def small() -> Builder:
    builder = Builder([("samples", "count"), ("cpu", "nanoseconds")])
    builder.mapping(1, 0x400000, 0x500000, 0, "/bin/app")
    builder.function(1, "main.main", None, "main.go", 3)
    builder.location(1, [(1, 5, 0)], 1, 0x400100)
    builder.sample([1], [1, 10])
    builder.header(time=1)
    return builder


def test_gzip_raw_and_members() -> None:
    builder = small()
    plain = parse(builder.encode())
    assert plain.sample_count() == 1
    for data in (builder.gzipped(), builder.gzipped(members=3)):
        assert parse(data).strings == plain.strings


def refusal(data: bytes) -> str:
    with pytest.raises(ProfileError) as caught:
        parse(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_refusals_name_the_reason() -> None:
    assert "empty" in refusal(b"")
    assert "empty" in refusal(gzip.compress(b""))
    assert "unrecognized" in refusal(b"hello, world")
    packed = small().gzipped()
    assert "unexpected EOF" in refusal(packed[:-1])
    assert "decompressing" in refusal(packed + b"garbage")
    assert "decompressing" in refusal(packed[:-8] + b"\0\0\0\0" + packed[-4:])
    data = small().encode()
    assert "concatenated" in refusal(data + data)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda b: b.sample([9], [1, 2]), "nil location"),
        (lambda b: b.sample([1], [1]), "1 values vs. 2 types"),
        (lambda b: b.location(2, [(9, 1, 0)]), "nil function"),
        (lambda b: b.location(1, []), "multiple locations with same id: 1"),
        (lambda b: b.location(0, []), "reserved id=0"),
        (lambda b: b.function(1, "again"), "multiple functions with same id: 1"),
        (lambda b: b.mapping(0), "reserved ID=0"),
    ],
)
def test_invalid(change, reason: str) -> None:  # type: ignore[no-untyped-def]
    builder = small()
    change(builder)
    assert reason in refusal(builder.encode())


def test_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse_module, "MAX_BYTES", 1 << 20)
    assert "larger than 1,048,576 bytes (PYPPROF_MAX_BYTES=N raises the limit)" in refusal(
        gzip.compress(bytes(2 << 20))
    )


def test_many_empty_members_are_skipped_in_linear_time() -> None:
    """Ten thousand of them cost no more than their bytes: what follows a member is not copied each time."""
    packed = gzip.compress(b"") * 10_000 + small().gzipped()
    assert parse(packed).strings == parse(small().encode()).strings
