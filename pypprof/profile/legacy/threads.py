"""Thread texts of C++ programs (threadz): `--- Thread 7f794ab90940 (name: main/14748) stack: ---`."""

from __future__ import annotations

from pypprof.errors import Malformed
from pypprof.profile.legacy.cpu import without_doubled_leaf
from pypprof.profile.legacy.heap import ADDRESS
from pypprof.profile.legacy.lines import SPACE, Scanner, blank_or_comment, starts_map
from pypprof.profile.legacy.maps import massaged, read_map
from pypprof.profile.legacy.numbers import WORD, hexadecimal
from pypprof.profile.legacy.samples import Header, Samples, with_mappings
from pypprof.profile.model import ENCODING, ERRORS, Profile
from pypprof.regex import byte_groups

_PAGE = r"--- threadz \d+ ---"
_THREAD = r"--- Thread ([[:xdigit:]]+) \(name: (.*)/(\d+)\) stack: ---"
_TYPE = ("thread", "count")


def _is(pattern: str, line: str) -> bool:
    return "--- " in line and byte_groups(pattern, line.encode(ENCODING, ERRORS)) is not None


def parse(data: bytes) -> Profile | None:
    """The profile; None when a line is not where it has to be."""
    scanner = Scanner(data)
    while scanner.scan() and blank_or_comment(scanner.text):
        pass
    line = scanner.text
    if _is(_PAGE, line):
        while scanner.scan():
            line = scanner.text
            if starts_map(line) or line.startswith("-"):
                break
    elif not _is(_THREAD, line):
        return None
    samples = Samples()
    while not starts_map(line):
        if line.startswith("---- no stack trace for"):
            break
        if not _is(_THREAD, line):
            return None
        line, addresses = _stack(scanner)
        if addresses:
            # A return address points behind its call; the leaf is no call.
            rows = [samples.row((address - (place > 0)) % WORD) for place, address in enumerate(addresses)]
            samples.add(rows, (1,))
        else:
            samples.add_to_last(1)
    while not starts_map(scanner.text) and scanner.scan():
        pass
    scanner.check()
    mappings = massaged(read_map(scanner))
    samples.replace_stacks(without_doubled_leaf(samples.stacks(), list(samples.address)))
    return with_mappings(Header([_TYPE], _TYPE, 1), samples, mappings)


def _stack(scanner: Scanner) -> tuple[str, list[int]]:
    """(the line behind a stack, its addresses; none for "same as previous thread")."""
    line, same = "", False
    addresses: list[int] = []
    while scanner.scan():
        line = scanner.text.strip(SPACE)
        if line.startswith("---"):
            break
        if "same as previous thread" in line:
            same = True
        elif line:
            try:
                addresses += [hexadecimal(text) for text in ADDRESS.findall(line)]
            except Malformed:
                raise Malformed(f"malformed sample: {line[:80]}") from None
    scanner.check()
    return line, [] if same else addresses
