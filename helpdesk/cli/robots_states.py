"""`helpdesk robots status` and `verdicts`: who is in, who is out, and why."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from helpdesk import app, steering
from helpdesk.cli import screen, shell
from helpdesk.cli.reports import when
from helpdesk.errors import UsageError
from helpdesk.report import utc
from helpdesk.robots import kitchen, manning
from helpdesk.robots.record import FINAL
from helpdesk.robots.service import LAST
from helpdesk.robots.verdict import VERSION
from helpdesk.settings import Settings
from helpdesk.store import jobs, meta, records, robot_troubles, site_orders, verdicts
from helpdesk.store.site_orders import Kind, Ruling, SiteOrder
from helpdesk.store.verdicts import Change

ASLEEP = timedelta(minutes=10)  # robots look every quarter of a minute; an engine may take its time


def status(as_json: shell.Json = False, config: shell.Config = None) -> None:
    """Show every site: who is out and why, what is on its way, and the last 24 hours."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        now = app.present(conn.engine)
        live = jobs.live(conn)
        latest = verdicts.latest(conn)
        troubles = robot_troubles.read(conn)
        looked = _moment(meta.get(conn, LAST))
        rulings = site_orders.rulings(site_orders.in_force(conn, now))
        recent = Counter(
            (one.site, one.experiment, one.state) for one in records.read(conn, since=now - timedelta(days=1))
        )
    rows: list[dict[str, Any]] = []
    for lane in dict.fromkeys((one.site, one.experiment) for one in kitchen.lanes(settings)):
        site, experiment = lane
        change = latest.get((experiment, site))
        ended = {
            state.value: recent[site, experiment, state]
            for state in sorted(FINAL)
            if recent[site, experiment, state]
        }
        rows.append(
            {
                "site": site,
                "experiment": experiment,
                "excluded": _is_out(change),
                "since": utc(change.at) if change is not None else None,
                "reason": change.reason if change is not None else "",
                "orders": [_order(one) for one in _orders(rulings.get(site))],
                "on_the_way": sum((one.site, one.experiment) == lane for one in live),
                "last_24h": ended,
            }
        )
    if as_json:
        wrong = [{"what": one.what, "words": one.words, "since": utc(one.since)} for one in troubles]
        screen.document(
            {"now": utc(now), "looked": utc(looked) if looked else None, "sites": rows, "troubles": wrong}
        )
        return
    screen.table(
        ("site", "experiment", "verdict", "on the way", "last 24 h"),
        [
            (
                one["site"],
                one["experiment"],
                "OUT" if one["excluded"] else "in",
                str(one["on_the_way"]),
                ", ".join(f"{count} {state}" for state, count in one["last_24h"].items()) or "nothing",
            )
            for one in rows
        ],
        fixed=3,
    )
    _reasons(settings, rows, rulings)
    if looked is None or now - looked > ASLEEP:
        since = (
            "have not worked on this board yet"
            if looked is None
            else f"looked last at {when(utc(looked))} UTC"
        )
        screen.say()
        screen.say(f"The robots {since}: `helpdesk run` is the daemon that runs them.")
    if troubles:
        screen.heading("What keeps the robots from their work")
    for one in troubles:
        screen.say(f"{one.what}, since {when(utc(one.since))} UTC: {one.words}")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _reasons(settings: Settings, rows: list[dict[str, Any]], rulings: Mapping[str, Ruling]) -> None:
    """Below the table, where there is room: why who is out is out, what people decided, and who gets no jobs at all."""
    lines = [
        f"{one['site']}, {one['experiment']}: OUT since {when(one['since'])} UTC: {one['reason']}"
        for one in rows
        if one["excluded"]
    ]
    out = {one["site"] for one in rows if one["excluded"]}
    lines += [
        f"{site}: {steering.described(order, settings.board.timezone)}"
        for site, ruling in rulings.items()
        for order in _orders(ruling)
        if order.kind is not Kind.OUT or site not in out
    ]
    lines += [
        f"{site.name}: has no [[site.queue]], so it gets no test jobs"
        for site in settings.site
        if not site.queue
    ]
    if lines:
        screen.say()
    for line in lines:
        screen.say(line)


def show_verdicts(
    site: Annotated[str | None, typer.Argument(metavar="SITE", help="Only this site.")] = None,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """Explain the verdict on each site in words, with the trace of its evidence, from the records of the last weeks."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        now = app.present(conn.engine)
        told = {
            key: text for key, text in manning.accounts(settings, conn, now).items() if site in {None, key[1]}
        }
        latest = verdicts.latest(conn)
        rulings = site_orders.rulings(site_orders.in_force(conn, now))
    if site is not None and not told:
        raise UsageError(
            f"no site {site!r} with a queue whose experiment has a template: `helpdesk robots status` lists them"
        )
    if as_json:
        screen.document(
            [
                {
                    "site": name,
                    "experiment": experiment,
                    "excluded": _is_out(latest.get((experiment, name))),
                    "policy": VERSION,
                    "orders": [_order(one) for one in _orders(rulings.get(name))],
                    "account": text,
                }
                for (experiment, name), text in sorted(told.items())
            ]
        )
        return
    for (experiment, name), text in sorted(told.items(), key=lambda one: (one[0][1], one[0][0])):
        screen.heading(f"{name}, {experiment}")
        for one in _orders(rulings.get(name)):
            screen.say(f"A person decided: {steering.described(one, settings.board.timezone)}")
        screen.block(text)


def _orders(ruling: Ruling | None) -> list[SiteOrder]:
    """What people decided about a site, and holds."""
    return [] if ruling is None else [one for one in (ruling.pin, ruling.pause) if one is not None]


def _order(one: SiteOrder) -> dict[str, Any]:
    until = None if one.until is None else utc(one.until)
    return {"kind": one.kind.value, "since": utc(one.at), "until": until, "by": one.by, "why": one.why}


def _is_out(change: Change | None) -> bool:
    return change is not None and change.action == "exclude"
