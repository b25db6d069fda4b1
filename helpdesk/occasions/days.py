"""What is said once a day or a week: observe mode's report, and the review of labels as the shift week ends."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from helpdesk import posting
from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.gathering import label_review
from helpdesk.model import Stamp
from helpdesk.observing import MOST, Planned, grouped
from helpdesk.occasions.speaking_since import speaking_since
from helpdesk.report import utc
from helpdesk.rules.shifts import on_duty
from helpdesk.settings.times import WeekMoment
from helpdesk.store import journal, meta
from helpdesk.store import outbox as rows

MORNING = time(7)
"""When the report of observe mode goes out, in the board's time."""

LATEST = timedelta(hours=24)
REVIEWED = "reviewed"


def observed(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    """To shifters and admins: what a board that only looks would have done since the report before."""
    if not board.telling.observes:
        return
    morning = _last_morning(now, ZoneInfo(board.telling.timezone))
    began = speaking_since(conn, now)
    if morning <= began:
        return
    local = morning.astimezone(ZoneInfo(board.telling.timezone))
    action = Action(
        Kind.SEND_MAIL,
        0,
        "",
        "observed",
        "observe_report",
        "what would have been done",
        Stamp(0, morning),
        occasion=f"{local:%Y-%m-%d}",
        recipients=tuple(dict.fromkeys((*board.policy.shifters, *board.sending.admins))),
    )
    if action.recipients and not posting.is_known(board, conn, action):
        yield replace(action, context=_plans(conn, began, now))


def _plans(conn: Connection, began: datetime, now: datetime) -> str:
    """The plans since the last report, numbered: what a number means is kept with the row."""
    last = rows.newest(conn, "observe_report")
    first = began - timedelta(seconds=1)  # what the first cycle planned counts too
    since = datetime.fromisoformat(json.loads(last.context)["until"]) if last and last.context else first
    found = grouped(
        Planned(one.id, one.at, one.code, one.kind, one.what, one.rule, one.reason)
        for one in journal.between(conn, since, now, "observed")
        if one.thread is not None or posting.KINDS.get(one.rule) not in posting.TO_THE_TEAM
    )
    plans = [[one.id for one in plan] for plan in found[:MOST]]
    kept = {"since": utc(since), "until": utc(now), "plans": plans, "more": max(0, len(found) - MOST)}
    return json.dumps(kept)


def _last_morning(now: datetime, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), MORNING, zone)
    return today if today <= local else datetime.combine(local.date() - timedelta(days=1), MORNING, zone)


def review(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    """To who is on duty as the shift week ends, else to all shifters: the labels to explain or retire, if there are any."""
    end = week_end(board.telling.week_ends, now, ZoneInfo(board.telling.timezone))
    if now - end > LATEST or end <= speaking_since(conn, now) or meta.get(conn, REVIEWED) == utc(end):
        return
    meta.put(conn, REVIEWED, utc(end))
    said = label_review(board, conn)
    recipients = on_duty(replace(board.policy, rota=board.duty.known.rota), now)
    if said is not None and recipients:
        yield Action(
            Kind.SEND_MAIL,
            0,
            "",
            "review",
            "label_review",
            said.counts,
            Stamp(0, end),
            occasion=utc(end),
            recipients=recipients,
        )


def week_end(moment: WeekMoment, now: datetime, zone: ZoneInfo) -> datetime:
    """The last end of a shift week that is not later than `now`."""
    local = now.astimezone(zone)
    for back in range(9):
        date = local.date() - timedelta(days=back)
        if date.weekday() == moment.weekday:
            day = date + timedelta(days=1) if moment.minutes == 24 * 60 else date
            end = datetime.combine(day, moment.at, zone)
            if end <= local:
                return end
    raise AssertionError("every week ends")  # pragma: no cover
