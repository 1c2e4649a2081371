"""The cache of compiled code. What is read from it runs as machine code in this process.

So a file is taken only when nobody else can have written it: the directory and the file belong to
the user, are open to nobody else, and no symbolic link is followed to either of them.
"""

from __future__ import annotations

import os
import stat

_LARGEST = 64 << 20


def read(name: str) -> bytes | None:
    """The cached bytes of that name; None when there are none that can be trusted."""
    directory = _open_directory(make=False)
    if directory < 0:
        return None
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    except OSError:
        return None
    finally:
        os.close(directory)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not _private(status) or status.st_size > _LARGEST:
            return None
        return file.read()


def write(name: str, data: bytes) -> None:
    """Keep bytes under a name, whole or not at all. Without a private directory nothing is kept."""
    directory = _open_directory(make=True)
    if directory < 0:
        return
    temporary = f".{name}.{os.getpid()}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            os.unlink(temporary, dir_fd=directory)
            raise
    except OSError:
        pass  # a full disk: the next run compiles again
    finally:
        os.close(directory)


def _open_directory(make: bool) -> int:
    """A descriptor of ~/.cache/pypprof, checked; -1 when there is none or it is not ours alone."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    home = home if os.path.isabs(home) else os.path.join(os.path.expanduser("~"), ".cache")
    path = os.path.join(home, "pypprof")
    try:
        if make:
            os.makedirs(home, exist_ok=True)
            if not os.path.lexists(path):
                os.mkdir(path, 0o700)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return -1
    if _private(os.fstat(descriptor)):
        return descriptor
    os.close(descriptor)
    return -1


def _private(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & 0o077
