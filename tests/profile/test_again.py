"""Tables that an earlier profile had too are decoded once, and nobody can tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.make_profile import make
from pypprof.profile import again, fast
from pypprof.profile.draft import Draft
from pypprof.profile.encode import encode
from pypprof.profile.wire import BYTES, FUNCTION, LOCATION, STRING
from tests.support.drafts import exact_outcome, fast_outcome

BASE = b"".join(encode(make(40, 100, 2)))
TABLES = (STRING, LOCATION, FUNCTION)


def decode(data: bytes) -> Draft:
    return fast.decode(data + bytes(fast.PADDING))


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    again.KNOWN.clear()


def test_equal_tables_are_the_same_objects() -> None:
    first = decode(BASE)
    assert set(again.KNOWN) == {field << 3 | BYTES for field in TABLES}
    other = make(40, 100, 2)
    blocks = tuple(block._replace(values=block.values * 3) for block in other.blocks)
    second = decode(b"".join(encode(other._replace(blocks=blocks, time_nanos=5))))
    assert second.strings is first.strings
    assert second.locations is first.locations
    assert second.functions is first.functions
    assert second.scalars != first.scalars


@given(
    cut=st.integers(0, len(BASE)),
    insert=st.sampled_from([b"", b"\x32\x01x", b"\x22\x02\x08\x07", b"\x2a\x00", b"\x07"]),
    drop=st.integers(0, 40),
)
def test_what_is_known_changes_no_answer(cut: int, insert: bytes, drop: int) -> None:
    data = BASE[:cut] + insert + BASE[cut + (0 if insert else drop) :]
    again.KNOWN.clear()
    decode(BASE)
    known = fast_outcome(data)
    again.KNOWN.clear()
    assert known == fast_outcome(data)


def test_both_decoders_agree_on_what_is_known() -> None:
    decode(BASE)
    assert fast_outcome(BASE) == exact_outcome(BASE) != "refused"
