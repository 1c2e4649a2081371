"""raw: the profile as text, table by table.

Source: google/pprof profile/profile.go (String).
"""

from __future__ import annotations

from collections.abc import Iterator

from pypprof.profile.model import Block, Labels, Locations, Mapping, Profile
from pypprof.records import Record
from pypprof.reports.command import Command, Context
from pypprof.reports.header import long_time
from pypprof.view import View

_LABEL_INDENT = " " * 16


class RawReport(Record):
    profile: Profile


def build(view: View, context: Context) -> RawReport:
    return RawReport(view.profile)


def text(report: RawReport) -> Iterator[str]:
    profile = report.profile
    yield from _head(profile)
    ids = [f"{id_} " for id_ in profile.locations.id.tolist()]
    for block in profile.blocks:
        yield "".join(_samples(profile, block, ids))
    yield "Locations\n"
    yield from _locations(profile, profile.locations)
    yield "Mappings\n"
    for mapping in profile.mappings:
        yield _mapping(mapping)


def _head(profile: Profile) -> Iterator[str]:
    for comment in profile.comments:
        yield f"Comment: {comment}\n"
    if profile.doc_url:
        yield f"Doc: {profile.doc_url}\n"
    yield f"PeriodType: {profile.period_type.type} {profile.period_type.unit}\nPeriod: {profile.period}\n"
    if profile.time_nanos:
        yield f"Time: {long_time(profile.time_nanos)}\n"
    if profile.duration_nanos:
        # Go prints the duration with a precision of four, which cuts its text to four characters.
        yield f"Duration: {go_duration(profile.duration_nanos)[:4]}\n"
    types = [
        f"{t.type}/{t.unit}{'[dflt]' if t.type == profile.default_sample_type else ''}" for t in profile.sample_types
    ]
    yield "Samples:\n" + " ".join(types).strip() + "\n"


def go_duration(nanos: int) -> str:
    """Go's text of a time.Duration: 1h2m3.5s, 1.5ms, 0s."""
    sign, left = ("-", -nanos) if nanos < 0 else ("", nanos)
    if left < 1_000_000_000:
        for unit, size in (("ns", 1), ("µs", 1000), ("ms", 1_000_000)):
            if left < size * 1000:
                return "0s" if left == 0 else f"{sign}{_decimal(left, size)}{unit}"
    minutes, rest = divmod(left, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(rest, 1_000_000_000)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(value: int, size: int) -> str:
    whole, rest = divmod(value, size)
    digits = len(str(size)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0") if rest else str(whole)


def _samples(profile: Profile, block: Block, ids: list[str]) -> Iterator[str]:
    starts, stacks = block.starts.tolist(), block.stacks.tolist()
    tags = _label_texts(profile, block.labels)
    columns = [[f" {v:10d}" for v in column] for column in block.values.T.tolist()]
    values = map("".join, zip(*columns, strict=True)) if columns else iter([""] * block.size())
    for sample, shown in enumerate(values):
        stack = "".join(map(ids.__getitem__, stacks[starts[sample] : starts[sample + 1]]))
        yield f"{shown}: {stack}\n{tags.get(sample, '')}"


def _label_texts(profile: Profile, labels: Labels | None) -> dict[int, str]:
    """The tag lines of each sample that has tags."""
    if labels is None:
        return {}
    strings = profile.strings
    grouped: dict[int, tuple[dict[str, list[str]], dict[str, list[tuple[int, str]]]]] = {}
    for sample, key, text_, number, unit in zip(*(column.tolist() for column in labels), strict=True):
        texts, numbers = grouped.setdefault(sample, ({}, {}))
        if text_:
            texts.setdefault(strings[key], []).append(strings[text_])
        else:
            numbers.setdefault(strings[key], []).append((number, strings[unit]))
    lines = {}
    for sample, (texts, numbers) in grouped.items():
        strings_ = [f"{key}:[{' '.join(own)}]" for key, own in texts.items()]
        numeric = [f"{key}:[{_numbers(own)}]" for key, own in numbers.items()]
        lines[sample] = "".join(
            f"{_LABEL_INDENT}{' '.join(sorted(own, key=_bytes))}\n" for own in (strings_, numeric) if own
        )
    return lines


def _numbers(values: list[tuple[int, str]]) -> str:
    if any(unit for _, unit in values):
        return " ".join(f"{number} {unit}" for number, unit in values)
    return " ".join(str(number) for number, _ in values)


def _bytes(text_: str) -> bytes:
    return text_.encode("utf-8", "surrogateescape")


def _locations(profile: Profile, locations: Locations) -> Iterator[str]:
    mapping_ids = [mapping.id for mapping in profile.mappings]
    lines = _line_texts(profile)
    starts = locations.line_starts.tolist()
    columns = (locations.id, locations.address, locations.mapping, locations.folded)
    for row, (id_, address, mapping, folded) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        head = f"{id_:6d}: {address:#x} "
        if mapping >= 0:
            head += f"M={mapping_ids[mapping]} "
        if folded:
            head += "[F] "
        own = lines[starts[row] : starts[row + 1]] or [""]
        yield head + "\n             ".join(own) + "\n"


def _line_texts(profile: Profile) -> list[str]:
    functions = profile.functions
    names, system, files = (profile.texts(c) for c in (functions.name, functions.system_name, functions.filename))
    start_lines = functions.start_line.tolist()
    texts = []
    for function, line, column in zip(*(c.tolist() for c in profile.locations.lines), strict=True):
        name, other = names[function], system[function]
        mangled = f"({other})" if name != other else ""
        texts.append(f"{name} {files[function]}:{line}:{column} s={start_lines[function]}{mangled}")
    return texts


def _mapping(mapping: Mapping) -> str:
    marks = (
        (mapping.has_functions, "[FN]"),
        (mapping.has_filenames, "[FL]"),
        (mapping.has_line_numbers, "[LN]"),
        (mapping.has_inline_frames, "[IN]"),
    )
    bits = "".join(mark for has, mark in marks if has)
    return (
        f"{mapping.id}: {mapping.start:#x}/{mapping.limit:#x}/{mapping.offset:#x} "
        f"{mapping.file} {mapping.build_id} {bits}\n"
    )


COMMAND = Command("raw", "The whole profile as text", "", build, text, trim=False, granularity="addresses")
