"""Counts over the whole board: what `ledger`, `labels` and `check` show."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from sqlalchemy import Connection, func, select

from helpdesk.ledger import Entry, Known, Unreadable
from helpdesk.model import Nature, Place
from helpdesk.store.core import COPY, FOLDER, MESSAGE, QUARANTINE, THREAD
from helpdesk.store.threads import unpack_state

MACHINES = frozenset({Nature.AUTOMATIC.value, Nature.BOUNCE.value})
"""Machines that nobody asked; our own mails and the destinations' trackers are none of these."""


def known(conn: Connection) -> dict[str, Known]:
    """Every folder that was read, and what is known to lie there."""
    entries: dict[int, dict[int, Entry]] = defaultdict(dict)
    query = (
        select(COPY.c.folder, COPY.c.uid, MESSAGE.c.id, MESSAGE.c.thread, MESSAGE.c.correspondence)
        .join(MESSAGE, MESSAGE.c.id == COPY.c.message)
        .where(COPY.c.limbo.is_(None))
    )
    for folder, uid, message, thread, correspondence in conn.execute(query):
        entries[folder][uid] = Entry(message, thread, correspondence)
    quarantined: dict[int, dict[int, Unreadable]] = defaultdict(dict)
    for row in conn.execute(select(QUARANTINE)):
        quarantined[row.folder][row.uid] = Unreadable(row.guid, row.why)
    return {
        row.name: Known(row.uidvalidity, row.uidnext, entries[row.id], quarantined[row.id])
        for row in conn.execute(select(FOLDER).where(FOLDER.c.messages >= 0))
    }


def threads(conn: Connection) -> set[int]:
    """The threads that exist."""
    return set(conn.execute(select(THREAD.c.id)).scalars())


def open_by_label(conn: Connection) -> Counter[str]:
    """How many open threads carry each label."""
    found: Counter[str] = Counter()
    for text in conn.execute(select(THREAD.c.state).where(THREAD.c.open)).scalars():
        found.update(label for label, register in unpack_state(text).registers.items() if register.present)
    return found


def unknown_keywords(
    conn: Connection, unknown: Callable[[frozenset[str], str, Place], Iterable[str]]
) -> Counter[str]:
    """Keywords that nobody configured, and on how many messages each is; `unknown` picks them from a copy's flags and folder."""
    carriers: dict[str, set[int]] = defaultdict(set)
    query = (
        select(COPY.c.flags, FOLDER.c.name, FOLDER.c.place, COPY.c.message)
        .join(FOLDER, FOLDER.c.id == COPY.c.folder)
        .where(COPY.c.limbo.is_(None), (COPY.c.flags != "") | (FOLDER.c.place == Place.INBOX.value))
    )
    for flags, folder, place, message in conn.execute(query):
        for keyword in unknown(frozenset(flags.split()), folder, Place(place)):
            carriers[keyword.lower()].add(message)
    return Counter({keyword: len(messages) for keyword, messages in carriers.items()})


def automatic(conn: Connection) -> tuple[int, int]:
    """How many messages machines wrote, and how many there are; our own count for neither."""
    query = select(MESSAGE.c.nature, func.count()).group_by(MESSAGE.c.nature)
    counts = {nature: count for nature, count in conn.execute(query) if nature != Nature.OWN.value}
    return sum(counts.get(nature, 0) for nature in MACHINES), sum(counts.values())
