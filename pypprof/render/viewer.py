"""An SVG of a call graph as a page of its own: our script and style in it, what they need to know marked."""

from __future__ import annotations

from importlib import resources
from xml.etree import ElementTree

from pypprof.errors import PprofError
from pypprof.render.dot import DotGraph
from pypprof.render.svg import for_xml
from pypprof.units import percentage

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_GROUP = f"{{{_SVG}}}g"


def dress(svg: bytes, graph: DotGraph) -> bytes:
    """Graphviz's SVG of the graph with the viewer. Still a plain picture where no script runs."""
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise PprofError(f"the layout made no valid SVG: {error}") from None
    for group in root.iter(_GROUP):
        _mark(group, graph)
    drawn = list(root)
    for child in drawn:
        root.remove(child)
    root.text = "\n"
    _add(root, "style", script("viewer.css"))
    viewport = _add(root, "g", None)
    viewport.set("id", "viewport")
    viewport.extend(drawn)
    _add(root, "script", script("viewer.js"))
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    page: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return page + b"\n"


def script(name: str) -> str:
    """The text of a file of the viewer."""
    return resources.files("pypprof.render").joinpath(name).read_text("utf-8")


def _add(parent: ElementTree.Element, name: str, text: str | None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, f"{{{_SVG}}}{name}")
    child.text, child.tail = text, "\n"
    return child


def _mark(group: ElementTree.Element, graph: DotGraph) -> None:
    """Tell the script what a box is called and weighs, and what an arrow joins."""
    title = group.findtext(f"{{{_SVG}}}title") or ""
    group.attrib.pop("id", None)  # Graphviz numbers the legend too: its ids are not unique
    if group.get("class") == "edge":
        source, arrow, target = title.partition("->")
        if arrow:
            group.set("data-from", source)
            group.set("data-to", target)
    elif group.get("class") == "node" and title[:1] == "N" and title[1:].isdecimal():
        number = int(title[1:])
        if 0 < number <= len(graph.nodes):
            node = graph.nodes[number - 1]
            group.set("data-id", title)
            group.set("data-name", for_xml(node.info.printable()))
            group.set("id", f"node{number}")  # as in the DOT text
            for name, value in (("flat", node.flat), ("cum", node.cum)):
                group.set(f"data-{name}", f"{graph.text(value)} ({percentage(value, graph.total).strip()})")
