"""The shell on a terminal: prompt_toolkit around the loop. The only room that imports it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

from pypprof.errors import CommandError
from pypprof.line import Request, split_pipe
from pypprof.output import colours_wanted, note, printable, reason, write_stdout
from pypprof.session import Rendered, Session
from pypprof.shell.completion import Names, suggest
from pypprof.shell.highlight import STYLES, highlight
from pypprof.shell.loop import Loop, greet
from pypprof.shell.words import WORDS, Quit
from pypprof.view import sample_index

_PAGERS = ("less", "more", "most", "moar", "bat")


def run(session: Session) -> int:
    """Read and run lines until the user leaves. Returns the exit status 0."""
    greet(session)
    loop = TerminalLoop(session)
    prompt = _prompt(session)
    while True:
        try:
            line = prompt.prompt("(pprof) ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return 0
        try:
            loop.run(line)
        except Quit:
            return 0
        except KeyboardInterrupt:
            note("interrupted")
        except MemoryError:
            note("out of memory")


def _prompt(session: Session) -> PromptSession[str]:
    return PromptSession(
        history=_history(),
        completer=_Completer(session),
        lexer=_Lexer(session),
        style=Style.from_dict(STYLES),
        bottom_toolbar=lambda: status(session),
        auto_suggest=AutoSuggestFromHistory(),
        complete_while_typing=False,
        complete_in_thread=True,
        enable_open_in_editor=False,
        include_default_pygments_style=False,
    )


def _history() -> History:
    """The lines of earlier runs, in a file that only the user can read."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    path = os.path.join(state, "pypprof", "history")
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600))
        return FileHistory(path)
    except OSError:
        return InMemoryHistory()


def status(session: Session) -> str:
    """The bottom line: sample type, granularity, active filters."""
    settings, types = session.settings, session.profile.sample_types
    parts = [types[sample_index(session.profile, settings.sample_index)].type if types else "no samples"]
    if settings.mean:
        parts[0] = "mean " + parts[0]
    parts.append(settings.granularity or "functions")
    parts += [
        f"{name}={getattr(settings, name)}"
        for name in ("focus", "ignore", "hide", "show", "show_from", "prune_from", "tagfocus", "tagignore",
                     "tagshow", "taghide", "tagroot", "tagleaf")
        if getattr(settings, name)
    ]  # fmt: skip
    return printable(" " + "  ".join(parts))


class _Completer(Completer):
    def __init__(self, session: Session) -> None:
        self._session = session
        self._names = Names(session.profile)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        if self._names.profile is not self._session.profile:
            self._names = Names(self._session.profile)
        for suggestion in suggest(document.text_before_cursor, self._names, WORDS):
            yield Completion(
                suggestion.text, -suggestion.length, display=printable(suggestion.text), display_meta=suggestion.kind
            )


class _Lexer(Lexer):
    def __init__(self, session: Session) -> None:
        self._session = session

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        samples = [type_.type for type_ in self._session.profile.sample_types]

        def line(number: int) -> StyleAndTextTuples:
            pieces = highlight(document.lines[number], WORDS, samples)
            return [(f"class:{kind}" if kind else "", text) for kind, text in pieces]

        return line


class TerminalLoop(Loop):
    """The loop with a pager for long reports and pipes to programs."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._pipe: tuple[str, ...] = ()

    def run_one(self, line: str) -> None:
        line, self._pipe = split_pipe(line)
        super().run_one(line)

    def format(self, request: Request) -> str:
        return "" if self._pipe or request.settings.output or not colours_wanted() else "colour"

    def for_eyes(self) -> bool:
        return not self._pipe

    def emit(self, rendered: Rendered) -> None:
        data = b"".join(rendered.pieces)
        if self._pipe:
            feed(self._pipe, data)
            return
        if not rendered.coloured:
            data = printable(data.decode("utf-8", "surrogateescape")).encode("utf-8", "replace")
        pager = _pager() if data.count(b"\n") >= shutil.get_terminal_size().lines else []
        if pager:
            feed(pager, data)
        else:
            write_stdout([data])


def _pager() -> list[str]:
    """The user's pager as words; nothing when there is none."""
    os.environ.setdefault("LESS", "-R")  # shows colours
    wanted = os.environ.get("PYPPROF_PAGER", os.environ.get("PAGER", "less -S"))
    words = shlex.split(wanted)
    return words if words and shutil.which(words[0]) else []


def feed(words: Iterable[str], data: bytes) -> None:
    """Run a program (no shell) with `data` on its stdin. CommandError when it cannot be started."""
    argv = list(words)
    try:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE)
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot run {argv[0]}: {reason(error)}") from None
    with process:
        try:
            process.communicate(data)
        except BrokenPipeError:
            pass  # it has read enough
        except KeyboardInterrupt:
            _outlive(process, argv[0])
            raise


def _outlive(process: subprocess.Popen[bytes], program: str) -> None:
    """After Ctrl-C: a pager has its own use for the key and stays; other programs end, willing or not."""
    while os.path.basename(program) in _PAGERS and process.poll() is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            continue
    process.terminate()
