"""Values as a report prints them, and the choice of their unit.

Source: google/pprof internal/report/report.go (New, selectOutputUnit).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pypprof.columns import where_true
from pypprof.records import Record
from pypprof.units import percentage, scale, scaled_label, truncate64

if TYPE_CHECKING:
    from pypprof.graph.trim import TrimmedGraph
    from pypprof.settings import Settings
    from pypprof.view import View


class ValueFormat(Record):
    """How raw sample values become text: their unit, the printed unit, the divide_by ratio."""

    unit: str
    output_unit: str
    ratio: float = 1.0

    def text(self, value: int) -> str:
        """The value with its unit."""
        return scaled_label(self.divided(value), self.unit, self.output_unit)

    def divided(self, value: int) -> int:
        if self.ratio > 0 and self.ratio != 1:
            return truncate64(float(value) * self.ratio)
        return value

    def or_dot(self, value: int) -> str:
        """The value, a dot for zero."""
        return self.text(value) if value else "."

    def scaled(self, value: int) -> int:
        """The value in the printed unit, whole (divide_by does not count here)."""
        return truncate64(scale(value, self.unit, self.output_unit)[0])


def value_format(view: View, settings: Settings) -> ValueFormat:
    """The format before a unit is chosen: that of the `unit` option."""
    return ValueFormat(view.sample.unit, settings.unit, 1 / settings.divide_by)


def graph_format(view: View, settings: Settings, trimmed: TrimmedGraph, whole: bool = False) -> ValueFormat:
    """The format of a report on a graph: one unit that suits its smallest value and its total.

    `whole` is for formats that print integers only: the unit of the smallest value wins.
    """
    plain = value_format(view, settings)
    if settings.unit != "minimum" or not len(trimmed.nodes):
        return plain
    weights = trimmed.graph.weights
    flat = np.absolute(weights.flat_values().take(trimmed.nodes))
    least = np.where(flat == 0, np.absolute(weights.cum_values().take(trimmed.nodes)), flat)
    least = least.take(where_true(least > 0))
    most = view.total
    smallest = int(np.minimum.reduce(least)) if len(least) else most
    smallest, most = plain.divided(smallest), plain.divided(most)
    unit, top_unit = (scale(value, plain.unit, "minimum")[1] for value in (smallest, most))
    if unit != top_unit and smallest * 100 < most and not whole:
        unit = scale(smallest * 100, plain.unit, "minimum")[1]
    return plain._replace(output_unit=unit or plain.unit)


def share(value: int, total: int) -> str:
    """The percentage without padding."""
    return percentage(value, total).strip()
