"""The code around addresses: disassembled, each instruction with its values and source line.

Source: google/pprof internal/report/source.go (splitIntoRanges, expandAddresses, addStack).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from pypprof.errors import BinaryError
from pypprof.fetch.paths import clean
from pypprof.graph.gosort import go_sorted
from pypprof.profile.model import Mapping, Profile
from pypprof.records import Record
from pypprof.reports.interest import AddressWeights, Interest
from pypprof.reports.objects import MOST_CODE, ObjectFile
from pypprof.symbolize.disasm import Instruction
from pypprof.symbolize.frames import Frame
from pypprof.units import wrap64

_AROUND = 500  # bytes shown before and behind an address
_MOST_RANGES = 25
_NEAR = 32  # bytes in which an instruction without a line takes that of the one before
_MASK = (1 << 64) - 1


class Code(Record):
    """An instruction (`text` is "" where there is no binary), by its address in the file."""

    address: int
    size: int
    text: str
    file: str
    line: int
    flat: int
    cum: int
    object: ObjectFile | None


class Use(Record):
    """An instruction under a source line, and the calls inlined there that lead to it, outermost first."""

    address: int
    calls: tuple[tuple[str, int], ...]


class SourceFile:
    """What was found in a file: the uses of each line, and the function that the line is of."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[int, list[Use]] = {}
        self.functions: dict[int, str] = {}


class _Range(Record):
    begin: int
    end: int
    object: ObjectFile
    score: int


