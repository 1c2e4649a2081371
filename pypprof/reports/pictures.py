"""svg, png, gif, jpg, pdf, ps: the call graph drawn; web, eog, evince, gv: drawn and shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pypprof.render.dot import DotGraph, compose
from pypprof.reports.command import BROWSER, Command, graph_usage
from pypprof.reports.dot import build, is_empty

# A name longer than this is cut in its middle: a box as wide as ten screens shows nothing.
_LONGEST = 160
# The embedded layout knows the widths of this font, and every system has one like it.
_FONT = 'graph [fontname="Helvetica"]\nnode [fontname="Helvetica"]\nedge [fontname="Helvetica"]\n'


def drawn_text(report: DotGraph) -> str:
    """The DOT text for a layout: that of `dot`, with a font, and names short enough to be drawn."""
    pieces = compose(report._replace(longest=_LONGEST))
    return next(pieces) + _FONT + "".join(pieces)


def _explain(report: DotGraph, lines: Sequence[str]) -> DotGraph:
    """Who looks at an empty picture does not see stderr: the legend says why."""
    return report._replace(labels=[*report.labels, "\n" + lines[0], *lines[1:]])


def _page(report: DotGraph) -> Iterator[bytes]:
    from pypprof.render.svg import draw
    from pypprof.render.viewer import dress

    yield dress(draw(drawn_text(report), "svg"), report)


def _picture(format_: str, name: str = "", viewer: str = "") -> Command:
    def data(report: DotGraph) -> Iterator[bytes]:
        from pypprof.render.svg import draw

        yield draw(drawn_text(report), format_)

    name = name or format_
    shown = f"shown by {name}" if viewer else f"as a {format_.upper()} picture"
    return Command(
        name, f"The call graph {shown}", graph_usage(name, False, not viewer), build, data=data,
        suffix=format_, viewer=viewer, empty=is_empty, explain=_explain,
    )  # fmt: skip


PNG_COMMAND = _picture("png")
GIF_COMMAND = _picture("gif")
JPG_COMMAND = _picture("jpg")
PDF_COMMAND = _picture("pdf")
PS_COMMAND = _picture("ps")
EOG_COMMAND = _picture("svg", "eog", "eog")
EVINCE_COMMAND = _picture("pdf", "evince", "evince")
GV_COMMAND = _picture("ps", "gv", "gv --noantialias")
COMMAND = Command(
    "svg", "The call graph as an SVG picture to pan, zoom and search", graph_usage("svg", False), build, data=_page,
    suffix="svg", empty=is_empty, explain=_explain,
)  # fmt: skip
WEB_COMMAND = COMMAND._replace(
    name="web", summary="The call graph in the web browser", usage=graph_usage("web", False, False), viewer=BROWSER
)
