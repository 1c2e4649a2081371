"""tags: the tags in the profile and the value of the samples that carry them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pypprof.columns import I8
from pypprof.records import Record
from pypprof.reports.command import Command, Context
from pypprof.reports.header import ProfileHeader, profile_header
from pypprof.reports.tabwriter import align
from pypprof.reports.values import ValueFormat, value_format
from pypprof.units import abs64, percentage, scaled_label, wrap64
from pypprof.view import View
from pypprof.view.tags import distinct_tags


class TagValue(Record):
    """One value of a tag, as text, and what its samples weigh."""

    text: str
    weight: int


class TagKey(Record):
    key: str
    total: int
    values: list[TagValue]


class TagsReport(Record):
    header: ProfileHeader
    values: ValueFormat
    total: int
    keys: list[TagKey]


def build(view: View, context: Context) -> TagsReport:
    found: dict[str, dict[str, int]] = {}
    for block in view.profile.blocks:
        if block.labels is None:
            continue
        numbers, tags = distinct_tags(view.profile, block.labels)
        weights = np.zeros(len(numbers) and int(np.maximum.reduce(numbers)) + 1, I8)
        np.add.at(weights, numbers, view.sample.values(block).take(block.labels.sample))
        for (key, text_, number, _), weight in zip(tags, weights.tolist(), strict=True):
            shown = text_ or scaled_label(number, view.units.get(key, ""), context.settings.unit)
            own = found.setdefault(key, {})
            own[shown] = wrap64(own.get(shown, 0) + weight)
    keys = [
        TagKey(key, wrap64(sum(own.values())), sorted((TagValue(*item) for item in own.items()), key=_order))
        for key, own in sorted(found.items(), key=lambda item: _bytes(item[0]))
    ]
    return TagsReport(profile_header(view), value_format(view, context.settings), view.total, keys)


def _order(value: TagValue) -> tuple[int, bytes]:
    return -abs64(value.weight), _bytes(value.text)


def _bytes(text_: str) -> bytes:
    return text_.encode("utf-8", "surrogateescape")


def text(report: TagsReport) -> Iterator[str]:
    values, total = report.values, report.total
    lines = []
    for key in report.keys:
        share = f" ({percentage(key.total, total)})" if total > 0 else ""
        lines.append(f"{key.key}:\t Total {values.text(key.total)} of {values.text(total)}{share}\n")
        for value in key.values:
            share = f" ({percentage(value.weight, total)})" if total > 0 else ""
            lines.append(f" \t{values.text(value.weight)}{share}:\t {value.text}\n")
        lines.append("\n")
    yield align("".join(lines))


COMMAND = Command(
    "tags",
    "The tags in the profile and what they weigh",
    "tags [tag_regex ...] [-ignore_regex ...] [>file]\n"
    "The tags of samples with a key:value that matches tag_regex and none that matches ignore_regex.",
    build,
    text,
    argument="",
)
