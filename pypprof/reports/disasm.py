"""disasm: the instructions of the functions that match, each with its value.

Source: google/pprof internal/report/report.go (PrintAssembly) and cmd/pprof, whose tool gives the
symbols and lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from pypprof.columns import I8, U8, Array, Ints, where_true
from pypprof.errors import BinaryError, CommandError
from pypprof.fetch.paths import base
from pypprof.graph.callgraph import Graph, node_table
from pypprof.graph.nodes import NodeInfo
from pypprof.graph.order import sort_key
from pypprof.graph.trim import present_nodes
from pypprof.graph.weights import divided
from pypprof.records import Record
from pypprof.regex import Regex
from pypprof.render.colours import DIM, HEADING, PLAIN, heat, paint
from pypprof.reports.command import Command, Context, listing_usage
from pypprof.reports.header import ProfileHeader, profile_header
from pypprof.reports.objects import MOST_CODE, Function, ObjectFile
from pypprof.reports.values import ValueFormat, value_format
from pypprof.symbolize.disasm import Instruction
from pypprof.symbolize.frames import Frame
from pypprof.units import percentage, wrap64
from pypprof.view import View

_SHORT = 40  # behind an instruction shorter than this its source line has room
_MASK = (1 << 64) - 1


class DisasmLine(Record):
    """An instruction. `function` is known where samples are; `file` is "" where no line is known."""

    address: int
    flat: int
    cum: int
    instruction: str
    function: str
    file: str
    line: int


class DisasmFunction(Record):
    name: str
    flat: int
    cum: int
    lines: list[DisasmLine]


class DisasmReport(Record):
    header: ProfileHeader
    values: ValueFormat
    total: int
    functions: list[DisasmFunction]


class _Nodes:
    """The nodes of a view by ascending address, columns side by side."""

    def __init__(self, view: View, context: Context) -> None:
        graph = Graph(view, node_table(view, True, context.settings))
        nodes = where_true(present_nodes(graph, context.settings.drop_negative))
        location = graph.table.slot_starts.searchsorted(graph.table.first_slot.take(nodes), "right") - 1
        address = view.profile.locations.address.take(location)
        order = address.argsort(kind="stable")
        self._graph, self.node, self.address = graph, nodes.take(order), address.take(order)
        self.weights = graph.weights
        self.mappings = set(view.profile.locations.mapping.take(location).tolist())

    def info(self, row: int) -> NodeInfo:
        return self._graph.info(int(self.node[row]))

    def inside(self, file: ObjectFile, function: Function) -> Ints:
        """The rows of a function's nodes in the order of Go."""
        address = self.address - U8.type(file.bias)
        rows = where_true((address >= U8.type(function.start)) & (address < U8.type(function.end))).tolist()
        rows.sort(key=lambda row: (int(address[row]), sort_key(self.info(row).order_key())))
        return np.array(rows, I8)

    def names(self, rows: Ints) -> list[str]:
        return [self.info(row).name for row in rows.tolist()]


_Found = tuple[Function, ObjectFile]
_Placed = tuple[Instruction, Frame | None]


def build(view: View, context: Context) -> DisasmReport:
    """CommandError when no function matches, with why that may be."""
    assert context.regex is not None
    settings = context.settings
    nodes = _Nodes(view, context)
    listed = []
    chosen = _matching(view, nodes, context.argument, context.regex)
    if sum(function.end - function.start for function, _ in chosen) > MOST_CODE:
        raise CommandError(f"more than {MOST_CODE >> 20} MB of instructions match; choose fewer functions")
    try:
        code = _decoded(chosen, settings.intel_syntax)
    except BinaryError as error:
        raise CommandError(str(error)) from None
    columns = [nodes.weights.flat_values(), nodes.weights.cum_values()]
    context.notes.extend(sorted({file.doubt for _, file in chosen if file.doubt}))
    for (function, file), instructions in zip(chosen, code, strict=True):
        rows = nodes.inside(file, function)
        flat, cum = (wrap64(sum(column.take(nodes.node.take(rows)).tolist())) for column in columns)
        listed.append(DisasmFunction(function.name, flat, cum, _annotated(nodes, rows, file, instructions)))
    return DisasmReport(profile_header(view), value_format(view, settings), view.total, listed)


def _matching(view: View, nodes: _Nodes, argument: str, regex: Regex) -> list[_Found]:
    """The functions with samples that are asked for, in the order of the report."""
    files, problems = _files(view, nodes)
    found: list[_Found] = []
    for file in files:
        address = nodes.address - U8.type(file.bias)
        address.sort()
        found += [(function, file) for function in file.functions(address)]
    found.sort(key=lambda item: (sort_key(item[0].name), item[0].start))
    wanted = parse_address(argument)
    chosen = [item for item in found if wanted is not None and _covers(item, wanted)]
    if not chosen:
        hits = regex.matching(function.name for function, _ in found)
        chosen = [item for item, hit in zip(found, hits, strict=True) if hit]
    if not chosen:  # the profile may have other names: demangled, or those of an unstripped binary
        chosen = [i for i in found if any(regex.matching(nodes.names(nodes.inside(i[1], i[0]))))]
    if not chosen:
        problems = problems[:2] if not found else []
        raise CommandError("; ".join([f"no matches found for regexp {argument}", *problems]))
    return chosen


