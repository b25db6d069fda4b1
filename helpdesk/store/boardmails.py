"""Where the digests lie that were written into the folder `Board`."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from helpdesk.mailids import BOARD_MARK
from helpdesk.model import Nature, Place
from helpdesk.store import meta
from helpdesk.store.core import COPY, FOLDER, MESSAGE

NAMES = ("Board", "INBOX.Board", "INBOX/Board")
DIRTY = "board_mail_due"  # in `meta`
CAME = "board_mail_came"  # in `meta`: one of them was seen for the first time, and not looked into


@dataclass(frozen=True, slots=True)
class Lying:
    """One of them, where it lies."""

    token: str
    uid: int
    folder: str
    uidvalidity: int


def due(conn: Connection) -> None:
    """Something was decided: the words may be others."""
    if meta.get(conn, DIRTY) is None:
        meta.put(conn, DIRTY, "yes")


def came(conn: Connection) -> None:
    """One of them was seen for the first time: ours, or one that this database does not know."""
    meta.put(conn, CAME, "yes")


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
