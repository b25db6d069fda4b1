"""What the mails say: one frozen dataclass per kind, each the whole vocabulary of its pair of templates.

Every text may come from a stranger's mail: `helpdesk.render` cleans it on its way out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, get_args

from helpdesk.central import IncidentMail
from helpdesk.digest.mail import DigestMail
from helpdesk.observing import ObservedMail
from helpdesk.reports.mail import SiteReportMail
from helpdesk.reviewing import ReviewMail
from helpdesk.robots.load.telling import LoadReportMail
from helpdesk.sites import SiteOutMail


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One message of a thread, as an outsider is told of it."""

    who: str
    when: datetime
    lines: tuple[str, ...]  # the first lines of what was said


@dataclass(frozen=True, slots=True)
class Fact:
    """What an expert asks first, word for word from the user's mails."""

    name: str  # error, job, site, dataset, release
    text: str


@dataclass(frozen=True, slots=True)
class EscalationMail:
    """To a destination: the question, what broke and in which job, the user's words, and what was said since."""

    kind: ClassVar[str] = "escalation"

    thread: str  # the short id
    destination: str
    subject: str
    user: str
    question: tuple[str, ...]  # the user's words, line by line
    story: tuple[StoryLine, ...]  # what was said after them
    labels: tuple[str, ...]
    since: datetime  # when it was escalated
    asked: str = ""  # the sentence that asks
    facts: tuple[Fact, ...] = ()
    left_out: int = 0  # mails between the question and the story
    ticket: str = ""  # the destination's number, as it spells it
    link: str = ""  # Message-ID of the thread's newest mail, for the list's web archive


@dataclass(frozen=True, slots=True)
class ReminderLine:
    """One thread that a destination has not answered."""

    thread: str
    subject: str
    since: datetime  # when it was escalated, or last heard of
    ticket: str = ""
    times: int = 1  # how many reminders, this one included
    link: str = ""  # Message-ID of our escalation, which the destination has


@dataclass(frozen=True, slots=True)
class ReminderMail:
    """To a destination: all threads that wait for it, one line each, the oldest first."""

    kind: ClassVar[str] = "reminder"

    destination: str
    threads: tuple[ReminderLine, ...]


@dataclass(frozen=True, slots=True)
class NoteMail:
    """To a user: a shifter's words, else what a destination answered, else that it was passed on."""

    kind: ClassVar[str] = "note"

    thread: str
    subject: str
    user: str
    where: str = ""  # the destination, if it is with one
    ticket: str = ""
    by: str = ""  # who says `words`
    words: tuple[str, ...] = ()
    answer: StoryLine | None = None  # of the destination


@dataclass(frozen=True, slots=True)
class ReleaseMail:
    """To a user: please look whether the release solves what you wrote about."""

    kind: ClassVar[str] = "release"

    thread: str
    name: str
    version: str
    subject: str
    user: str


@dataclass(frozen=True, slots=True)
class WarningMail:
    """To a user: we have waited for you, and will soon take it that the problem is gone."""

    kind: ClassVar[str] = "warning"

    thread: str
    subject: str
    user: str
    since: datetime  # of what we are waiting after
    closes: datetime


@dataclass(frozen=True, slots=True)
class NoticeMail:
    """To a user: we have waited for you, and took it that the problem is gone."""

    kind: ClassVar[str] = "notice"

    thread: str
    subject: str
    user: str
    since: datetime


@dataclass(frozen=True, slots=True)
class UrgentMail:
    """To the shifters; with `unanswered_minutes` to those on call, because nobody answered."""

    kind: ClassVar[str] = "urgent"

    thread: str
    subject: str
    user: str
    question: tuple[str, ...]
    labels: tuple[str, ...]
    since: datetime  # when it became urgent
    unanswered_minutes: int = 0
    asked: str = ""
    facts: tuple[Fact, ...] = ()
    link: str = ""  # Message-ID of the thread's newest mail


@dataclass(frozen=True, slots=True)
class AlarmMail:
    """To the admins: something about the board itself needs them."""

    kind: ClassVar[str] = "alarm"

    alarm: str  # its name, for the subject
    what: str  # what happened
    to_do: str  # the paragraph of the runbook
    since: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """One command of a mail, and what became of it."""

    command: tuple[str, ...]  # as it was written, with the lines below it that belong to it
    done: bool
    says: tuple[str, ...]  # line by line: a sentence, or the table that was asked for


@dataclass(frozen=True, slots=True)
class AnswerMail:
    """To who wrote commands: each is quoted with its outcome."""

    kind: ClassVar[str] = "answer"

    name: str  # of the person
    received: datetime  # the command mail
    outcomes: tuple[Outcome, ...]
    thread: str = ""  # the short id, if the mail belongs to one
    link: str = ""  # Message-ID of that thread's newest mail


@dataclass(frozen=True, slots=True)
class ConfirmationMail:
    """To the configured address of a person in whose name somebody wrote commands, without proof that it was he."""

    kind: ClassVar[str] = "confirmation"

    name: str
    claimed: str  # the address in From
    received: datetime
    commands: tuple[str, ...]  # as they were written
    token: str
    until: datetime


Mail = (
    EscalationMail
    | ReminderMail
    | NoteMail
    | ReleaseMail
    | WarningMail
    | NoticeMail
    | SiteOutMail
    | SiteReportMail
    | IncidentMail
    | UrgentMail
    | AlarmMail
    | AnswerMail
    | ConfirmationMail
    | DigestMail
    | ObservedMail
    | ReviewMail
    | LoadReportMail
)
KINDS: tuple[str, ...] = tuple(one.kind for one in get_args(Mail))
"""Every kind has its pair of templates."""
