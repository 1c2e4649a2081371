"""One profile as values of sites: what each function, stack or tag value weighs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pypprof.columns import I8, U8, Array, Ints, hash_rows, number_values, ragged_positions, starts_of, where_true
from pypprof.errors import CommandError
from pypprof.graph.nodes import NodeTable
from pypprof.graph.weights import WeightTable
from pypprof.profile.model import Block, Profile, same_tables
from pypprof.records import Record
from pypprof.settings import Settings
from pypprof.trend.own import Blame, blame_table, blamed_slots
from pypprof.view import Filtered, View, build_view, filter_profile
from pypprof.view.aggregate import aggregate

Key = str | int  # a site: its printed name, of a stack its hash


class SiteValues(Record):
    """The sites of one profile that are not zero. `keys` and `values` run in step."""

    keys: list[Key]
    values: Ints
    type: str
    unit: str
    total: int
    warnings: tuple[str, ...]


class Stack(Record):
    """A stack and its value; frames leaf first, `blamed` is the index of the frame blamed for it."""

    frames: tuple[str, ...]
    blamed: int
    value: int


def by_label(settings: Settings) -> str:
    """The tag key of trend_by=label:KEY; '' for the other kinds. CommandError for an unknown kind."""
    kind, colon, key = settings.trend_by.partition(":")
    if kind == "label" and key:
        return key
    if colon or kind not in ("", "function", "leaf", "stack"):
        raise CommandError(f'trend_by "{settings.trend_by}" must be one of: function, leaf, stack, label:KEY')
    return ""


def as_view(profile: Profile, settings: Settings) -> tuple[Filtered, View]:
    """The profile as the settings show it. A label becomes the frame at the root of each stack."""
    key = by_label(settings)
    if key:
        settings = settings._replace(tagroot=f"{key},{settings.tagroot}")
    filtered = filter_profile(profile, settings)
    return filtered, build_view(filtered, settings)


class _Tables:
    """What hangs on a profile's locations and functions alone, each part worked out when it is asked for."""

    def __init__(self, shown: Profile, focused: Profile, settings: Settings) -> None:
        self._shown, self._focused, self._settings = shown, focused, settings
        self.nodes = NodeTable(shown, False, settings.trim_path, settings.source_path)
        self._names: list[str] | None = None
        self._blame: Blame | None = None
        self._hashes: Array | None = None

    def fit(self, shown: Profile, focused: Profile, settings: Settings) -> bool:
        """Whether they are also those of another profile."""
        return settings == self._settings and same_tables(shown, self._shown) and same_tables(focused, self._focused)

    def names(self) -> list[str]:
        """The printed names of all nodes."""
        if self._names is None:
            nodes = self.nodes
            if self._settings.granularity in ("", "functions"):
                self._names = [name or nodes.printable(node) for node, name in enumerate(nodes.names())]
            else:
                self._names = [nodes.printable(node) for node in range(nodes.count)]
        return self._names

    def hashes(self) -> Array:
        """A hash of each name, the same in every process."""
        if self._hashes is None:
            self._hashes = np.array([_hash(name) for name in self.names()], U8)
        return self._hashes

    def blame(self) -> Blame | None:
        if self._settings.trend_by == "leaf" or by_label(self._settings):
            return None
        if self._blame is None:
            with_files = aggregate(self._focused, self._settings._replace(granularity="filefunctions"))
            self._blame = blame_table(with_files, self.nodes.slot_starts)
        return self._blame


_last: list[_Tables] = []  # of the profile before: snapshots of one program mostly differ in their values alone


def _tables(shown: Profile, focused: Profile, settings: Settings) -> _Tables:
    shown, focused = shown._replace(blocks=()), focused._replace(blocks=())
    for one in _last:
        if one.fit(shown, focused, settings):
            return one
    made = _Tables(shown, focused, settings)
    _last[:] = [made]
    return made


