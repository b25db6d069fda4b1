"""New mail, read and understood while its folder is selected: what the store will hold of each message.

A mail whose server id is known is not read again.  A mail that cannot be read goes to quarantine and stops nobody.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any

from sqlalchemy import Connection

from helpdesk.errors import DeadlyMailError, MailboxRefusedError, UidValidityChangedError
from helpdesk.mailbox import naming
from helpdesk.mailbox.answering import answer_to, way, who_wrote
from helpdesk.mailbox.body import reported_ids, text_of
from helpdesk.mailbox.classify import classify, unproven
from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.hearing import NOTHING, Letter, Said, hear, history, listens
from helpdesk.mailbox.identities import named
from helpdesk.mailbox.incoming import Incoming
from helpdesk.mailbox.parse import FIELDS, UnparseableError, parse_header
from helpdesk.mailbox.routing import Speaker, audience
from helpdesk.mailbox.subjects import people_of, subject_key
from helpdesk.mailbox.trackers import ticket_numbers
from helpdesk.mailids import loop_token
from helpdesk.model import Author, Header, Nature, Place, Stamp
from helpdesk.ports import Folder, Mailbox, MailRow
from helpdesk.rules.facts import Hit
from helpdesk.rules.talks import ticket_key
from helpdesk.store import copies, messages
from helpdesk.store.messages import NewMessage
from helpdesk.store.threads import pack_hits
from helpdesk.uidset import UidSet

BATCH = 500
"""Mails that are read at once."""

BOUNCE_OCTETS = 256 * 1024
BODY_OCTETS = 64 * 1024
REFUSED_AGAIN = timedelta(days=1)
MAX_TEXT = 1000
MAX_KEY = 500  # what every database can index, in any script
MAX_PEOPLE = 50
Understood = tuple[str, tuple[Any, ...]]
"""A mail of which the header told all: what names it, and the columns of its row (`NewMessage`)."""

_OURS = "helpdesk."  # in every token of ours (helpdesk.mailids); looking for it is faster than asking


@dataclass(frozen=True, slots=True)
class Intake:
    """Reads the new mail of one folder."""

    mailbox: Mailbox
    board: BoardContext
    place: Place
    folder: Folder
    stamp: Stamp
    history: datetime | None  # mail up to this moment was there before the board; None: no mail was
    fields: Sequence[str] = field(default=FIELDS)

    def read(self, conn: Connection, uids: UidSet) -> Iterator[Incoming]:
        """Read these UIDs; those that have gone meanwhile are left out."""
        batch: list[MailRow] = []
        for row in self.mailbox.mails(self.folder, uids, self.fields):
            batch.append(row)
            if len(batch) == BATCH:
                yield from self._batch(conn, batch)
                batch = []
        yield from self._batch(conn, batch)

    def _batch(self, conn: Connection, rows: Sequence[MailRow]) -> Iterator[Incoming]:
        return self.take(conn, rows, repeat(None, len(rows)))

    def take(
        self, conn: Connection, rows: Sequence[MailRow], understood: Iterable[Understood | None]
    ) -> Iterator[Incoming]:
        """Take in mails of which some were `understood` elsewhere; the others are read here."""
        known = copies.known_guids(conn, [row.guid for row in rows if row.guid])
        for row, told in zip(rows, understood, strict=True):
            mail = self.incoming(row)
            if row.guid in known:
                mail.message = known[row.guid]
            elif told is not None:
                mail.guid, mail.new = told[0], NewMessage(*told[1])
            else:
                self.examine(conn, row, mail)
            yield mail

    def incoming(self, row: MailRow) -> Incoming:
        """What can be told of a mail before its header is read."""
        seen = self.board.dialect.read(row.flags, self.folder.name, self.place)
        adopted = self.history is not None and row.internaldate <= self.history
        return Incoming(row.uid, row.guid, row.flags, seen, adopted=adopted, when=row.internaldate)

    def examine(self, conn: Connection, row: MailRow, mail: Incoming) -> None:
        """Read one mail."""
        if row.strikes:
            mail.condemn(row.strikes)
            return
        if not row.header:
            mail.why = "the server could not describe the mail"
            return
        try:
            header = parse_header(row.header)
        except UnparseableError as error:
            mail.why = str(error)
            return
        mail.guid = row.guid or named(header, row.size)
        if not header.message_id:
            header = replace(header, message_id=_made_up(mail.guid))
        try:
            self._understand(conn, mail, row, header)
        except DeadlyMailError as error:
            mail.condemn(error.strikes)
        except UidValidityChangedError:
            raise
        except MailboxRefusedError as error:
            mail.why, mail.again = f"the server does not give its text: {error}", REFUSED_AGAIN

    def _understand(self, conn: Connection, mail: Incoming, row: MailRow, header: Header) -> None:
        own = self._own((header.message_id, *header.fields.get("x-helpdesk-id", ())))
        answer = None if own else answer_to(conn, self.board, header)
        said = who_wrote(conn, self.board, header, answer, sent=self.place is Place.SENT)
        body = _Body(self, row)
        text = body.text() if said.at_destination and not mail.adopted else ""
        told = classify(header, own=bool(own), destination=said.at_destination, text=text)
        told = unproven(told) if said.at_destination and not said.of else told
        returned = self._returned(header, told.nature, body) if not mail.adopted else ()
        message = self._message(header, said, row)
        named, threads = self._route(conn, message, header, returned, own)
        if answer is not None:
            named = (*self._own((answer.to.message_id,)), *named)
            if (found := way(conn, header, answer, text)) is not None:
                message.refs, message.parents, threads = " ".join(found.refs), found.parent, found.threads
        message.nature, message.why = told.nature.value, told.why
        message.of_ours = bool(returned) and told.nature is Nature.BOUNCE
        message.token = own[0] if own else ""
        message.hits = pack_hits(self._hits(header, said.who, body, mail))
        message.adopted = mail.adopted
        message.audience = _safe(audience(header, said.who, self.board.authors, own=bool(own)))
        if told.nature is Nature.HUMAN and listens(
            header, said.who, self.board.authors, adopted=mail.adopted
        ):
            mail.said = self._hear(conn, header, said.who, row, (named, threads))
            mail.said = history(mail.said, header, named) if mail.adopted else mail.said
        message.spoken = mail.said.alone
        message.correspondence = message.spoken or self._is_correspondence(
            conn, own, header, (named, threads)
        )
        if not (mail.adopted or message.correspondence):
            mail.named = naming.named(header, said.who, told.nature, self.board.names, body.text)
        mail.new, mail.own = message, own

    def _returned(self, header: Header, nature: Nature, body: "_Body") -> Sequence[str]:
        """The mails of ours that a bounce returns; where it quotes none, the one whose envelope sender it was sent to.

        An answering machine writes there too (RFC 3834 section 4), and need not say to what.
        """
        if nature in {Nature.HUMAN, Nature.UNSURE, Nature.OWN}:
            return ()
        quoted = reported_ids(body.octets(BOUNCE_OCTETS)) if nature is Nature.BOUNCE else ()
        ours = [one for one in quoted if self.board.own(one)]
        return ours or [own for to in header.recipients[:MAX_PEOPLE] if (own := self.board.bounced(to))]

    def _route(
        self,
        conn: Connection,
        message: NewMessage,
        header: Header,
        returned: Sequence[str],
        own: Sequence[str],
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Refer to the threads that mails of ours are about which this one is, names or returns; tells which those are."""
        named = self._own(header.references)
        threads = self._threads_of(conn, (*own, *named, *self._own(returned)))
        if returned or threads:
            message.refs = " ".join(dict.fromkeys((*header.references, *returned, *threads)))
        return named, threads

    def _hear(
        self, conn: Connection, header: Header, who: Author, row: MailRow, ours: tuple[Sequence[str], ...]
    ) -> Said:
        """What one of the people says to the board; what lies in Helpdesk already was said to nobody."""
        if self.place is Place.FILED:
            return NOTHING
        named, threads = ours
        kinds = messages.kinds_of(conn, dict.fromkeys(named))
        letter = Letter(header, who, min(row.internaldate, self.stamp.at), kinds, threads)
        return hear(letter, _Body(self, row).octets(BODY_OCTETS), self.board.authors)

    def _is_correspondence(
        self, conn: Connection, own: Sequence[str], header: Header, ours: tuple[Sequence[str], ...]
    ) -> bool:
        """Our mails about the board itself, and what lies in Helpdesk for another reason than its thread."""
        if not own:
            return self.place is Place.FILED
        if any(thread is None for thread in messages.sent_for(conn, own).values()):
            return True
        named, threads = ours
        return not threads and (self.place is Place.FILED or len(named) == len(header.references))

    def _message(self, header: Header, said: Speaker, row: MailRow) -> NewMessage:
        who, authors = said.who, self.board.authors
        numbers = ticket_numbers(header)
        home = bool(numbers) and bool(said.of or authors.at_home(who.address))
        people = people_of(who.address, header.recipients[:MAX_PEOPLE], self.board.shared)
        time = min(row.internaldate, self.stamp.at)
        key = subject_key(header, people, header.message_id, time)
        return NewMessage(
            message_id=header.message_id,
            refs=" ".join(header.references),
            parents=" ".join(header.in_reply_to),
            subject=_safe(header.subject),
            subject_key=_safe(key.subject)[:MAX_KEY],
            people=_safe(" ".join(sorted(people))) if key.subject else "",
            author=_safe(who.address),
            author_name=_safe(header.sender_name),
            role=who.role.value,
            via=who.via,
            trusted=who.trusted,
            nature="",
            why="",
            date=header.date,
            time=time,
            cycle=self.stamp.cycle,
            adopted=False,
            hits="",
            size=row.size,
            of_ours=False,
            correspondence=False,
            word_of="\n".join(said.of),
            tickets=_safe("\n".join(numbers)),
            ticket=_safe(ticket_key(numbers[0]))[:MAX_KEY] if home else "",
        )

    def _own(self, texts: Sequence[str]) -> tuple[str, ...]:
        """The tokens of those Message-IDs (or tokens) that are ours."""
        own = self.board.own
        return tuple([loop_token(text).lower() for text in texts if _OURS in text.lower() and own(text)])

    def _threads_of(self, conn: Connection, tokens: Sequence[str]) -> tuple[str, ...]:
        """An id in each thread that these mails of ours are about."""
        if not tokens:
            return ()
        sent = messages.sent_for(conn, dict.fromkeys(tokens))
        roots = messages.roots_of(conn, {thread for thread in sent.values() if thread})
        return tuple(roots[thread] for thread in dict.fromkeys(sent.values()) if thread in roots)

    def _hits(self, header: Header, who: Author, body: "_Body", mail: Incoming) -> Sequence[Hit]:
        """What the team rules say; at adoption they only explain labels, so a body without one is not fetched."""
        rules = self.board.rules
        useful = not mail.adopted or (self.place is Place.INBOX and bool(mail.seen.bits))
        return rules.hits(header, who, body.text() if rules.needs_body and useful else "")


class _Body:
    """The body of one mail, fetched when somebody asks, and not more of it than needed."""

    def __init__(self, intake: Intake, row: MailRow) -> None:
        self._intake = intake
        self._row = row
        self._text: str | None = None

    def octets(self, limit: int) -> bytes:
        """The beginning of the whole mail."""
        return self._intake.mailbox.body(
            self._intake.folder, self._row.uid, min(limit, max(self._row.size, 1))
        )

    def text(self) -> str:
        """What a person would read of it."""
        if self._text is None:
            self._text = text_of(self.octets(BODY_OCTETS), BODY_OCTETS)
        return self._text


def _made_up(guid: str) -> str:
    """An id for a mail without one; the same for all copies."""
    return f"<{hashlib.sha256(guid.encode()).hexdigest()[:32]}@no-message-id.invalid>"


def _safe(text: str) -> str:
    """Text that every database takes, and not more than needed: no lone surrogates, no NUL."""
    text = text[:MAX_TEXT]
    if text.isprintable():
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def wanted_fields(board: BoardContext) -> Sequence[str]:
    """The header fields to ask for: ours, and those that team rules look at."""
    asked = {name.lower() for name in FIELDS}
    return (*FIELDS, *(name for name in board.rules.fields if name.lower() not in asked))
