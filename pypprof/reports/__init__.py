"""The report commands. A new report is one file and one line here."""

from __future__ import annotations

import importlib
from functools import cache

from pypprof.reports.command import Command

# name: (module, attribute, whether an argument follows). Modules load when a command runs.
COMMANDS: dict[str, tuple[str, str, bool]] = {
    "callgrind": ("callgrind", "COMMAND", False),
    "comments": ("comments", "COMMAND", False),
    "disasm": ("disasm", "COMMAND", True),
    "dot": ("dot", "COMMAND", False),
    "eog": ("pictures", "EOG_COMMAND", False),
    "evince": ("pictures", "EVINCE_COMMAND", False),
    "folded": ("folded", "COMMAND", False),
    "gif": ("pictures", "GIF_COMMAND", False),
    "gv": ("pictures", "GV_COMMAND", False),
    "jpg": ("pictures", "JPG_COMMAND", False),
    "kcachegrind": ("callgrind", "KCACHEGRIND_COMMAND", False),
    "list": ("list", "COMMAND", True),
    "memstats": ("memstats", "COMMAND", False),
    "pdf": ("pictures", "PDF_COMMAND", False),
    "peek": ("peek", "COMMAND", True),
    "png": ("pictures", "PNG_COMMAND", False),
    "proto": ("proto", "COMMAND", False),
    "ps": ("pictures", "PS_COMMAND", False),
    "raw": ("raw", "COMMAND", False),
    "svg": ("pictures", "COMMAND", False),
    "tags": ("tags", "COMMAND", False),
    "text": ("top", "TEXT_COMMAND", False),
    "top": ("top", "COMMAND", False),
    "topproto": ("topproto", "COMMAND", False),
    "traces": ("traces", "COMMAND", False),
    "trend": ("trend", "COMMAND", False),
    "tree": ("tree", "COMMAND", False),
    "web": ("pictures", "WEB_COMMAND", False),
    "weblist": ("weblist", "COMMAND", True),
}


@cache
def load(name: str) -> Command:
    """The command of that name (a key of COMMANDS)."""
    module, attribute, _ = COMMANDS[name]
    command = getattr(importlib.import_module(f"pypprof.reports.{module}"), attribute)
    assert isinstance(command, Command)
    return command
