"""Mail that comes to a token of ours: which thread it joins, and who its author is there (docs/mail.md section 2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from helpdesk.mailbox.authors import author
from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.routing import Speaker, answer_of, speaker
from helpdesk.mailids import Answered, loop_token
from helpdesk.model import Header
from helpdesk.store import answered, messages


@dataclass(frozen=True, slots=True)
class Answer:
    """The mail of ours that a mail answers, and the threads which that is about."""

    to: Answered
    threads: Sequence[int]


class Way(NamedTuple):
    """How a mail joins its thread: what it refers to, its parent, and an id in the thread, if that is known."""

    refs: tuple[str, ...]
    parent: str
    threads: tuple[str, ...]


def answer_to(conn: Connection, board: BoardContext, header: Header) -> Answer | None:
    """What a mail was sent in answer to, by a token in an address of it."""
    found = answer_of(header, board.answers)
    if found is None:
        return None
    return Answer(found, answered.threads_of(conn, loop_token(found.message_id).lower()))


def who_wrote(
    conn: Connection, board: BoardContext, header: Header, answer: Answer | None, *, sent: bool
) -> Speaker:
    """Who wrote it; at a destination's token that is an expert, unless he asks in that thread."""
    who = author(header, sent, board.authors)
    asks = answer is not None and answered.is_user(conn, answer.threads, who.address)
    return speaker(who, None if answer is None else answer.to, board.authors, is_user=asks)


def way(conn: Connection, header: Header, answer: Answer, text: str) -> Way | None:
    """A valid token says which thread, whatever else the mail refers to: ids of other threads are left out.

    None: our mail was about the board itself, or about several threads and the answer does not say which.
    """
    own = answer.to.message_id
    thread = answered.meant(conn, answer.threads, f"{header.subject}\n{text}")
    if thread is None:
        lost = bool(answer.to.destination) and not answer.threads  # its own copy may still be there
        return Way(_unique(*header.references, own), own, ()) if lost else None
    roots = tuple(messages.roots_of(conn, [thread]).values())
    elsewhere = answered.elsewhere(conn, header.references, thread)
    kept = [one for one in header.references if one not in elsewhere]
    return Way(_unique(*kept, own, *roots), next(iter(roots), own), roots)


def _unique(*ids: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
