"""Source paths as Go's path/filepath and pprof's trim rules write them."""

from __future__ import annotations

import posixpath


def clean(path: str) -> str:
    """filepath.Clean: the shortest equal path, "." for nothing."""
    cleaned = posixpath.normpath(path)
    # POSIX gives two leading slashes a meaning that Go does not.
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def base(path: str) -> str:
    """filepath.Base: the last element, "." for nothing, "/" for slashes alone."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def trim(path: str, trim_path: str, search_path: str) -> str:
    """Cut a recorded source path down to what is below the source tree.

    Without trim_path, everything up to the name of a search directory goes (the directory
    `/home/me/project` finds `project` in `/ci/build/project/main.go`). The rules are those of
    google/pprof internal/report/source.go.
    """
    if not trim_path:
        for directory in split_list(search_path):
            wanted = "/" + base(directory) + "/"
            at = path.find(wanted)
            if at >= 0:
                return path[at + len(wanted) :]
    for prefix in [*split_list(trim_path), "/proc/self/cwd/./", "/proc/self/cwd/"]:
        prefix = prefix if prefix.endswith("/") else prefix + "/"
        if path.startswith(prefix):
            return path[len(prefix) :]
    return path


def split_list(paths: str) -> list[str]:
    """filepath.SplitList: the parts between colons; nothing for an empty string."""
    return paths.split(":") if paths else []
