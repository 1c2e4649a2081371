"""One line of the shell, from text to effect. What terminal and script have in common."""

from __future__ import annotations

from pypprof.deliver import deliver
from pypprof.errors import PprofError
from pypprof.line import Request, read_assignment, read_request, shortcuts
from pypprof.output import internal_error, note, write_stdout
from pypprof.reports.header import profile_header, profile_lines
from pypprof.reports.values import value_format
from pypprof.session import Rendered, Session
from pypprof.shell import words

GREETING = 'Entering interactive mode (type "help" for commands, "o" for options)'


def greet(session: Session) -> None:
    """Say what the profile is, and how to go on."""
    describe(session)
    note(GREETING)


def describe(session: Session) -> None:
    """Say what the profile is, and what to do when it looks empty."""
    try:
        view = session.view(session.settings)
    except PprofError:
        return
    for warning in view.warnings:
        note(warning)
    note("\n".join(profile_lines(profile_header(view), value_format(view, session.settings))))
    if view.total == 0 and len(session.profile.sample_types) > 1:
        note("No samples were found with the default sample value type.")
        note('Try "sample_index" command to analyze different sample values.\n')


class Loop:
    """Runs lines on a session."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def run(self, line: str) -> bool:
        """Run one line; errors go to stderr. False when any part of it failed."""
        fine = True
        stripped = line.strip()
        known = shortcuts([t.type for t in self.session.profile.sample_types])
        for part in known.get(stripped, (stripped,)):
            try:
                self.run_one(part)
            except PprofError as error:
                note(str(error))
                fine = False
            except (words.Quit, BrokenPipeError):
                raise
            except Exception as error:  # a defect must not cost the user the session
                note(internal_error(error))
                fine = False
        return fine

    def run_one(self, line: str) -> None:
        """Run a line that is no shortcut. PprofError when that fails."""
        assignment = read_assignment(line)
        if assignment is not None:
            self.session.assign(*assignment)
            return
        tokens = line.split()
        if not tokens:
            return
        if tokens[0] in words.WORDS:
            profile = self.session.profile
            words.WORDS[tokens[0]](self.session, tokens[1:])
            if self.session.profile is not profile:
                describe(self.session)
            return
        self.show(read_request(tokens, self.session.settings))

    def show(self, request: Request) -> None:
        """Make a report and send it where it belongs."""
        format_ = request.format or self.format(request)
        rendered = self.session.render(request.command, request.argument, request.settings, format_)
        deliver(
            rendered, request.command, request.settings.output, request.format, self.for_eyes(),
            emit=lambda _: self.emit(rendered),
        )  # fmt: skip

    def for_eyes(self) -> bool:
        """Whether reports end on a screen: bulky ones then go to a file."""
        return True

    def format(self, request: Request) -> str:
        """The format of a report that asks for none (see Session.render)."""
        return ""

    def emit(self, rendered: Rendered) -> None:
        """A report for the eyes. The terminal has its own way (pager, pipes)."""
        write_stdout(rendered.pieces)
