"""What people tell the robots about a site: out, in, paused, tested again; by mail (`helpdesk.obeying`) and by command.

Each function does one thing in the caller's transaction and says, in a sentence, what is going to happen.  UsageError, a sentence too: it
is not done, and why.  Who may say something about which site is the caller's business; here the team's word stands above a contact's.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from helpdesk.errors import UsageError
from helpdesk.shifts.wording import at, listed
from helpdesk.store import boardmails, requests, site_orders, verdicts
from helpdesk.store.site_orders import Kind, Ruling, SiteOrder
from helpdesk.text import safe_text

EVERY: Final = timedelta(hours=1)
"""One retest of a site in that time."""

PAUSE: Final = timedelta(days=7)
"""How long a pause without a date is."""

LONGEST: Final = {Kind.PAUSE: timedelta(days=31), Kind.OUT: timedelta(days=180), Kind.IN: timedelta(days=180)}
"""A date that is farther away is more likely a slip."""

MAX_WHY: Final = 200


@dataclass(frozen=True, slots=True)
class Site:
    """A site as people talk of it; `templates`: what is tested there, by experiment."""

    name: str
    zone: str  # IANA
    templates: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def experiments(self) -> str:
        """Atlas and cms."""
        return listed(sorted(self.templates))


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says it; `team`: a shifter, an admin, or somebody at the board's own terminal."""

    name: str
    team: bool


def said(moment: datetime, zone: str) -> str:
    """Fri 19 Jun 2026 00:00 CEST: never to be mistaken."""
    local = moment.astimezone(ZoneInfo(zone))
    day, _, clock = at(moment, local.tzinfo or ZoneInfo("UTC")).rpartition(" ")
    return f"{day} {local.year} {clock} {local:%Z}"


def limited(kind: Kind, until: datetime | None, now: datetime, zone: str) -> None:
    """Refuse a date that is past, or farther away than anybody means."""
    if until is None:
        return
    if until <= now:
        raise UsageError(f"{said(until, zone)} is past")
    if until - now > LONGEST[kind]:
        most = LONGEST[kind].days
        raise UsageError(
            f"{said(until, zone)} is more than {most} days away: a date in the next {most} days, please"
        )


def pin(
    conn: Connection, site: Site, who: Speaker, order: tuple[Kind, datetime | None, str], now: datetime
) -> str:
    """Put a site out or in by hand, `order`: (kind, until, why); it wins over the verdict until then."""
    kind, until, why = order
    _tested(site)
    limited(kind, until, now, site.zone)
    ruling = site_orders.of_site(conn, site.name, now)
    _respect(ruling.pin, who, site)
    if ruling.pin is not None:
        site_orders.lift(conn, [ruling.pin], now, who.name)
    _enter(conn, SiteOrder(site.name, kind, now, until, who.name, who.team, _clean(why)))
    end = f"until {said(until, site.zone)}" if until is not None else "until somebody ends it"
    if kind is Kind.IN:
        return f"{site.name} stays in the work of {site.experiments} {end}, whatever its test jobs do."
    return (
        f"{site.name} gets no jobs of {site.experiments} from now {end}, whatever its test jobs do, and no routine test jobs."
        f" Then it comes back as soon as test jobs succeed. `helpdesk: resume {site.name}` ends it sooner."
    )


def pause(conn: Connection, site: Site, who: Speaker, until: datetime | None, now: datetime) -> str:
    """Send no test jobs; without a date for a week."""
    _tested(site)
    end = until or now + PAUSE
    limited(Kind.PAUSE, end, now, site.zone)
    ruling = site_orders.of_site(conn, site.name, now)
    _respect(ruling.pause, who, site)
    if ruling.pause is not None:
        site_orders.lift(conn, [ruling.pause], now, who.name)
    _enter(conn, SiteOrder(site.name, Kind.PAUSE, now, end, who.name, who.team))
    latest = verdicts.latest(conn)
    out = sorted(
        one
        for one in site.templates
        if (change := latest.get((one, site.name))) is not None and change.action == "exclude"
    )
    stays = f"it stays out of {listed(out)}" if out else f"it stays in the work of {site.experiments}"
    return (
        f"No test jobs go to {site.name} until {said(end, site.zone)}, and nothing is decided about it: {stays}."
        f" `helpdesk: resume {site.name}` ends it sooner."
    )


