"""The digests that were written into the folder `Board`: their rows, and where they lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, select, update

from helpdesk.mailids import BOARD_MARK
from helpdesk.model import Nature, Place
from helpdesk.outbox import OutboxRow
from helpdesk.store import outbox
from helpdesk.store.core import COPY, FOLDER, MESSAGE, OUTBOX

NAMES = ("Board", "INBOX.Board", "INBOX/Board")
MEMORY = timedelta(days=30)
"""How long the row of such a mail is kept: an answer to it is known by that row."""


@dataclass(frozen=True, slots=True)
class Lying:
    """One of them, where it lies."""

    token: str
    uid: int
    folder: str
    uidvalidity: int


def add(conn: Connection, row: OutboxRow, octets: bytes) -> None:
    """Enter a mail that is to be appended, with its octets, and forget what nobody answers any more."""
    old = (OUTBOX.c.kind == row.kind, OUTBOX.c.planned_at < row.planned_at - MEMORY)
    conn.execute(delete(OUTBOX).where(*old))
    conn.execute(update(OUTBOX).where(OUTBOX.c.kind == row.kind).values(content=None))
    outbox.add(conn, row, None)
    conn.execute(update(OUTBOX).where(OUTBOX.c.message_id == row.message_id).values(content=octets))


def content(conn: Connection, message_id: str) -> bytes | None:
    """The octets of the mail that is to be appended."""
    return conn.execute(
        select(OUTBOX.c.content).where(OUTBOX.c.message_id == message_id)
    ).scalar_one_or_none()


def lying(conn: Connection) -> list[Lying]:
    """Our own mails in the folder that were made for it, by UID."""
    query = (
        select(MESSAGE.c.token, COPY.c.uid, FOLDER.c.name, FOLDER.c.uidvalidity)
        .join(COPY, COPY.c.message == MESSAGE.c.id)
        .join(FOLDER, FOLDER.c.id == COPY.c.folder)
        .where(
            FOLDER.c.name.in_(NAMES),
            FOLDER.c.place == Place.FILED.value,
            COPY.c.limbo.is_(None),
            MESSAGE.c.nature == Nature.OWN.value,
            MESSAGE.c.token.startswith(BOARD_MARK, autoescape=True),
        )
        .order_by(COPY.c.uid)
    )
    return [Lying(*row) for row in conn.execute(query)]


def folder_of(found: Sequence[Lying]) -> str:
    """The folder in which they lie, "" if none does."""
    return found[0].folder if found else ""


def known_folder(conn: Connection) -> str | None:
    """The folder, if it was seen."""
    query = select(FOLDER.c.name).where(FOLDER.c.name.in_(NAMES), FOLDER.c.messages >= 0)
    return conn.execute(query.limit(1)).scalar_one_or_none()
