"""What a digest says of sites, read from the store: where each stands, what changed lately, and what fails everywhere."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from helpdesk import steering
from helpdesk.board import Board
from helpdesk.digest.sites import Central, Held, SitesNow, Standing
from helpdesk.store import incidents, site_orders, verdicts
from helpdesk.store.site_orders import Kind
from helpdesk.store.verdicts import Change


def standings(board: Board, conn: Connection, since: datetime, now: datetime) -> SitesNow | None:
    """The sites that robots test, by the rows of their verdicts; None: there are none."""
    lanes = board.sites_telling.lanes
    if not lanes:
        return None
    found = [
        Standing(experiment, site, change.action == "exclude", change.at, phrase(change))
        for (experiment, site), change in verdicts.latest(conn).items()
        if (experiment, site) in lanes
    ]
    experiments = {experiment for experiment, _ in lanes}
    central = tuple(
        Central(
            one.experiments,
            tuple(dict.fromkeys(part.what for part in one.parts)),
            one.started,
            one.ended,
            one.voices,
        )
        for one in incidents.since(conn, since)
        if experiments & set(one.experiments)
    )
    return SitesNow(
        out=tuple(one for one in found if one.out),
        back=tuple(one for one in found if not one.out and one.since > since),
        central=central,
        held=tuple(_held(board, conn, now)),
    )


def _held(board: Board, conn: Connection, now: datetime) -> Iterator[Held]:
    """What people decided that no verdict says."""
    tested = {site for _, site in board.sites_telling.lanes}
    for one in site_orders.in_force(conn, now):
        if one.site in tested and one.kind is not Kind.OUT:
            said = steering.described(one, board.telling.timezone)
            yield Held(one.site, one.kind is Kind.PAUSE, said)


def phrase(change: Change) -> str:
    """Why, in a few words: what the policy kept for that, else its reason without the figures behind a semicolon."""
    return str(change.evidence.get("phrase") or change.reason.partition(";")[0])
