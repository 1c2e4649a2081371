"""proto: the profile, filtered, as a compressed profile.proto."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pypprof.columns import I8, Ints
from pypprof.profile.encode import encode_gzip
from pypprof.profile.model import Profile
from pypprof.records import Record
from pypprof.reports.command import Command, Context
from pypprof.reports.values import value_format
from pypprof.units import INT64_MIN
from pypprof.view import View


class ProtoReport(Record):
    profile: Profile


def build(view: View, context: Context) -> ProtoReport:
    profile = view.profile
    ratio = value_format(view, context.settings).ratio
    if ratio > 0 and ratio != 1:
        blocks = tuple(b._replace(values=_divided(b.values, ratio)) for b in profile.blocks)
        profile = profile._replace(blocks=blocks)
    return ProtoReport(profile)


def _divided(values: Ints, ratio: float) -> Ints:
    """Go's int64(float64(v) * ratio)."""
    products = values.astype(np.dtype("f8")) * ratio
    fits = (products >= -(2.0**63)) & (products < 2.0**63)
    result = np.where(fits, products, 0.0).astype(I8)
    result[np.logical_not(fits)] = INT64_MIN
    return result


def data(report: ProtoReport) -> Iterator[bytes]:
    return encode_gzip(report.profile)


COMMAND = Command(
    "proto", "The profile in compressed protobuf format", "", build, data=data,
    trim=False, granularity="addresses", suffix="pb.gz",
)  # fmt: skip
