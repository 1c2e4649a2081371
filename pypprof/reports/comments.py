"""comments: the free-form comments of the profile."""

from __future__ import annotations

from collections.abc import Iterator

from pypprof.records import Record
from pypprof.reports.command import Command, Context
from pypprof.view import View


class CommentsReport(Record):
    comments: tuple[str, ...]


def build(view: View, context: Context) -> CommentsReport:
    return CommentsReport(view.profile.comments)


def text(report: CommentsReport) -> Iterator[str]:
    for comment in report.comments:
        yield comment + "\n"


COMMAND = Command("comments", "The comments in the profile", "", build, text)
