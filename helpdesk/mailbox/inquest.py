"""Which mail ends the connection?  Fetching that goes on after it (docs/decisions.md section 12)."""

import builtins
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Protocol

from sqlalchemy import Engine

from helpdesk.errors import DeadlyMailError, MailboxRefusedError, MailboxUnreachableError
from helpdesk.mailbox.wire_fetch import UNKNOWN_DATE
from helpdesk.ports import Folder, Mailbox, MailRow
from helpdesk.store import suspects
from helpdesk.store.db import reading
from helpdesk.store.suspects import ENOUGH, Suspect
from helpdesk.uidset import UidSet

PART = 1000
"""UIDs that are asked for at once."""

MAX_CONNECTIONS = 20
"""So many may one reading of a folder cost; the next look goes on."""

MAX_CONDEMNED = 20
"""More mails than that are not all deadly: it is the server."""


class Line(Protocol):
    """A connection that can be made anew."""

    inner: Mailbox

    def renew(self) -> None:
        """Leave the connection and make a new one."""


class Inquest:
    """Fetches mail over a line, and commits whom it suspects before it asks again."""

    def __init__(self, line: Line, engine: Engine) -> None:
        self._line = line
        self._engine = engine
        self._lost = 0  # connections, since the present reading began

    def mails(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Iterator[MailRow]:
        """See `Mailbox.mails`; whoever is suspected is asked for last, and apart from the others."""
        self._lost = 0
        with reading(self._engine) as conn:
            known = suspects.among(conn, folder)
        rest, apart = _apart(uids, known)
        for part in rest.batches(PART):
            yield from self._read(folder, part, fields)
        for suspect, part in apart:
            if suspect.condemned:
                yield from self._condemn(folder, part, suspect.strikes)
            else:
                for half in _halves(part):
                    yield from self._read(folder, half, fields)
        if uids and (known or self._lost):
            with self._engine.begin() as conn:
                suspects.clear(conn, folder, uids)

    def body(self, folder: Folder, uid: int, limit: int) -> builtins.bytes:
        """See `Mailbox.body`; a `DeadlyMailError` when the mail is condemned."""
        only, strikes = UidSet.of([uid]), 0
        while strikes < ENOUGH:
            try:
                octets = self._line.inner.body(folder, uid, limit)
            except MailboxUnreachableError as error:
                strikes = self._suspect(folder, only, error)
            else:
                if strikes:
                    with self._engine.begin() as conn:
                        suspects.clear(conn, folder, only)
                return octets
        self._admit(folder, uid, strikes)
        raise DeadlyMailError(strikes)

    def _read(self, folder: Folder, part: UidSet, fields: Sequence[str]) -> list[MailRow]:
        """One part; where it ends the connection its halves, and a single mail until it is condemned."""
        try:
            return list(self._line.inner.mails(folder, part, fields))
        except MailboxUnreachableError as error:
            strikes = self._suspect(folder, part, error)
        if len(part) > 1:
            return [row for half in _halves(part) for row in self._read(folder, half, fields)]
        return self._condemn(folder, part, strikes) if strikes >= ENOUGH else self._read(folder, part, fields)

    def _suspect(self, folder: Folder, uids: UidSet, error: MailboxUnreachableError) -> int:
        """The connection has ended: an outage is raised, else how many that makes for these UIDs."""
        if error.retry_after is not None:
            raise error
        self._line.renew()
        self._vouch(folder, uids, error)
        with self._engine.begin() as conn:
            strikes = suspects.strike(conn, folder, uids)
        self._lost += 1
        if self._lost >= MAX_CONNECTIONS:
            raise error
        return strikes

    def _vouch(self, folder: Folder, uids: UidSet, error: MailboxUnreachableError) -> None:
        """The server answers otherwise: it knows the folder, and gives a mail that it gave before."""
        inner = self._line.inner
        if [status.uidvalidity for status in inner.statuses([folder.name])] != [folder.uidvalidity]:
            raise error
        with reading(self._engine) as conn:
            witness = suspects.witness(conn, folder, uids)
        if witness is not None:
            with suppress(MailboxRefusedError):  # a NO is an answer
                inner.body(folder, witness, 1)

    def _condemn(self, folder: Folder, only: UidSet, strikes: int) -> list[MailRow]:
        """What can be told of a deadly mail: its flags at best; nothing if it has gone."""
        uid = only.ranges[0][0]
        self._admit(folder, uid, strikes)
        flags = frozenset[str]()
        try:
            rows = self._line.inner.flags(folder, only)
        except MailboxUnreachableError as error:
            strikes = self._suspect(folder, only, error)
        else:
            if not rows:
                return []
            flags = rows[0].flags
        return [MailRow(uid, flags, None, UNKNOWN_DATE, 0, "", b"", strikes)]

    def _admit(self, folder: Folder, uid: int, strikes: int) -> None:
        """One more for the quarantine, unless there are too many: then nobody is guilty but the server."""
        if strikes > ENOUGH:  # it is there already
            return
        with reading(self._engine) as conn:
            condemned = suspects.condemned(conn)
        if condemned > MAX_CONDEMNED:
            with self._engine.begin() as conn:
                suspects.acquit(conn, folder, uid)
            raise MailboxUnreachableError(
                f"more than {MAX_CONDEMNED} mails end the connection: that is the server, and no mail"
            )


def _halves(part: UidSet) -> Iterator[UidSet]:
    return part.batches((len(part) + 1) // 2)


def _apart(uids: UidSet, known: Sequence[Suspect]) -> tuple[UidSet, list[tuple[Suspect, UidSet]]]:
    """Those whom nobody suspects, and each suspect's part of the rest."""
    apart: list[tuple[Suspect, UidSet]] = []
    for suspect in known:
        part = UidSet.of(uid for uid in uids if suspect.first <= uid <= suspect.last)
        if part:
            apart.append((suspect, part))
            uids = UidSet.of(uid for uid in uids if uid not in part)
    return uids, apart
