"""What keeps robots from their work now, and since when: an engine that is down, a blacklist or a calendar that cannot be used.

One fact of the board, which the robots' thread writes when it changes and anybody reads.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from helpdesk.store import meta
from helpdesk.store.troubles import TURN

KEY = "robots.troubles"
STARTED = "robots.started"
STEP = "robots"
"""What is wrong with a step itself."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`what` names it as long as it goes on (an engine, robots: their own steps, blacklist, downtimes); `words` may change meanwhile."""

    what: str
    words: str
    since: datetime


def read(conn: Connection) -> Sequence[Trouble]:
    """What was wrong when the robots looked last, the oldest first."""
    rows = json.loads(meta.get(conn, KEY) or "[]")
    return [Trouble(what, words, datetime.fromisoformat(since)) for what, words, since in rows]


def started(conn: Connection, now: datetime) -> None:
    """A daemon begins with its robots."""
    meta.put(conn, STARTED, now.isoformat())


def resting(conn: Connection) -> datetime | None:
    """Since when no step of a daemon's robots has ended; None on a board where there never was a daemon."""
    moments = [text for key in (STARTED, TURN) if (text := meta.get(conn, key))]
    return max(map(datetime.fromisoformat, moments)) if meta.get(conn, STARTED) else None


def keep(conn: Connection, found: Iterable[tuple[str, str]], now: datetime) -> None:
    """Write down what is wrong now; what was wrong before keeps its beginning."""
    since = {one.what: one.since for one in read(conn)}
    troubles = [Trouble(what, words, since.get(what, now)) for what, words in found]
    rows = sorted((one.since.isoformat(), one.what, one.words) for one in troubles)
    meta.put(conn, KEY, json.dumps([(what, words, start) for start, what, words in rows]))
