"""The command lines whose output by Go is kept under tests/golden, beside the code.

They are a part of what test_oracle.py compares live; kept, they mean something where Go cannot be
installed. regenerate.py makes them.
"""

from __future__ import annotations

_REPORTS = [
    "-top", "-text -cum", "-tree", "-peek=main", "-traces", "-tags", "-dot", "-callgrind", "-raw",
    "-list=main -source_path=nowhere",
]  # fmt: skip
_OPTIONS = [
    "-top -lines -nodecount=20", "-top -files", "-top -addresses -nodecount=10", "-top -noinlines", "-top -trim=false",
    "-top -focus=json|insert -ignore=regexp", "-top -hide=runtime -show_from=main", "-top -unit=ms -divide_by=7",
    "-top -relative_percentages -focus=main", "-dot -nodecount=12 -lines", "-dot -call_tree -nodecount=20",
    "-top -mean", "-top -tagfocus=user-1 -tagshow=user", "-dot -tagroot=endpoint,stage", "-tree -prune_from=main",
    "-top -filefunctions -cum -nodecount=15", "-traces -tagleaf=user", "-tags -tagignore=user-1",
]  # fmt: skip
PROFILES = ["store.cpu", "words.cpu", "render.heap", "store.mutex", "words.goroutine", "render.block"]
CASES: dict[str, list[str]] = {}
for _index, _options in enumerate(_REPORTS):
    for _profile in PROFILES[_index % 2 :: 2]:
        CASES[f"{_profile}.{_index:02d}"] = [*_options.split(), f"fixtures/profiles/{_profile}.pb.gz"]
for _index, _options in enumerate(_OPTIONS, len(_REPORTS)):
    _profile = PROFILES[_index % 3]
    CASES[f"{_profile}.{_index:02d}"] = [*_options.split(), f"fixtures/profiles/{_profile}.pb.gz"]
CASES["diff"] = ["-top", "-diff_base=fixtures/profiles/words.heap.pb.gz", "fixtures/profiles/words.allocs.pb.gz"]
CASES["base"] = ["-tree", "-base=fixtures/profiles/store.heap.pb.gz", "fixtures/profiles/store.allocs.pb.gz"]
CASES["merged"] = ["-top", "fixtures/profiles/store.cpu.pb.gz", "fixtures/profiles/words.cpu.pb.gz"]
