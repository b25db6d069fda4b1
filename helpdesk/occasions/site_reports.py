"""The weekly report to a site's contacts: one mail a site and week, from its moment of the week on, and more when somebody asks.

Every site has its moment at once where all are in one zone, so they go a few at a time: a hundred mails in one cycle are what a brake is for.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.occasions.speaking_since import speaking_since
from helpdesk.report import utc
from helpdesk.reports import weeks
from helpdesk.store import outbox as rows
from helpdesk.store import requests

RULE = "site_report"
REQUEST = "site_report"
"""The kind of a request for one report more: {"site", "week"}."""

LATEST = timedelta(hours=48)
"""A report that comes later than this is no news: `helpdesk report site` has it."""

PACE, SPAN = 5, timedelta(minutes=10)
"""So many go in such a time: thirty an hour, half of what `[caps] board_per_hour` allows."""


def site_reports(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    """To each site's contacts: the report that fell due last, if it did while the board was there."""
    yield from _asked(board, conn, now)
    due = [*_due(board, conn, now)] if board.sites_telling.reports else []
    if not due:
        return
    planned = rows.planned(conn, RULE, now - LATEST - SPAN)
    lately = sum(now - SPAN < at <= now + SPAN for at in planned.values())  # what a fast clock wrote is none
    fresh = [(site, week) for site, week in due if _occasion(site, week) not in planned]
    for site, week in fresh[: max(0, PACE - lately)]:
        yield _action(board, site, week, now, _occasion(site, week))


def _due(board: Board, conn: Connection, now: datetime) -> Iterator[tuple[str, str]]:
    telling = board.sites_telling
    began = speaking_since(conn, now)
    for site in sorted({name for _, name in telling.lanes}):
        contacts = telling.contacts[site]
        if contacts.addresses:
            week, at = weeks.due(telling.weekly, now, contacts.zone)
            if began < at and now - at <= LATEST:
                yield site, week.name


def _asked(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    for asked in requests.open_requests(conn, REQUEST):
        requests.done(conn, [asked], now)
        site, week = str(asked.args["site"]), str(asked.args["week"])
        contacts = board.sites_telling.contacts.get(site)
        if contacts is not None and contacts.addresses:
            yield _action(board, site, week, now, f"asked {utc(asked.at)} {_occasion(site, week)}")


def _occasion(site: str, week: str) -> str:
    return f"{site}:{week}"


def _action(board: Board, site: str, week: str, now: datetime, occasion: str) -> Action:
    return Action(
        Kind.SEND_MAIL,
        0,
        "",
        "site_report",
        RULE,
        f"the week {week} of {site}",
        Stamp(0, now),
        occasion=occasion,
        recipients=board.sites_telling.contacts[site].addresses,
        context=json.dumps({"site": site, "week": week}),
    )
