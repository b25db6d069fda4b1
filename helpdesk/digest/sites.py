"""The digest's word on sites: who is out and why, who is back, what fails everywhere.  Pure.

Times are told as moments and never as ages, so that the words change only when something happens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from helpdesk.shifts.wording import at, clock, counted, listed

MOST: Final = 20
"""Lines; `helpdesk robots status` tells all."""

MAX_NAMES: Final = 12
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a site stands in an experiment since its last change."""

    experiment: str
    site: str
    out: bool
    since: datetime
    why: str  # one phrase


@dataclass(frozen=True, slots=True)
class Central:
    """A failure of many sites; `ended` None: it goes on."""

    experiments: tuple[str, ...]
    what: tuple[str, ...]  # what the failures have in common, in words
    since: datetime
    ended: datetime | None
    voices: int  # storage elements that complain


@dataclass(frozen=True, slots=True)
class Held:
    """A site that a person paused, or keeps in; who keeps it out is the reason why it is out."""

    site: str
    paused: bool
    says: str  # paused until Thu 11 Jun 2026 12:00 UTC by Eva Ekman


@dataclass(frozen=True, slots=True)
class SitesNow:
    """The sites at one moment: all that are out, and what changed since the last digest."""

    out: tuple[Standing, ...] = ()
    back: tuple[Standing, ...] = ()
    central: tuple[Central, ...] = ()
    held: tuple[Held, ...] = ()


def summary(sites: SitesNow) -> str:
    """Out DESY-HH; central none: the names alone."""
    names = sorted({one.site for one in sites.out})
    going = sorted({name for one in sites.central if one.ended is None for name in one.experiments})
    out = f"out {_named(names)}" if names else "all in"
    paused = _named(sorted({one.site for one in sites.held if one.paused}))
    out += f"; paused {paused}" if paused else ""
    return f"{out}; central {f'failure in {_named(going)}' if going else 'none'}"


def _named(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = [f"{len(names) - MAX_NAMES} more"] if len(names) > MAX_NAMES else []
    return ", ".join([*names[:MAX_NAMES], *more])


def lines(sites: SitesNow, now: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    """A line for what fails everywhere, for each site that is out, and for each that is back."""
    found = list(_lines(sites, now, zone))
    if len(found) <= MOST:
        return tuple(found)
    return (*found[: MOST - 1], f"... and {len(found) - MOST + 1} more: helpdesk robots status")


def _lines(sites: SitesNow, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    for failure in sites.central:
        fails = "fails" if len(failure.what) == 1 else "fail"
        where = f"{listed(failure.what)} {fails} in {_named(failure.experiments)}"
        said = f"at {counted(failure.voices, 'place')} since {moment(failure.since, now, zone)}"
        if failure.ended is None:
            yield f"CENTRAL: {where} {said}: no site's own fault"
        else:
            yield f"central, over: {where} {said}, until {moment(failure.ended, now, zone)}"
    for one, experiments in _together(sites.out):
        why = f": {one.why}" if one.why else ""
        yield f"{one.site} out of {experiments} since {moment(one.since, now, zone)}{why}"
    yield from (f"{one.site} is {one.says}" for one in sites.held)
    for one, experiments in _together(sites.back):
        why = f": {one.why}" if one.why else ""
        yield f"{one.site} back in {experiments} since {moment(one.since, now, zone)}{why}"


def _together(found: Sequence[Standing]) -> Iterator[tuple[Standing, str]]:
    """The newest first: the old ones were read before.  What holds of a site in several experiments (a pin, a downtime) is said once."""
    alike: dict[tuple[datetime, str, str], list[Standing]] = {}
    for one in sorted(found, key=lambda one: (-one.since.timestamp(), one.site, one.experiment)):
        alike.setdefault((one.since, one.site, one.why), []).append(one)
    return ((mine[0], listed([one.experiment for one in mine], MAX_NAMES)) for mine in alike.values())


def moment(when: datetime, now: datetime, zone: ZoneInfo) -> str:
    """14:00, with the day if that is a day away."""
    return clock(when, zone) if abs(when - now) < _DAY else at(when, zone)
