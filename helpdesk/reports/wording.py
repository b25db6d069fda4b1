"""A site's week in words: what a reader must do comes first, and no figure is more exact than its jobs allow."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from helpdesk.reports.causes import Cluster
from helpdesk.reports.counting import ENOUGH, Count
from helpdesk.reports.mail import FixLine, NowLine, SiteReportMail, TableRow
from helpdesk.reports.nodes import Nodes, named
from helpdesk.reports.outages import Cause
from helpdesk.reports.rates import interval, middle, percent, tail
from helpdesk.reports.table import text
from helpdesk.reports.week import FEW_PEERS, SiteWeek
from helpdesk.shifts.wording import at, clock, counted, day, listed
from helpdesk.sites import shown

MOST_FIXES = 3
MOST_ERRORS = 5
NONE = "-"

_WHOSE = {
    Cause.YOURS: "yours",
    Cause.CENTRAL: "central (not counted)",
    Cause.DOWNTIME: "declared downtime",
    Cause.PERSON: "by decision of",
}


def mail(week: SiteWeek) -> SiteReportMail:
    """The mail about a week, without pictures."""
    now, notes = _standing(week)
    made = SiteReportMail(
        site=week.site,
        week=f"week {week.week.number}" + ("" if week.is_over else " so far"),
        dates=week.week.dates,
        zone=week.week.zone,
        headline=headline(week),
        good=week.is_green,
        fixes=tuple(_fix(number, one, week) for number, one in enumerate(week.fixes[:MOST_FIXES], 1)),
        now=now,
        head=TableRow("", "this", "last", _peers_head(week)),
        table=tuple(_table(week)),
        hours=tuple(_hours(week)),
        errors=_errors(week),
        notes=notes,
        remarks=tuple(_remarks(week)),
        commands=_commands(week),
        lines=(),
    )
    return text(made)


def headline(week: SiteWeek) -> str:
    """What the subject says: how much is to fix, and what."""
    if week.fixes:
        what = "; ".join(dict.fromkeys(_short(one) for one in week.fixes[:MOST_FIXES]))
        return f"{len(week.fixes)} to fix ({what})"
    if week.untested:
        return "nobody looked: no test job ended"
    if week.out_now:
        return f"out of {listed(week.out_now)}, nothing to fix found"
    if not any(row.this.ended >= ENOUGH for row in week.rows):
        return f"{counted(week.ended, 'test job')}: too few to judge"
    return "nothing to fix"


def _short(one: Cluster) -> str:
    """stage-in, 3 nodes."""
    where = one.only if one.nodes is None else counted(len(one.nodes.names), "node")
    return f"{one.way[0]}, {where}" if where else one.way[0]


def name_of(one: Cluster) -> str:
    """stage-in, pilot 1099."""
    code = shown(one.way[1])
    return f"{one.way[0]}, {code}" if code else one.way[0]


# -- what to fix


def _fix(number: int, one: Cluster, week: SiteWeek) -> FixLine:
    where = ""
    if one.nodes is not None:
        every = "all" if one.nodes.failed == one.failed else str(one.nodes.failed)
        where = (
            f", {every} on {named(one.nodes.names)}"
            if every == "all"
            else f", {every} of them on {named(one.nodes.names)}"
        )
    elif one.only:
        where = f", all of {one.only}"
    failures = len(week.failures)
    many = f"{one.failed} of {counted(failures, 'failure')}"
    zone = ZoneInfo(week.week.zone)
    job = one.example
    example = ""
    if job is not None:
        place = f" on {job.node}" if job.node else ""
        example = f"Job {job.engine_job_id or job.job} ({job.template}){place}, {at(job.ended, zone)}"
    return FixLine(
        number=number,
        what=f"{name_of(one)}: {many}{where}",
        more=tuple(_more(one, zone)),
        example=example,
        log=() if job is None else job.log,
    )


def _more(one: Cluster, zone: ZoneInfo) -> Iterator[str]:
    if one.words:
        yield f'"{one.words}"'
    if one.nodes is not None:
        yield _others(one.nodes, one.usual)
    lost = f"{one.hours:.0f}" if one.hours >= 1 else "Less than one"
    unit = "job-hour" if lost in {"1", "Less than one"} else "job-hours"
    when = between(one.first, one.last, zone)
    after = f"; {counted(one.since, 'job')} since, none failed so" if one.since else ""
    yield f"{lost} {unit} lost. {when}{after}."


def between(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Thu 22 Jan 22:18-23:30; the second day where it is another."""
    if start == end:
        return at(start, zone)
    alike = start.astimezone(zone).date() == end.astimezone(zone).date()
    return f"{at(start, zone)}-{clock(end, zone)}" if alike else f"{at(start, zone)} - {at(end, zone)}"


