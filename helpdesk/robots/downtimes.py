"""Declared downtimes of sites, from their calendars (`[[site]] downtime`): read now and then, the last good reading stays.

An event is an outage unless its summary says that jobs go on (warning, at risk).  Announced is when we first saw it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from helpdesk.errors import HelpdeskError
from helpdesk.robots.judging import Downtime
from helpdesk.shifts import bounded
from helpdesk.shifts.source import Source, Validators
from helpdesk.shifts.values import Window

REFRESH = timedelta(minutes=15)
BACK, AHEAD = timedelta(days=2), timedelta(days=30)
_MILD = ("warning", "at risk", "at-risk", "at_risk")


class Downtimes:
    """The calendars of sites; `refresh` may wait for servers and needs a thread in which no event loop runs."""

    def __init__(self, sources: Mapping[str, Source], zone: str) -> None:
        self._sources = sources
        self._zone = zone
        self._read: dict[str, tuple[Downtime, ...]] = {}
        self._seen: dict[tuple[str, datetime, datetime, str], datetime] = {}
        self._asked: datetime | None = None
        self.troubles: dict[str, str] = {}  # by site: why its calendar, or an event of it, could not be read

    def refresh(self, now: datetime) -> None:
        """Ask every calendar, if that was long ago."""
        if self._asked is not None and timedelta(0) <= now - self._asked < REFRESH:
            return
        self._asked = now
        for site, source in self._sources.items():
            self.troubles.pop(site, None)
            try:
                self._read[site] = tuple(self._downtimes(site, source, now))
            except HelpdeskError as error:
                self.troubles[site] = f"the downtimes of {site} cannot be read: {_named(source, str(error))}"

    def known(self, now: datetime) -> Iterator[Downtime]:
        """What is declared, and not over for long."""
        return (one for mine in self._read.values() for one in mine if one.end > now - BACK)

    def _downtimes(self, site: str, source: Source, now: datetime) -> Iterator[Downtime]:
        octets = source.read(Validators()).octets or b""
        read = bounded.expand(octets, self._zone, Window(now - BACK, now + AHEAD))
        if read.notes:
            self.troubles[site] = f"the downtimes of {site}: {_named(source, '; '.join(read.notes))}"
        for event in read.occurrences:
            severity = "warning" if any(word in event.summary.lower() for word in _MILD) else "outage"
            announced = self._seen.setdefault((site, event.start, event.end, severity), now)
            yield Downtime(site, announced, event.start, event.end, severity)


def _named(source: Source, said: str) -> str:
    """What is wrong, with the place in front of it, once."""
    return said if source.shown in said else f"{source.shown}: {said}"
