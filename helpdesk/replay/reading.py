"""One raw mail after the other, understood by the board's own code and entered in the book.

As on a board, copies of one message (the same id and Date, and nobody else's) are one message, and the most trusted copy says
who wrote it; a mail that reuses an id is another message; a mail that cannot be read goes to quarantine and stops nobody.
"""

import hashlib
import re
from array import array
from dataclasses import dataclass, field

from helpdesk.mailbox.authors import author
from helpdesk.mailbox.body import reported_ids, text_of
from helpdesk.mailbox.classify import Classified, classify
from helpdesk.mailbox.ingest import BODY_OCTETS, MAX_PEOPLE
from helpdesk.mailbox.parse import UnparseableError, identity, parse_date, parse_header
from helpdesk.mailbox.subjects import subject_key
from helpdesk.model import Author, Header, Nature
from helpdesk.replay.archive import RawMail
from helpdesk.replay.book import (
    EPOCH,
    LOST,
    NATURES,
    OF_OURS,
    POSTMARK,
    RECEIVED,
    ROLES,
    SENT,
    TRUSTED,
    VIAS,
    Book,
    seconds,
)
from helpdesk.replay.terms import Terms
from helpdesk.text import safe_text

MAX_QUARANTINE = 1000  # as many are listed, all are counted
MAX_WHYS = 1000  # as many kinds of evidence are told apart
TITLE = 120