class Sites:
    """The sites of one profile under some settings."""

    def __init__(self, profile: Profile, settings: Settings) -> None:
        if settings.mean:
            raise CommandError("trend has no mean values")
        self._settings = settings
        filtered, self.view = as_view(profile, settings)
        self._tables = _tables(self.view.profile, filtered.focused, settings)
        self._table = self._tables.nodes

    def values(self) -> SiteValues:
        keys, values = self._sums()
        view = self.view
        return SiteValues(keys, values, view.sample.type, view.sample.unit, view.total, view.warnings)

    def _sums(self) -> tuple[list[Key], Ints]:
        table, sample = self._table, self.view.sample
        by = self._settings.trend_by
        if by == "stack":
            return self._stack_sums()
        if self._settings.sort == "cum" and not by_label(self._settings):
            values = WeightTable(self.view.profile, table).weights(sample).cum
        else:
            values = np.zeros(table.count, I8)
            blame = self._tables.blame()
            for block in self.view.profile.blocks:
                slots = self._slots(block, blame)
                rows = where_true(slots >= 0)
                nodes = table.slot_node.take(slots.take(rows))
                np.add.at(values, nodes, sample.values(block).take(rows))
        found = where_true(values)
        merged: dict[Key, int] = {}  # nodes may print alike
        names = self._tables.names()
        for name, value in zip(map(names.__getitem__, found.tolist()), values.take(found).tolist(), strict=True):
            merged[name] = merged.get(name, 0) + value
        return list(merged), np.array(list(merged.values()), I8)

    def _slots(self, block: Block, blame: Blame | None) -> Ints:
        """The slot that stands for each sample; -1 for none."""
        if blame is not None:
            return blamed_slots(block, blame)
        starts = self._table.slot_starts
        slots = np.zeros(block.size(), I8) - 1
        rows = where_true(block.counts())
        if by_label(self._settings):
            slots[rows] = starts.take(block.stacks.take(block.starts.take(rows + 1) - 1).astype(I8) + 1) - 1
        else:
            slots[rows] = starts.take(block.stacks.take(block.starts.take(rows)))
        return slots

    def _stack_sums(self) -> tuple[list[Key], Ints]:
        hashes, values = [], []
        for block in self.view.profile.blocks:
            hashes.append(self._stack_hashes(block))
            values.append(self.view.sample.values(block))
        if not hashes:
            return [], np.zeros(0, I8)
        numbers, first = number_values(np.concatenate(hashes).view(I8))
        sums = np.zeros(len(first), I8)
        np.add.at(sums, numbers, np.concatenate(values))
        found = where_true(sums)
        keys: list[Key] = list(np.concatenate(hashes).take(first.take(found)).tolist())
        return keys, sums.take(found)

    def _stack_hashes(self, block: Block) -> Array:
        """A hash of the printed frames of each sample, the same in every profile."""
        starts, nodes = self._frames(block)
        return hash_rows(self._tables.hashes().take(nodes), starts)

    def _frames(self, block: Block) -> tuple[Ints, Ints]:
        """(row starts, node of each frame): the frames of the samples, inlined ones too."""
        slot_starts = self._table.slot_starts
        first = slot_starts.take(block.stacks)
        counts = slot_starts.take(block.stacks.astype(I8) + 1) - first
        ends = starts_of(counts)
        return ends.take(block.starts), self._table.slot_node.take(ragged_positions(first, counts))

    def stacks(self, wanted: set[Key]) -> dict[Key, dict[tuple[str, ...], Stack]]:
        """The stacks of each wanted site by their frames."""
        found: dict[Key, dict[tuple[str, ...], Stack]] = {key: {} for key in wanted}
        table = self._table
        names = self._tables.names()
        blame = self._tables.blame()
        for block in self.view.profile.blocks:
            starts, nodes = self._frames(block)
            slots = self._slots(block, blame)
            sites = table.slot_node.take(np.maximum(slots, 0))
            values = self.view.sample.values(block)
            for row, keys in self._rows_of(block, wanted, names, sites):
                frames = nodes[int(starts[row]) : int(starts[row + 1])].tolist()
                texts = tuple(names[node] for node in frames)
                at = frames.index(int(sites[row])) if int(sites[row]) in frames else 0
                for key in keys:
                    before = found[key].get(texts)
                    found[key][texts] = Stack(texts, at, int(values[row]) + (before.value if before else 0))
        return found

    def _rows_of(
        self, block: Block, wanted: set[Key], names: list[str], sites: Ints
    ) -> Iterator[tuple[int, Sequence[Key]]]:
        """(sample, the wanted sites that it belongs to)."""
        if self._settings.trend_by == "stack":
            for row, key in enumerate(self._stack_hashes(block).tolist()):
                if key in wanted:
                    yield row, (key,)
            return
        is_wanted = np.array([name in wanted for name in names], bool)
        if not (self._settings.sort == "cum" and not by_label(self._settings)):
            for row in where_true(is_wanted.take(sites) & (block.counts() > 0)).tolist():
                yield row, (names[int(sites[row])],)
            return
        starts, nodes = self._frames(block)
        hits = where_true(is_wanted.take(nodes))
        keys: dict[int, set[Key]] = {}
        for row, node in zip((starts.searchsorted(hits, side="right") - 1).tolist(), nodes[hits].tolist(), strict=True):
            keys.setdefault(row, set()).add(names[node])
        for row, own in keys.items():
            yield row, sorted(own, key=str)


_hashes: dict[str, int] = {}


def _hash(name: str) -> int:
    """A 64-bit hash that is the same in every process."""
    found = _hashes.get(name)
    if found is None:
        import hashlib

        digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        if len(_hashes) > 1 << 18:
            _hashes.clear()
        found = _hashes[name] = int.from_bytes(digest, "little")
    return found
