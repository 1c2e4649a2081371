"""What may come next on a line of the shell. Pure: text and names in, suggestions out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cached_property

from pypprof.profile.model import Profile
from pypprof.records import Record
from pypprof.reports import COMMANDS
from pypprof.settings import CHOICES, OPTIONS, TYPES

_MOST = 200  # suggestions shown
_SCANNED = 20_000  # names of one kind looked at for every key stroke
_UNITS = ["auto", "minimum", "bytes", "kB", "MB", "GB", "TB", "ns", "us", "ms", "s", "hours", "count"]
_SPECIAL = frozenset("()[]{}*+?^$|\\")


class Suggestion(Record):
    """Text that replaces the last `length` characters, and what it is."""

    text: str
    length: int
    kind: str


class Names:
    """The names that occur in a profile, each list made when it is first needed."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    @cached_property
    def functions(self) -> list[str]:
        return self._strings(self.profile.functions.name)

    @cached_property
    def files(self) -> list[str]:
        return self._strings(self.profile.functions.filename)

    @cached_property
    def tags(self) -> dict[str, list[str]]:
        """The values of each tag key; numeric keys have none."""
        found: dict[str, set[str]] = {}
        strings = self.profile.strings
        for block in self.profile.blocks:
            if block.labels is not None:
                pairs = zip(block.labels.key.tolist(), block.labels.text.tolist(), strict=True)
                for key, text in set(pairs):
                    found.setdefault(strings[key], set()).add(strings[text])
        return {key: sorted(values - {""}) for key, values in sorted(found.items())}

    @property
    def samples(self) -> list[str]:
        return [type_.type for type_ in self.profile.sample_types]

    def _strings(self, column) -> list[str]:  # type: ignore[no-untyped-def]
        names = {self.profile.strings[index] for index in set(column.tolist())}
        return sorted(names - {""})


def as_pattern(name: str) -> str:
    """A pattern for one word of the shell that matches the name."""
    return "".join("\\" + c if c in _SPECIAL else "." if c.isspace() else c for c in name)


def suggest(line: str, names: Names, words: Iterable[str]) -> list[Suggestion]:
    """Suggestions for the end of `line`. `words` are the shell's own commands."""
    before, _, last = line.rpartition(" ")
    tokens = before.split()
    if (tokens and tokens[-1] == ">") or last.startswith(">"):
        return _ranked(last.lstrip(">"), _files_on_disk(last.lstrip(">")), "file")
    if not tokens:
        option, equals, value = last.partition("=")
        if equals:
            return _option_values(option, value, names)
        return _ranked(last, [*COMMANDS, *words], "command") + _ranked(last, _assignable(names), "option")
    if tokens[0] == "help":
        return _ranked(last, [*COMMANDS, *words, *OPTIONS, *CHOICES], "help")
    if tokens[0] in ("fetch", "base", "diff_base"):
        return _ranked(last, _files_on_disk(last), "file")
    if tokens == ["trend"] and ("/" in last or last.startswith(".")):
        return _ranked(last, [name for name in _files_on_disk(last) if name.endswith("/")], "directory")
    if tokens[0].rstrip("0123456789") in COMMANDS:
        return _arguments(tokens[0].rstrip("0123456789"), last, names)
    return []


def _assignable(names: Names) -> Iterator[str]:
    for name in OPTIONS:
        yield name + "="
    yield from names.samples


def _option_values(option: str, value: str, names: Names) -> list[Suggestion]:
    if option not in OPTIONS:
        return []
    declared = OPTIONS[option]
    if declared.choices:
        return _ranked(value, declared.choices, "value")
    if TYPES[option] is bool:
        return _ranked(value, ["true", "false"], "value")
    if declared.argument == "function":
        return _functions(value, names)
    if declared.argument == "tag":
        keys = option in ("tagshow", "taghide", "tagroot", "tagleaf")
        return _ranked(value, names.tags if keys else _tag_pairs(names), "tag")
    if declared.argument == "sample":
        return _ranked(value, names.samples, "sample type")
    if option == "trend_by":
        return _ranked(value, ["function", "leaf", "stack", *(f"label:{key}" for key in names.tags)], "value")
    if declared.argument == "unit":
        return _ranked(value, _UNITS, "unit")
    return _ranked(value, _files_on_disk(value), "file") if declared.argument == "file" else []


def _arguments(command: str, last: str, names: Names) -> list[Suggestion]:
    sign = "-" if last.startswith("-") else ""
    if command == "tags":
        return _ranked(last[len(sign) :], _tag_pairs(names), "tag")
    flags = _ranked(last, ["-cum", "-json", "-csv"], "flag") if sign else []
    return flags + _functions(last[len(sign) :], names)


def _functions(text: str, names: Names) -> list[Suggestion]:
    return _ranked(text, map(as_pattern, names.functions), "function") + _ranked(
        text, map(as_pattern, names.files), "file"
    )


def _tag_pairs(names: Names) -> Iterator[str]:
    for key, values in names.tags.items():
        yield key + "="
        for value in values:
            yield f"{key}={as_pattern(value)}"


def _files_on_disk(text: str) -> list[str]:
    directory = os.path.dirname(text)
    try:
        with os.scandir(directory or ".") as entries:
            return sorted(os.path.join(directory, e.name) + ("/" if e.is_dir() else "") for e in entries)
    except OSError:
        return []


def _ranked(text: str, candidates: Iterable[str], kind: str) -> list[Suggestion]:
    """The candidates that hold the letters of `text` in this order, best matches first."""
    scored = []
    for index, candidate in enumerate(candidates):
        if index >= _SCANNED:
            break
        score = _score(text.lower(), candidate.lower())
        if score is not None:
            scored.append((score, index, candidate))
    scored.sort()
    return [Suggestion(candidate, len(text), kind) for _, _, candidate in scored[:_MOST]]


def _score(text: str, candidate: str) -> tuple[int, int] | None:
    """(0 for a prefix, 1 for a part, 2 for scattered letters; where or how far apart), None for no match."""
    at = candidate.find(text)
    if at >= 0:
        return (1 if at else 0), at
    first = position = candidate.find(text[0])
    for letter in text[1:]:
        position = candidate.find(letter, position + 1)
        if position < 0:
            return None
    return (2, position - first) if first >= 0 else None
