"""memstats: the runtime.MemStats of a Go heap text (debug=1), and what they mean for a leak."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pypprof.errors import CommandError
from pypprof.records import Record
from pypprof.reports.command import Command, Context
from pypprof.units import label
from pypprof.view import View

# (name, unit, meaning), in the order of printing.
_MEANINGS = (
    ("HeapAlloc", "bytes", "objects that are live, or dead and not yet swept: rises with every leak"),
    ("HeapInuse", "bytes", "the spans that hold them; far above HeapAlloc: fragmentation, not a leak"),
    ("HeapIdle", "bytes", "spans without objects, kept for reuse: memory of a former peak"),
    ("HeapReleased", "bytes", "the part of HeapIdle given back to the system: costs nothing now"),
    ("HeapSys", "bytes", "address space of the heap: HeapInuse + HeapIdle"),
    ("HeapObjects", "count", "live objects; steady while HeapAlloc rises: they get larger, not more"),
    ("Stack", "bytes", "stacks of goroutines, in use / from the system: rises when goroutines leak"),
    ("MSpan", "bytes", "the allocator's own tables, in use / from the system"),
    ("MCache", "bytes", "the allocator's caches, in use / from the system"),
    ("BuckHashSys", "bytes", "the tables of the profiler itself"),
    ("GCSys", "bytes", "the collector's own data"),
    ("OtherSys", "bytes", "other memory of the runtime"),
    ("Sys", "bytes", "everything taken from the system; it does not shrink when memory is released"),
    ("MaxRSS", "bytes", "the most that the process ever held; above Sys: memory that Go does not know (C code, files)"),
    ("TotalAlloc", "bytes", "ever allocated, freed or not: garbage for the collector, no leak"),
    ("Mallocs", "count", "objects ever allocated"),
    ("Frees", "count", "objects freed: HeapObjects = Mallocs - Frees"),
    ("NextGC", "bytes", "HeapAlloc at which the next collection begins: twice what survived, by default"),
    ("NumGC", "count", "collections so far; 0: nothing was ever freed, and HeapAlloc says little"),
    ("NumForcedGC", "count", "of those, asked for by runtime.GC()"),
)  # fmt: skip
_NUMBER = re.compile("[0-9]{1,20}")


class MemStat(Record):
    """One number (or `used / from the system`), and what it means."""

    name: str
    value: str
    meaning: str


class MemStatsReport(Record):
    """`raw` is the text's own numbers; `summary` reads them together."""

    stats: tuple[MemStat, ...]
    summary: tuple[str, ...]
    raw: dict[str, str]


def build(view: View, context: Context) -> MemStatsReport:
    memory = view.profile.aside.memory if view.profile.aside else {}
    if not memory:
        raise CommandError(
            "the profile has no MemStats: they are in the text form of a Go heap profile (/debug/pprof/heap?debug=1)"
        )
    stats = [
        MemStat(name, " / ".join(_shown(part, unit) for part in memory[name].split(" / ")), meaning)
        for name, unit, meaning in _MEANINGS
        if name in memory
    ]
    if "GCCPUFraction" in memory:
        stats.append(
            MemStat(
                "GCCPUFraction", _fraction(memory["GCCPUFraction"]), "share of the processors' time spent collecting"
            )
        )
    if pauses := _pauses(memory):
        stats.append(MemStat("PauseNs", *pauses))
    return MemStatsReport(tuple(stats), tuple(_summary(memory)), memory)


def _shown(text: str, unit: str) -> str:
    if not _NUMBER.fullmatch(text):
        return text[:40]
    return label(int(text), unit) if unit == "bytes" else str(int(text))


def _fraction(text: str) -> str:
    try:
        return f"{float(text):.2%}"
    except ValueError:
        return text[:40]


def _pauses(memory: dict[str, str]) -> tuple[str, str] | None:
    """(the longest pause, what else there is to say) of the pauses in the text, a ring of 256."""
    pauses = [int(number) for number in _NUMBER.findall(memory.get("PauseNs", ""))[:256]]
    pauses = sorted(pause for pause in pauses if pause)
    if not pauses:
        return None
    longest, middle, total = (label(n, "nanoseconds") for n in (pauses[-1], pauses[len(pauses) // 2], sum(pauses)))
    many = f"longest of the last {len(pauses)} stops" if len(pauses) > 1 else "the only stop so far"
    return longest, f"{many} of the program for the collector; median {middle}, together {total}"


def _summary(memory: dict[str, str]) -> Iterator[str]:
    def number(name: str) -> int:
        text = memory.get(name, "")
        return int(text) if _NUMBER.fullmatch(text) else 0

    alloc, inuse, idle, released, sys = map(number, ("HeapAlloc", "HeapInuse", "HeapIdle", "HeapReleased", "Sys"))
    if not (alloc and inuse and sys):
        return
    held, objects = label(sys - released, "bytes"), label(alloc, "bytes")
    yield f"{held} are held from the system (Sys - HeapReleased); {objects} of them are heap objects."
    if idle > released:
        yield f"{label(idle - released, 'bytes')} are idle heap that may yet be given back (HeapIdle - HeapReleased)."
    if inuse > alloc:
        yield f"{label(inuse - alloc, 'bytes')} are lost in partly filled spans (HeapInuse - HeapAlloc)."
    yield "A leak shows as a HeapAlloc that is higher after each collection: compare two texts taken some time apart."


def text(report: MemStatsReport) -> Iterator[str]:
    name_width = max((len(stat.name) for stat in report.stats), default=0)
    value_width = max((len(stat.value) for stat in report.stats), default=0)
    for stat in report.stats:
        yield f"{stat.name:<{name_width}}  {stat.value:>{value_width}}  {stat.meaning}\n"
    if report.summary:
        yield "\n" + "\n".join(report.summary) + "\n"


COMMAND = Command(
    "memstats", "The runtime.MemStats of a Go heap text, explained", "memstats [>file]\n"
    "Of heap?debug=1 texts only: other profiles do not have them.", build, text, trim=False,
)  # fmt: skip
