"""Merging profiles, and the arithmetic that diffs need.

Samples with equal stacks and equal tags become one; locations, functions and mappings are
numbered in the order in which the samples first use them. Addresses are compared relative to
their mapping, so that a program loaded elsewhere merges. Everything is compared across all
inputs at once, column by column. Source: google/pprof profile/merge.go and
internal/measurement/measurement.go (ScaleProfiles).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pypprof.columns import (
    BOOL,
    I4,
    I8,
    U8,
    Array,
    Ints,
    all_true,
    in_order_of_appearance,
    join,
    number_ragged,
    number_rows,
    number_values,
    select_rows,
    starts_of,
    table_of,
    where_true,
)
from pypprof.errors import Invalid
from pypprof.profile.aside import joined
from pypprof.profile.model import (
    Block,
    Functions,
    Labels,
    Lines,
    Locations,
    Mapping,
    Profile,
    select_labels,
    select_samples,
)

_ROUNDING = 0x1000  # mappings whose sizes differ less are the same


def merge(profiles: Sequence[Profile]) -> Profile:
    """One profile of all samples. Invalid when sample or period types differ."""
    header = _combine_headers(profiles)
    merger = _Merger([_without_zero_samples(p) for p in profiles])
    merged = merger.merged(header)
    if any(not all_true(_nonzero(block)) for block in merged.blocks):
        # Samples have cancelled out: drop them, and what only they used.
        return merge([merged])
    return merged


def _combine_headers(profiles: Sequence[Profile]) -> Profile:
    first = profiles[0]
    time_nanos = duration = period = 0
    for profile in profiles:
        check_compatible(first, profile)
        if time_nanos == 0 or profile.time_nanos < time_nanos:
            time_nanos = profile.time_nanos
        duration += profile.duration_nanos
        if period == 0 or period < profile.period:
            period = profile.period
    return first._replace(
        time_nanos=time_nanos, duration_nanos=duration, period=period,
        comments=tuple(dict.fromkeys(c for p in profiles for c in p.comments)),
        default_sample_type=next((p.default_sample_type for p in profiles if p.default_sample_type), ""),
        doc_url=next((p.doc_url for p in profiles if p.doc_url), ""),
        aside=joined(p.aside for p in profiles),
    )  # fmt: skip


def check_compatible(first: Profile, other: Profile) -> None:
    """Invalid when the two cannot be compared value by value."""
    if first.period_type != other.period_type:
        raise Invalid(f"incompatible period types {_types([first.period_type])} and {_types([other.period_type])}")
    if first.sample_types != other.sample_types:
        raise Invalid(f"incompatible sample types {_types(first.sample_types)} and {_types(other.sample_types)}")


def _types(types: Sequence[tuple[str, str]]) -> str:
    return " ".join(f"{type_}/{unit}" for type_, unit in types)


def _nonzero(block: Block) -> Array:
    nonzero: Array = np.logical_or.reduce(block.values != 0, axis=1)
    return nonzero


def _without_zero_samples(profile: Profile) -> Profile:
    blocks = (select_samples(block, where_true(_nonzero(block))) for block in profile.blocks)
    return profile._replace(blocks=tuple(block for block in blocks if block.size()))


class _Merger:
    """The concatenated tables of all inputs, and their merged numbers."""

    def __init__(self, profiles: list[Profile]) -> None:
        self._profiles = profiles
        self._strings: dict[str, int] = {"": 0}
        self._string_maps = [self._intern(p.strings) for p in profiles]
        self._location_base = starts_of(np.array([len(p.locations.id) for p in profiles], I8))
        self._function_base = starts_of(np.array([len(p.functions.id) for p in profiles], I8))
        self._functions = self._number_functions()

    def _intern(self, texts: list[str]) -> Ints:
        strings = self._strings
        return np.array([strings.setdefault(text, len(strings)) for text in texts], I8)

    def _number_functions(self) -> tuple[Ints, Ints, list[Array]]:
        """(number of every function, a function of each number, the merged columns)."""
        columns: list[Array] = []
        for field in ("name", "system_name", "filename"):
            parts = [m.take(getattr(p.functions, field)) for m, p in self._with_strings()]
            columns.append(join(parts, I8))
        columns.append(join([p.functions.start_line for p in self._profiles], I8))
        return *number_rows(columns), columns

    def _with_strings(self) -> list[tuple[Ints, Profile]]:
        return list(zip(self._string_maps, self._profiles, strict=True))

    def merged(self, header: Profile) -> Profile:
        appearing = self._first_use()
        mapping, offset, mappings = self._mappings(appearing)
        locations, number = self._locations(appearing, mapping, offset, mappings)
        functions, locations = self._used_functions(locations)
        blocks = self._samples(self._stacks(number), len(header.sample_types))
        return header._replace(
            strings=list(self._strings), blocks=blocks, mappings=tuple(mappings), locations=locations,
            functions=functions,
        )  # fmt: skip

    def _rows(self) -> Iterator[Ints]:
        """The stacks, block by block, as rows of the concatenated location table."""
        for base, profile in zip(self._location_base.tolist(), self._profiles, strict=False):
            for block in profile.blocks:
                yield block.stacks + I8.type(base)

    def _first_use(self) -> Ints:
        """The rows that stacks use, in the order of their first appearance."""
        size = int(self._location_base[-1])
        seen = np.zeros(size, BOOL)
        place = np.zeros(size, I8)
        parts: list[Array] = []
        for rows in self._rows():
            new = rows[np.logical_not(seen.take(rows))]
            seen[new] = True
            # Of several assignments the last one stays: the first place.
            place[new[::-1]] = np.arange(len(new) - 1, -1, -1)
            parts.append(new[place.take(new) == np.arange(len(new))])
        return join(parts, I8)

    def _stacks(self, number: Ints) -> Array:
        """All stacks, of merged locations."""
        stacks = np.empty(sum(len(b.stacks) for p in self._profiles for b in p.blocks), I4)
        at = 0
        for rows in self._rows():
            stacks[at : at + len(rows)] = number.take(rows)
            at += len(rows)
        return stacks

    def _mappings(self, appearing: Ints) -> tuple[Ints, Ints, list[Mapping]]:
        """(merged mapping of each appearing location, what to add to its address, the mappings)."""
        keys: dict[tuple[int, int, str], int] = {}
        merged: list[Mapping] = []
        places: dict[tuple[int, int], tuple[int, int]] = {}

        def place(profile: int, row: int) -> tuple[int, int]:
            known = places.get((profile, row))
            if known is None:
                mapping = self._profiles[profile].mappings[row]
                index = keys.setdefault(_mapping_key(mapping), len(merged))
                if index == len(merged):
                    merged.append(mapping._replace(id=index + 1))
                known = places[profile, row] = (index, merged[index].start - mapping.start)
            return known

        # The first mapping is the main binary: it stays first whatever the samples use.
        main = next((i for i, p in enumerate(self._profiles) if p.mappings), None)
        if main is not None:
            place(main, 0)
        own = join([p.locations.mapping for p in self._profiles], I4).take(appearing).astype(I8)
        profile = self._location_base.searchsorted(appearing, side="right") - 1
        pair = profile * (int(np.maximum.reduce(own)) + 2 if len(own) else 1) + own + 1
        numbers, first = in_order_of_appearance(*number_values(pair))
        found = [place(int(profile[row]), int(own[row])) if own[row] >= 0 else (-1, 0) for row in first.tolist()]
        indices = np.array([index for index, _ in found], I8)
        offsets = np.array([offset & 0xFFFFFFFFFFFFFFFF for _, offset in found], U8)
        return indices.take(numbers) if found else numbers, offsets.take(numbers).view(I8), merged

    def _locations(
        self, appearing: Ints, mapping: Ints, offset: Ints, mappings: list[Mapping]
    ) -> tuple[Locations, Ints]:
        """(merged locations, merged number of every row of the concatenated table)."""
        tables = [p.locations for p in self._profiles]
        address = join([t.address for t in tables], U8).take(appearing) + offset.view(U8)
        folded = join([t.folded for t in tables], I8).take(appearing)
        counts = join([t.line_starts[1:] - t.line_starts[:-1] for t in tables], I8)
        starts, place = select_rows(starts_of(counts), appearing)
        function = join([t.lines.function + self._function_base[i] for i, t in enumerate(tables)], I8)
        function = self._functions[0].take(function.astype(I8).take(place)) if len(place) else place
        line, column = (join([t.lines[i] for t in tables], I8).take(place) for i in (1, 2))
        begin = np.array([*(m.start for m in mappings), 0], U8).take(mapping)
        # Go's key spares all columns but the last line's.
        last = np.zeros(len(column), I8)
        last[starts[1:][starts[1:] > starts[:-1]] - 1] = 1
        kinds, _ = number_ragged([function, line, column * last], starts)
        numbers, first = number_rows([mapping + 1, address - begin, folded, kinds])
        numbers, first = in_order_of_appearance(numbers, first)
        number = table_of(numbers, len(counts), I8, appearing, -1)
        kept, kept_lines = select_rows(starts, first)
        lines = Lines(function.take(kept_lines).astype(I4), line.take(kept_lines), column.take(kept_lines))
        locations = Locations(
            np.arange(1, len(first) + 1).astype(U8), mapping.take(first).astype(I4), address.take(first),
            folded.take(first).astype("?"), kept, lines,
        )  # fmt: skip
        return locations, number

    def _used_functions(self, locations: Locations) -> tuple[Functions, Locations]:
        """The functions in the order in which the locations use them."""
        numbers, first = in_order_of_appearance(*number_values(locations.lines.function.astype(I8)))
        rows = self._functions[1].take(locations.lines.function.take(first)) if len(first) else first
        name, system_name, filename, start_line = (column.take(rows) for column in self._functions[2])
        functions = Functions(
            np.arange(1, len(rows) + 1).astype(U8), name.astype(I4), system_name.astype(I4),
            filename.astype(I4), start_line,
        )  # fmt: skip
        lines = locations.lines._replace(function=numbers.astype(I4))
        return functions, locations._replace(lines=lines)

    def _samples(self, stacks: Array, types: int) -> tuple[Block, ...]:
        """The merged samples, in the order of their first appearance."""
        blocks = [block for p in self._profiles for block in p.blocks]
        if not blocks:
            return ()
        starts = starts_of(join([block.counts() for block in blocks], I8))
        values = np.concatenate([block.values for block in blocks])
        labels = self._labels()
        columns: list[Array] = [number_ragged([stacks], starts)[0]]
        if labels is not None:
            columns.append(_label_kinds(labels, len(values), list(self._strings)))
        numbers, first = in_order_of_appearance(*number_rows(columns))
        sums = np.zeros((len(first), types), I8)
        for column in range(types):
            total = np.zeros(len(first), I8)
            np.add.at(total, numbers, values[:, column])
            sums[:, column] = total
        return tuple(_picked(Block(starts, stacks, values, labels), first, sums))

    def _labels(self) -> Labels | None:
        """The tags of all samples, strings renumbered."""
        parts: list[Labels] = []
        base = 0
        for strings, profile in self._with_strings():
            for block in profile.blocks:
                if block.labels is not None:
                    sample, key, text, number, unit = block.labels
                    parts.append(
                        Labels(sample + base, strings.take(key), strings.take(text), number, strings.take(unit))
                    )
                base += block.size()
        if not parts:
            return None
        sample, key, text, number, unit = (join([part[i] for part in parts], I8) for i in range(5))
        return Labels(sample, key.astype(I4), text.astype(I4), number, unit.astype(I4))


def _mapping_key(mapping: Mapping) -> tuple[int, int, str]:
    size = (mapping.limit - mapping.start + _ROUNDING - 1) & 0xFFFFFFFFFFFFFFFF
    return size - size % _ROUNDING, mapping.offset, mapping.build_id or mapping.file


def _label_kinds(labels: Labels, samples: int, strings: list[str]) -> Ints:
    """A number for the set of tags of each sample; the values of one key keep their order."""
    rank = np.zeros(len(strings), I8)
    keys = set(labels.key.tolist())
    for place, key in enumerate(sorted(keys)):
        rank[key] = place
    numeric = (labels.text == 0).astype(I8)
    order = np.lexsort((rank.take(labels.key), numeric, labels.sample))
    counts = np.zeros(samples, I8)
    np.add.at(counts, labels.sample, 1)
    columns: list[Array] = [column.take(order) for column in (labels.key, labels.text, labels.number, labels.unit)]
    return number_ragged(columns, starts_of(counts))[0]


_BLOCK = 8192


def _picked(whole: Block, rows: Ints, values: Ints) -> Iterator[Block]:
    """The samples at `rows` (ascending) with these values, in blocks of the usual size."""
    labels = whole.labels
    if labels is not None:
        moved = table_of(np.arange(len(rows)), whole.size(), I8, rows, -1).take(labels.sample)
        labels = select_labels(labels._replace(sample=moved), moved >= 0)
    for at in range(0, len(rows), _BLOCK):
        some = rows[at : at + _BLOCK]
        starts, positions = select_rows(whole.starts, some)
        own = None
        if labels is not None:
            low, high = labels.sample.searchsorted(np.array([at, at + len(some)])).tolist()
            if high > low:
                own = Labels(*(column[low:high] for column in labels))
                own = own._replace(sample=own.sample - at)
        yield Block(starts, whole.stacks.take(positions), values[at : at + _BLOCK], own)


def scale(profile: Profile, ratios: Sequence[float]) -> Profile:
    """Each sample type's values times its ratio, rounded half away from zero.

    Samples whose scaled values are all zero go (values of ratio 1 do not count), as in Go.
    """
    if all(ratio == 1 for ratio in ratios):
        return profile
    blocks = []
    for block in profile.blocks:
        values = block.values.copy()
        keep = np.zeros(block.size(), "?")
        for column, ratio in enumerate(ratios):
            if ratio != 1:
                values[:, column] = _rounded(block.values[:, column].astype("f8") * ratio)
                keep |= values[:, column] != 0
        blocks.append(select_samples(block._replace(values=values), where_true(keep)))
    return profile._replace(blocks=tuple(block for block in blocks if block.size()))


def _rounded(values: Array) -> Ints:
    whole = np.trunc(values)
    whole += np.copysign(np.absolute(values - whole) >= 0.5, values)
    fits = (whole >= -(2.0**63)) & (whole < 2.0**63)
    result = np.where(fits, whole, 0.0).astype(I8)
    if not all_true(fits):
        result[np.logical_not(fits)] = -(1 << 63)
    return result


def normalized(profile: Profile, base: Profile) -> Profile:
    """The profile scaled so that each sample type sums to the base's."""
    check_compatible(profile, base)
    ratios = [(wanted / own if own else 0.0) for wanted, own in zip(_sums(base), _sums(profile), strict=True)]
    return scale(profile, ratios)


