"""Taking snapshots of a server: a round of all kinds, and which life of the process it is."""

from __future__ import annotations

import time

from pypprof.errors import PprofError
from pypprof.fetch.address import GRACE, Address, Wanted
from pypprof.fetch.transport import Transport
from pypprof.hunt.process import Pulse, another, pulse
from pypprof.hunt.store import Store
from pypprof.profile.model import Profile
from pypprof.profile.parse import parse
from pypprof.records import Record
from pypprof.trend.words import amount

_COUNTING = ("heap", "allocs")  # kinds that hold counts which never fall


class Plan(Record):
    """What to record. `rounds` or `length` seconds, both 0 for no end."""

    address: Address  # of /debug/pprof/
    kinds: tuple[str, ...]
    every: float
    rounds: int
    length: float
    gc: bool
    timeout: int


class Recorder:
    """One recording into one directory. A recording that was cut off is gone on with."""

    def __init__(self, plan: Plan, store: Store, transport: Transport) -> None:
        self.plan, self.store, self._transport = plan, store, transport
        self.last = ""
        state = store.state()
        self.life = max([file.life for file in store.files] or [1])
        self._before: Pulse | None = None
        self._allocations = _int(state.get("allocations"))  # where no snapshot that is kept tells them
        if state.get("url") == plan.address.url:
            self._before = self._last_pulse(str(state.get("cmdline", "")))
        elif store.files:
            self._allocations = 0
            self.life += 1  # another server's snapshots
        self.resumed = self._same_plan(state)
        self.rounds = _int(state.get("rounds")) if self.resumed else 0
        self._began = float(_int(state.get("began"))) if self.resumed else time.time()
        self.resumed = self.resumed and not self.finished()
        if not self.resumed:
            self.rounds, self._began = 0, time.time()

    def _same_plan(self, state: dict[str, object]) -> bool:
        goal = self._goal()
        return state.get("finished") is False and all(state.get(name) == value for name, value in goal.items())

    def _goal(self) -> dict[str, object]:
        plan = self.plan
        return {
            "url": plan.address.url, "kinds": list(plan.kinds), "every": plan.every, "count": plan.rounds,
            "for": plan.length,
        }  # fmt: skip

    def _last_pulse(self, cmdline: str) -> Pulse | None:
        """Of the newest snapshot that is there."""
        for kind in (*_COUNTING, *self.plan.kinds):
            newest = self.store.newest(kind)
            if newest is not None:
                try:
                    with open(newest.path, "rb") as file:
                        return pulse(parse(file.read()))._replace(cmdline=cmdline)
                except (OSError, PprofError):
                    return None
        return None

    def finished(self) -> bool:
        if self.plan.rounds:
            return self.rounds >= self.plan.rounds
        return bool(self.plan.length) and self.left() <= 0

    def left(self) -> float:
        """Seconds of a recording with -for."""
        return self._began + self.plan.length - time.time()

    def finish(self) -> None:
        self._save(finished=True)

    def round(self) -> list[str]:
        """Take a snapshot of each kind; what went wrong, a line for each kind that failed."""
        from pypprof.fetch.remote import fetch_all

        plan = self.plan
        pages = list(plan.kinds)
        if not set(pages) & set(_COUNTING):
            pages.append("heap")  # only to see whether the process is still the same
        answers = fetch_all([self._wanted(page) for page in [*pages, "cmdline"]], self._transport, quiet=True)
        cmdline = answers[-1]
        profiles: dict[str, tuple[Profile, bytes]] = {}
        errors = []
        for page, answer in zip(pages, answers, strict=False):
            try:
                if answer.error:
                    raise PprofError(answer.error)
                profiles[page] = parse(answer.data), answer.data
            except PprofError as error:
                if page in plan.kinds:
                    errors.append(f"{page} of {plan.address.url}: {error}")
        self.rounds += 1
        if profiles:
            self._keep(profiles, b"" if cmdline.error else cmdline.data)
        return errors

    def _keep(self, profiles: dict[str, tuple[Profile, bytes]], cmdline: bytes) -> None:
        counting = next((profiles[kind][0] for kind in _COUNTING if kind in profiles), None)
        now = pulse(counting or next(iter(profiles.values()))[0], cmdline)
        allocations = sum(now.counts.values())
        if self._before is not None and (another(self._before, now) or 0 < allocations < self._allocations):
            self.life += 1
        self._allocations = allocations or self._allocations
        self._before = now
        for kind in self.plan.kinds:
            if kind in profiles:
                profile, data = profiles[kind]
                self.store.add(kind, (profile.time_nanos or time.time_ns()) / 1e9, self.life, data)
        self.last = _level(counting) if counting else ""
        self._save(finished=False)

    def _wanted(self, page: str) -> Wanted:
        # A heap profile is as old as the last collection; gc=1 has the server collect first, so that
        # every snapshot is of its own moment and garbage stays out of it.
        query = "gc=1" if page == "heap" and self.plan.gc and "heap" in self.plan.kinds else ""
        address = self.plan.address
        return Wanted(address._replace(path=address.path + page, query=query), 0.0, self.plan.timeout + GRACE)

    def _save(self, finished: bool) -> None:
        cmdline = self._before.cmdline if self._before else ""
        state = self._goal() | {"began": int(self._began), "rounds": self.rounds, "cmdline": cmdline}
        state["allocations"] = self._allocations
        self.store.write_state(state | {"finished": finished})

    def give_up(self, errors: list[str]) -> None:
        raise PprofError(errors[0])


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _level(profile: Profile) -> str:
    """The memory in use, for the progress line."""
    names = [t.type for t in profile.sample_types]
    if "inuse_space" not in names:
        return ""
    place = names.index("inuse_space")
    return f"inuse_space {amount(sum(int(b.values[:, place].sum()) for b in profile.blocks), 'bytes')}"
