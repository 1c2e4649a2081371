"""`pypprof record`: its flags, and the loop that takes a round of snapshots every so often."""

from __future__ import annotations

import math
import re
import signal
import sys
import time
from collections.abc import Sequence

from pypprof.errors import CommandError, UsageError
from pypprof.fetch.address import Address, parse
from pypprof.fetch.transport import Transport, read_headers
from pypprof.flags import scan
from pypprof.hunt.recorder import Plan, Recorder
from pypprof.hunt.store import Store
from pypprof.output import note, printable
from pypprof.trend.trends import memory_limit
from pypprof.trend.words import amount, duration

KINDS = ("heap", "goroutine", "allocs", "block", "mutex", "threadcreate")
_FLAGS: dict[str, str | int | bool] = {
    "every": "30s", "for": "", "count": 0, "kinds": "heap,goroutine", "dir": "", "keep": 500, "max_size": "1GB",
    "gc": True, "timeout": 60, "quiet": False, "tls_cert": "", "tls_key": "", "tls_ca": "", "header": "",
}  # fmt: skip
_DURATION = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:ms|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 10 * 365 * 86400.0


def run(argv: Sequence[str]) -> int:
    """Record until the plan is fulfilled or Ctrl-C. The exit status."""
    plan, transport, directory, limits, quiet = read_flags(argv)
    store = Store(directory, *limits)
    try:
        return _Loop(Recorder(plan, store, transport), quiet).run()
    finally:
        store.close()


def read_flags(argv: Sequence[str]) -> tuple[Plan, Transport, str, tuple[int, int], bool]:
    """(plan, transport, directory, (files of a kind, bytes), quiet). UsageError for wrong flags."""
    argv = ["-max_size" + t[9:] if t.startswith("-max-size") else t for t in argv]
    given, arguments = scan(argv, lambda name: type(_FLAGS[name]) if name in _FLAGS else None, mixed=True)
    values = _FLAGS | given
    if len(arguments) != 1:
        raise UsageError("record needs one URL, such as http://localhost:6060" if not arguments else
                         f"record takes one URL: {' '.join(arguments)}")  # fmt: skip
    if not values["dir"]:
        raise UsageError("record needs -dir DIR, where the snapshots go")
    kinds = tuple(dict.fromkeys(filter(None, str(values["kinds"]).split(","))))
    wrong = [kind for kind in kinds if kind not in KINDS]
    if wrong or not kinds:
        raise UsageError(f"-kinds {values['kinds']}: there are {', '.join(KINDS)}")
    count, keep, timeout = (int(values[name]) for name in ("count", "keep", "timeout"))
    if count < 0 or keep < 2 or timeout <= 0:
        raise UsageError("-count, -keep (2 or more) and -timeout are positive numbers")
    length = seconds_of("for", str(values["for"])) if values["for"] else 0.0
    if count and length:
        raise UsageError("-for and -count cannot both be specified")
    try:
        most = memory_limit(str(values["max_size"])) or 0
    except CommandError:
        raise UsageError(f"-max_size {values['max_size']} is no size such as 500MB") from None
    headers = read_headers(str(values["header"])) if values["header"] else {}
    transport = Transport(str(values["tls_cert"]), str(values["tls_key"]), str(values["tls_ca"]), headers)
    plan = Plan(
        _base(arguments[0]),
        kinds,
        seconds_of("every", str(values["every"])),
        count,
        length,
        bool(values["gc"]),
        timeout,
    )
    return plan, transport, str(values["dir"]), (keep, most), bool(values["quiet"])


def seconds_of(flag: str, text: str) -> float:
    """The seconds of 500ms, 30s, 1h30m. UsageError for anything else."""
    parts = _DURATION.findall(text)
    total = sum(float(part.rstrip("hms")) * _SECONDS[part.lstrip("0123456789.")] for part in parts)
    if not parts or "".join(parts) != text or not 0 < total < _LONGEST:
        raise UsageError(f"-{flag} {text}: a time is written 500ms, 30s, 5m or 1h30m")
    return total


def _base(source: str) -> Address:
    """The address of the server's /debug/pprof/, whichever page below it was named."""
    address = parse(source)
    if address is None or not (address.host or address.socket) or address.scheme in ("", "file"):
        raise UsageError(f"{source} is not the address of a server, such as http://localhost:6060")
    before = address.path.partition("/debug/pprof")[0].rstrip("/")
    return address._replace(path=before + "/debug/pprof/", query="")


class _Loop:
    """Rounds by the clock, and what is said about them."""

    def __init__(self, recorder: Recorder, quiet: bool) -> None:
        self._recorder = recorder
        self._shows = sys.stderr.isatty() and not quiet
        self._failing = 0

    def run(self) -> int:
        recorder = self._recorder
        plan, resumed = recorder.plan, recorder.resumed
        if resumed and self._shows:
            note(f"going on in {recorder.store.directory}: {recorder.rounds} rounds are there")
        before = signal.signal(signal.SIGTERM, _ended)
        due = time.monotonic()
        taken = 0
        try:
            while not recorder.finished():
                self._wait(due)
                due = _next(due, plan.every, time.monotonic())
                good = self._round(first=taken == 0 and not resumed)
                taken += good
        except KeyboardInterrupt:
            self._clear()
            return 0 if self._farewell(taken) and not (plan.rounds or plan.length) else 130
        finally:
            signal.signal(signal.SIGTERM, before)
        recorder.finish()
        self._clear()
        return 0 if self._farewell(taken) else 1

    def _round(self, first: bool) -> bool:
        """One round. PprofError when the very first one fails: the address is probably wrong."""
        before = self._recorder.life
        errors = self._recorder.round()
        self._clear()
        good = len(errors) < len(self._recorder.plan.kinds)
        if errors and first and not good:
            self._recorder.give_up(errors)
        if errors and not self._failing:
            for error in errors:
                note(f"{error} (will try again)")
        self._failing = self._failing + 1 if errors else 0
        if self._recorder.life != before and good and not first:
            note(f"{time.strftime('%H:%M:%S')}: the process has started anew")
        return good

    def _wait(self, due: float) -> None:
        while (left := due - time.monotonic()) > 0:
            if self._shows:
                self._draw(left)
            time.sleep(min(left, 1.0))

    def _draw(self, left: float) -> None:
        recorder = self._recorder
        goal = f" of {recorder.plan.rounds}" if recorder.plan.rounds else ""
        text = f"{recorder.rounds}{goal} rounds, {amount(recorder.store.size(), 'bytes')} in {recorder.store.directory}"
        if recorder.plan.length:
            text += f", {duration(recorder.left() / 3600)} left"
        if recorder.last:
            text += f"; {recorder.last}"
        text += f"; next in {math.ceil(left)} s"
        sys.stderr.write("\r" + printable(text)[: _columns()] + "\x1b[K")
        sys.stderr.flush()

    def _clear(self) -> None:
        if self._shows:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _farewell(self, taken: int) -> bool:
        if self._shows and taken:
            directory = self._recorder.store.directory
            note(f"{self._recorder.rounds} rounds in {directory}; see: pypprof trend {directory}")
        return taken > 0


def _next(due: float, every: float, now: float) -> float:
    """The next time by the clock; those that have passed are left out."""
    return due + every * max(1, math.ceil((now - due) / every))


def _ended(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _columns() -> int:
    import shutil

    return max(20, shutil.get_terminal_size().columns - 1)
