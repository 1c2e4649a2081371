"""Load NumPy's C core without the Python half of NumPy.

A plain `import numpy` costs more than everything else that `pypprof -top` does on a small
profile (about 120 ms of 200), because it loads linear algebra, polynomials, printing and
documentation. The engine uses only what NumPy's extension module itself offers, so the
front door loads that first (about 25 ms), under two stand-in packages. Whoever asks a
stand-in for anything else (a function written in Python, a method that the C code looks up
in Python) completes the real import at that moment; nothing is replaced or patched.

Anything unexpected (another major version, a NumPy that is loaded already) leaves the plain
import to do its work. Only the command line calls start(); a program that imports pypprof
gets the plain import.
"""

from __future__ import annotations

import importlib
import sys
import types

_CORE = "numpy._core"


class _Standin(types.ModuleType):
    """A package that is not loaded yet: an unknown attribute loads it."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        complete()
        return getattr(sys.modules[self.__name__], name)


def start() -> None:
    """Put NumPy's C core into sys.modules. Returns in any case; errors mean a plain import later."""
    if "numpy" in sys.modules or sys.implementation.name != "cpython":
        return
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec("numpy")
    if spec is None or spec.origin is None or not spec.submodule_search_locations:
        return
    place = next(iter(spec.submodule_search_locations))
    numpy, core = _Standin("numpy"), _Standin(_CORE)
    numpy.__path__, core.__path__ = [place], [place + "/_core"]
    numpy.__spec__, numpy.__file__ = spec, spec.origin
    numpy.__dict__["_core"] = core
    sys.modules["numpy"], sys.modules[_CORE] = numpy, core
    try:
        umath = importlib.import_module(_CORE + "._multiarray_umath")
    except Exception:
        # The plain import that follows says what is wrong with this NumPy.
        for name in [name for name in sys.modules if name.partition(".")[0] == "numpy"]:
            del sys.modules[name]
        return
    for name, value in vars(umath).items():
        if not name.startswith("_"):
            numpy.__dict__.setdefault(name, value)


def complete() -> None:
    """Turn the stand-in into the real package: run numpy/__init__.py in it."""
    numpy = sys.modules["numpy"]
    core = sys.modules.pop(_CORE, None)
    numpy.__class__ = types.ModuleType
    if core is not None:
        core.__class__ = types.ModuleType
    kept = {name: module for name, module in sys.modules.items() if name.startswith("numpy.")}
    for name in [name for name in vars(numpy) if not name.startswith("__")]:
        del numpy.__dict__[name]
    for name, module in kept.items():
        if name.count(".") == 1:
            setattr(numpy, name.partition(".")[2], module)
    spec = numpy.__spec__
    assert spec is not None and spec.loader is not None
    spec.loader.exec_module(numpy)
    for name, module in kept.items():
        parent, _, leaf = name.rpartition(".")
        setattr(sys.modules[parent], leaf, module)
