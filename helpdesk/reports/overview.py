"""The week of all sites: how each experiment fares, each region, and which sites need somebody first."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from helpdesk.reports.counting import ENOUGH
from helpdesk.reports.outages import Cause
from helpdesk.reports.week import Row, SiteWeek


@dataclass(frozen=True, slots=True)
class Group:
    """The sites of an experiment, or of a region in it."""

    name: str
    sites: int
    untested: int  # of them: no job that counts ended
    out: int  # now
    good: int  # jobs of all of them
    ended: int
    middle: float | None  # the median of the sites with enough jobs; None without any
    hours: timedelta  # out by their own test jobs


@dataclass(frozen=True, slots=True)
class Overview:
    """A week, over all experiments."""

    experiments: tuple[Group, ...]
    regions: tuple[tuple[str, Group], ...]  # (experiment, region)
    weeks: tuple[SiteWeek, ...]  # those that need somebody first
    green: int
    untested: int

    @property
    def to_fix(self) -> int:
        """Sites with something to fix."""
        return sum(bool(one.fixes) for one in self.weeks)


def overview(weeks: Iterable[SiteWeek], regions: Mapping[str, str]) -> Overview:
    """All sites that somebody tests, by what they lost; `regions` by site, "" where there is none."""
    mine = [one for one in weeks if one.rows]
    found = [(one, row) for one in mine for row in one.rows]
    experiments = _groups(found, lambda _week, row: (row.experiment, ""))
    places = _groups(found, lambda week, row: (row.experiment, regions.get(week.site, "")))
    return Overview(
        experiments=tuple(group for _, group in experiments),
        regions=tuple((key[0], group) for key, group in places if key[1]),
        weeks=tuple(sorted(mine, key=_urgency)),
        green=sum(one.is_green for one in mine),
        untested=sum(one.untested for one in mine),
    )


def _urgency(week: SiteWeek) -> tuple[float, ...]:
    """Who is out now, then who lost most job-hours to what is to fix, then who failed most; who was not seen comes before the green."""
    lost = sum(one.hours for one in week.fixes)
    share = min((row.this.share for row in week.rows if row.this.ended), default=0.0)
    return (-len(week.out_now), -lost, float(week.is_green), share)


def _groups(
    found: Sequence[tuple[SiteWeek, Row]], key: Callable[[SiteWeek, Row], tuple[str, str]]
) -> list[tuple[tuple[str, str], Group]]:
    alike: defaultdict[tuple[str, str], list[tuple[SiteWeek, Row]]] = defaultdict(list)
    for week, row in found:
        alike[key(week, row)].append((week, row))
    return [(name, _group(name[1] or name[0], alike[name])) for name in sorted(alike)]


def _group(name: str, mine: Sequence[tuple[SiteWeek, Row]]) -> Group:
    rows = [row for _, row in mine]
    shares = [row.this.share for row in rows if row.this.ended >= ENOUGH]
    return Group(
        name=name,
        sites=len(rows),
        untested=sum(row.this.ended == 0 for row in rows),
        out=sum(row.experiment in week.out_now for week, row in mine),
        good=sum(row.this.good for row in rows),
        ended=sum(row.this.ended for row in rows),
        middle=median(shares) if shares else None,
        hours=sum((row.hours.get(Cause.YOURS, timedelta()) for row in rows), timedelta()),
    )
