"""Readable names of symbols: Go's, for 3,400 symbols of C++ and Rust programs (demangle.golden.gz)."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pypprof.symbolize.demangle import printed_name

GOLDEN = Path(__file__).with_name("demangle.golden.gz")
STYLES = ("default", "templates", "full")
# Where our name is not Go's: what its symbol has, and why. Nothing else may differ.
DIFFERENCES = {
    "_RN": "Go's reader of Rust's closures loses () and numbers, or gives up",
    "Xsr": "Go takes the template for its argument behind such an expression",
    "cvNSt": "LLVM does not read conversions to some templates",
    "UlT_": "LLVM writes auto for the parameter of a generic lambda",
    "UlRT_": "LLVM writes auto for the parameter of a generic lambda",
    "EvNS0_8ArrayRef": "LLVM writes the return type of the template around a lambda",
}


def rows() -> list[list[str]]:
    text = gzip.decompress(GOLDEN.read_bytes()).decode()
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("style", STYLES)
def test_names_are_those_of_go(style: str) -> None:
    column, different = STYLES.index(style) + 1, []
    for row in rows():
        symbol = row[0]
        if not symbol.startswith(("_Z", "_R")):
            continue
        name = printed_name(symbol, style) or symbol
        if name != row[column]:
            assert any(part in symbol for part in DIFFERENCES), f"{symbol}\n  go   {row[column]}\n  ours {name}"
            different.append(symbol)
    assert len(different) < (10 if style != "full" else 40)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("__Z3fooi", "foo"),
        ("__RNvC6_123foo3bar", "123foo::bar"),
        ("std::vector<int>::push_back", "std::vector::push_back"),
        ("main.(*Stack[...]).Push", None),
        ("java.lang.String.<init>", None),
        ("runtime.mallocgc", None),
        ("_cgo_panic", None),
    ],
)
def test_other_names(symbol: str, name: str | None) -> None:
    """macOS's underscore, names that are C++ already, and those of other languages."""
    assert printed_name(symbol) == name


def test_damaged_symbols_stay() -> None:
    for row in rows()[::7]:
        symbol = row[0]
        for cut in (3, len(symbol) // 2, len(symbol) - 1):
            damaged = symbol[:cut] + "\x01" * (cut % 2) + symbol[cut + 1 :]
            for style in STYLES:
                name = printed_name(damaged, style)
                assert name is None or name


def test_long_names_end() -> None:
    for symbol in (
        "_Z" + "P" * 100000 + "i",
        "_ZN" + "1a" * 60000 + "E",
        "_RNvC" + "I" * 90000,
        "_Z1f" + "P" * 5000 + "i",
    ):
        printed_name(symbol)
    assert printed_name("a<" * 5000 + "b" + ">" * 5000) == "a"
