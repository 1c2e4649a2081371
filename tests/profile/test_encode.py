"""The encoder writes what Go writes, and what the decoder reads back."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pypprof.profile.encode import encode, encode_gzip
from pypprof.profile.parse import parse
from tests.conftest import PROFILES
from tests.support import oracle, shapes
from tests.support.drafts import flat


@pytest.mark.parametrize("seed", range(60))
def test_round_trip(seed: int) -> None:
    profile = parse(shapes.make(seed))
    again = parse(b"".join(encode(profile)))
    # Strings and the order of a sample's tags may differ; what they say may not.
    assert again.sample_count() == profile.sample_count()
    assert b"".join(encode(again)) == b"".join(encode(parse(b"".join(encode(again)))))
    assert gzip.decompress(b"".join(encode_gzip(profile))) == b"".join(encode(profile))


@pytest.mark.parametrize("path", PROFILES[::3], ids=lambda p: p.name)
def test_same_bytes_as_go(path: Path, tmp_path: Path, go_pprof: Path) -> None:
    ok, data = oracle.run(["-proto", "-symbolize=none", str(path)], tmp_path)
    assert ok
    assert b"".join(encode(parse(path.read_bytes()))) == gzip.decompress(data)


def test_flat_compares_everything() -> None:
    """The comparison that the decoder tests rest on sees a changed value."""
    first, second = parse(shapes.make(3)), parse(shapes.make(4))
    assert flat(first) == flat(first)
    assert flat(first) != flat(second)