def _sums(profile: Profile) -> list[int]:
    total = np.zeros(len(profile.sample_types), I8)
    for block in profile.blocks:
        total += np.add.reduce(block.values, axis=0)
    sums: list[int] = total.tolist()
    return sums


def with_label(profile: Profile, key: str, text: str) -> Profile:
    """The profile with one string tag set on every sample."""
    strings = [*profile.strings, key, text]
    key_index, text_index = len(strings) - 2, len(strings) - 1
    blocks = []
    for block in profile.blocks:
        rows = np.arange(block.size())
        zeros = np.zeros(block.size(), I8)
        added = Labels(rows, zeros.astype(I4) + I4.type(key_index), zeros.astype(I4) + I4.type(text_index),
                       zeros, zeros.astype(I4))  # fmt: skip
        labels = added
        if block.labels is not None:
            old = block.labels
            keep = [strings[k] != key or t == 0 for k, t in zip(old.key.tolist(), old.text.tolist(), strict=True)]
            merged = [np.concatenate((a[np.array(keep, "?")], b)) for a, b in zip(old, added, strict=True)]
            order = merged[0].argsort(kind="stable")
            labels = Labels(*(column.take(order) for column in merged))
        blocks.append(block._replace(labels=labels))
    return profile._replace(strings=strings, blocks=tuple(blocks))
