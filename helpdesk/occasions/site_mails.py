"""The mail to a site's contacts: it is out for long enough, in its own day, and has not had its mails of today."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.sites import Out, due, enough, occasion
from helpdesk.store import outbox as rows
from helpdesk.store import verdicts

RULE = "site_out"


def site_mails(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    """To each site's contacts: since when it is out, and why; once for what is out."""
    telling = board.sites_telling
    if not telling.contacts:
        return
    out: dict[str, list[Out]] = defaultdict(list)
    for (experiment, site), change in verdicts.latest(conn).items():
        if (
            change.action == "exclude"
            and change.by == "robot"
            and change.evidence.get("cause", "evidence") == "evidence"
        ):
            out[site].append(Out(experiment, change.at, change.reason))
    found = list(due(telling, out, now))
    if not found:
        return
    sent = defaultdict(list)
    for row in rows.since(conn, now - timedelta(days=2)):
        if row.rule == RULE:
            sent[row.occasion.partition(":")[0]].append(row.planned_at)
    for site, outs in found:
        if not enough(sent[site], telling, site, now):
            yield Action(
                Kind.SEND_MAIL,
                0,
                "",
                "site_out",
                RULE,
                f"{site} is out of {', '.join(one.experiment for one in outs)}",
                Stamp(0, now),
                occasion=occasion(site, outs),
                recipients=telling.contacts[site].addresses,
            )
