"""The subject rule, last and careful: an answer that lost every id finds its thread by subject *and* person.

`Re:`-prefixed in any common language, no ids at all, within 30 days, a normalised subject of 8 characters or more, and the
same user.  Two fresh mails never merge.  In a support box subjects collide ("Help", "Question", ""): the person is needed.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from helpdesk.model import Header
from helpdesk.text import normal_subject

MIN_SUBJECT = 8
WINDOW = timedelta(days=30)
_REMEMBERED_LENGTH = 256
_ANSWER = "Re: "
_NOBODY = frozenset({""})


class SubjectKey(NamedTuple):
    """What the subject rule knows of one message."""

    message_id: str
    subject: str  # normalised, "" when too short to mean anything
    people: frozenset[str]  # who it is from and to, without the addresses that everybody shares
    time: datetime
    lost: bool = False  # an answer without any id: may look for its thread


def subject_key(header: Header, people: frozenset[str], message_id: str, time: datetime) -> SubjectKey:
    """Say how a message is found by subject, and whether it may look for others that way."""
    subject, answer = _normal(header.subject)
    usable = subject if len(subject) >= MIN_SUBJECT else ""
    lost = answer and usable != "" and not header.references
    return SubjectKey(message_id, usable, people, time, lost)


def _normal(subject: str) -> tuple[str, bool]:
    """The mails of a thread have two subjects, with and without `Re:`; what follows it is read once for both."""
    if len(subject) > _REMEMBERED_LENGTH:
        return normal_subject(subject)
    if subject.startswith(_ANSWER):
        return _remembered(subject[len(_ANSWER) :])[0], True
    return _remembered(subject)


_remembered = lru_cache(maxsize=4096)(normal_subject)


def people_of(author: str, recipients: Iterable[str], shared: AbstractSet[str]) -> frozenset[str]:
    """Who a message is about; `shared` are the list, the board and the team: they are in every thread."""
    people = frozenset((author, *recipients)) - shared
    return people - _NOBODY if "" in people else people


def subject_candidate(lost: SubjectKey, candidates: Iterable[SubjectKey]) -> str | None:
    """Find the newest message that a lost answer may belong to.

    Where times are equal (a restored mailbox), what is no lost answer counts as older: links never run in a circle.
    """
    if not lost.lost:
        return None
    newest: SubjectKey | None = None
    for one in candidates:
        fits = one.subject == lost.subject and _order(one) < _order(lost) and one.time >= lost.time - WINDOW
        if fits and one.message_id != lost.message_id and not one.people.isdisjoint(lost.people):
            newest = one if newest is None else max(newest, one, key=_order)
    return newest.message_id if newest else None


def _order(key: SubjectKey) -> tuple[datetime, bool, str]:
    return key.time, key.lost, key.message_id
