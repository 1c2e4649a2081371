"""topproto: the heaviest entries as a compressed profile.proto."""

from __future__ import annotations

import numpy as np

from pypprof.columns import BOOL, I4, I8, U8, filled, starts_of
from pypprof.graph.trim import trimmed_graph
from pypprof.profile.model import Block, Functions, Interner, Lines, Locations, Profile, ValueType
from pypprof.reports.command import Command, Context, graph_usage
from pypprof.reports.proto import ProtoReport, data
from pypprof.reports.values import graph_format
from pypprof.view import View


def build(view: View, context: Context) -> ProtoReport:
    trimmed = trimmed_graph(view, context.settings)
    values = graph_format(view, context.settings, trimmed)
    infos = [trimmed.graph.info(node) for node in trimmed.nodes.tolist()]
    count = len(infos)
    interner = Interner([""])
    functions: dict[tuple[str, str, int], int] = {}
    function_of = [functions.setdefault((i.name, i.file, i.start_line), len(functions)) for i in infos]
    weights = trimmed.graph.weights
    columns = [
        [values.scaled(value) for value in column.take(trimmed.nodes).tolist()]
        for column in (weights.cum_values(), weights.flat_values())
    ]
    one = np.arange(count + 1, dtype=I8)
    names = [interner.add(name) for name, _, _ in functions]
    files = [interner.add(file) for _, file, _ in functions]
    profile = Profile(
        interner.strings,
        (ValueType("cum", values.output_unit), ValueType("flat", values.output_unit)),
        (Block(one, np.arange(count, dtype=I4), np.array(columns, I8).T.reshape(-1, 2), None),),
        (),
        Locations(
            (one[1:]).astype(U8), np.zeros(count, I4) - 1, np.array([i.address for i in infos], U8),
            np.zeros(count, BOOL), starts_of(filled(count, 1, I8)),
            Lines(
                np.array(function_of, I4), np.array([i.line for i in infos], I8),
                np.array([i.column for i in infos], I8),
            ),
        ),
        Functions(
            np.arange(1, len(functions) + 1).astype(U8), np.array(names, I4), np.zeros(len(names), I4),
            np.array(files, I4), np.array([start for _, _, start in functions], I8),
        ),
        time_nanos=view.profile.time_nanos, duration_nanos=view.profile.duration_nanos,
        period_type=view.profile.period_type, period=view.profile.period,
    )  # fmt: skip
    return ProtoReport(profile)


COMMAND = Command(
    "topproto", "The heaviest entries in compressed protobuf format", graph_usage("topproto", True), build,
    data=data, nodecount=0, suffix="pb.gz",
)  # fmt: skip