class CodeMap:
    """All instructions of interest, and the files that they belong to. Keys are runtime addresses.

    `inlined`: whether the frames of a binary's instructions are those of all calls inlined there, or
    only the function and the innermost line, as Go's tool has them.
    """

    def __init__(self, profile: Profile, weights: AddressWeights, interest: Interest, intel: bool) -> None:
        self._profile, self._weights, self._interest, self._intel = profile, weights, interest, intel
        self._sampled = sorted(weights.flat.keys() | weights.cum.keys())
        self._objects: dict[int, ObjectFile | None] = {}
        self.notes: list[str] = []
        self.code: dict[int, Code] = {}
        self.files: dict[str, SourceFile] = {}
        ranges, bare = self._split()
        self._bare = {address: self._known(address) for address in bare}
        self._runs = self._decoded(ranges)
        self._place(inlined=False)
        if not any(self.weight(use)[1] for file in self.files.values() for uses in file.lines.values() for use in uses):
            # Go's page would be empty: its tool does not know of functions that were inlined.
            self._place(inlined=True)

    def _note(self, text: str) -> None:
        if text and text not in self.notes:
            self.notes.append(text)

    def weight(self, use: Use) -> tuple[int, int]:
        """(flat, cum)."""
        code = self.code[use.address]
        return code.flat, code.cum

    def _split(self) -> tuple[list[_Range], list[int]]:
        """The ranges around addresses in binaries, the heaviest first; the addresses in none."""
        places = {address: self._object(row) for address, row in sorted(self._interest.locations.items())}
        bare = [address for address, (object_, _) in places.items() if object_ is None]
        inside = [address for address, (object_, _) in places.items() if object_ is not None]
        ranges, at = [], 0
        while at < len(inside):
            begin = end = inside[at]
            object_, mapping = places[begin]
            score = self._weights.flat.get(begin, 0)
            at += 1
            while at < len(inside) and inside[at] <= end + 2 * _AROUND and inside[at] < mapping.limit:
                end = inside[at]
                score = wrap64(score + self._weights.flat.get(end, 0))
                at += 1
            begin = begin - _AROUND if (mapping.start - begin) & _MASK >= _AROUND else mapping.start
            end = end + _AROUND if (mapping.limit - end) & _MASK >= _AROUND else mapping.limit
            assert object_ is not None
            ranges.append(_Range(max(begin, 0), end, object_, score))
        return go_sorted(ranges, lambda range_: -range_.score)[:_MOST_RANGES], bare

    def _object(self, row: int) -> tuple[ObjectFile | None, Mapping]:
        """The opened mapping of a location."""
        index = int(self._profile.locations.mapping[row])
        if index < 0:
            return None, Mapping(0)
        mapping = self._profile.mappings[index]
        if index not in self._objects:
            self._objects[index] = None
            try:
                found = self._objects[index] = ObjectFile(mapping)
                self._note(found.doubt)
            except BinaryError as error:
                self._note(f"no instructions: {error}")
        return self._objects[index], mapping

    def _known(self, address: int) -> list[Frame]:
        """The frames of an address without a binary: what the profile says of it."""
        profile = self._profile
        row, strings, lines = self._interest.locations[address], profile.strings, profile.locations.lines
        starts, functions = profile.locations.line_starts, profile.functions
        frames = []
        for at in range(int(starts[row]), int(starts[row + 1])):
            function = lines.function[at]
            name, path = strings[functions.name[function]], strings[functions.filename[function]]
            frames.append(Frame(name, path, int(lines.line[at])))
        first = frames[0] if frames else Frame()
        flat, cum = self._weights.flat.get(address, 0), self._weights.cum.get(address, 0)
        self.code[address] = Code(address, 1, "", first.file, first.line, flat, cum, None)
        return frames

    def _decoded(self, ranges: list[_Range]) -> list[list[tuple[int, Frame]]]:
        """Decode ranges; (runtime address, place) of their instructions."""
        found = [self._instructions(range_) for range_ in ranges]
        places: dict[ObjectFile, dict[int, Frame]] = {range_.object: {} for range_ in ranges}
        for object_, own in places.items():
            addresses = sorted(
                {i.address for r, code in zip(ranges, found, strict=True) if r.object is object_ for i in code}
            )
            own.update(zip(addresses, object_.places(addresses), strict=True))
        runs = []
        for range_, instructions in zip(ranges, found, strict=True):
            run = []
            for index, instruction in enumerate(instructions):
                following = instructions[index + 1].address if index + 1 < len(instructions) else 0
                size = following - instruction.address if following > instruction.address else instruction.size
                address = (instruction.address + range_.object.bias) & _MASK
                place = places[range_.object][instruction.address]
                flat, cum = self._within(address, size)
                self.code[address] = Code(
                    instruction.address, size, instruction.text, place.file, place.line, flat, cum, range_.object
                )
                run.append((address, place))
            runs.append(run)
        return runs

    def _instructions(self, range_: _Range) -> list[Instruction]:
        object_ = range_.object
        begin, end = ((address - object_.bias) & _MASK for address in (range_.begin, range_.end))
        end = min(end, begin + MOST_CODE // _MOST_RANGES)
        try:
            return list(object_.decode_around(begin, end, self._intel)) if begin < end else []
        except BinaryError as error:
            self._note(f"no instructions: {error}")
            return []

    def _within(self, address: int, size: int) -> tuple[int, int]:
        """The values at an instruction, also at those that point into its middle."""
        flat = cum = 0
        for at in range(bisect_left(self._sampled, address), bisect_left(self._sampled, address + size)):
            flat += self._weights.flat.get(self._sampled[at], 0)
            cum += self._weights.cum.get(self._sampled[at], 0)
        return wrap64(flat), wrap64(cum)

    def _place(self, inlined: bool) -> None:
        """Put everything under its source lines."""
        self.files = {}
        for address, known in self._bare.items():
            self._add_stack(address, known)
        for run in self._runs:
            last: list[Frame] = []
            last_address = 0
            stacks: Iterator[list[Frame]] = ([place] for _, place in run)
            if inlined and run:
                object_ = self.code[run[0][0]].object
                assert object_ is not None
                found = object_.frames([self.code[address].address for address, _ in run])
                stacks = (list(frames) for frames in found)
            for (address, _), stack in zip(run, stacks, strict=True):
                frames = stack
                # Some instructions have no line number: they take that of the one before, if it is near.
                if frames and frames[0].line:
                    last, last_address = frames, address
                elif address - last_address <= _NEAR and last:
                    frames = last
                self._add_stack(address, frames)

    def _add_stack(self, address: int, frames: list[Frame]) -> None:
        for index, frame in enumerate(frames):
            if frame.system_name not in self._interest.names:
                continue
            name = canonical(frame.file)
            file = self.files.setdefault(name, SourceFile(name))
            calls = tuple((callee.file, callee.line) for callee in reversed(frames[:index]))
            file.lines.setdefault(frame.line, []).append(Use(address, calls))
            file.functions.setdefault(frame.line, frame.system_name)


def canonical(path: str) -> str:
    return clean(path.removeprefix("/proc/self/cwd/").removeprefix("./"))
