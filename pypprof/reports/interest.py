"""Which addresses of a profile have samples, what they weigh, and which of them a pattern is about.

Source: google/pprof internal/report/source.go (newSourcePrinter), synth.go.
"""

from __future__ import annotations

import numpy as np

from pypprof.columns import BOOL, I8, Array, Bools, Ints, distinct, filled, row_any, where_true
from pypprof.graph.weights import divided
from pypprof.profile.model import Profile
from pypprof.regex import Regex
from pypprof.units import wrap64
from pypprof.view import View

_NEVER = (1 << 63) - 1


class AddressWeights:
    """The values of a view by address.

    locations  rows of the locations that samples have, as pprof meets them: sample by sample, root first
    address    the address of each of these; made up, beyond all mappings, where the profile has none
    flat, cum  by address; recursion counts each time
    """

    def __init__(self, view: View) -> None:
        profile = view.profile
        count = len(profile.locations.id)
        flat, cum, first = np.zeros(count, I8), np.zeros(count, I8), filled(count, _NEVER, I8)
        met = 0
        for block in profile.blocks:
            values, divisors = view.sample.values(block), view.sample.divisors(block)
            if divisors is not None:
                values = divided(values, divisors)
            counts = block.counts()
            np.add.at(cum, block.stacks, values.repeat(counts))
            some = where_true(counts)
            np.add.at(flat, block.stacks.take(block.starts.take(some)), values.take(some))
            # A stack is met from its last entry to its first.
            place = (block.starts[1:] + block.starts[:-1] - 1).repeat(counts) - np.arange(len(block.stacks))
            np.minimum.at(first, block.stacks, place + met)
            met += len(block.stacks)
        used = where_true(first != _NEVER)
        self.locations: Ints = used.take(first.take(used).argsort(kind="stable"))
        self.address = self._addresses(profile)
        self.flat: dict[int, int] = {}
        self.cum: dict[int, int] = {}
        for sums, column in ((self.flat, flat), (self.cum, cum)):
            for address, value in zip(self.address, column.take(self.locations).tolist(), strict=True):
                if value:
                    sums[address] = wrap64(sums.get(address, 0) + value)

    def _addresses(self, profile: Profile) -> list[int]:
        addresses: list[int] = profile.locations.address.take(self.locations).tolist()
        following = max([1, *(mapping.limit for mapping in profile.mappings)])
        for index, address in enumerate(addresses):
            if not address:
                addresses[index] = following
                following += 1
        return addresses


class Interest:
    """What a pattern, or an address, is about.

    names      of the functions that match, as printed and as the linker has them
    locations  of each address in one of them the row of its location
    printed    of each linker's name the printed one
    """

    def __init__(self, profile: Profile, weights: AddressWeights, regex: Regex, address: int | None) -> None:
        self._profile = profile
        self.names: set[str] = set()
        self.locations: dict[int, int] = {}
        self.printed: dict[str, str] = {}
        starts, functions = profile.locations.line_starts, profile.locations.lines.function
        by_function = self._matching_functions(weights, regex)
        by_mapping = regex.matching(mapping.file for mapping in profile.mappings)
        some = row_any(by_function.take(functions), starts).take(weights.locations)
        mapped = np.array([*by_mapping, False], BOOL).take(profile.locations.mapping.take(weights.locations))
        exact = np.array([a == address for a in weights.address], BOOL) if address is not None else some & False
        for at in where_true(some | mapped | exact).tolist():
            row = int(weights.locations[at])
            lines = functions[int(starts[row]) : int(starts[row + 1])].tolist()
            if exact[at]:
                chosen = lines[-1:]
            else:
                chosen = [f for j, f in enumerate(lines) if by_function[f] or (not j and mapped[at])]
            for function in chosen:
                self._mark(function)
                self.locations.setdefault(weights.address[at], row)

    def _matching_functions(self, weights: AddressWeights, regex: Regex) -> Bools:
        """Which functions match by a name or their file; learns the printed names on the way."""
        functions, locations = self._profile.functions, self._profile.locations
        used = np.zeros(len(locations.id), BOOL)
        used[weights.locations] = True
        counts = locations.line_starts[1:] - locations.line_starts[:-1]
        rows = distinct(locations.lines.function[used.repeat(counts)], len(functions.id))
        hits = np.zeros(len(functions.id), BOOL)
        for column in (functions.name, functions.system_name, functions.filename):
            hits[rows] |= self._matching(column.take(rows), regex)
        strings = self._profile.strings
        for function in rows.tolist():
            self.printed[strings[functions.system_name[function]]] = strings[functions.name[function]]
        return hits

    def _matching(self, indices: Array, regex: Regex) -> Bools:
        used = distinct(indices, len(self._profile.strings))
        table = np.zeros(len(self._profile.strings), BOOL)
        table[used] = np.array(list(regex.matching(self._profile.texts(used))), BOOL)
        return table.take(indices)

    def _mark(self, function: int) -> None:
        strings, functions = self._profile.strings, self._profile.functions
        self.names.update((strings[functions.name[function]], strings[functions.system_name[function]]))
