"""The call graph as DOT text, byte for byte as pprof writes it.

Source: google/pprof internal/graph/dotgraph.go. Names are escaped as there; where pprof forgets
to (titles, tags, file names), a quote that would break the text is escaped too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from pypprof.fetch.paths import base
from pypprof.graph.nodes import NodeInfo
from pypprof.graph.tags import NodeTags, Tag, sort_tags
from pypprof.graph.trim import MAX_NODELETS
from pypprof.records import Record
from pypprof.regex import Regex
from pypprof.units import abs64, divide64, label, percentage, scale, truncate64, wrap64


class DotNode(Record):
    """A box. `leaf` is whether it has no outgoing edge in the picture."""

    info: NodeInfo
    flat: int
    cum: int
    tags: NodeTags | None
    leaf: bool


class DotEdge(Record):
    """An arrow between two boxes, which are numbers from 1 in the order of the boxes.

    A callee that is in the graph but not shown is number 0, as pprof writes it.
    """

    source: int
    target: int
    source_info: NodeInfo
    target_info: NodeInfo
    weight: int
    residual: bool
    inline: bool


class DotGraph(Record):
    """`longest`: characters of a name in a label, what is longer is cut in its middle; 0 for any."""

    title: str
    labels: list[str]
    nodes: list[DotNode]
    edges: list[DotEdge]
    total: int
    text: Callable[[int], str]  # a value with its unit
    longest: int = 0

    def clip(self, text: str, times: int = 1) -> str:
        half = self.longest * times // 2
        return text if not half or len(text) <= 2 * half else f"{text[:half]}…{text[-half:]}"


def escape(text: str) -> str:
    """Text for a label: backslashes and quotes escaped, lines left-justified."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\l")


def guarded(text: str) -> str:
    """Text that goes in as it is, except that it cannot end the quoted string around it."""
    if '"' not in text and not text.endswith("\\"):
        return text
    out, escaped = [], False
    for char in text:
        if char == '"' and not escaped:
            out.append("\\")
        escaped = char == "\\" and not escaped
        out.append(char)
    return "".join(out) + ("\\" if escaped else "")


def compose(graph: DotGraph) -> Iterator[str]:
    """The DOT text, piece by piece."""
    yield f'digraph "{guarded(graph.clip(graph.title or "unnamed"))}" {{\nnode [style=filled fillcolor="#f8f8f8"]\n'
    yield from _legend(graph)
    heaviest = max((float(abs64(node.flat)) for node in graph.nodes), default=0.0)
    with_nodelets = set()
    for number, node in enumerate(graph.nodes, 1):
        yield _node(graph, node, number, heaviest)
        nodelets = "".join(_nodelets(graph, node, number))
        if nodelets:
            with_nodelets.add(number)
            yield nodelets
    for edge in graph.edges:
        yield _edge(graph, edge, edge.source in with_nodelets)
    yield "}\n"


def _legend(graph: DotGraph) -> Iterator[str]:
    if graph.labels:
        lines = "\\l".join(escape(graph.clip(label)) for label in graph.labels)
        tooltip = f' tooltip="{guarded(graph.clip(graph.title))}"' if graph.title else ""
        yield (
            f'subgraph cluster_L {{ "{escape(graph.clip(graph.labels[0]))}" [shape=box fontsize=16 label="{lines}\\l"'
            f"{tooltip}] }}\n"
        )


