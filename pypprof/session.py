"""The session: a profile loaded once, the current settings, and what has been computed from it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from pypprof.errors import CommandError, PprofError
from pypprof.profile.model import Profile
from pypprof.records import Record
from pypprof.regex import compile_regex
from pypprof.reports import load
from pypprof.reports.command import Command, Context
from pypprof.reports.formats import in_format
from pypprof.settings import DEFAULTS, Settings, assign
from pypprof.view import FILTER_OPTIONS, Filtered, View, build_view, filter_profile, sample_index
from pypprof.view.tags import NumericUnits, numeric_units

if TYPE_CHECKING:
    from pypprof.doctor import Case
    from pypprof.load import Sources, Taken

Note = Callable[[str], None]
_WITHOUT_FRAMES = ("comments", "tags", "memstats")
_KEPT_FILTERS = 3  # filtered profiles kept for the next command; each may hold copies of the stacks
_KEPT_REPORTS = 32
_LARGE_REPORT = 4 << 20  # bytes; what is larger is not kept


class Rendered(Record):
    """A report as bytes, piece by piece, and what to say on stderr. Can be read once.

    `coloured`: holds a terminal's colours, and nothing else that would control it.
    """

    pieces: Iterable[bytes]
    warnings: tuple[str, ...]
    coloured: bool = False


class Session:
    """One loaded profile and the state of the shell around it."""

    def __init__(
        self,
        profile: Profile,
        settings: Settings = DEFAULTS,
        what: Sources | None = None,
        taken: Taken | None = None,
    ) -> None:
        self.profile = profile
        self.settings = settings
        self.what = what  # where the profile is from; None when it did not come from sources
        self.taken = taken  # what can be finished again with another base
        self._said_nameless = False
        self._undo: list[Settings] = []
        self._units: NumericUnits | None = None
        self._filtered: OrderedDict[object, Filtered] = OrderedDict()
        self._rendered: OrderedDict[object, Rendered] = OrderedDict()

    def take(self, what: Sources, note: Note) -> None:
        """Work on other sources, the options as they are. PprofError when they cannot be read; nothing changes."""
        from pypprof.load import take

        self._work_on(take(what, note), note, True)

    def rebase(self, names: Sequence[str], diff: bool, note: Note) -> None:
        """Subtract another base, or none, from the sources as they were taken. PprofError: nothing changes."""
        from pypprof.load import finish, take

        if self.taken is None:
            raise CommandError("the profile did not come from a source")
        what = self.taken.what._replace(base=tuple(names), diff_base=diff)
        base, origins = None, {**self.taken.origins}
        if names:
            other = take(what._replace(sources=tuple(names), base=(), binary="", build_id=""), note)
            base, origins = other.profile, {**origins, **other.origins}
            if other.origins:
                finish(other, note)  # saves it by itself, worth more than the difference
        self._work_on(self.taken._replace(what=what, base=base, origins=origins), note, False)

    def _work_on(self, taken: Taken, note: Note, save: bool) -> None:
        from pypprof.load import finish
        from pypprof.profile.stacks import without_empty_tags

        profile = without_empty_tags(finish(taken, note, save))
        try:
            sample_index(profile, self.settings.sample_index)
        except PprofError:
            note(f"sample_index={self.settings.sample_index} is not in this profile: its default is used")
            self.settings = self.settings._replace(sample_index="")
        self.profile, self.what, self.taken, self._units = profile, taken.what, taken, None
        self._said_nameless = False
        self._filtered.clear()
        self._rendered.clear()

    def assign(self, name: str, value: str) -> None:
        """Set an option. CommandError when name or value is wrong; the settings stay."""
        if name == "sample_index":
            value = self.profile.sample_types[sample_index(self.profile, value)].type
        changed = assign(self.settings, name, value)
        if changed != self.settings:
            self._undo.append(self.settings)
            self.settings = changed

    def undo(self) -> list[str]:
        """Take back the last change; the names of the options that changed. CommandError for none."""
        if not self._undo:
            raise CommandError("nothing to undo")
        before, self.settings = self.settings, self._undo.pop()
        return [n for n, old, new in zip(Settings._fields, before, self.settings, strict=True) if old != new]

    def view(self, settings: Settings) -> View:
        """The view of the settings, from the caches where possible."""
        key = tuple(getattr(settings, option) for option in FILTER_OPTIONS)
        if settings.tagroot or settings.tagleaf:
            key += (settings.unit,)
        filtered = self._filtered.pop(key, None)
        if filtered is None:
            if self._units is None:
                self._units = numeric_units(self.profile)
            filtered = filter_profile(self.profile, settings, self._units)
        self._filtered[key] = filtered
        while len(self._filtered) > _KEPT_FILTERS:
            self._filtered.popitem(last=False)
        return build_view(filtered, settings)

    def report(self, name: str, argument: str, settings: Settings) -> object:
        """The data of a report. PprofError when it cannot be made."""
        command = load(name)
        return self._build(command, argument, command.override(settings))[0]

    def case(self, settings: Settings) -> Case:
        """What the doctor needs to know."""
        from pypprof.doctor import Case
        from pypprof.naming import mode

        what = self.what
        if what is None:
            return Case(self.profile, settings, "", _build_id)
        unasked = mode(what.symbolize, lambda text: None) is None
        return Case(self.profile, settings, what.binary, _build_id, tuple(what.sources), unasked)

    def render(self, name: str, argument: str, settings: Settings, format_: str = "") -> Rendered:
        """A report as bytes. PprofError when it cannot be made; then nothing has been written.

        `format_` is "json", "csv", or "colour" for the text with colours where the report has them.
        """
        command = load(name)
        coloured = format_ == "colour" and command.coloured is not None
        if format_ == "colour" and not coloured:
            format_ = ""
        key = (name, argument, settings._replace(output=""), format_)
        kept = self._rendered.pop(key, None)
        if kept is None:
            report, warnings = self._build(command, argument, command.override(settings))
            lines: tuple[str, ...] = ()
            if command.empty and command.empty(report):
                from pypprof.doctor import unrepeated

                lines = self._why_empty(command.override(settings))
                warnings = unrepeated(warnings, lines) + lines
            if command.explain and (lines := lines or self._nameless_lines()):
                report = command.explain(report, lines)
            pieces = in_format(command, report, format_)
            first, size = [], 0
            for piece in pieces:
                first.append(piece)
                size += len(piece)
                if size > _LARGE_REPORT:
                    return Rendered(chain(first, pieces), warnings + self._why_nameless(command), coloured)
            kept = Rendered([b"".join(first)], warnings, coloured)
            if command.fresh:
                return kept
        self._rendered[key] = kept
        if len(self._rendered) > _KEPT_REPORTS:
            self._rendered.popitem(last=False)
        return kept._replace(warnings=kept.warnings + self._why_nameless(load(name)))

    def _origin(self) -> tuple[Sequence[str], Callable[[str], Profile] | None]:
        """What the profile was merged from, and how to read one of it by itself."""
        if self.taken is None:
            return (), None
        from functools import partial

        from pypprof.load import load_one

        # What a server has sent would be another profile if it were fetched again.
        sources = () if self.taken.origins else self.taken.what.sources
        return sources, partial(load_one, self.taken.what)

    def _build(self, command: Command, argument: str, settings: Settings) -> tuple[object, tuple[str, ...]]:
        regex = None
        if argument and command.argument:
            try:
                regex = compile_regex(argument)
            except PprofError as error:
                raise CommandError(f"parsing argument regexp {argument}: {error}") from None
        view = self.view(settings)
        context = Context(settings, argument, regex, [], *self._origin())
        try:
            report = command.build(view, context)
        except PprofError as error:
            advice = () if command.empty else (*self._why_empty(settings), *self._why_nameless(command))
            raise CommandError("\n".join([str(error), *advice])) from None
        return report, (*view.warnings, *context.notes)

    def _why_empty(self, settings: Settings) -> tuple[str, ...]:
        from pypprof.doctor import why_empty

        return tuple(why_empty(self.case(settings)))

    def _why_nameless(self, command: Command) -> tuple[str, ...]:
        """Said once, with the first report that shows frames."""
        if self._said_nameless or command.name in _WITHOUT_FRAMES:
            return ()
        self._said_nameless = True
        return self._nameless_lines()

    def _nameless_lines(self) -> tuple[str, ...]:
        if not self.profile.is_nameless():
            return ()
        from pypprof.doctor import why_nameless

        return tuple(why_nameless(self.case(self.settings)))


def _build_id(path: str) -> str:
    from pypprof.naming import open_binary

    try:
        return open_binary(path).build_id
    except PprofError:
        return ""
