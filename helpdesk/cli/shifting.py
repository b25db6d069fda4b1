"""The command `shifts`: a month of the rota, who is on duty, and what is wrong in the week ahead."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from helpdesk import app, doors
from helpdesk.cli import month_grid, screen, shell
from helpdesk.errors import HelpdeskError, UsageError
from helpdesk.report import utc
from helpdesk.settings import Settings
from helpdesk.settings.times import known_zone
from helpdesk.shifts import wording
from helpdesk.shifts.configured import keeper
from helpdesk.shifts.month import Month, drawn
from helpdesk.shifts.rota import Rota
from helpdesk.shifts.values import Overlap, Person, Shift, Window
from helpdesk.store import migrations

DAYS_AHEAD = 7
LOCALTIME = Path("/etc/localtime")


def _zone(name: str) -> str:
    try:
        return known_zone(name)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; for example Europe/Zurich") from None


def _month(text: str) -> date:
    found = re.fullmatch(r"(\d{4})-(\d{2})", text.strip(), re.ASCII)
    if found is None or not 1 <= int(found[2]) <= 12 or not 1900 <= int(found[1]) <= 9000:
        raise typer.BadParameter(f"{text!r} is no month; for example 2026-06")
    return date(int(found[1]), int(found[2]), 1)


def shifts(
    month: Annotated[
        date | None,
        typer.Option("--month", metavar="YYYY-MM", parser=_month, help="Another month than this one."),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone",
            metavar="ZONE",
            parser=_zone,
            help="IANA time zone of the hours; default: this terminal's, else the board's.",
        ),
    ] = None,
    now: Annotated[
        datetime | None,
        typer.Option(
            "--now",
            metavar="TIME",
            parser=shell.moment,
            help="Show it as of this time: ISO 8601, UTC without a zone.",
        ),
    ] = None,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """Draw a month of the shift calendar, say who is on duty, and what is wrong in the week ahead.

    A name that fits nobody in [[people]] ends in a question mark.  If the calendar cannot be read its last good copy is
    shown; exit code 3: there is none.
    """
    settings = shell.load(config)
    calendar = keeper(settings)
    if calendar is None:
        raise UsageError(
            "there is no shift calendar: set [shifts] calendar to an iCalendar file or an https address"
        )
    moment = now or _now(settings)
    reading = calendar.read(moment, asked_at=app.clock())
    looks = terminal_zone(terminal=sys.stdout.isatty(), environment=os.environ, localtime=LOCALTIME)
    where = ZoneInfo(zone or looks or settings.board.timezone)
    day = month or moment.astimezone(where).date()
    page = Month(day.year, day.month, where)
    rota = of_month = reading.rota
    if not rota.window.contains(page.drawn):
        of_month = calendar.elsewhere(reading, page.drawn)
    if as_json:
        screen.document(_document(rota, of_month, page, moment))
    else:
        _show(rota, of_month, page, moment)


def _now(settings: Settings) -> datetime:
    """The clock's time, or the last cycle's on a simulated board; who is on duty does not depend on the database."""
    with suppress(HelpdeskError, DBAPIError):
        if not migrations.check(doors.database(settings)):
            with app.opened(settings, writing=False) as engine:
                return app.present(engine)
    return app.clock()


def terminal_zone(*, terminal: bool, environment: Mapping[str, str], localtime: Path) -> str | None:
    """The zone of who looks: what TZ says, else the machine's; None without a terminal, or for a zone without a name."""
    if not terminal:
        return None
    name = environment.get("TZ")
    if name is None:
        name = os.path.realpath(localtime).rpartition("/zoneinfo/")[2]
    with suppress(ValueError):
        return known_zone(name.removeprefix(":"))
    return None


# -- for people --------------------------------------------------------------------------------------------------


def _show(rota: Rota, of_month: Rota, page: Month, now: datetime) -> None:
    console = Console(markup=False, emoji=False, highlight=False)
    first = now.astimezone(page.zone)
    title = datetime(page.year, page.number, 1, 12, tzinfo=page.zone)
    screen.say(f"{title:%B %Y}, times of {page.zone.key}", "bold")
    month_grid.draw(drawn(of_month, page, first), rota.team, console)
    screen.say()
    screen.fields(_duty(rota, page.zone, now))
    until = wording.day(now + timedelta(days=DAYS_AHEAD), page.zone)
    screen.heading(f"To put right until {until}")
    problems = rota.problems(now, DAYS_AHEAD, page.zone.key)
    screen.fields([("-", one) for one in problems] or [("-", "nothing: no gap, no overlap, no unknown name")])


def _duty(rota: Rota, zone: ZoneInfo, now: datetime) -> Sequence[tuple[str, str]]:
    running, following = rota.current(now), rota.following(now)
    on = "; ".join(f"{_who(one)} until {wording.at(one.end, zone)}" for one in running) or "nobody"
    then = (
        "; ".join(f"{_who(one)} from {wording.at(one.start, zone)}" for one in following)
        or "nobody is planned"
    )
    before = (
        "; ".join(f"{_who(one)} from {wording.at(one.start, zone)}" for one in rota.previous(now)) or "nobody"
    )
    origin = rota.origin
    read = f"read {wording.at(origin.read_at, zone)}"
    if origin.trouble:
        read = f"a copy of {wording.at(origin.read_at, zone)}, {wording.age(origin.age)} old"
    return [("on duty", on), ("next", then), ("before", before), ("calendar", read)]


def _who(shift: Shift) -> str:
    return wording.listed(shift.names)


# -- for programs ------------------------------------------------------------------------------------------------


def _document(rota: Rota, of_month: Rota, page: Month, now: datetime) -> Mapping[str, Any]:
    """The document of docs/json.md."""
    start = rota.next_start(now)
    gaps = of_month.gaps(page.window)
    return {
        "now": utc(now),
        "month": f"{page.year:04d}-{page.number:02d}",
        "zone": page.zone.key,
        "calendar": {
            "read_at": utc(rota.origin.read_at.replace(microsecond=0)),
            "age_seconds": int(rota.origin.age.total_seconds()),
            "trouble": rota.origin.trouble or None,
            "notes": list(of_month.origin.notes),
        },
        "on_duty": [_person(one) for one in rota.on_duty(now)],
        "current": [_shift(one) for one in rota.current(now)],
        "previous": [_shift(one) for one in rota.previous(now)],
        "following": [_shift(one) for one in rota.following(now)],
        "next_start": None if start is None else utc(start),
        "shifts": [_shift(one) for one in of_month.within(page.window)],
        "gaps": [_span(one) for one in gaps],
        "overlaps": [
            {**_span(one), "names": sorted({name for shift in one.shifts for name in shift.names})}
            for one in of_month.overlaps(page.window)
        ],
        "problems": list(rota.problems(now, DAYS_AHEAD, page.zone.key)),
    }


def _span(one: Window | Overlap | Shift) -> dict[str, Any]:
    return {"start": utc(one.start), "end": utc(one.end)}


def _shift(one: Shift) -> Mapping[str, Any]:
    return {**_span(one), "people": [person.name for person in one.people], "unknown": list(one.unknown)}


def _person(one: Person) -> Mapping[str, Any]:
    return {"name": one.name, "address": one.address, "zone": one.zone}
