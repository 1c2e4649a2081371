"""Random command lines and shell scripts over a profile: what the comparison with Go runs."""

from __future__ import annotations

import random
import re

GO_NAMES = [
    "main",
    "runtime",
    "capture",
    "jsonx|encoding",
    "trace",
    "insert",
    "Cache",
    r"func\d",
    "^main\\.",
    "mallocgc",
    "busy",
    "vec",
    "hit",
    "guarded",
    "regexp",
    "store",
    r"\.go",
    "request",
    "goexit",
    "GetOrLoad",
    "nothing_here",
]
ODD_NAMES = [
    "std::",
    "Server",
    "java",
    "handle",
    r"\(",
    "a.*b",
    "libc",
    "app",
    "go$",
    "[A-Z]",
    "operator",
    "e",
    "é",
    "(?i)SERVER",
    "server",
    ".",
    "^$",
    "handler|main",
    r"\bmain\b",
]
BAD_PATTERNS = ["(", "a[", "*x"]
TAGS = [
    "alice",
    "user=alice",
    "user=.*",
    "endpoint=/a,/get",
    "/get",
    "user",
    "1kb",
    "1kb:",
    ":64kb",
    "bytes=16:4096",
    "latency=1:",
    "stage=json",
    "json,stage",
    "user-1",
    "request=1000",
    "0b:1mb",
    "bytes=1kb:1mb",
    "k=v",
    "count=json",
    "10ms:",
    "5",
]
TAG_KEYS = ["user", "endpoint", "stage", "user,endpoint", "bytes", "latency,user", "missing", "role", ",user,"]
PLAIN = ["top", "text", "tree", "traces", "tags", "raw", "comments", "proto", "topproto", "dot", "callgrind"]
TAKING = ["peek", "list"]
GRANULARITIES = ["functions", "filefunctions", "files", "lines", "addresses"]
UNITS = ["auto", "minimum", "ms", "seconds", "kb", "MB", "bytes", "count", "nonsense", "hours", "gb", "us", "nanogcu"]
SAMPLES = [
    "samples",
    "cpu",
    "inuse_space",
    "alloc_space",
    "inuse_objects",
    "alloc_objects",
    "delay",
    "contentions",
    "0",
    "1",
    "3",
    "space",
    "wall",
    "goroutine",
    "bogus",
    "-1",
]


_OPTIONS = (
    "call_tree relative_percentages unit compact_labels source_path trim_path mean sample_index divide_by sort tagroot "
    "tagleaf drop_negative nodecount nodefraction edgefraction trim focus ignore prune_from hide show show_from "
    "tagfocus tagignore tagshow taghide noinlines showcolumns granularity granularity focus"
).split()