def _others(nodes: Nodes, usual: float) -> str:
    """The other 210 nodes are fine: 3 of 1,020 jobs failed so."""
    on = "node" if nodes.others == 1 else "nodes"
    jobs = f"{nodes.others_failed} of {nodes.others_jobs:,} jobs failed so"
    if tail(nodes.others_failed, nodes.others_jobs, usual) >= 0.05:
        verb = "is" if nodes.others == 1 else "are"
        return f"The other {'' if nodes.others == 1 else f'{nodes.others} '}{on} {verb} fine: {jobs}."
    return f"On the other {'' if nodes.others == 1 else f'{nodes.others} '}{on} too {jobs}."


# -- where it stands


def _standing(week: SiteWeek) -> tuple[tuple[NowLine, ...], tuple[str, ...]]:
    zone, notes = ZoneInfo(week.week.zone), dict[str, str]()
    lines = []
    for name, turn in week.standing.items():
        if turn is None or not turn.out:
            lines.append(NowLine(name, "in", out=False))
            continue
        note = notes.setdefault(turn.why, f"[{len(notes) + 1}]") if turn.why else ""
        lines.append(NowLine(name, f"OUT since {at(turn.at, zone)}", out=True, note=note))
    return tuple(lines), tuple(f"{mark} {why}" for why, mark in notes.items())


# -- figures


def _peers_head(week: SiteWeek) -> str:
    numbers = {len(row.peers) for row in week.rows if row.peer_share is not None}
    return f"{numbers.pop()} peers" if len(numbers) == 1 else "peers"


def _table(week: SiteWeek) -> Iterator[TableRow]:
    one_number = len({len(row.peers) for row in week.rows if row.peer_share is not None}) == 1
    for row in week.rows:
        of = f" {row.experiment}" if len(week.rows) > 1 else ""
        peers = NONE if row.peer_share is None else middle(row.peer_share)
        if row.peer_share is not None and not one_number:
            peers += f" of {len(row.peers)}"
        yield TableRow(f"success{of}", share(row.this), share(row.last, short=True), peers)
        yield TableRow(f"jobs{of}", f"{row.this.ended:,}", f"{row.last.ended:,}", "")
        if row.speed is not None:
            speeds = (row.speed, row.last_speed, row.peer_speed)
            yield TableRow(f"events/s per core{of}", *map(_speed, speeds))


def share(count: Count, *, short: bool = False) -> str:
    """95.9 % (94-97); of few jobs how many; `short` without the interval."""
    if count.ended == 0:
        return NONE
    if count.ended < ENOUGH:
        return f"{count.good} of {count.ended}"
    told = percent(count.good, count.ended)
    return told if short else f"{told} ({interval(count.good, count.ended)})"