def resume(conn: Connection, site: Site, who: Speaker, now: datetime) -> str:
    """End what people said of the site, and test it at once: the robots decide again."""
    ruling = site_orders.of_site(conn, site.name, now)
    mine = [one for one in (ruling.pin, ruling.pause) if one is not None]
    if not mine:
        raise UsageError(f"{site.name} is neither paused nor pinned: there is nothing to end")
    theirs = [one for one in mine if one.team and not who.team]
    mine = [one for one in mine if one not in theirs]
    if not mine:
        _respect(theirs[0], who, site)
    site_orders.lift(conn, mine, now, who.name)
    _tell(conn)
    ended = listed([described(one, site.zone) for one in mine])
    left = f" It is still {listed([described(one, site.zone) for one in theirs])}." if theirs else ""
    tested = "The robots decide again"
    if not theirs and _may_be_tested(conn, site, now):
        site_orders.add(conn, SiteOrder(site.name, Kind.RETEST, now, None, who.name, who.team))
        tested = f"A test job of {listed(_send(conn, site, now), 12)} goes to {site.name} now, and the robots decide again"
    return f"Ended: {ended}. {tested}.{left}"


def retest(conn: Connection, site: Site, who: Speaker, now: datetime) -> str:
    """Send one test job of each template now; once an hour."""
    _tested(site)
    paused = site_orders.of_site(conn, site.name, now).pause
    if paused is not None:
        raise UsageError(
            f"{site.name} is {described(paused, site.zone)}: `helpdesk: resume {site.name}` ends that and tests it"
        )
    last = site_orders.last_retest(conn, site.name)
    if last is not None and not _may_be_tested(conn, site, now):
        raise UsageError(
            f"{site.name} was tested on {said(last, site.zone)}, because somebody asked for it. Once an hour is enough:"
            f" again from {said(last + EVERY, site.zone)}"
        )
    _enter(conn, SiteOrder(site.name, Kind.RETEST, now, None, who.name, who.team))
    names = _send(conn, site, now)
    return (
        f"A test job of {listed(names, 12)} goes to {site.name} now; what they find counts like any other test."
        f" The next retest can be asked for from {said(now + EVERY, site.zone)}."
    )


def described(order: SiteOrder, zone: str) -> str:
    """Paused until Thu 11 Jun 2026 12:00 UTC by Eva Ekman."""
    what = {Kind.OUT: "pinned out", Kind.IN: "pinned in", Kind.PAUSE: "paused"}.get(
        order.kind, order.kind.value
    )
    end = f" until {said(order.until, zone)}" if order.until is not None else ""
    why = f" ({order.why})" if order.why else ""
    return f"{what}{end} by {order.by}{why}"


def ruled(ruling: Ruling, zone: str) -> list[str]:
    """What holds for a site, in words."""
    return [described(one, zone) for one in (ruling.pin, ruling.pause) if one is not None]


def _may_be_tested(conn: Connection, site: Site, now: datetime) -> bool:
    """Whether nobody asked for a test within the last hour."""
    last = site_orders.last_retest(conn, site.name)
    return last is None or now >= last + EVERY


def _tested(site: Site) -> None:
    if not any(site.templates.values()):
        raise UsageError(f"{site.name} gets no test jobs from here, so there is nothing to say about it")


def _respect(order: SiteOrder | None, who: Speaker, site: Site) -> None:
    """What the team said is for the team to change."""
    if order is not None and order.team and not who.team:
        raise UsageError(
            f"{site.name} is {described(order, site.zone)}, of the team: answer in your own words, and a human reads it"
        )


def _enter(conn: Connection, order: SiteOrder) -> None:
    site_orders.add(conn, order)
    _tell(conn)


def _tell(conn: Connection) -> None:
    """The digest in the folder `Board` is looked at again."""
    boardmails.due(conn)
    requests.ring(conn)


def _send(conn: Connection, site: Site, now: datetime) -> list[str]:
    """Ask the robots for one job of each template; the names of these."""
    names = list(dict.fromkeys(name for mine in site.templates.values() for name in mine))
    for name in names:
        args = {"site": site.name, "template": name, "count": 1, "campaign": "retest"}
        requests.ask(conn, requests.ROBOTS, args, now)
    return names


def _clean(why: str) -> str:
    return safe_text(why, limit=MAX_WHY)
