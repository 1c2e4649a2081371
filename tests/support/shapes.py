"""Profiles in the shapes that other languages and tools produce, made from a seed.

What real writers do and Go's does not: C++ and Java names, locations without lines, frames without
a mapping, several mappings, negative values, columns, tags with several values and units, comments.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.support.encoder import Builder

CPP = [
    "std::vector<int, std::allocator<int> >::push_back(int const&)", "main", "(anonymous namespace)::Worker::Run()",
    "absl::flat_hash_map<std::string, Foo>::operator[](std::string const&)", "operator new(unsigned long)",
    "Server::Handle(Request*)", "Server::~Server()", "base::internal::Invoker<void ()>::RunOnce", "malloc",
    "std::__1::function<void (int)>::operator()(int) const", "ns::Table<K, V>::find(K const&)", "_start",
    "void sort<Iter>(Iter, Iter)", "X::operator<(X const&)", "tcmalloc::Alloc", "__libc_start_main",
]  # fmt: skip
JAVA = [
    "com.example.Server.handle(Request)", "com.example.Cache$Entry.<init>", "java.lang.Thread.run",
    "java.util.HashMap.put(Object, Object)", "com.example.Util.lambda$main$0", "VM", "GC", "Compiler",
    "java.lang.Object.wait", "com.example.db.Query.execute", "sun.nio.ch.EPoll.wait",
]  # fmt: skip
GO = [
    "main.main", "runtime.mallocgc", "net/http.(*conn).serve", "github.com/acme/v2/store.(*DB[...]).Get",
    "encoding/json.(*decodeState).object", "main.Map[...]", "main.main.func1", "main.(*T).run.func2.1",
    "runtime.goexit",
    "github.com/acme/store.New", "sync.(*Mutex).Lock", "main.process", "example.com/x/v3.Sum[go.shape.int]",
]  # fmt: skip
RUST = [
    "core::ops::function::FnOnce::call_once", "<alloc::vec::Vec<T> as core::ops::Drop>::drop", "app::main",
    "tokio::runtime::task::harness::Harness<T,S>::poll", "std::rt::lang_start::{{closure}}", "app::cache::Cache::get",
]  # fmt: skip
ODD: list[str | bytes] = [
    "", " ", "a\tb", "naïve_función", "名前::関数", 'quote"d', "back\\slash", "<script>alert(1)</script>", "a b c",
    b"bad\xff\xfeutf8", "%s%d", "x" * 300, "(", ")", "operator()", ".leading", "[bracket", "a..b", "é",
]  # fmt: skip
FILES = [
    "/src/server/main.go", "/src/server/./handler.go", "server/handler.go", "", "/proc/self/cwd/lib/a.cc", "../up.c",
    "/go/pkg/mod/github.com/acme/store@v1.2.3/db.go", "a.rs", "/src//double.c", "/usr/include/c++/12/bits/stl.h",
]  # fmt: skip
TYPES = [
    [("samples", "count"), ("cpu", "nanoseconds")],
    [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")],
    [("contentions", "count"), ("delay", "nanoseconds")],
    [("wall", "microseconds")],
    [("events", "")],
    [("objects", "count"), ("space", "kilobytes"), ("time", "seconds")],
    [("samples", "count"), ("power", "milliGCU")],
]  # fmt: skip


def make(seed: int) -> bytes:
    """The profile of a seed, encoded."""
    return _Maker(random.Random(seed)).make()


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.builder = Builder(rng.choice(TYPES), packed=rng.random() < 0.7)

    def make(self) -> bytes:
        rng, builder = self.rng, self.builder
        pools: list[list[str | bytes]] = [[*CPP], [*JAVA], [*GO], [*RUST], [*GO, *ODD], [*CPP, *GO, *JAVA]]
        names = rng.choice(pools)
        mappings = self._mappings()
        functions = self._functions(names)
        locations = self._locations(functions, mappings)
        values = self._values()
        labels = self._labels()
        for _ in range(rng.choice([0, 1, 5, 40, 150])):
            depth = min(len(locations), rng.choice([1, 2, 3, 5, 8, 13, 30]))
            if rng.random() < 0.3:
                stack = [rng.choice(locations[:4]) for _ in range(depth)]
            else:
                stack = [rng.choice(locations) for _ in range(depth)]
            builder.sample([] if rng.random() < 0.01 else stack, values(), labels())
        self._header()
        return builder.encode(interleaved=rng.random() < 0.3) if rng.random() < 0.5 else builder.gzipped()

    def _ids(self, count: int) -> list[int]:
        if self.rng.random() < 0.8:
            return list(range(1, count + 1))
        return self.rng.sample(range(1, 1 << 40), count)

    def _mappings(self) -> list[int]:
        files = ["/usr/bin/app", "/lib/libc.so.6", "[vdso]", "", "app.exe", "/opt/lib/libfoo-1.2.so", "//anon"]
        count = self.rng.choice([0, 1, 1, 2, 4])
        start = 0x400000
        ids = self._ids(count)
        for id_ in ids:
            size = self.rng.randrange(1, 1 << 20)
            # Named mappings of this machine must not be symbolized: they claim to have names.
            offset, file = self.rng.choice([0, 0x1000]), self.rng.choice(files)
            build_id, has = self.rng.choice(["", "abc", "0123456789abcdef"]), self.rng.choice([15, 1, 7])
            self.builder.mapping(id_, start, start + size, offset, file, build_id, has)
            start += size + self.rng.choice([0, 0x1000])
        return ids

    def _functions(self, names: list[str | bytes]) -> list[int]:
        ids = self._ids(self.rng.randrange(1, 40))
        for id_ in ids:
            name = self.rng.choice(names)
            system = self.rng.choice([None, None, "", "sys_" + str(self.rng.randrange(9))])
            self.builder.function(id_, name, system, self.rng.choice(FILES), self.rng.choice([0, 0, 10, 300]))
        return ids

    def _locations(self, functions: list[int], mappings: list[int]) -> list[int]:
        ids = self._ids(self.rng.randrange(1, 80))
        columns = self.rng.random() < 0.3
        for id_ in ids:
            lines = [
                (self.rng.choice(functions), self.rng.choice([0, 1, 5, 12, 100, 2000]),
                 self.rng.randrange(0, 80) if columns else 0)
                for _ in range(self.rng.choice([0, 1, 1, 1, 1, 2, 3]))
            ]  # fmt: skip
            address = self.rng.choice([0, self.rng.randrange(0x400000, 0x500000), self.rng.randrange(1, 1 << 63)])
            mapping = self.rng.choice(mappings) if mappings and self.rng.random() < 0.9 else 0
            self.builder.location(id_, lines, mapping, address, self.rng.random() < 0.05)
        return ids

    def _values(self) -> Callable[[], list[int]]:
        rng, count = self.rng, len(self.builder.types)
        kind = rng.choice(["small", "large", "negative", "zeros", "huge"])
        ranges = {"small": (0, 50), "large": (0, 1 << 36), "negative": (-(1 << 24), 1 << 24), "zeros": (0, 2),
                  "huge": (0, 1 << 55)}  # fmt: skip
        low, high = ranges[kind]
        return lambda: [rng.randrange(low, high) for _ in range(count)]

    def _labels(self) -> Callable[[], list[tuple[object, ...]]]:
        rng = self.rng
        if rng.random() < 0.4:
            return lambda: []
        texts = [("user", "alice"), ("user", "bob"), ("endpoint", "/a"), ("endpoint", "/b c"), ("k", "v:1"), ("é", "ü")]
        units = rng.choice([["bytes"], ["bytes", "kb"], ["", "ms"], ["seconds"]])

        def labels() -> list[tuple[object, ...]]:
            own: list[tuple[object, ...]] = []
            for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
                if rng.random() < 0.6:
                    own.append(rng.choice(texts))
                else:
                    key = rng.choice(["bytes", "request", "latency", "alignment", "user"])
                    own.append((key, rng.choice([0, 1, 16, 1000, 4096, 1 << 20, -5]), rng.choice(units)))
            return own

        return labels

    def _header(self) -> None:
        rng = self.rng
        types = list(self.builder.strings)
        self.builder.header(
            time=rng.choice([0, 1700000000123456789, 1600000000000000000]),
            duration=rng.choice([0, 30_000_000_000, 1_234_567]),
            period=rng.choice([0, 1, 10_000_000, 524288]),
            period_type=rng.choice([None, ("cpu", "nanoseconds"), ("space", "bytes")]),
            comments=rng.choice([[], ["a comment"], ["one", "#hidden", "two"]]),
            default=rng.choice(["", "", types[1].decode("utf-8", "replace"), "nonsense"]),
            doc=rng.choice(["", "", "https://example.com/doc"]),
            drop=rng.choice(["", "", "", "malloc|runtime.mallocgc", "std::.*", "operator new"]),
            keep=rng.choice(["", "", "main.*"]),
        )