def _files(view: View, nodes: _Nodes) -> tuple[list[ObjectFile], list[str]]:
    """The binaries of the samples; why others could not be opened."""
    files: dict[tuple[str, int], ObjectFile] = {}
    problems = []
    for index, mapping in enumerate(view.profile.mappings):
        if index not in nodes.mappings:
            continue
        try:
            file = ObjectFile(mapping)
        except BinaryError as error:
            problems.append(str(error))
        else:
            files.setdefault((file.path, file.bias), file)
    if not files and not problems:
        problems.append("the samples have no addresses in a binary")
    return list(files.values()), problems


def _covers(item: _Found, address: int) -> bool:
    function, file = item
    return any(function.start <= a < function.end for a in (address, (address - file.bias) & _MASK))


def parse_address(text: str) -> int | None:
    """The address that an argument is (Go's ParseUint of any base); None when it is a pattern."""
    if not text[:1].isdigit() or not text.isascii() or text != text.strip():
        return None
    octal = text[0] == "0" and text[1:2].isdigit()
    try:
        value = int(text, 8 if octal else 0)
    except ValueError:
        return None
    return value if value <= _MASK else None


def _decoded(chosen: list[_Found], intel: bool) -> list[list[_Placed]]:
    """The instructions of each function, with what is known of their lines. One look-up a file: it has a price."""
    code = [list(file.decode(function.start, function.end, intel)) for function, file in chosen]
    sources: dict[ObjectFile, dict[int, Frame | None]] = {file: {} for _, file in chosen}
    for (_, file), instructions in zip(chosen, code, strict=True):
        sources[file].update(dict.fromkeys(instruction.address for instruction in instructions))
    for file, lines in sources.items():
        addresses = sorted(lines)
        lines.update(zip(addresses, file.lines(addresses), strict=True))
    return [
        [(instruction, sources[file][instruction.address]) for instruction in instructions]
        for (_, file), instructions in zip(chosen, code, strict=True)
    ]


def _annotated(nodes: _Nodes, rows: Ints, file: ObjectFile, code: list[_Placed]) -> list[DisasmLine]:
    """The instructions; each gets what was sampled in it or, as return addresses are, just behind its start."""
    if not code:
        return []
    starts = np.array([instruction.address for instruction, _ in code], U8)
    address = nodes.address.take(rows) - U8.type(file.bias)
    place = np.maximum(starts.searchsorted(address, "right") - 1, 0)
    own = nodes.node.take(rows)
    weights = nodes.weights
    flat, flat_div, cum, cum_div = (
        _summed(column.take(own), place, len(code))
        for column in (weights.flat, weights.flat_div, weights.cum, weights.cum_div)
    )
    values = zip(divided(flat, flat_div).tolist(), divided(cum, cum_div).tolist(), strict=True)
    sampled: dict[int, list[NodeInfo]] = {}
    for row, at in zip(rows.tolist(), place.tolist(), strict=True):
        sampled.setdefault(at, []).append(nodes.info(row))
    lines = []
    for at, ((instruction, frame), value) in enumerate(zip(code, values, strict=True)):
        infos = sampled.get(at, ())
        path, line = (frame.file, frame.line) if frame else ("", 0)
        path = path or next((info.file for info in infos if info.file), "")
        line = line or next((info.line for info in infos if info.line), 0)
        name = next((info.name for info in infos if info.name), "")
        lines.append(DisasmLine(instruction.address, *value, instruction.text, name, base(path) if path else "", line))
    return lines


def _summed(values: Array, place: Ints, count: int) -> Ints:
    sums = np.zeros(count, I8)
    np.add.at(sums, place, values)
    return sums


def text(report: DisasmReport) -> Iterator[str]:
    return _written(report, lambda style, text: text)


def coloured(report: DisasmReport) -> Iterator[str]:
    return _written(report, paint)


def _written(report: DisasmReport, paint: Callable[[str, str], str]) -> Iterator[str]:
    """The report; `paint(style, text)` may colour a part of a line."""
    values, total = report.values, report.total
    yield f"Total: {values.text(total)}\n"
    for function in report.functions:
        yield paint(HEADING, f"ROUTINE ======================== {function.name}") + "\n"
        yield (
            f"{values.text(function.flat):>10} {values.text(function.cum):>10} (flat, cum) "
            f"{percentage(function.cum, total)} of Total\n"
        )
        last: tuple[str, str, int] = ("", "", 0)
        for line in function.lines:
            flat = paint(heat(line.flat, total), f"{values.or_dot(line.flat):>10}")
            cum = paint(heat(line.cum, total), f"{values.or_dot(line.cum):>10}")
            style = PLAIN if line.flat or line.cum else DIM
            place = _place(line, last)
            last = line.function, line.file, line.line
            code = line.instruction
            if place and len(code.encode()) >= _SHORT:
                yield paint(DIM, f"{'':74};{place}") + "\n"
            elif place:
                code = f"{code:<40};{place}"
            yield f"{flat} {cum} " + paint(style, f"{line.address:10x}: {code}") + "\n"


def _place(line: DisasmLine, last: tuple[str, str, int]) -> str:
    """Function and source line of an instruction, where they are not those of the one before."""
    if (line.function, line.file, line.line) == last:
        return ""
    number = f":{line.line}" if line.file and line.line else ""
    return (line.function + " " if line.function else "") + line.file + number


COMMAND = Command(
    "disasm", "The instructions of the functions that match, with values", listing_usage("disasm"), build, text,
    argument="function", nodecount=-1, trim=False, granularity="addresses", noinlines=True, coloured=coloured,
)  # fmt: skip
