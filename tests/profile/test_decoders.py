"""The fast decoder and the exact one agree: on valid, odd and damaged bytes."""

from __future__ import annotations

import gzip
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import LEAK, PROFILES
from tests.support import shapes
from tests.support.drafts import exact_outcome, fast_outcome
from tests.support.encoder import message, varint


def agree(data: bytes) -> bool:
    """Whether both decoders agree; False too where the fast one passed."""
    quick = fast_outcome(data)
    if quick is None:
        return False
    assert quick == exact_outcome(data)
    return True


@pytest.mark.parametrize("path", [*PROFILES, LEAK], ids=lambda p: p.name)
def test_real_profiles(path) -> None:  # type: ignore[no-untyped-def]
    assert agree(gzip.decompress(path.read_bytes()))


@given(st.integers(0, 1 << 30))
@settings(max_examples=300, deadline=None)
def test_shapes(seed: int) -> None:
    data = shapes.make(seed)
    assert agree(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)


@given(st.integers(0, 1 << 30), st.data())
@settings(max_examples=400, deadline=None)
def test_damaged_shapes(seed: int, data: st.DataObject) -> None:
    made = shapes.make(seed)
    raw = bytearray(gzip.decompress(made) if made[:2] == b"\x1f\x8b" else made)
    rng = random.Random(seed)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    agree(bytes(raw[: rng.randrange(len(raw) // 2, len(raw) + 1)]))


def _field() -> st.SearchStrategy[bytes]:
    """Any field: known and unknown numbers, any wire type, needlessly long varints."""
    number = st.integers(0, 20)
    value = st.one_of(st.integers(0, 200), st.integers(0, (1 << 64) - 1))
    long = st.builds(lambda v: varint(v | 1 << 20)[:-1] + b"\x00" if v < 100 else varint(v), value)
    return st.one_of(
        st.builds(lambda n, v: varint(n << 3) + v, number, st.one_of(st.builds(varint, value), long)),
        st.builds(lambda n, b: message(n, b), number, st.binary(max_size=12)),
        st.builds(lambda n, v: varint(n << 3 | 1) + v.to_bytes(8, "little"), number, value),
        st.builds(lambda n: varint(n << 3 | 5) + b"abcd", number),
        st.builds(lambda n, k: varint(n << 3 | k), number, st.integers(3, 7)),
    )


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3, 4, 5, 11]), st.lists(_field(), max_size=6)), max_size=8))
@settings(max_examples=1500, deadline=None)
def test_any_fields(messages: list[tuple[int, list[bytes]]]) -> None:
    body = b"".join(message(number, b"".join(fields)) for number, fields in messages)
    agree(message(6, b"") + body + message(6, b"name"))


@given(st.binary(max_size=400))
@settings(max_examples=1000, deadline=None)
def test_noise(data: bytes) -> None:
    agree(data)


def test_long_blocks() -> None:
    """Several blocks of bytes, strings between the messages, stacks longer than a block."""
    from tests.support.encoder import Builder

    builder = Builder([("samples", "count")])
    builder.function(1, "f")
    for id_ in range(1, 4001):
        builder.location(id_, [(1, id_, 0)])
    rng = random.Random(5)
    for _ in range(3000):
        builder.sample([rng.randrange(1, 4001) for _ in range(rng.choice([1, 3, 60]))], [1])
    builder.sample([rng.randrange(1, 4001) for _ in range(200_000)], [7], [("k", "v")])
    builder.header()
    assert agree(builder.encode())
    assert agree(builder.encode(interleaved=True))
