"""The lines above a report: what the profile is, which filters act, what is shown.

Source: google/pprof internal/report/report.go (ProfileLabels, reportLabels).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pypprof.fetch.paths import base
from pypprof.records import Record
from pypprof.reports.values import ValueFormat, share
from pypprof.units import abs64, label, percentage, scale, truncate64

if TYPE_CHECKING:
    from pypprof.graph.trim import TrimmedGraph
    from pypprof.settings import Settings
    from pypprof.view import View

# Where pprof sends readers of its pictures; part of the picture's text.
GUIDE = "See https://git.io/JfYMW for how to read the graph"


class ProfileHeader(Record):
    """What a profile says of itself."""

    file: str
    build_id: str
    comments: tuple[str, ...]
    type: str
    doc_url: str
    time_nanos: int
    duration_nanos: int
    total: int
    unit: str


class Shown(Record):
    """How much of the profile a report shows."""

    filters: tuple[str, ...]
    shown: int
    total: int
    nodes: int
    original: int
    dropped_nodes: int
    dropped_edges: int
    node_cutoff: int
    edge_cutoff: int


class Header(Record):
    """All header lines of a report as data."""

    profile: ProfileHeader
    shown: Shown
    compact: bool  # the profile's own lines are not printed
    full: bool  # the header of a picture


def profile_header(view: View) -> ProfileHeader:
    profile = view.profile
    main = profile.mappings[0] if profile.mappings else None
    return ProfileHeader(
        base(main.file) if main and main.file else "", main.build_id if main else "",
        tuple(c for c in profile.comments if not c.startswith("#")), view.sample.type, profile.doc_url,
        profile.time_nanos, profile.duration_nanos, view.total, view.sample.unit,
    )  # fmt: skip


def graph_header(view: View, settings: Settings, trimmed: TrimmedGraph, picture: bool = False) -> Header:
    """The header of a report on a graph."""

    def cutoff(fraction: float) -> int:
        return abs64(truncate64(float(view.total) * fraction))

    shown = Shown(
        view.filters, trimmed.shown_total(), view.total, len(trimmed.nodes), trimmed.original,
        trimmed.dropped_nodes, trimmed.dropped_edges if picture else 0,
        cutoff(settings.nodefraction), cutoff(settings.edgefraction),
    )  # fmt: skip
    return Header(profile_header(view), shown, settings.compact_labels and not picture, picture)


def profile_lines(header: ProfileHeader, values: ValueFormat) -> list[str]:
    lines = [f"File: {header.file}"] if header.file else []
    if header.build_id:
        lines.append(f"Build ID: {header.build_id}")
    lines += header.comments
    if header.type:
        lines.append(f"Type: {header.type}")
    if header.doc_url:
        lines.append(f"Doc: {header.doc_url}")
    if header.time_nanos:
        lines.append(f"Time: {local_time(header.time_nanos)}")
    if header.duration_nanos:
        lines.append(_duration_line(header, values))
    return lines


def _duration_line(header: ProfileHeader, values: ValueFormat) -> str:
    duration = label(header.duration_nanos, "nanoseconds")
    nanos, unit = scale(header.total, header.unit, "nanoseconds")
    ratio = ""
    if unit == "ns" and nanos != 0:
        ratio = f"({percentage(truncate64(nanos), header.duration_nanos)})"
    return f"Duration: {duration}, Total samples = {values.text(header.total)} {ratio}"


def local_time(nanos: int) -> str:
    """Date, time and zone name in the local time zone."""
    local = time.localtime(nanos // 1_000_000_000)
    zone = local.tm_zone if local.tm_zone else "UTC"
    return f"{_date(local)} {zone}"


def _date(local: time.struct_time) -> str:
    return (
        f"{local.tm_year:04d}-{local.tm_mon:02d}-{local.tm_mday:02d} "
        f"{local.tm_hour:02d}:{local.tm_min:02d}:{local.tm_sec:02d}"
    )


def long_time(nanos: int) -> str:
    """Go's %v of a time: fraction without trailing zeros, offset and name of the zone."""
    seconds, rest = divmod(nanos, 1_000_000_000)
    local = time.localtime(seconds)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    minutes = abs(local.tm_gmtoff) // 60
    offset = f"{'-' if local.tm_gmtoff < 0 else '+'}{minutes // 60:02d}{minutes % 60:02d}"
    return f"{_date(local)}{fraction} {offset} {local.tm_zone or 'UTC'}"


def header_lines(header: Header, values: ValueFormat) -> list[str]:
    """All lines; in a picture's header the last one begins with a newline of its own."""
    lines = [] if header.compact else profile_lines(header.profile, values)
    shown = header.shown
    if shown.filters:
        lines.append("Active filters:")
        lines += [f"   {_clipped(text)}" for text in shown.filters]
    lines.append(
        f"Showing nodes accounting for {values.text(shown.shown)}, {share(shown.shown, shown.total)} of "
        f"{values.text(shown.total)} total"
    )
    if shown.total:
        lines += _dropped(shown.dropped_nodes, "node", "cum", values.text(shown.node_cutoff))
        lines += _dropped(shown.dropped_edges, "edge", "freq", values.text(shown.edge_cutoff))
        if 0 < shown.nodes < shown.original:
            lines.append(f"Showing top {shown.nodes} nodes out of {shown.original}")
    if header.full:
        lines.append("\n" + GUIDE)
    return lines


def _clipped(text: str) -> str:
    """At most 80 bytes, an ellipsis for the rest."""
    data = text.encode("utf-8", "surrogateescape")
    return text if len(data) <= 80 else data[:80].decode("utf-8", "surrogateescape") + "…"


def _dropped(count: int, what: str, by: str, cutoff: str) -> list[str]:
    plural = "s" if count > 1 else ""
    return [f"Dropped {count} {what}{plural} ({by} <= {cutoff})"] if count > 0 else []
