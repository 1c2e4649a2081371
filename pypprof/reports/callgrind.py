"""callgrind: the call graph for KCachegrind.

Source: google/pprof internal/report/report.go (printCallgrind) and the callgrind format's
specification (https://valgrind.org/docs/manual/cl-format.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from pypprof.graph.nodes import NodeInfo
from pypprof.graph.order import edges_by_node
from pypprof.graph.trim import TrimmedGraph, trimmed_graph
from pypprof.records import Record
from pypprof.reports.command import Command, Context, graph_usage
from pypprof.reports.values import ValueFormat, graph_format
from pypprof.view import View


class Callee(Record):
    info: NodeInfo
    name: str  # told apart from others of the same file and name
    weight: int


class CallgrindNode(Record):
    info: NodeInfo
    flat: int
    callees: list[Callee]


class CallgrindReport(Record):
    type: str
    values: ValueFormat
    nodes: list[CallgrindNode]


def build(view: View, context: Context) -> CallgrindReport:
    settings = context.settings
    trimmed = trimmed_graph(view, settings, keep_objfiles=True, tree=settings.call_tree)
    graph = trimmed.graph
    names = _distinct_names(trimmed)
    edges = trimmed.all_edges()
    out = edges_by_node(graph, edges, edges.parent, edges.child)
    children, weights = edges.child.tolist(), edges.weight.tolist()
    flat = graph.weights.flat_values()
    nodes = []
    for node in trimmed.nodes.tolist():
        rows = out[node].tolist() if node in out else []
        # A callee that is in the graph but weighs nothing has no name here, as in pprof.
        callees = [Callee(graph.info(children[r]), names.get(children[r], ""), weights[r]) for r in rows]
        nodes.append(CallgrindNode(graph.info(node), int(flat[node]), callees))
    return CallgrindReport(view.sample.type, graph_format(view, settings, trimmed, whole=True), nodes)


def _distinct_names(trimmed: TrimmedGraph) -> dict[int, str]:
    """The name of each node, numbered where several functions share file and name."""
    graph = trimmed.graph
    functions = graph.functions().tolist()
    numbers: dict[tuple[str, str], dict[int, int]] = {}
    for node in trimmed.nodes.tolist():
        info = graph.info(node)
        own = numbers.setdefault((info.file, info.name), {})
        own.setdefault(functions[node], len(own))
    names = {}
    for node in trimmed.nodes.tolist():
        info = graph.info(node)
        own = numbers[info.file, info.name]
        suffix = f" [{own[functions[node]] + 1}/{len(own)}]" if len(own) > 1 else ""
        names[node] = info.name + suffix
    return names


class _Names:
    """The format's name compression: a name is written once, its number ever after."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def text(self, name: str) -> str:
        if not name:
            return ""
        if name in self._numbers:
            return f"({self._numbers[name]})"
        self._numbers[name] = len(self._numbers) + 1
        return f"({self._numbers[name]}) {name}"


def _address(previous: NodeInfo | None, address: int) -> str:
    """An address, relative to the previous one where that is shorter."""
    absolute = f"{address:#x}"
    if previous is None:
        return absolute
    if previous.address == address:
        return "*"
    difference = (address - previous.address + (1 << 63)) % (1 << 64) - (1 << 63)
    relative = f"{difference:+d}"
    return relative if len(relative) < len(absolute) else absolute


def text(report: CallgrindReport) -> Iterator[str]:
    values = report.values
    yield f"positions: instr line\nevents: {report.type}({values.output_unit})\n"
    objects, files, names = _Names(), _Names(), _Names()
    previous: NodeInfo | None = None
    for node in report.nodes:
        info = node.info
        place = (info.objfile, info.file, info.name)
        if previous is None or place != (previous.objfile, previous.file, previous.name):
            yield f"\nob={objects.text(info.objfile)}\nfl={files.text(info.file)}\nfn={names.text(info.name)}\n"
        yield f"{_address(previous, info.address)} {info.line} {values.scaled(node.flat)}\n"
        for callee in node.callees:
            yield f"cfl={files.text(callee.info.file)}\ncfn={names.text(callee.name)}\n"
            yield f"calls=0 {_address(previous, callee.info.address)} {callee.info.line}\n"
            yield f"* * {values.scaled(callee.weight)}\n"
        previous = info


COMMAND = Command(
    "callgrind", "The call graph in callgrind format", graph_usage("callgrind", False), build, text,
    nodecount=0, trim=False, granularity="addresses", suffix="callgraph.out", empty=lambda report: not report.nodes,
)  # fmt: skip
KCACHEGRIND_COMMAND = COMMAND._replace(
    name="kcachegrind", summary="The call graph shown by KCachegrind", usage=graph_usage("kcachegrind", False, False),
    suffix="grind", viewer="kcachegrind",
)  # fmt: skip
