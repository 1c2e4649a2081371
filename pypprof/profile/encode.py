"""A Profile as profile.proto, byte for byte as Go's encoder writes it.

Strings are numbered in the order in which Go meets them; repeated numbers are packed from three
on; zero scalars are left out. Messages are laid out as rows of varint tokens, column by column,
and turned into bytes a block at a time. Source: google/pprof profile/encode.go and proto.go.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from pypprof.columns import I8, U8, Array, Bools, Ints, UInts, filled, in_parallel, largest, ragged_positions, starts_of
from pypprof.profile import wire
from pypprof.profile.model import ENCODING, ERRORS, Block, Labels, Mapping, Profile

_GZIP_HEAD = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
_GZIP_PIECE = 1 << 19
_LIMITS = np.array([1 << 7 * n for n in range(1, 10)], U8)


def encode_gzip(profile: Profile) -> Iterator[bytes]:
    """encode() as a gzip file, its parts compressed on all cores (RFC 1951, 1952)."""
    data = b"".join(encode(profile))
    parts = [data[at : at + _GZIP_PIECE] for at in range(0, len(data), _GZIP_PIECE)]
    yield _GZIP_HEAD
    yield from in_parallel(_deflate, parts)
    # An empty last block, then checksum and size.
    yield b"\x03\x00" + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def _deflate(part: bytes) -> bytes:
    """A part as deflate blocks that end on a byte, none of them the last."""
    compressor = zlib.compressobj(4, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(part) + compressor.flush(zlib.Z_SYNC_FLUSH)


def encode(profile: Profile) -> Iterator[bytes]:
    """The bytes of the profile, piece by piece."""
    strings = _StringTable(profile)
    for type_, unit in strings.sample_types:
        yield _message(wire.SAMPLE_TYPE, [(1, type_), (2, unit)])
    ids = profile.locations.id
    for block, labels in zip(profile.blocks, strings.labels, strict=True):
        yield _samples(block, labels, ids)
    for mapping, (file, build_id) in zip(profile.mappings, strings.mappings, strict=True):
        yield _mapping(mapping, file, build_id)
    yield _locations(profile)
    yield _functions(profile, strings.functions)
    yield b"".join(_string(text) for text in strings.texts)
    yield _tail(profile, strings)


class _StringTable:
    """The new number of every string, given in Go's order of first use."""

    def __init__(self, profile: Profile) -> None:
        self._numbers: dict[str, int] = {"": 0}
        self._old = profile.strings
        add = self._add
        self.sample_types = [(add(t), add(u)) for t, u in profile.sample_types]
        self._by_index = filled(len(self._old), -1, I8)
        rank = _key_ranks(profile)
        self.labels = [self._labels(block.labels, rank) for block in profile.blocks]
        self.mappings = [(add(m.file), add(m.build_id)) for m in profile.mappings]
        functions = profile.functions
        used = (functions.name, functions.system_name, functions.filename)
        self.functions = self._column(np.array(used, I8).T.reshape(-1)).reshape(-1, 3)
        self.drop_frames, self.keep_frames = add(profile.drop_frames), add(profile.keep_frames)
        self.period_type = add(profile.period_type.type), add(profile.period_type.unit)
        self.comments = [add(comment) for comment in profile.comments]
        self.default_sample_type = add(profile.default_sample_type)
        self.doc_url = add(profile.doc_url)
        self.texts = list(self._numbers)

    def _add(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def _column(self, indices: Array) -> Ints:
        """New numbers of a column of old string indices, met in this order."""
        new = indices[self._by_index.take(indices) < 0] if len(indices) else indices
        for index in dict.fromkeys(new.tolist()):
            self._by_index[index] = self._add(self._old[index])
        return self._by_index.take(indices) if len(indices) else indices.astype(I8)

    def _labels(self, labels: Labels | None, rank: Array) -> Labels | None:
        """The tags in Go's order: per sample strings by key, then numbers by key."""
        if labels is None:
            return None
        numeric = labels.text == 0
        order = np.lexsort((rank.take(labels.key), numeric, labels.sample))
        labels = Labels(*(column.take(order) for column in labels))
        second = labels.text + labels.unit  # of the two, one is 0
        pairs = self._column(np.array((labels.key, second), I8).T.reshape(-1)).reshape(-1, 2)
        numeric = labels.text == 0
        return labels._replace(key=pairs[:, 0], text=pairs[:, 1] * np.logical_not(numeric), unit=pairs[:, 1] * numeric)


def _key_ranks(profile: Profile) -> Array:
    """The place of each string that is a tag's key in the order of the keys."""
    keys = {key for b in profile.blocks if b.labels is not None for key in set(b.labels.key.tolist())}
    rank = np.zeros(len(profile.strings), I8)
    texts = sorted({profile.strings[key].encode(ENCODING, ERRORS) for key in keys})
    place = {text: index for index, text in enumerate(texts)}
    for key in keys:
        rank[key] = place[profile.strings[key].encode(ENCODING, ERRORS)]
    return rank


def varint_sizes(values: UInts) -> Ints:
    """Bytes that each value takes as a varint."""
    sizes = filled(len(values), 1, I8)
    top = largest(values)
    for limit in _LIMITS.tolist():
        if top < limit:
            break
        sizes += values >= U8.type(limit)
    return sizes


def varint_bytes(values: UInts) -> bytes:
    """All values as varints, one behind the other."""
    sizes = varint_sizes(values)
    starts = starts_of(sizes)
    out = np.empty(int(starts[-1]), np.dtype("u1"))
    place, left = starts[:-1], values
    while len(left):
        more = left >= U8.type(128)
        byte = (left & U8.type(127)).astype(np.dtype("u1"))
        byte |= more.astype(np.dtype("u1")) << 7
        out[place] = byte
        place, left = place[more] + 1, left[more] >> U8.type(7)
    return out.tobytes()


class Rows:
    """Messages under construction: one row each, tokens added column by column."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._segments: list[tuple[UInts, Ints]] = []  # flat tokens, tokens a row
        self._sizes = np.zeros(count, I8)  # bytes a row

    def scalar(self, field: int, values: Array, present: Bools | None = None) -> None:
        """An optional number field; left out where it is zero (or not `present`)."""
        values = values.astype(U8)
        rows = (values != 0 if present is None else present).nonzero()[0]
        tokens = np.empty(2 * len(rows), U8)
        tokens[0::2], tokens[1::2] = field << 3, values.take(rows)
        counts = np.zeros(self.count, I8)
        counts[rows] = 2
        self.ragged(tokens, counts)

    def repeated(self, field: int, flat: Array, counts: Ints) -> None:
        """A repeated number field: packed in rows with more than two numbers."""
        flat = flat.astype(U8)
        packed = counts > 2
        extra = packed * 2 + np.logical_not(packed) * counts  # tag and length, or a tag a number
        starts = starts_of(counts + extra)
        tokens = np.empty(int(starts[-1]), U8)
        long, short = packed.nonzero()[0], np.logical_not(packed).nonzero()[0]
        tokens[starts.take(long)] = field << 3 | wire.BYTES
        running = np.zeros(len(flat) + 1, I8)
        varint_sizes(flat).cumsum(out=running[1:])
        own = starts_of(counts)
        tokens[starts.take(long) + 1] = running.take(own.take(long + 1)) - running.take(own.take(long))
        tokens[ragged_positions(starts.take(long) + 2, counts.take(long))] = flat[packed.repeat(counts)]
        pairs = ragged_positions(starts.take(short), 2 * counts.take(short))
        tokens[pairs[0::2]] = field << 3
        tokens[pairs[1::2]] = flat[np.logical_not(packed).repeat(counts)]
        self.ragged(tokens, counts + extra)

    def nested(self, field: int, rows: Rows, counts: Ints) -> None:
        """A repeated message field: `counts` consecutive rows of `rows` each."""
        tokens, per_row = rows.messages(field)
        edge = starts_of(per_row).take(starts_of(counts))
        self.ragged(tokens, edge[1:] - edge[:-1])

    def ragged(self, tokens: UInts, counts: Ints) -> None:
        self._segments.append((tokens, counts))
        running = np.zeros(len(tokens) + 1, I8)
        varint_sizes(tokens).cumsum(out=running[1:])
        edge = running.take(starts_of(counts))
        self._sizes += edge[1:] - edge[:-1]

    def messages(self, field: int) -> tuple[UInts, Ints]:
        """(tokens of all rows as messages with tag and length, tokens a row)."""
        counts = np.zeros(self.count, I8) + 2
        for _, own in self._segments:
            counts += own
        starts = starts_of(counts)
        tokens = np.empty(int(starts[-1]), U8)
        tokens[starts[:-1]] = field << 3 | wire.BYTES
        tokens[starts[:-1] + 1] = self._sizes
        place = starts[:-1] + 2
        for flat, own in self._segments:
            tokens[ragged_positions(place, own)] = flat
            place = place + own
        return tokens, counts


def _samples(block: Block, labels: Labels | None, ids: UInts) -> bytes:
    rows = Rows(block.size())
    rows.repeated(1, ids.take(block.stacks), block.counts())
    types = block.values.shape[1]
    rows.repeated(2, block.values.reshape(-1).astype(U8), np.zeros(block.size(), I8) + types)
    if labels is not None:
        tags = Rows(len(labels.sample))
        for field, column in enumerate(labels[1:], 1):
            tags.scalar(field, column)
        counts = np.zeros(block.size(), I8)
        np.add.at(counts, labels.sample, 1)
        rows.nested(3, tags, counts)
    return varint_bytes(rows.messages(wire.SAMPLE)[0])


def _locations(profile: Profile) -> bytes:
    locations = profile.locations
    rows = Rows(len(locations.id))
    rows.scalar(1, locations.id)
    mapping_ids = np.array([*(m.id for m in profile.mappings), 0], U8)
    rows.scalar(2, mapping_ids.take(locations.mapping))
    rows.scalar(3, locations.address)
    lines = Rows(len(locations.lines.line))
    functions = profile.functions.id
    lines.scalar(1, functions.take(locations.lines.function) if len(functions) else locations.lines.function)
    lines.scalar(2, locations.lines.line)
    lines.scalar(3, locations.lines.column)
    rows.nested(4, lines, locations.line_starts[1:] - locations.line_starts[:-1])
    rows.scalar(5, locations.folded)
    return varint_bytes(rows.messages(wire.LOCATION)[0])


def _functions(profile: Profile, names: Ints) -> bytes:
    rows = Rows(len(profile.functions.id))
    rows.scalar(1, profile.functions.id)
    for field in range(3):
        rows.scalar(2 + field, names[:, field])
    rows.scalar(5, profile.functions.start_line)
    return varint_bytes(rows.messages(wire.FUNCTION)[0])


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _scalars(fields: list[tuple[int, int]]) -> bytes:
    """Optional number fields: zeros are left out."""
    return b"".join(_varint(field << 3) + _varint(value) for field, value in fields if value)


def _message(field: int, fields: list[tuple[int, int]]) -> bytes:
    body = _scalars(fields)
    return _varint(field << 3 | wire.BYTES) + _varint(len(body)) + body


def _mapping(mapping: Mapping, file: int, build_id: int) -> bytes:
    values = [*mapping[:4], file, build_id, *map(int, mapping[6:])]
    return _message(wire.MAPPING, list(enumerate(values, 1)))


def _string(text: str) -> bytes:
    data = text.encode(ENCODING, ERRORS)
    return _varint(wire.STRING << 3 | wire.BYTES) + _varint(len(data)) + data


def _tail(profile: Profile, strings: _StringTable) -> bytes:
    out = _scalars(
        [
            (wire.DROP_FRAMES, strings.drop_frames),
            (wire.KEEP_FRAMES, strings.keep_frames),
            (wire.TIME_NANOS, profile.time_nanos),
            (wire.DURATION_NANOS, profile.duration_nanos),
        ]
    )
    if any(strings.period_type):
        out += _message(wire.PERIOD_TYPE, [(1, strings.period_type[0]), (2, strings.period_type[1])])
    out += _scalars([(wire.PERIOD, profile.period)])
    comments = list(map(_varint, strings.comments))
    if len(comments) > 2:
        packed = b"".join(comments)
        out += _varint(wire.COMMENT << 3 | wire.BYTES) + _varint(len(packed)) + packed
    else:
        out += b"".join(_varint(wire.COMMENT << 3) + comment for comment in comments)
    # The default sample type is written even when it is zero.
    out += _varint(wire.DEFAULT_SAMPLE_TYPE << 3) + _varint(strings.default_sample_type)
    return out + _scalars([(wire.DOC_URL, strings.doc_url)])
