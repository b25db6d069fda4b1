"""What a site's contacts are told: when a mail is due, and what it says; pure (docs/robots.md)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from helpdesk.robots.record import JobState, Record
from helpdesk.settings.times import WeekMoment

MOST_FAILURES = 3
LOG_LINES = 12
LOOK_BACK = timedelta(hours=12)
"""How far before the exclusion the failures of a mail reach."""

MONDAY = WeekMoment(weekday=0, minutes=8 * 60)


@dataclass(frozen=True, slots=True)
class Contacts:
    """Who answers for a site, and where it lies."""

    addresses: tuple[str, ...]
    zone: str  # IANA


@dataclass(frozen=True, slots=True)
class SiteTelling:
    """When contacts are told."""

    contacts: Mapping[str, Contacts] = field(default_factory=dict)  # by site
    after: timedelta = timedelta(hours=1)
    from_hour: int = 8
    until_hour: int = 20
    per_day: int = 2
    incident_after: timedelta = timedelta(minutes=20)
    lanes: frozenset[tuple[str, str]] = frozenset()  # (experiment, site) that robots test
    templates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by experiment
    tiers: Mapping[str, int | None] = field(default_factory=dict)  # by site
    weekly: WeekMoment = MONDAY  # when the report of a week is due, in the site's time
    reports: bool = False  # whether it is mailed

    def tests(self, site: str) -> Mapping[str, tuple[str, ...]]:
        """What is tested at a site, by experiment; nothing where no template fits."""
        mine = sorted(experiment for experiment, name in self.lanes if name == site)
        return {one: self.templates[one] for one in mine if one in self.templates}


@dataclass(frozen=True, slots=True)
class Out:
    """An experiment that sends a site no more jobs."""

    experiment: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Failures:
    """One kind of failure of the last hours."""

    count: int
    phase: str
    code: str  # as people say it: pilot 1099, exit 31
    words: str
    nodes: tuple[str, ...]  # the worst first
    everywhere: bool  # on more nodes than are named


@dataclass(frozen=True, slots=True)
class Example:
    """One job that failed, for whoever has to find out why."""

    job: str
    engine_job_id: str
    template: str
    node: str
    ended: datetime
    log: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SiteOutMail:
    """To the contacts of a site: it gets no jobs, since when and why, and what failed."""

    kind: ClassVar[str] = "site_out"

    site: str
    outs: tuple[Out, ...]
    ended: int  # jobs of the last hours
    failed: int
    failures: tuple[Failures, ...]
    example: Example | None = None


def due(
    telling: SiteTelling, out: Mapping[str, Sequence[Out]], now: datetime
) -> Iterator[tuple[str, tuple[Out, ...]]]:
    """The sites that are to be told now, with what is out for long enough; in the site's own day only."""
    for site, outs in sorted(out.items()):
        contacts = telling.contacts.get(site)
        if contacts is None or not contacts.addresses:
            continue
        hour = now.astimezone(ZoneInfo(contacts.zone)).hour
        long = tuple(
            sorted((one for one in outs if now - one.since >= telling.after), key=lambda one: one.experiment)
        )
        if long and telling.from_hour <= hour < telling.until_hour:
            yield site, long


def occasion(site: str, outs: Iterable[Out]) -> str:
    """One mail for what is out; another when one more experiment goes out."""
    return f"{site}:{max(one.since for one in outs):%Y-%m-%dT%H:%M:%SZ}"


def enough(sent: Iterable[datetime], telling: SiteTelling, site: str, now: datetime) -> bool:
    """Whether the site has had its mails of today, by its own calendar."""
    zone = ZoneInfo(telling.contacts[site].zone)
    today = now.astimezone(zone).date()
    return sum(one.astimezone(zone).date() == today for one in sent) >= telling.per_day


def tell(site: str, outs: tuple[Out, ...], records: Sequence[Record]) -> SiteOutMail:
    """What the mail says, from the records of the last hours."""
    experiments = {one.experiment for one in outs}
    mine = [one for one in records if one.site == site and one.experiment in experiments]
    failed = [one for one in mine if one.state is not JobState.SUCCESS]
    return SiteOutMail(site, outs, len(mine), len(failed), tuple(failures(failed)), example(failed))


def failures(failed: Sequence[Record]) -> Iterator[Failures]:
    """The commonest kinds of failures, with their worst nodes."""
    kinds = Counter((str(one.phase or ""), one.native_code) for one in failed)
    for (phase, code), count in kinds.most_common(MOST_FAILURES):
        alike = [one for one in failed if (str(one.phase or ""), one.native_code) == (phase, code)]
        nodes = Counter(one.node for one in alike if one.node).most_common()
        named = tuple(name for name, _ in nodes[:MOST_FAILURES])
        yield Failures(count, phase, shown(code), alike[-1].native_text, named, len(nodes) > len(named))


def shown(code: str) -> str:
    """A code as people say it: `pilot 1099`, `exit 31`."""
    table, _, number = code.partition(":")
    return f"{'exit' if table == 'payload' else table} {number}".strip()


def example(failed: Sequence[Record], lines: int = LOG_LINES) -> Example | None:
    """The latest failure of the commonest kind that left a log, else the latest; `lines` of the log's end."""
    if not failed:
        return None
    common = Counter(one.native_code for one in failed).most_common(1)[0][0]
    alike = [one for one in failed if one.native_code == common]
    one = next((x for x in reversed(alike) if _log(x)), alike[-1])
    return Example(
        one.job,
        one.engine_job_id,
        one.template,
        one.node,
        one.t_final or one.t_observed or outset(one),
        _log(one)[-lines:],
    )


def outset(record: Record) -> datetime:
    """When a job was meant to go: every job of ours was."""
    assert record.t_scheduled is not None
    return record.t_scheduled


def _log(record: Record) -> tuple[str, ...]:
    said = record.raw.get("log", "")
    lines = [line for line in str(said).splitlines() if line.strip()]
    return tuple(lines[-LOG_LINES:])
