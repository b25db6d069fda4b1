"""What was mailed about sites before the database was lost, as the mail in the folder `Board` told it (`helpdesk.keepsake`)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from helpdesk.store import meta, verdicts
from helpdesk.store.verdicts import Change

KEY = "robots.told"

AGAIN = timedelta(hours=12)
"""Robots that lost their records find what is still bad within this time; what is found later is news."""

RULES = frozenset({"site_out", "incident"})
"""Whose mails the mail in the folder `Board` keeps in mind."""

Pair = tuple[str, str]
"""(experiment, site), or (experiment, what fails at many sites)."""


@dataclass(frozen=True, slots=True)
class Told:
    """What its people knew when the database was lost; `at` is when we learned that."""

    at: datetime
    out: frozenset[Pair] = field(default_factory=frozenset)
    failing: frozenset[Pair] = field(default_factory=frozenset)

    def is_old(self, found: datetime) -> bool:
        """Whether what is found at this moment may be what went on then."""
        return self.at <= found <= self.at + AGAIN


def put(conn: Connection, told: Told) -> None:
    """Remember it, in the place of what was known before."""
    words = {"at": told.at.isoformat(), "out": sorted(told.out), "failing": sorted(told.failing)}
    meta.put(conn, KEY, json.dumps(words))


def get(conn: Connection) -> Told | None:
    """None where no database was lost."""
    text = meta.get(conn, KEY)
    if text is None:
        return None
    known = json.loads(text)
    return Told(datetime.fromisoformat(known["at"]), _pairs(known["out"]), _pairs(known["failing"]))


def knows_of(conn: Connection, told: Told, change: Change) -> bool:
    """Whether a site's people were told of this exclusion: it was out then, and has not been back since."""
    pair = (change.experiment, change.site)
    if pair not in told.out or not told.is_old(change.at):
        return False
    since = [one for one in verdicts.since(conn, told.at) if (one.experiment, one.site) == pair]
    first = next((one for one in since if one.action == "exclude"), change)
    return first.at == change.at


def _pairs(kept: Iterable[list[str]]) -> frozenset[Pair]:
    return frozenset((experiment, what) for experiment, what in kept)