_HEADER_ENDS = re.compile(rb"\n\r?\n")
_ROLE = {role: number for number, role in enumerate(ROLES)}
_NATURE = {nature: number for number, nature in enumerate(NATURES)}
_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A mail that cannot be read."""

    number: int  # its place among all mails of the archive, from 1
    place: str
    why: str


@dataclass(slots=True)
class Counts:
    """What was read."""

    mails: int = 0
    octets: int = 0
    copies: int = 0  # of messages that were there already
    reused: int = 0  # messages whose Message-ID another message has
    without_id: int = 0
    quarantined: int = 0
    quarantine: list[Quarantined] = field(default_factory=list)


class Reader:
    """Enters mails into a book."""

    def __init__(self, terms: Terms) -> None:
        self.book = Book()
        self.counts = Counts()
        self._terms = terms
        self._board = terms.board
        self._first: array[int] = array("q")  # id -> the row of the first message that has it, plus 1
        self._others: dict[int, list[int]] = {}  # id -> further rows

    def take(self, raw: RawMail) -> None:
        """Enter one mail."""
        counts = self.counts
        counts.mails += 1
        counts.octets += raw.size
        if raw.why:
            self._quarantine(raw, raw.why)
            return
        end = _HEADER_ENDS.search(raw.octets)
        octets = raw.octets if end is None else raw.octets[: end.end()]
        try:
            header = parse_header(octets)
        except UnparseableError as error:
            self._quarantine(raw, str(error))
            return
        message_id = header.message_id
        if not message_id:
            counts.without_id += 1
            message_id = _made_up(octets, raw.size)
        self._enter(raw, header, message_id)

    def _quarantine(self, raw: RawMail, why: str) -> None:
        counts = self.counts
        counts.quarantined += 1
        if len(counts.quarantine) < MAX_QUARANTINE:
            counts.quarantine.append(Quarantined(counts.mails, raw.place, why))

    def _enter(self, raw: RawMail, header: Header, message_id: str) -> None:
        who = author(header, raw.sent, self._terms.speakers.policy(header))
        number = self.book.ids.number(message_id)
        person = self.book.people.number(who.address or header.sender_name.casefold()[:TITLE])
        date = seconds(header.date)
        row = self._twin(number, date, person, who.via)
        if row is None:
            row = len(self.book)
            self._remember(number, row)
            self._append(raw, header, number, date)
        else:
            self.counts.copies += 1
            if VIAS.index(who.via) >= self.book.via[row]:
                return
        self._speak(row, raw, header, who, person)

    def _twin(self, number: int, date: int, person: int, via: str) -> int | None:
        """The message that this is one more copy of (the board's rule, helpdesk.mailbox.arrive)."""
        if number >= len(self._first) or not self._first[number]:
            return None
        book = self.book
        rows: list[int] = [self._first[number] - 1, *self._others.get(number, ())]
        for row in rows:
            same_author = book.author[row] == person or not (book.author[row] and person)
            if book.date[row] == date and (same_author or "list" in {via, VIAS[book.via[row]]}):
                return row
        return None

    def _remember(self, number: int, row: int) -> None:
        if number >= len(self._first):
            self._first.extend([0] * (len(self.book.ids) - len(self._first)))
        if self._first[number]:
            self.counts.reused += 1
            self._others.setdefault(number, []).append(row)
        else:
            self._first[number] = row + 1

    def _append(self, raw: RawMail, header: Header, number: int, date: int) -> None:
        """What every copy says alike."""
        book = self.book
        key = subject_key(header, _NOBODY, "", EPOCH)
        book.id.append(number)
        book.references.append(map(book.ids.number, header.references))
        book.parents.append(map(book.ids.number, header.in_reply_to))
        book.date.append(date)
        self._witness(raw, header)
        book.recipients.append(map(book.people.number, header.recipients[:MAX_PEOPLE]))
        book.subject.append(book.subjects.number(key.subject))
        book.marks.append(LOST if key.lost else 0)
        for column in (book.author, book.role, book.nature, book.why, book.via):
            column.append(0)
        if not header.references:
            book.titles[len(book) - 1] = safe_text(header.subject, limit=TITLE)

    def _witness(self, raw: RawMail, header: Header) -> None:
        """What a server said about the time: the newest Received, which is our side's, else the archive itself."""
        received = header.fields.get("received", ("",))[0].rpartition(";")[2]
        when = parse_date(received.strip()) if received else None
        kind = RECEIVED if when is not None else POSTMARK if raw.arrived is not None else 0
        self.book.witness.append(seconds(when or raw.arrived))
        self.book.witness_kind.append(kind)

    def _speak(self, row: int, raw: RawMail, header: Header, who: Author, person: int) -> None:
        """Who wrote it, what wrote it, and what the team's rules say: the most trusted copy decides."""
        book, board = self.book, self._board
        own = any(map(board.own, (header.message_id, *header.fields.get("x-helpdesk-id", ()))))
        body = _Body(raw.octets)
        destination = who.address in board.authors.destinations
        told = classify(header, own=own, destination=destination, text=body.text() if destination else "")
        marks = book.marks[row] & LOST
        marks |= (TRUSTED if who.trusted else 0) | (SENT if raw.sent else 0)
        if told.nature is Nature.BOUNCE and any(map(board.own, reported_ids(raw.octets))):
            marks |= OF_OURS
        hits = board.rules.hits(header, who, body.text() if board.rules.needs_body else "")
        if hits:
            book.hits[row] = tuple(hits)
        else:
            book.hits.pop(row, None)
        book.author[row] = person
        book.role[row] = _ROLE[who.role]
        book.nature[row] = _NATURE[told.nature]
        book.why[row] = self._why(told)
        book.via[row] = VIAS.index(who.via)
        book.marks[row] = marks

    def _why(self, told: Classified) -> int:
        whys = self.book.whys
        return whys.number(told.why if len(whys) < MAX_WHYS else "something else")


class _Body:
    """The text of a mail, made when somebody asks."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._text: str | None = None

    def text(self) -> str:
        """What a person would read of it."""
        if self._text is None:
            self._text = text_of(self._octets[:BODY_OCTETS], BODY_OCTETS)
        return self._text


def _made_up(header: bytes, size: int) -> str:
    """An id for a mail without one; the same for all copies."""
    name = identity(header, "", size)
    return f"<{hashlib.sha256(name.encode()).hexdigest()[:32]}@no-message-id.invalid>"
