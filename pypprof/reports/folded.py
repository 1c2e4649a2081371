"""folded: the stacks as text, one a line, for flame graph tools; root first, `main;work;parse 12`.

Equal stacks are one line; lines are in the order of their text. Values are whole numbers in the
profile's unit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pypprof.columns import I8, Array, all_true, join, number_ragged, select_rows, starts_of
from pypprof.graph.nodes import NodeTable
from pypprof.graph.weights import divided
from pypprof.profile.legacy.folded import escaped
from pypprof.records import Record
from pypprof.reports.command import Command, Context
from pypprof.view import View


class FoldedReport(Record):
    """`names` of all nodes; `stacks` of nodes, root first, each with its value."""

    names: list[str]
    starts: Array
    stacks: Array
    values: list[int]


def build(view: View, context: Context) -> FoldedReport:
    table = NodeTable(view.profile, keep_objfiles=False)
    blocks = view.profile.blocks
    starts = starts_of(join([block.counts() for block in blocks], I8))
    # Root first: the whole column of frames backwards, hence the samples too.
    stacks = join([block.stacks for block in blocks], I8).astype(I8)[::-1]
    counts = (starts[1:] - starts[:-1])[::-1]
    starts, frames = _frames(table, starts_of(counts), stacks)
    values = _columns(view)
    numbers, first = number_ragged([frames], starts)
    sums = [np.zeros(len(first), I8) for _ in values]
    for total, column in zip(sums, values, strict=True):
        np.add.at(total, numbers, column[::-1])
    shown = sums[0] if len(sums) == 1 else divided(sums[0], sums[1])
    starts, positions = select_rows(starts, first)
    names = [escaped(table.printable(node)) for node in range(table.count)]
    return FoldedReport(names, starts, frames.take(positions), shown.tolist())


def _columns(view: View) -> list[Array]:
    """The values of all samples, and what to divide them by for a mean."""
    sample, blocks = view.sample, view.profile.blocks
    columns = [join([sample.values(block) for block in blocks], I8)]
    if sample.mean:
        columns.append(join([block.values[:, 0] for block in blocks], I8))
    return columns


def _frames(table: NodeTable, starts: Array, stacks: Array) -> tuple[Array, Array]:
    """Stacks of locations as stacks of nodes: an inlined frame follows the one it is inlined into."""
    sizes = table.slot_starts[1:] - table.slot_starts[:-1]
    backwards = table.slot_node[::-1].astype(I8)
    first = len(backwards) - table.slot_starts[1:]
    if all_true(sizes == 1):
        return starts, backwards.take(first).take(stacks)
    size = sizes.take(stacks)
    running = starts_of(size)
    slots = np.arange(int(running[-1])) + (first.take(stacks) - running[:-1]).repeat(size)
    return running.take(starts), backwards.take(slots)


def text(report: FoldedReport) -> Iterator[str]:
    names, starts = report.names, report.starts.tolist()
    nodes = report.stacks.tolist()
    lines = [
        f"{';'.join(map(names.__getitem__, nodes[a:b]))} {value}\n"
        for a, b, value in zip(starts, starts[1:], report.values, strict=False)
        if b > a and value
    ]
    lines.sort()
    yield from lines


COMMAND = Command(
    "folded", "The stacks, one a line, for flame graph tools", "folded [focus_regex ...] [-ignore_regex ...] [>file]\n"
    "Root first, frames separated by semicolons, then the value.", build, text, trim=False,
)  # fmt: skip