def _node(graph: DotGraph, node: DotNode, number: int, heaviest: float) -> str:
    shown = graph.text(node.flat)
    text = multiline_name(node.info, graph.clip)
    text += f"{shown} ({percentage(node.flat, graph.total).strip()})" if node.flat else "0"
    if node.cum != node.flat:
        shown = graph.text(node.cum)
        text += "\\n" if node.flat else " "
        text += f"of {shown} ({percentage(node.cum, graph.total).strip()})"
    size = 8
    weight = float(abs64(node.flat))
    if heaviest and node.flat and weight <= heaviest:
        # The absolute value of the least int64 is negative, its root NaN, and NaN the least int64.
        size += math.ceil(16.0 * math.sqrt(weight / heaviest)) if weight * heaviest > 0 else -(1 << 63)
    ratio = _ratio(node.cum, graph.total)
    return (
        f'N{number} [label="{text}" id="node{number}" fontsize={size} shape=box '
        f'tooltip="{escape(graph.clip(node.info.printable(), 16))} ({shown})" '
        f'color="{color(ratio, False)}" fillcolor="{color(ratio, True)}"]\n'
    )


def _nodelets(graph: DotGraph, node: DotNode, number: int) -> Iterator[str]:
    """The boxes of a node's tags: those with flat values, at a leaf cumulative ones."""
    if node.tags is None:
        return
    flat = not node.leaf
    for index, tag in enumerate(sort_tags(node.tags.labels.values(), flat)[:MAX_NODELETS]):
        weight = tag.flat_value() if flat else tag.cum_value()
        if weight == 0:
            continue
        yield _nodelet(graph, f"N{number}", f"N{number}_{index}", tag.name, weight, "")
        numeric = node.tags.numeric.get(tag.name)
        if numeric:
            yield from _numeric_nodelets(graph, list(numeric.values()), flat, f"N{number}_{index}")
    numeric = node.tags.numeric.get("")
    if numeric:
        yield from _numeric_nodelets(graph, list(numeric.values()), flat, f"N{number}")


def _nodelet(graph: DotGraph, source: str, name: str, text: str, weight: int, style: str) -> str:
    shown = graph.text(weight)
    return (
        f'{name} [label = "{guarded(graph.clip(text))}" id="{name}" fontsize=8 shape=box3d tooltip="{shown}"]\n'
        f'{source} -> {name} [label=" {shown}" weight=100 tooltip="{shown}" labeltooltip="{shown}"{style}]\n'
    )


def _numeric_nodelets(graph: DotGraph, tags: list[Tag], flat: bool, source: str) -> Iterator[str]:
    for index, tag in enumerate(_collapsed(tags, flat)):
        weight, style = tag.cum_value(), ' style="dotted"'
        if flat or tag.flat_value() == tag.cum_value():
            weight, style = tag.flat_value(), ""
        if weight:
            yield _nodelet(graph, source, f"N{source}_{index}", tag.name, weight, style)


def _collapsed(tags: list[Tag], flat: bool) -> list[Tag]:
    """At most MAX_NODELETS tags: the lighter ones join the nearest of the heaviest."""
    tags = sort_tags(tags, flat)
    if len(tags) <= MAX_NODELETS:
        return tags
    groups = [[tag] for tag in tags[:MAX_NODELETS]]
    for tag in tags[MAX_NODELETS:]:
        min(groups, key=lambda group: _distance(tag, group[0])).append(tag)
    return sort_tags(map(_merged, groups), flat)


def _distance(tag: Tag, other: Tag) -> float:
    return abs(scale(other.value, other.unit, tag.unit)[0] - float(tag.value))


def _merged(group: list[Tag]) -> Tag:
    """A group of numeric tags as one, named by its range."""
    least = most = group[0]
    if len(group) == 1:
        tag = group[0]
        return Tag(label(tag.value, tag.unit), flat=tag.flat_value(), cum=tag.cum_value())
    for tag in group[1:]:
        if truncate64(scale(tag.value, tag.unit, least.unit)[0]) < least.value:
            least = tag
        if truncate64(scale(tag.value, tag.unit, most.unit)[0]) > most.value:
            most = tag
    flat, flat_div = (wrap64(sum(column)) for column in zip(*((t.flat, t.flat_div) for t in group), strict=True))
    cum, cum_div = (wrap64(sum(column)) for column in zip(*((t.cum, t.cum_div) for t in group), strict=True))
    return Tag(
        f"{label(least.value, least.unit)}..{label(most.value, most.unit)}",
        flat=divide64(flat, flat_div) if flat_div else flat,
        cum=divide64(cum, cum_div) if cum_div else cum,
    )


