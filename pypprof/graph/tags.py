"""Tags of graph nodes: how a node's value splits over the tags of its samples.

Source: google/pprof internal/graph/graph.go (addSample, joinLabels) and report.go (newGraph):
of the numeric tags only "bytes" shows in graphs, and the mark of the diff base does not.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pypprof.columns import I8, Array, Ints, number_rows, select_rows, starts_of, where_true
from pypprof.profile.model import Block, Profile
from pypprof.records import Record
from pypprof.units import abs64, divide64, scaled_label, wrap64
from pypprof.view import View
from pypprof.view.tags import DIFF_BASE, distinct_tags

NUMERIC_KEY = "bytes"


class Tag:
    """One tag of one node. `unit` and `value` are those of a numeric tag."""

    __slots__ = ("cum", "cum_div", "flat", "flat_div", "name", "unit", "value")

    def __init__(self, name: str, unit: str = "", value: int = 0, flat: int = 0, cum: int = 0) -> None:
        self.name, self.unit, self.value, self.flat, self.cum = name, unit, value, flat, cum
        self.flat_div = self.cum_div = 0

    def flat_value(self) -> int:
        return divide64(self.flat, self.flat_div) if self.flat_div else self.flat

    def cum_value(self) -> int:
        return divide64(self.cum, self.cum_div) if self.cum_div else self.cum

    def reaches(self, cutoff: int) -> bool:
        return abs64(self.flat) >= cutoff or abs64(self.cum) >= cutoff


class NodeTags(Record):
    """The tags of one node: string tags, and numeric tags by the string tags they occur with."""

    labels: dict[str, Tag]
    numeric: dict[str, dict[str, Tag]]

    def trimmed(self, cutoff: int) -> NodeTags:
        def kept(tags: dict[str, Tag]) -> dict[str, Tag]:
            return {name: tag for name, tag in tags.items() if tag.reaches(cutoff)}

        return NodeTags(kept(self.labels), {label: kept(tags) for label, tags in self.numeric.items()})

    def flat_count(self) -> int:
        """How many tags have a flat value."""
        groups = [self.labels, *self.numeric.values()]
        return sum(1 for tags in groups for tag in tags.values() if tag.flat != 0)


def sort_tags(tags: Iterable[Tag], flat: bool) -> list[Tag]:
    """By weight, heaviest first, then by name."""

    def key(tag: Tag) -> tuple[int, int, bytes]:
        by_cum = 0 if flat else -abs64(tag.cum)
        return by_cum, -abs64(tag.flat), tag.name.encode("utf-8", "surrogateescape")

    return sorted(tags, key=key)


class SampleTags(Record):
    """The tags of a block's samples.

    label    int64, the number in `names` of each sample's joined string tags; 0 is ''
    starts   ragged rows of `numbers`, the numeric tags of each sample
    """

    label: Ints
    names: list[str]
    starts: Ints
    numbers: Ints


def sample_tags(profile: Profile, block: Block) -> SampleTags | None:
    """The tags that graphs show; None when the block has none."""
    labels = block.labels
    if labels is None:
        return None
    codes, tags = distinct_tags(profile, labels)
    tag_list = list(tags)
    joined = [f"{key}:{text}" if text and key != DIFF_BASE else None for key, text, _, _ in tag_list]
    numeric = np.array([not text and key == NUMERIC_KEY for key, text, _, _ in tag_list], "?").take(codes)
    counts = np.zeros(block.size(), I8)
    np.add.at(counts, labels.sample[numeric], 1)
    label, names = _join_labels(joined, codes, labels.sample, block.size())
    return SampleTags(label, names, starts_of(counts), labels.number[numeric])


def _join_labels(joined: list[str | None], codes: Ints, sample: Ints, size: int) -> tuple[Ints, list[str]]:
    """(number of each sample's tags joined in the order of their text, the joined texts)."""
    ranked = sorted({text for text in joined if text is not None}, key=lambda t: t.encode("utf-8", "surrogateescape"))
    rank = {text: index for index, text in enumerate(ranked)}
    ranks = np.array([-1 if text is None else rank[text] for text in joined], I8).take(codes)
    rows = where_true(ranks >= 0)
    order = np.lexsort((ranks.take(rows), sample.take(rows)))
    ranks, sample = ranks.take(rows).take(order), sample.take(rows).take(order)
    counts = np.zeros(size, I8)
    np.add.at(counts, sample, 1)
    starts = starts_of(counts)
    numbers, names = np.zeros(size, I8), {"": 0}
    tagged = where_true(counts)
    for length in sorted(set(counts.take(tagged).tolist())):
        same = tagged[counts.take(tagged) == length]
        columns: list[Array] = [ranks.take(starts.take(same) + i) for i in range(length)]
        kinds, first = number_rows(columns)
        texts = ["\\n".join(ranked[int(column[row])] for column in columns) for row in first.tolist()]
        own = [names.setdefault(text, len(names)) for text in texts]
        numbers[same] = np.array(own, I8).take(kinds)
    return numbers, list(names)


class TagCollector:
    """Adds up the tags of some nodes of a view, block by block."""

    def __init__(self, view: View, unit: str) -> None:
        self._view, self._unit = view, unit
        self._bytes_unit = view.units.get(NUMERIC_KEY, "")
        self._names: dict[int, str] = {}  # of numeric tags
        self.nodes: dict[int, NodeTags] = {}

    def open(self, block: Block) -> None:
        """Begin with a block's samples."""
        self._block, self._tags = block, sample_tags(self._view.profile, block)

    def add(self, sample: Ints, node: Ints, flat: bool) -> None:
        """Count (sample, node) pairs, each once, in the order of the samples."""
        block, tags = self._block, self._tags
        if tags is None:
            return
        value = self._view.sample.values(block)
        divisor = self._view.sample.divisors(block)
        live = value.take(sample) != 0
        if divisor is not None:
            live |= divisor.take(sample) != 0
        sample, node = sample[live], node[live]
        label = tags.label.take(sample)
        tagged = label > 0
        weights = value, divisor
        self._sum(tags, sample[tagged], [node[tagged], label[tagged]], weights, flat)
        _, place = select_rows(tags.starts, sample)
        counts = tags.starts.take(sample + 1) - tags.starts.take(sample)
        columns = [c.repeat(counts) for c in (sample, node, label)]
        self._sum(tags, columns[0], [*columns[1:], tags.numbers.take(place)], weights, flat)

    def _sum(
        self, tags: SampleTags, sample: Ints, key: list[Ints], weights: tuple[Ints, Ints | None], flat: bool
    ) -> None:
        if not len(sample):
            return
        numbers, first = number_rows(list(key))
        sums = []
        for column in weights:
            summed = np.zeros(len(first), I8)
            if column is not None:
                np.add.at(summed, numbers, column.take(sample))
            sums.append(summed.tolist())
        rows = first.argsort()  # of numbers that print alike the first one met gives the value
        keys = [column.take(first).tolist() for column in key]
        for row in rows.tolist():
            node, label = keys[0][row], tags.names[keys[1][row]]
            tag = self._tag(node, label, keys[2][row] if len(keys) == 3 else None)
            _count(tag, sums[0][row], sums[1][row], flat)

    def _tag(self, node: int, label: str, number: int | None) -> Tag:
        own = self.nodes.get(node)
        if own is None:
            own = self.nodes[node] = NodeTags({}, {})
        if number is None:
            tag = own.labels.get(label)
            if tag is None:
                tag = own.labels[label] = Tag(label)
            return tag
        name = self._names.get(number)
        if name is None:
            name = self._names[number] = scaled_label(number, self._bytes_unit, self._unit)
        group = own.numeric.setdefault(label, {})
        tag = group.get(name)
        if tag is None:
            tag = group[name] = Tag(name, self._bytes_unit, number)
        return tag


def _count(tag: Tag, value: int, divisor: int, flat: bool) -> None:
    if flat:
        tag.flat, tag.flat_div = wrap64(tag.flat + value), wrap64(tag.flat_div + divisor)
    else:
        tag.cum, tag.cum_div = wrap64(tag.cum + value), wrap64(tag.cum_div + divisor)