def _speed(value: float | None) -> str:
    """Three figures."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _hours(week: SiteWeek) -> Iterator[str]:
    """5h20 yours, 1h50 central (not counted); for several experiments one line each, equal ones together."""
    alike: dict[str, list[str]] = {}
    for row in week.rows:
        parts = [f"{length(spent)} {_whose(cause, week)}" for cause, spent in row.hours.items()]
        if parts:
            alike.setdefault(", ".join(parts), []).append(row.experiment)
    for words, names in alike.items():
        yield f"{listed(names)}: {words}" if len(week.rows) > 1 else words


def _whose(cause: Cause, week: SiteWeek) -> str:
    return f"{_WHOSE[cause]} {listed(week.persons)}" if cause is Cause.PERSON else _WHOSE[cause]


def length(spent: timedelta) -> str:
    """5h20, 40 min."""
    minutes = round(spent.total_seconds() / 60)
    return f"{minutes // 60}h{minutes % 60:02}" if minutes >= 60 else f"{minutes} min"


def _errors(week: SiteWeek) -> str:
    ordered = sorted(week.clusters, key=lambda one: (-one.failed, one.way))
    told = [f"{one.failed} {_in_brackets(one)}" for one in ordered[:MOST_ERRORS]]
    more = sum(one.failed for one in ordered[MOST_ERRORS:])
    return ", ".join([*told, *([f"{more} of other kinds"] if more else [])])


def _in_brackets(one: Cluster) -> str:
    """Stage-in (pilot 1099)."""
    code = shown(one.way[1])
    return f"{one.way[0]} ({code})" if code else one.way[0]


# -- what else has to be said


def _remarks(week: SiteWeek) -> Iterator[str]:
    yield from _untested(week)
    if len(week.fixes) > MOST_FIXES:
        yield f"{len(week.fixes) - MOST_FIXES} more to fix: helpdesk report site {week.site} --json has all."
    yield from _not_counted(week)
    if any(0 < row.this.ended < ENOUGH for row in week.rows):
        yield f"Fewer than {ENOUGH} jobs tell too little for a share."
    if not (week.untested or week.is_green) and all(row.peer_share is None for row in week.rows):
        yield f"No median of peers: fewer than {FEW_PEERS} sites of this tier had {ENOUGH} jobs."
    if week.late:
        yield f"{counted(week.late, 'result')} of the week before came after its report; last counts them."
    yield from week.holds


def _untested(week: SiteWeek) -> Iterator[str]:
    """Nobody looked: that must not look like a good week."""
    names = [row.experiment for row in week.rows if row.this.ended == 0]
    if not week.rows:
        yield "The site has no queue with test jobs, so nothing is known of it."
    elif week.untested:
        yield "No test job that counts ended here in the week, so nothing is known of it: this is no good week, only an unseen one."
    elif names:
        yield f"{listed(names)}: no test job that counts ended, so nothing is known."
    fresh = [row.experiment for row in week.rows if row.this.ended and not row.last.ended]
    if fresh:
        yield f"No test jobs in the week before{_of(fresh, week)}: nothing to compare with."


def _of(names: Sequence[str], week: SiteWeek) -> str:
    return "" if len(names) == len(week.rows) else f" ({listed(list(names))})"


def _not_counted(week: SiteWeek) -> Iterator[str]:
    central = sum(row.this.central for row in week.rows)
    down = sum(row.this.down for row in week.rows)
    others = sum(row.this.others for row in week.rows)
    cancelled = sum(row.this.cancelled for row in week.rows)
    parts = [
        (central, "failed for what failed at many sites or centrally"),
        (down, "while the site was declared down or kept out"),
        (others, "by the fault of the experiment, a user or the robots"),
        (cancelled, "cancelled"),
        (week.foreign, "measured by others"),
    ]
    told = [f"{number} {words}" for number, words in parts if number]
    if told:
        yield f"Not counted: {', '.join(told)}."
    going = sum(row.going for row in week.rows)
    if going:
        yield f"{counted(going, 'job')} of the week {'has' if going == 1 else 'have'} not ended yet."


def _commands(week: SiteWeek) -> tuple[str, ...]:
    """Commands as the board obeys them (docs/commands.md), with a day that lies ahead."""
    ahead = day(week.now + timedelta(days=3), ZoneInfo(week.week.zone)).partition(" ")[2]
    return ("retest", f"out until {ahead}", "pause 2 weeks")