def _edge(graph: DotGraph, edge: DotEdge, has_nodelets: bool) -> str:
    shown = graph.text(edge.weight)
    inline = "\\n (inline)" if edge.inline else ""
    attributes = [f'label=" {shown}{inline}"']
    if graph.total:
        weight = 1 + min(abs64(divide64(wrap64(edge.weight * 100), graph.total)), 100)
        width = 1 + min(abs64(divide64(wrap64(edge.weight * 5), graph.total)), 5)
        attributes += [f"weight={weight}"] if weight > 1 else []
        attributes += [f"penwidth={width}"] if width > 1 else []
        attributes.append(f'color="{color(_ratio(edge.weight, graph.total), False)}"')
    arrow = "..." if edge.residual else "->"
    source, target = (escape(graph.clip(info.printable())) for info in (edge.source_info, edge.target_info))
    tooltip = f'"{source} {arrow} {target} ({shown})"'
    attributes += [f"tooltip={tooltip}", f"labeltooltip={tooltip}"]
    attributes += ['style="dotted"'] if edge.residual else []
    attributes += ["minlen=2"] if has_nodelets else []
    return f"N{edge.source} -> N{edge.target} [{' '.join(attributes)}]\n"


def _ratio(value: int, total: int) -> float:
    divisor = float(abs64(total))
    if divisor:
        return float(value) / divisor
    return math.nan if value == 0 else math.copysign(math.inf, value)


def color(score: float, background: bool) -> str:
    """Green for -1, grey for 0, red for 1; light for a background."""
    saturation, value = (0.1, 0.93) if background else (1.0, 0.7)
    if math.isnan(score):
        return _hex(value, math.nan, value * (1 - saturation))
    score = max(-1.0, min(1.0, score))
    if abs(score) < 0.2:
        saturation *= abs(score) / 0.2
    if score:
        # Away from grey, to tell small values apart.
        score = math.copysign(abs(score) ** 0.3, score)
    blue = value * (1 - saturation)
    if score < 0:
        return _hex(value * (1 + saturation * score), value, blue)
    return _hex(value, value * (1 - saturation * score), blue)


def _hex(*channels: float) -> str:
    return "#" + "".join("00" if math.isnan(c) else f"{int(c * 255.0):02x}" for c in channels)


_GO = Regex(r"^(?:[\w\-\.]+\/)+([^.]+\..+)")
_GO_VERSION = Regex(r"^(.*?)/v(?:[2-9]|[1-9][0-9]+)([./].*)$")
_JAVA = Regex(r"^(?:[a-z]\w*\.)*([A-Z][\w\$]*\.(?:<init>|[a-z][\w\$]*(?:\$\d+)?))(?:(?:\()|$)")
_CPP = Regex(r"^(?:[_a-zA-Z]\w*::)+(_*[A-Z]\w*::~?[_a-zA-Z]\w*(?:<.*>)?)")


def short_name(name: str) -> str:
    """A function's name without package path, Java package or C++ namespaces."""
    name = name.removeprefix("(anonymous namespace)::")
    version = _GO_VERSION.groups(name)
    if version:
        name = "".join(version)
    for pattern in (_GO, _JAVA, _CPP):
        groups = pattern.groups(name)
        if groups:
            return "".join(groups)
    return name


def multiline_name(info: NodeInfo, clip: Callable[[str], str] = str) -> str:
    """The name of a box, a line for each part."""
    name = escape(clip(short_name(info.name))).replace("::", "\\n").replace("[...]", "[…]").replace(".", "\\n")
    shown = info._replace(name=name, file=guarded(clip(base(info.file))) if info.file else "")
    return "\\n".join(shown.components()) + "\\n"
