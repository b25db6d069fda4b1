"""Board correspondence: commands, confirmations, our mails about the board.  It is nobody's issue."""

from collections.abc import Iterator

from sqlalchemy import Connection, or_, select

from helpdesk.model import Nature, Place
from helpdesk.store.copies import Held, select_held
from helpdesk.store.core import COPY, FOLDER, MESSAGE
from helpdesk.store.flags import Reader


def in_inbox(conn: Connection, reader: Reader) -> Iterator[Held]:
    """Mails that are in no thread, whoever moves them, and lie in the inbox: our own, and what people say to the board."""
    fixed = or_(MESSAGE.c.nature == Nature.OWN.value, MESSAGE.c.spoken)
    ours = select(MESSAGE.c.id).where(MESSAGE.c.correspondence, fixed)
    return select_held(
        conn,
        reader,
        COPY.c.message.in_(ours),
        FOLDER.c.place == Place.INBOX.value,
        COPY.c.limbo.is_(None),
    )
