"""The mail to a site's contacts: it is out for long enough, in its own day, and has not had its mails of today."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.robots.record import JobState
from helpdesk.sites import Out, due, enough, occasion
from helpdesk.store import incidents, keepsakes, records, verdicts
from helpdesk.store import outbox as rows
from helpdesk.store.incidents import Incident
from helpdesk.store.verdicts import Change

RULE = "site_out"
ONSET = timedelta(hours=3)
"""How far before an exclusion its failures reach where the policy did not say."""

NEVER = datetime.min.replace(tzinfo=UTC)


def site_mails(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    """To each site's contacts: since when it is out, and why; once for what is out."""
    telling = board.sites_telling
    if not telling.contacts:
        return
    out: dict[str, list[Out]] = defaultdict(list)
    open_, told = incidents.current(conn), keepsakes.get(conn)
    for (experiment, site), change in verdicts.latest(conn).items():
        if told is not None and keepsakes.knows_of(conn, told, change):
            continue
        if by_evidence(change) and not (open_ and _only_for(conn, change, open_, now)):
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


def told_of(conn: Connection) -> frozenset[tuple[str, str]]:
    """Which (experiment, site) are out now and a mail about that was planned, or came before the database was lost."""
    out = {key: one for key, one in verdicts.latest(conn).items() if by_evidence(one)}
    if not out:
        return frozenset()
    before = keepsakes.get(conn)
    latest: dict[str, datetime] = {}
    for words in rows.occasions(conn, RULE, min(one.at for one in out.values())):
        site, _, since = words.partition(":")
        latest[site] = max(latest.get(site, NEVER), datetime.fromisoformat(since))
    return frozenset(
        key
        for key, one in out.items()
        if one.at <= latest.get(key[1], NEVER)
        or (before is not None and keepsakes.knows_of(conn, before, one))
    )


def by_evidence(change: Change) -> bool:
    """Whether the robot put the site out for what its jobs did, and nobody else did."""
    cause = change.evidence.get("cause", "evidence")
    return change.action == "exclude" and change.by == "robot" and cause == "evidence"


def _only_for(conn: Connection, change: Change, open_: Sequence[Incident], now: datetime) -> bool:
    """Whether all failures since its onset belong to what fails at many sites now: the admins hear of that, and no contact."""
    onset = change.evidence.get("onset")
    start = change.at - ONSET if onset is None else datetime.fromtimestamp(float(onset), UTC)
    failed = [
        one
        for one in records.read(conn, site=change.site, since=start, until=now)
        if one.experiment == change.experiment and one.state not in {JobState.SUCCESS, JobState.CANCELLED}
    ]
    return bool(failed) and all(any(x.explains(one) for x in open_) for one in failed)
