"""Writing: files whole or not at all, and the standard streams."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable

from pypprof.errors import PprofError


def write_file(path: str, pieces: Iterable[bytes]) -> None:
    """Write a temporary file beside `path` and rename it. PprofError when that fails.

    What is no regular file (a device, a pipe, a descriptor such as /dev/stdout) is written to directly.
    """
    try:
        if path.startswith(("/dev/", "/proc/")) or (os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode)):
            with open(path, "wb") as file:
                file.writelines(pieces)
            return
        _replace(os.path.realpath(path), pieces)
    except (OSError, ValueError) as error:
        raise PprofError(f"cannot write {path}: {reason(error)}") from None


def _replace(target: str, pieces: Iterable[bytes]) -> None:
    import tempfile

    descriptor, temporary = tempfile.mkstemp(
        prefix=f".{os.path.basename(target)[:100]}.", dir=os.path.dirname(target) or "."
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            os.fchmod(file.fileno(), _mode(target))
        os.rename(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(target: str) -> int:
    """The mode of the file that is replaced, else what a new file gets."""
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def new_file(directory: str, prefix: str, suffix: str) -> str:
    """Reserve the first free name prefix001suffix, prefix002suffix ... PprofError when there is none."""
    for index in range(1, 10000):
        path = os.path.join(directory, f"{prefix}{index:03d}{suffix}")
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            continue
        except OSError as error:
            raise PprofError(f"cannot write {path}: {reason(error)}") from None
        return path
    raise PprofError(f"could not create file of the form {prefix}001{suffix}")


def write_new_file(directory: str, prefix: str, suffix: str, pieces: Iterable[bytes]) -> str:
    """Write the first free name prefix001suffix, prefix002suffix ..., whole or not at all; the path.

    A name that exists is never taken, whoever else is writing. PprofError when that fails.
    """
    import contextlib
    import tempfile

    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".pprof.", dir=directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(pieces)
                os.fchmod(file.fileno(), _mode(""))
            return _under_free_name(temporary, directory, prefix, suffix)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
    except OSError as error:
        raise PprofError(f"cannot write to {directory}: {reason(error)}") from None


def _under_free_name(temporary: str, directory: str, prefix: str, suffix: str) -> str:
    for index in range(1, 10000):
        path = os.path.join(directory, f"{prefix}{index:03d}{suffix}")
        try:
            os.link(temporary, path)
        except FileExistsError:
            continue
        except OSError:  # a file system without links: reserve the name, then replace it
            path = new_file(directory, prefix, suffix)
            os.rename(temporary, path)
        return path
    raise PprofError(f"could not create file of the form {prefix}001{suffix}")


def reason(error: Exception) -> str:
    """Why a system call failed, without the path."""
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def printable(text: str) -> str:
    """Text for a terminal: what would control it (escape sequences in names) becomes visible."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(c if c in "\n\t" or c.isprintable() else _visible(c) for c in text)


def _visible(char: str) -> str:
    return "\ufffd" if "\ud800" <= char <= "\udfff" else char.encode("unicode_escape").decode()


def colours_wanted() -> bool:
    """Whether stdout is a terminal whose user has not said no to colours (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def note(text: str) -> None:
    """One message on stderr."""
    if sys.stderr.isatty():
        text = printable(text)
    sys.stderr.buffer.write(text.rstrip("\n").encode("utf-8", "surrogateescape") + b"\n")
    sys.stderr.flush()


def write_stdout(pieces: Iterable[bytes]) -> None:
    """All pieces on stdout, at once. PprofError when it takes no more, BrokenPipeError when nobody reads it."""
    try:
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence_stdout()
        raise PprofError(f"cannot write to stdout: {reason(error)}") from None


def silence_stdout() -> None:
    """Drop what stdout has not taken, and all that comes: else it would fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reopen_closed() -> None:
    """Give the standard streams that are closed a descriptor that reads as empty and can't be written."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDONLY)
            if descriptor != number:
                os.dup2(descriptor, number)
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115


def internal_error(error: Exception) -> str:
    """What to say of a defect of ours: one line to report. PYPPROF_DEBUG=1 shows the traceback."""
    if os.environ.get("PYPPROF_DEBUG"):
        raise error
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else ""
    return f"internal error, please report it: {type(error).__name__}: {error}{where}"
