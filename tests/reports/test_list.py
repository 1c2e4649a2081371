"""list: the range of lines where several functions share name and file."""

from __future__ import annotations

from pathlib import Path

from tests.support import inprocess, oracle
from tests.support.encoder import Builder


def test_overloads_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "over.cc").write_text("".join(f"line {number}\n" for number in range(1, 301)))
    profile = Builder([("samples", "count")])
    profile.mapping(1, 0x400000, 0x500000, 0, "/bin/app")
    for id_, start, line in ((1, 100, 105), (2, 10, 200)):
        profile.function(id_, "over", file=str(tmp_path / "over.cc"), start=start)
        profile.location(id_, [(id_, line, 0)], 1, 0x400000 + id_)
        profile.sample([id_], [5 * id_])
    (tmp_path / "p").write_bytes(profile.encode())
    mine = inprocess.run(["-list=over", "p"], tmp_path).stdout
    # Go walks a map: of its orders this is the most frequent.
    theirs = {oracle.run(["-list=over", "p"], tmp_path)[1] for _ in range(40)}
    assert mine in theirs
    assert mine.count(b"\n") == min(text.count(b"\n") for text in theirs)