class Chooser:
    """Draws from one seeded generator. `extra` are names that occur in the profile."""

    def __init__(self, seed: int, extra: list[str]) -> None:
        self.rng = random.Random(seed)
        self.extra = [re.escape(name) for name in extra]

    def name(self) -> str:
        rng = self.rng
        if rng.random() < 0.02:
            return rng.choice(BAD_PATTERNS)
        if self.extra and rng.random() < 0.4:
            return rng.choice(self.extra)
        names = [rng.choice(GO_NAMES + ODD_NAMES) for _ in range(rng.choice([1, 1, 1, 2]))]
        return "|".join(names)

    def option(self) -> tuple[str, str]:
        """An option and a value."""
        rng = self.rng
        name = rng.choice(_OPTIONS)
        return name, self._value(name)

    def _value(self, name: str) -> str:
        rng = self.rng
        if name in ("focus", "ignore", "prune_from", "hide", "show", "show_from"):
            return self.name()
        if name in ("tagfocus", "tagignore"):
            return rng.choice(TAGS)
        if name in ("tagshow", "taghide"):
            return rng.choice(["user", "bytes", "end", "stage", ".", "x"])
        values = {
            "tagroot": TAG_KEYS,
            "tagleaf": TAG_KEYS,
            "unit": UNITS,
            "sample_index": SAMPLES,
            "sort": ["cum", "flat"],
            "granularity": GRANULARITIES,
            "nodecount": ["0", "1", "2", "5", "10", "30", "100", "-1", "-3"],
            "nodefraction": ["0", "0.001", "0.02", "0.1", "0.5", "1", "2", "-0.1"],
            "edgefraction": ["0", "0.001", "0.02", "0.3", "1"],
            "divide_by": ["1", "2", "3", "0.5", "1000", "0", "-2"],
            "source_path": ["/src", ".", "/x/server:/src"],
            "trim_path": ["/src", "/src/server/", "/go/pkg:/usr"],
        }
        return rng.choice(values.get(name, ["true", "false"]))

    def report(self) -> tuple[str, str | None]:
        rng = self.rng
        if rng.random() < 0.25:
            return rng.choice(TAKING), self.name()
        return rng.choice(PLAIN), None

    def command_line(self) -> list[str]:
        """Flags of a one-shot report (the sources not included)."""
        rng = self.rng
        name, argument = self.report()
        dash = rng.choice(["-", "-", "--"])
        line = [f"{dash}{name}={argument}"] if argument is not None else [dash + name]
        for _ in range(rng.choice([0, 1, 1, 2, 3, 5])):
            option, value = self.option()
            if option in ("sort", "granularity"):
                line.append("-" + value)
            elif value in ("true", "false"):
                line.append(f"-{option}" if value == "true" else f"-{option}=false")
            elif rng.random() < 0.5:
                line.append(f"-{option}={value}")
            else:
                line += [f"-{option}", value]
        if rng.random() < 0.1:
            line.append(rng.choice(["-inuse_space", "-alloc_objects", "-mean_delay", "-contentions", "-total_delay"]))
        if rng.random() < 0.1:
            line.append(rng.choice(["-all_frames", "-add_comment=hello", "-buildid=feed", "-symbolize=none"]))
        rng.shuffle(line) if all(token.startswith("-") for token in line) else None
        return line

    def shell_line(self) -> str:
        """A line of a script."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.35:
            option, value = self.option()
            return f"{option}={value}" + rng.choice(["", "", " //: why", "  "])
        if kind < 0.45:
            return rng.choice(
                [
                    ":",
                    "focus=",
                    "sort=flat",
                    "granularity=functions",
                    "nodecount=-1",
                    "trim=true",
                    "show=",
                    "hide=",
                    "show_from=",
                    "tagfocus=",
                    "tagignore=",
                    "prune_from=",
                    "tagroot=",
                    "tagleaf=",
                    "relative_percentages=false",
                    "mean=0",
                    "divide_by=1",
                    "ignore=",
                    "unit=minimum",
                    "sample_index=0",
                    "sample_index=1",
                    "noinlines=f",
                    "call_tree=0",
                    "trim",
                ]
            )
        if kind < 0.52:
            return rng.choice(
                [
                    "o",
                    "help",
                    "help top",
                    "bogus",
                    "top5x",
                    "cum",
                    "lines",
                    "mean",
                    "focus",
                    "",
                    "   ",
                    "samples",
                    "mean_cpu",
                    "total_delay",
                    "inuse_space",
                    "alloc_objects",
                    "peek",
                    "list",
                    "sort=bad",
                    "nodecount=x",
                    "options",
                    "help nothing",
                    "web=1",
                    "top >",
                    "5",
                ]
            )
        name, argument = self.report()
        if name in ("proto", "topproto", "callgrind"):
            name = "top"
        words = [name + rng.choice(["", "", "3", "12"]) if argument is None else name]
        if argument is not None:
            words.append(argument.replace(" ", "."))
        for _ in range(rng.choice([0, 0, 1, 2])):
            words.append(
                rng.choice(
                    [
                        str(rng.randrange(0, 30)),
                        "-cum",
                        "--cum",
                        "-" + self.name().replace(" ", "."),
                        self.name().replace(" ", "."),
                    ]
                )
            )
        return " ".join(words)
