"""traces: every sample with its tags and its stack."""

from __future__ import annotations

from collections.abc import Iterator

from pypprof.graph.nodes import NodeTable
from pypprof.graph.weights import divided
from pypprof.profile.model import Block, Profile
from pypprof.records import Record
from pypprof.reports.command import Command, Context
from pypprof.reports.header import ProfileHeader, profile_header, profile_lines
from pypprof.reports.values import ValueFormat, value_format
from pypprof.units import label
from pypprof.view import View

_SEPARATOR = "-----------+-------------------------------------------------------\n"


class TracesReport(Record):
    """The samples stay in their columns; `trace_rows` gives them as records."""

    header: ProfileHeader
    values: ValueFormat
    view: View


class Frame(Record):
    name: str
    inline: bool


class Trace(Record):
    value: int
    stack: list[Frame]
    labels: dict[str, list[str]]
    numeric_labels: dict[str, list[int]]
    numeric_units: dict[str, str]


def build(view: View, context: Context) -> TracesReport:
    return TracesReport(profile_header(view), value_format(view, context.settings), view)


def block_values(view: View, block: Block) -> list[int]:
    """The value of each sample, its mean where one is asked for."""
    values, divisors = view.sample.values(block), view.sample.divisors(block)
    numbers: list[int] = (values if divisors is None else divided(values, divisors)).tolist()
    return numbers


def text(report: TracesReport) -> Iterator[str]:
    view, values = report.view, report.values
    yield "\n".join(profile_lines(report.header, values)) + "\n"
    stacks = _location_texts(view.profile)
    formatted: dict[int, str] = {}
    for block in view.profile.blocks:
        starts = block.starts.tolist()
        rows = block.stacks.tolist()
        tags = label_lines(view.profile, block, view.units)
        pieces = []
        for sample, value in enumerate(block_values(view, block)):
            begin, end = starts[sample], starts[sample + 1]
            if begin == end:
                continue
            shown = formatted.get(value)
            if shown is None:
                shown = formatted[value] = f"{values.text(value):>10}"
            # Only the leaf's line carries the value: it replaces ten blanks.
            whole = "".join(map(stacks.__getitem__, rows[begin:end]))
            pieces.append(f"{_SEPARATOR}{tags.get(sample, '')}{shown}{whole[10:]}")
        yield "".join(pieces)
    yield _SEPARATOR


def _location_texts(profile: Profile) -> list[str]:
    """The lines of each location."""
    table = NodeTable(profile, keep_objfiles=False)
    names = [table.printable(node) for node in range(table.count)]
    inner = table.slot_inner.tolist()
    lines = [
        f"             {names[node]}{' (inline)' if inlined else ''}\n"
        for node, inlined in zip(table.slot_node.tolist(), inner, strict=True)
    ]
    starts = table.slot_starts.tolist()
    return ["".join(lines[a:b]) for a, b in zip(starts, starts[1:], strict=False)]


def sample_labels(profile: Profile, block: Block) -> Iterator[tuple[int, dict[str, list[str]], dict[str, list[int]]]]:
    """(sample, string tags, numeric tags) of the samples that have any, in order."""
    labels = block.labels
    if labels is None:
        return
    strings = profile.strings
    current, texts, numbers = -1, {}, {}  # type: ignore[var-annotated]
    rows = zip(*(column.tolist() for column in labels[:4]), strict=True)
    for sample, key, text_, number in rows:
        if sample != current:
            if current >= 0:
                yield current, texts, numbers
            current, texts, numbers = sample, {}, {}
        if text_:
            texts.setdefault(strings[key], []).append(strings[text_])
        else:
            numbers.setdefault(strings[key], []).append(number)
    yield current, texts, numbers


def label_lines(profile: Profile, block: Block, units: dict[str, str]) -> dict[int, str]:
    """The tag lines of each sample that has tags."""
    lines = {}
    for sample, texts, numbers in sample_labels(profile, block):
        strings = sorted((f"{key:>10}:  {' '.join(own)}\n" for key, own in texts.items()), key=_bytes)
        numeric = sorted(
            (f"{key:>10}:  {' '.join(label(n, units.get(key, '')) for n in own)}\n" for key, own in numbers.items()),
            key=_bytes,
        )
        lines[sample] = "".join(strings + numeric)
    return lines


def _bytes(line: str) -> bytes:
    return line.encode("utf-8", "surrogateescape")


def trace_rows(report: TracesReport) -> Iterator[Trace]:
    """The samples as records."""
    view = report.view
    table = NodeTable(view.profile, keep_objfiles=False)
    frames = [
        Frame(table.printable(node), bool(inner))
        for node, inner in zip(table.slot_node.tolist(), table.slot_inner.tolist(), strict=True)
    ]
    slots = table.slot_starts.tolist()
    for block in view.profile.blocks:
        tags = {sample: (texts, numbers) for sample, texts, numbers in sample_labels(view.profile, block)}
        for sample, value in enumerate(block_values(view, block)):
            rows = block.stacks[int(block.starts[sample]) : int(block.starts[sample + 1])].tolist()
            stack = [frame for row in rows for frame in frames[slots[row] : slots[row + 1]]]
            if stack:
                texts, numbers = tags.get(sample, ({}, {}))
                yield Trace(value, stack, texts, numbers, {key: view.units.get(key, "") for key in numbers})


COMMAND = Command(
    "traces", "Every sample with its stack", "", build, text,
    empty=lambda report: not report.view.profile.sample_count(),
)  # fmt: skip
