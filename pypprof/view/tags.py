"""Tags (labels): units, the filters tagfocus, tagignore, tagshow and taghide.

Semantics: google/pprof profile/profile.go (NumLabelUnits) and internal/driver/driver_focus.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from pypprof.columns import BOOL, Array, Bools, any_true, filled, number_rows
from pypprof.errors import CommandError
from pypprof.profile.model import Block, Labels, Profile, select_labels
from pypprof.regex import Regex, compile_regex
from pypprof.units import scale

DIFF_BASE = "pprof::base"


class NumericUnits:
    """The unit of each numeric tag key, and the other units met for it."""

    def __init__(self, units: dict[str, str], ignored: dict[str, list[str]]) -> None:
        self.units, self.ignored = units, ignored

    def warnings(self) -> list[str]:
        return [
            f"For tag {key} used unit {self.units[key]}, also encountered unit(s) {', '.join(others)}"
            for key, others in self.ignored.items()
        ]


def numeric_units(profile: Profile) -> NumericUnits:
    """The first unit met counts for a key; without any it follows from the key's name."""
    units: dict[str, str] = {}
    ignored: dict[str, set[str]] = {}
    keys: set[str] = set()
    for block in profile.blocks:
        if block.labels is None:
            continue
        numeric = block.labels.text == 0
        _, first = number_rows([block.labels.key[numeric], block.labels.unit[numeric]])
        first.sort()
        rows = numeric.nonzero()[0].take(first)
        pairs = zip(
            profile.texts(block.labels.key.take(rows)), profile.texts(block.labels.unit.take(rows)), strict=True
        )
        for key, unit in pairs:
            keys.add(key)
            if unit and units.setdefault(key, unit) != unit:
                ignored.setdefault(key, set()).add(unit)
    for key in keys - units.keys():
        units[key] = "bytes" if key in ("alignment", "request") else key
    return NumericUnits(units, {key: sorted(others) for key, others in ignored.items()})


def distinct_tags(profile: Profile, labels: Labels) -> tuple[Array, Iterator[tuple[str, str, int, str]]]:
    """(number of each tag, (key, text, number, unit) of each number); text '' means numeric."""
    numbers, first = number_rows([labels.key, labels.text, labels.number, labels.unit])
    return numbers, zip(
        profile.texts(labels.key.take(first)),
        profile.texts(labels.text.take(first)),
        labels.number.take(first).tolist(),
        profile.texts(labels.unit.take(first)),
        strict=True,
    )


TagTest = Callable[[str, str, int], bool]  # (key, text, number); text '' means numeric


class TagFilter:
    """A compiled tagfocus or tagignore. A sample passes when every test holds for one of its tags."""

    def __init__(self, tests: list[TagTest], note: str = "") -> None:
        self.tests, self.note = tests, note

    def matches(self, profile: Profile, block: Block) -> Bools:
        """Whether each sample of the block passes."""
        if block.labels is None:
            return np.zeros(block.size(), BOOL)
        numbers, found_tags = distinct_tags(profile, block.labels)
        tags = list(found_tags)
        passed = filled(block.size(), True, BOOL)
        for test in self.tests:
            hits = np.array([test(key, text, number) for key, text, number, _ in tags], BOOL)
            found = np.zeros(block.size(), BOOL)
            found[block.labels.sample[hits.take(numbers)]] = True
            passed &= found
        return passed


def compile_tag_filter(option: str, value: str, units: dict[str, str]) -> TagFilter:
    """Read `regexp[,regexp]`, `key=regexp[,regexp]`, or a range such as `1kb:10kb` or `key=5:`."""
    key, equals, rest = value.partition("=")
    if not equals:
        key, rest = "", value
    in_range = parse_range(rest)
    if in_range is not None:

        def number_test(tag: str, text: str, number: int) -> bool:
            return not text and (not equals or tag == key) and in_range(number, units.get(tag, ""))

        return TagFilter([number_test], f"{option}:Interpreted '{rest}' as range, not regexp")
    patterns = [compile_regex(pattern, option) for pattern in rest.split(",")]
    if equals:
        return TagFilter([lambda tag, text, _: bool(text) and tag == key and any(p.search(text) for p in patterns)])
    return TagFilter([_key_value_test(pattern) for pattern in patterns])


def _key_value_test(pattern: Regex) -> TagTest:
    return lambda tag, text, _: bool(text) and pattern.search(f"{tag}:{text}")


def parse_range(text: str) -> Callable[[int, str], bool] | None:
    """The test (number, unit) of "32kb", ":64kb", "4mb:" or "12kb:64mb"; None for a regexp."""
    import re

    ranges = re.findall(r"(([+-]?[0-9]+)([A-Za-z]+)?)", text)[:2]
    if not ranges:
        return None
    whole, low, unit = ranges[0]
    least, wanted = scale(_int64(low), unit, unit)
    if len(ranges) == 2:
        whole2, high, unit2 = ranges[1]
        if text != f"{whole}:{whole2}":
            return None
        most, wanted2 = scale(_int64(high), unit2, wanted)
        if wanted != wanted2:
            return None
        return _between(wanted, least, most)
    if text == whole:
        return _between(wanted, least, least)
    if text == whole + ":":
        return _between(wanted, least, None)
    return _between(wanted, None, least) if text == ":" + whole else None


def _int64(text: str) -> int:
    value = int(text)
    if not -(1 << 63) <= value < 1 << 63:
        raise CommandError(f"tag range: {text} does not fit in 64 bits")
    return value


def _between(unit: str, least: float | None, most: float | None) -> Callable[[int, str], bool]:
    def test(number: int, its_unit: str) -> bool:
        value, scaled_unit = scale(number, its_unit, unit)
        if scaled_unit != unit:
            return False
        return (least is None or value >= least) and (most is None or value <= most)

    return test


def filter_keys(profile: Profile, show: Regex | None, hide: Regex | None) -> tuple[Profile, dict[str, bool]]:
    """Drop the tags whose key `show` does not match or `hide` matches: {option: matched any}."""
    if not (show or hide):
        return profile, {}
    matched = {"tagshow": False, "taghide": False}
    verdicts: dict[int, bool] = {}
    blocks = []
    for block in profile.blocks:
        labels = block.labels
        if labels is not None:
            for key in set(labels.key.tolist()) - verdicts.keys():
                shown = show is None or show.search(profile.strings[key])
                hidden = hide is not None and hide.search(profile.strings[key])
                matched["tagshow"] |= shown
                matched["taghide"] |= hidden
                verdicts[key] = shown and not hidden
            keep = np.array([verdicts[key] for key in labels.key.tolist()], BOOL)
            block = block._replace(labels=select_labels(labels, keep))
        blocks.append(block)
    return profile._replace(blocks=tuple(blocks)), matched


def diff_base_samples(profile: Profile, block: Block) -> Bools | None:
    """Which samples come from the diff base; None when none do."""
    labels = block.labels
    if labels is None:
        return None
    keys = [i for i in set(labels.key.tolist()) if profile.strings[i] == DIFF_BASE]
    if not keys:
        return None
    values = [i for i in set(labels.text.tolist()) if profile.strings[i] == "true"]
    mask = np.zeros(block.size(), BOOL)
    for key in keys:
        for value in values:
            mask[labels.sample[(labels.key == key) & (labels.text == value)]] = True
    return mask if any_true(mask) else None
