"""What the mails say: one frozen dataclass per kind, each the whole vocabulary of its template.

Every text may come from a stranger's mail: `helpdesk.render` cleans it on its way out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One message of a thread, as an outsider is told of it."""

    who: str
    when: datetime
    lines: tuple[str, ...]  # the first lines of what was said


@dataclass(frozen=True, slots=True)
class EscalationMail:
    """To a destination: the question and what was said so far."""

    kind: ClassVar[str] = "escalation"

    thread: str  # the short id
    destination: str
    subject: str
    user: str
    question: tuple[str, ...]  # an excerpt, line by line
    story: tuple[StoryLine, ...]  # what was said after it
    labels: tuple[str, ...]
    since: datetime  # when it was escalated


@dataclass(frozen=True, slots=True)
class UrgentMail:
    """To the shifter on duty; with `unanswered_minutes` to those on call, because nobody answered."""

    kind: ClassVar[str] = "urgent"

    thread: str
    subject: str
    user: str
    question: tuple[str, ...]
    labels: tuple[str, ...]
    since: datetime  # when it became urgent
    unanswered_minutes: int = 0


@dataclass(frozen=True, slots=True)
class AlarmMail:
    """To the admins: something about the board itself needs them."""

    kind: ClassVar[str] = "alarm"

    alarm: str  # its name, for the subject
    what: str  # what happened
    to_do: str  # the paragraph of the runbook
    since: datetime


@dataclass(frozen=True, slots=True)
class ReleaseMail:
    """To a user: please look whether the release solves what you wrote about."""

    kind: ClassVar[str] = "release"

    thread: str
    name: str
    version: str
    subject: str
    user: str


Mail = EscalationMail | UrgentMail | AlarmMail | ReleaseMail
KINDS = ("escalation", "urgent", "alarm", "release")
