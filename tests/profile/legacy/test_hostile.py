"""Texts made to exhaust: one line of error or a result, in time and memory that follow the size."""

from __future__ import annotations

import tracemalloc

import pytest

from pypprof.errors import ProfileError
from pypprof.profile.parse import parse

MAPS = b"heap profile: 1: 2 [1: 2] @ heapprofile\n1: 2 [1: 2] @ 0x401000\n\nMAPPED_LIBRARIES:\n"
LONG = 60_000


HOSTILE = {
    "digits": b"heap profile: 1: 2 [3: 4] @ heap_v2/1\n" + b"1" * LONG + b"\n",
    "digits with colons": b"heap profile: 1: 2 [3: 4] @ heap_v2/1\n" + b"1: " * (LONG // 3) + b"\n",
    "spaces": b"heap profile: 1: 2 [3: 4] @ heap_v2/1\n1:" + b" " * LONG + b"\n",
    "header": b"heap profile: 1: " * (LONG // 17) + b"\n",
    "contention": b"--- contentionz 1 ---\n" + b"1" * LONG + b"\n",
    "hexadecimal map line": MAPS + (b"a" * LONG + b"\n") * 20,
    "dollars": MAPS + b"\n".join(b"%s=1" % (b"n" * size) for size in range(90)) + b"\n" + b"$n" * (LONG // 2) + b"\n",
    "many maps": MAPS + b"".join(b"%x-%x r-xp %x 8:1 2 /x\n" % (i << 13, (i << 13) + 4096, i) for i in range(10_000)),
    "java": b"--- heapz 1 ---\nformat = java\nresolution=bytes\n" + b"1 " * LONG + b"\n0x1 " + b"( " * LONG + b"\n",
    "goroutine header": b"goroutine 1 [running]:\n" + b"goroutine 1 " + b"[" * LONG + b"\n",
    "goroutine labels": b'goroutine 1 [running] {"' + b'\\"' * LONG + b"}:\nmain.f(" + b"(" * LONG + b")\n\t/x:1\n",
    "names": b"heap profile: 1: 2 [1: 2] @ heap/2\n1: 2 [1: 2] @ 0x2\n#\t0x1\t" + b"a+0x1" * (LONG // 5) + b"\n",
    "labels": b'goroutine profile: total 1\n1 @ 0x1\n# labels: {' + b'"":"",' * (LONG // 6) + b"\n",
    "folded": b";" * LONG + b" 1\n",
}  # fmt: skip


@pytest.mark.timeout(120)  # what is quadratic takes hours
@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_long(name: str) -> None:
    data = HOSTILE[name]
    tracemalloc.start()
    said = ""
    try:
        parse(data)
    except ProfileError as error:
        said = str(error)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert "\n" not in said
    assert len(said) < 300
    assert peak < 60 * len(data) + (20 << 20)


def test_attributes_cannot_multiply() -> None:
    bomb = b"a=" + b"x" * 1000 + b"\n" + b"".join(b"%c=%s\n" % (98 + i, b"$%c" % (97 + i) * 100) for i in range(20))
    with pytest.raises(ProfileError, match="attributes"):
        parse(MAPS + bomb)
    with pytest.raises(ProfileError, match="attributes"):
        parse(MAPS + b"".join(b"n%d=1\n" % i for i in range(2000)))


@pytest.mark.parametrize(
    "text",
    [
        b"heap profile: 1: 2 [3: 4] @ heap_v2/1\n1: 99999999999999999999 [1: 2] @ 0x1\n",
        b"heap profile: 1: 2 [3: 4] @ heap_v2/1\n1: 2 [1: 2] @ 0x12345678901234567\n",
        b"heap profile: 1: 2 [3: 4] @ heap_v2/1\n0: 2 [1: 2] @ 0x1\n",
        b"heap profile: 1: 2 [3: 4] @ heap_v2/1\nnonsense\n",
        b"goroutine profile: total 1\nnonsense\n",
        b"goroutine profile: total 1\n99999999999999999999 @ 0x1\n",
        b"heap_v2/524288\n@ 0x1\nnonsense\n",
        b"--- heapz 1 ---\nresolution=bytes\n1 0 @ 0x1\n",
        b"--- contentionz 1 ---\n1 1 @ 0x1\n" + b"x" * 70_000,
    ],
)
def test_refusals_are_one_line(text: bytes) -> None:
    with pytest.raises(ProfileError, match="parsing profile") as caught:
        parse(text)
    assert "\n" not in str(caught.value)
