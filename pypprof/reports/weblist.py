"""weblist: the source of the functions that match as a page, the instructions behind each line.

Source: google/pprof internal/report/source.go (MakeWebList and below).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pypprof.errors import CommandError
from pypprof.fetch.paths import base
from pypprof.fetch.sourcefile import SourceReader
from pypprof.graph.order import sort_key
from pypprof.profile.model import Profile
from pypprof.records import Record
from pypprof.render.weblist import Call, Function, Instruction, Line, page
from pypprof.reports.command import BROWSER, Command, Context, listing_usage
from pypprof.reports.disasm import parse_address
from pypprof.reports.header import ProfileHeader, profile_header, profile_lines
from pypprof.reports.instructions import CodeMap, SourceFile, Use, canonical
from pypprof.reports.interest import AddressWeights, Interest
from pypprof.reports.objects import ObjectFile
from pypprof.reports.values import ValueFormat, value_format
from pypprof.symbolize.frames import Frames
from pypprof.units import percentage, wrap64
from pypprof.view import View

_MARGIN = 5  # lines shown around those with code
_GAP = 20  # lines without code in a function that do not part it
_UNKNOWN_LINES = "<instructions with unknown line numbers>"
_NO_SOURCE = "???"


class WeblistReport(Record):
    """`pattern` is what the functions were chosen by."""

    header: ProfileHeader
    values: ValueFormat
    total: int
    pattern: str
    functions: list[Function]


class _Part:
    """Neighbouring lines of one function: [begin, end)."""

    def __init__(self, name: str, line: int) -> None:
        self.name, self.begin, self.end = name, line, line + 1
        self.flat = self.cum = 0


def build(view: View, context: Context) -> WeblistReport:
    """CommandError when no function matches."""
    assert context.regex is not None
    settings, profile = context.settings, view.profile
    weights = AddressWeights(view)
    interest = Interest(profile, weights, context.regex, parse_address(context.argument))
    if not interest.names:
        raise CommandError(f"no matches found for regexp: {context.argument}")
    code = CodeMap(profile, weights, interest, settings.intel_syntax)
    reader = SourceReader(settings.source_path, settings.trim_path)
    _expect(reader, profile)
    writer = _Writer(code, interest, reader, view.total)
    files = sorted(code.files.values(), key=lambda file: sort_key(file.name))
    functions = [function for file in files for function in writer.functions(file)]
    context.notes.extend(code.notes)
    context.notes.extend(reader.notes())
    return WeblistReport(profile_header(view), value_format(view, settings), view.total, context.argument, functions)


def _expect(reader: SourceReader, profile: Profile) -> None:
    """Tell the reader which functions the profile has in which file."""
    functions, strings = profile.functions, profile.strings
    columns = (functions.name, functions.filename, functions.start_line)
    for name, path, line in zip(*(column.tolist() for column in columns), strict=True):
        reader.expect(canonical(strings[path]), strings[name], line)


class _Writer:
    """Makes the functions of the report."""

    def __init__(self, code: CodeMap, interest: Interest, reader: SourceReader, total: int) -> None:
        self._code, self._printed, self._reader, self._total = code, interest.printed, reader, total
        self._chains = self._inlined()

    def functions(self, file: SourceFile) -> Iterator[Function]:
        """Those with a cumulative value, by line."""
        for part in self._parts(file):
            if part.cum:
                lines = [line for at in range(part.begin, part.end) if (line := self._line(file, at))]
                percent = percentage(part.cum, self._total).strip()
                yield Function(part.name, file.name, part.flat, part.cum, percent, lines)

    def _parts(self, file: SourceFile) -> list[_Part]:
        parts: list[_Part] = []
        for line in sorted(file.lines):
            name = file.functions[line]
            name = self._printed.get(name, name)
            if not parts or line - parts[-1].end >= _GAP or parts[-1].name != name:
                parts.append(_Part(name, line))
            part = parts[-1]
            part.end = line + 1
            for use in file.lines[line]:
                flat, cum = self._code.weight(use)
                part.flat, part.cum = wrap64(part.flat + flat), wrap64(part.cum + cum)
        # Show what is around, up to the neighbours. Line 0 stands for lines that are not known.
        for index, part in enumerate(parts):
            if index:
                before = parts[index - 1]
                half = min(int((part.begin - before.end) / 2), _MARGIN)
                before.end += half
                part.begin -= half
            elif part.begin > _MARGIN:
                part.begin -= _MARGIN
            elif part.begin > 1:
                part.begin = 1
        if parts:
            parts[-1].end += _MARGIN
        return parts

    def _line(self, file: SourceFile, number: int) -> Line | None:
        uses = file.lines.get(number, [])
        source = self._reader.line(file.name, number)
        if source is None:
            if not uses:
                return None
            source = _NO_SOURCE if number else _UNKNOWN_LINES
        flat, cum = map(wrap64, map(sum, zip((0, 0), *map(self._code.weight, uses), strict=True)))
        instructions = list(self._instructions(uses)) if self._has_code(uses) else []
        return Line(number, flat, cum, source, instructions)

    def _has_code(self, uses: list[Use]) -> bool:
        """Whether there is more to see than the line itself."""
        return any(use.calls or self._code.code[use.address].text for use in uses)

    def _instructions(self, uses: list[Use]) -> Iterator[Instruction]:
        current: tuple[tuple[str, int], ...] = ()
        expected = 0
        for use in uses:
            code = self._code.code[use.address]
            calls = []
            for depth, call in enumerate(use.calls):
                if depth < len(current) and current[depth] == call:
                    continue
                current = ()
                source = self._reader.line(*call) or ""
                calls.append(Call(depth, source, base(call[0]), call[1]))
            current = use.calls
            place = f"{base(code.file)}:{code.line}" if code.file else ""
            apart = use.address != expected
            expected = use.address + code.size
            yield Instruction(
                code.address, code.flat, code.cum, code.text, place, apart, calls, self._chains.get(use.address, "")
            )

    def _inlined(self) -> dict[int, str]:
        """Of each address in inlined code, by which calls it got there."""
        by_object: dict[ObjectFile, dict[int, int]] = {}
        for file in self._code.files.values():
            for uses in file.lines.values():
                for use in uses:
                    code = self._code.code[use.address]
                    if code.object is not None:
                        by_object.setdefault(code.object, {})[code.address] = use.address
        chains = {}
        for object_, own in by_object.items():
            addresses = sorted(own)
            for address, frames in zip(addresses, object_.frames(addresses), strict=True):
                if len(frames) > 1:
                    chains[own[address]] = self._chain(frames)
        return chains

    def _chain(self, frames: Frames) -> str:
        names = [self._printed.get(frame.system_name, frame.system_name) for frame in frames]
        places = [f"{base(frame.file)}:{frame.line}" if frame.file else "?" for frame in frames]
        callers = [f"{name} ({place})" for name, place in zip(names[1:], places[1:], strict=True)]
        return f"{names[0]}, inlined into " + ", into ".join(callers)


def data(report: WeblistReport) -> Iterable[bytes]:
    legend = profile_lines(report.header, report.values)
    title = f"{report.pattern} in {report.header.file}" if report.header.file else report.pattern
    for piece in page(title, legend, report.total, report.functions, report.values.text):
        yield piece.encode("utf-8", "replace")


COMMAND = Command(
    "weblist", "The source of the functions that match and its instructions, in a browser",
    listing_usage("weblist"), build, data=data, argument="function", nodecount=-1, trim=False,
    granularity="addresses", noinlines=False, suffix="html", viewer=BROWSER,
)  # fmt: skip
