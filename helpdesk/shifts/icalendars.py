"""The only door to icalendar and recurring-ical-events: octets in, occurrences in a window out.

Each series (the events of one UID) is read and expanded by itself, so that a broken one costs nothing but itself.  Zones
are resolved here first: names of the IANA database and of Windows stand for what they mean, whatever definition comes
with them; only a zone of the calendar's own invention is built from its VTIMEZONE.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final, TypeGuard
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component, Event, Timezone
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON
from recurring_ical_events import of

from helpdesk.shifts import content
from helpdesk.shifts.values import Attendee, CalendarError, Expanded, Occurrence, Window
from helpdesk.text import safe_text

MAX_OCCURRENCES: Final = 5_000
"""In one window: a team that hands over every half hour has 4,000 in eighty days."""

MAX_SLOW: Final = 3
MAX_NOTES: Final = 20
MAX_ZONE_LINES: Final = 1_000
_SLACK: Final = timedelta(days=2)  # a floating or all-day time is up to 14 hours from the same time in UTC
_BROKEN: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError)
"""What the libraries raise on values that they did not expect."""

_OTHER_NAMES: Final = {"tzone://Microsoft/Utc": "UTC", "Z": "UTC"}

Guard = Callable[[], AbstractContextManager[object]]
"""Bounds the time of one series: its context raises TimeoutError."""


def expand(octets: bytes, zone: str, window: Window, guard: Guard = nullcontext) -> Expanded:
    """Every occurrence that touches the window; CalendarError if the document cannot be used as a whole.

    `zone` (an IANA name) is where all-day events and floating times are.  Cancelled events are no occurrences.  The time
    that this takes is bounded for what `content` lets pass, but not for every rule that somebody could think of: who
    cannot wait gives a `guard`, or uses `helpdesk.shifts.bounded`.
    """
    document = content.read(content.decoded(octets))
    notes: list[str] = []
    zones = _Zones(document.zones, notes)
    named = zones.known(document.zone)
    found: set[Occurrence] = set()
    slow = 0
    for series in _series(document.events, window):
        try:
            with guard():
                some = _expanded(series, zones, named, zone, window)
            found.update(some)
        except TimeoutError:
            slow += 1
            notes.append(f"{series[0].title} takes too long to compute: it is left out")
        except _EventError as error:
            notes.append(f"{series[0].title} {error}: it is left out")
        if slow > MAX_SLOW:
            raise CalendarError(f"has more than {MAX_SLOW} events that take too long to compute")
        if len(found) > MAX_OCCURRENCES:
            span = f"from {window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}"
            raise CalendarError(f"has more than {MAX_OCCURRENCES} events {span}")
    ordered = sorted(found, key=lambda one: (one.start, one.end, one.summary))
    return Expanded(tuple(ordered), _few(notes))


def _few(notes: Iterable[str]) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(notes))
    more = (f"and {len(unique) - MAX_NOTES} more remarks on the calendar",) if len(unique) > MAX_NOTES else ()
    return (*unique[:MAX_NOTES], *more)


class _EventError(Exception):
    """Why one series is left out, to stand after its name."""


class _Zones:
    """What the names of zones in one calendar mean."""

    def __init__(self, own: Mapping[str, content.Component], notes: list[str]) -> None:
        self._own = own
        self._notes = notes
        self._names: dict[str, str] = {}

    def name(self, tzid: str) -> str:
        """A name that the library understands; "" when nothing is known: the time floats."""
        if tzid not in self._names:
            self._names[tzid] = self.known(tzid) or self._custom(tzid)
            if not self._names[tzid]:
                shown = safe_text(tzid, limit=content.SHOWN)
                self._notes.append(
                    f'the time zone "{shown}" is unknown: its times are taken for the board\'s'
                )
        return self._names[tzid]

    def known(self, tzid: str) -> str:
        """The name in the IANA database, or ""."""
        path = tzid.strip("/").split("/")  # "/vendor/Europe/Berlin": RFC 5545 section 3.8.3.1
        guesses = ["/".join(path[start:]) for start in range(len(path) if tzid.startswith("/") else 1)]
        for guess in [WINDOWS_TO_OLSON.get(tzid, ""), _OTHER_NAMES.get(tzid, ""), *guesses]:
            try:
                return ZoneInfo(guess).key
            except (OSError, ValueError, KeyError):  # an unknown name is a KeyError, "" and "../x" the others
                continue
        return ""

    def _custom(self, tzid: str) -> str:
        """A zone of the calendar's own; one that changes more often than once a year by rule is a trap, and no zone."""
        definition = self._own.get(tzid)
        if definition is None or len(definition.lines) > MAX_ZONE_LINES:
            return ""
        if not all(_is_yearly(rule) for rule in definition.values("RRULE")):
            return ""
        lines = [str(line) for line in definition.lines if line.name != "TZID"]
        name = f"own-{sha256(repr(lines).encode()).hexdigest()[:16]}"  # the library remembers zones for good
        try:
            Timezone.from_ical("\r\n".join([lines[0], f"TZID:{name}", *lines[1:], ""]))
        except _BROKEN:
            return ""
        return name


def _is_yearly(rule: str) -> bool:
    parts = rule.upper()
    return parts.startswith("FREQ=YEARLY") and not any(
        part in parts for part in ("BYHOUR", "BYMINUTE", "BYSECOND")
    )


def _series(events: Iterable[content.Component], window: Window) -> Iterator[Sequence[content.Component]]:
    """Events that belong together: one that repeats, and its overrides; without those that surely lie elsewhere.

    RFC 5545 wants another UID for each event.  Where several that are no overrides share one, the library would take
    the first for all: they are series of their own, unless a SEQUENCE says that one replaces the others.
    """
    first, last = (f"{day:%Y%m%d}" for day in (window.start - _SLACK, window.end + _SLACK))
    groups: dict[str, list[content.Component]] = {}
    for number, event in enumerate(events):
        groups.setdefault(event.first("UID") or f"\n{number}", []).append(event)
    for group in groups.values():
        masters = [event for event in group if not event.first("RECURRENCE-ID")]
        versions = {event.first("SEQUENCE") for event in masters}
        apart = masters[1:] if len(versions) == 1 else []
        yield from ([event] for event in apart if not event.beside(first, last))
        together = [event for event in group if not any(event is other for other in apart)]
        if len(together) > 1 or not together[0].beside(first, last):
            yield together


def _expanded(
    series: Sequence[content.Component], zones: _Zones, named: str, zone: str, window: Window
) -> Sequence[Occurrence]:
    """Expand one series; `named` is the calendar's X-WR-TIMEZONE, in which its UTC times repeat."""
    complaint = next((event.complaint for event in series if event.complaint), "")
    if complaint:
        raise _EventError(complaint)
    head = f"X-WR-TIMEZONE:{named}\r\n" if named else ""
    events = "".join(_resolved(event, zones) for event in series)
    try:
        calendar = Calendar.from_ical(f"BEGIN:VCALENDAR\r\n{head}{events}END:VCALENDAR\r\n")
        for event in calendar.events:
            _check(event)
        found = of(calendar).between(window.start - _SLACK, window.end + _SLACK)
        return [
            one for one in (_occurrence(event, ZoneInfo(zone)) for event in found) if _counts(one, window)
        ]
    except _BROKEN:
        raise _EventError("cannot be read") from None


def _resolved(event: content.Component, zones: _Zones) -> str:
    """The event as text, with zones that the library understands."""
    lines = [line if line.zone is None else line.in_zone(zones.name(line.zone)) for line in event.lines]
    return "\r\n".join(["BEGIN:VEVENT", *map(str, lines), "END:VEVENT", ""])


def _check(event: Event) -> None:
    """The library passes over values that it cannot read, and turns an event round that ends before it starts."""
    if event.errors:
        raise _EventError(f"has a value of {event.errors[0][0]} that cannot be read")
    if "DTSTART" not in event:
        raise _EventError("has no start")
    if "DTEND" not in event and ("DURATION" in event or not isinstance(_time(event, "DTSTART"), datetime)):
        return  # a day without an end is a whole day: RFC 5545 section 3.6.1
    start = _time(event, "DTSTART")
    end = _time(event, "DTEND") if "DTEND" in event else start
    if type(end) is type(start) and end <= start:
        raise _EventError("has no length" if end == start else "ends before it starts")


def _occurrence(event: Component, home: ZoneInfo) -> Occurrence | None:
    """One event at its time; None if it was cancelled."""
    if str(event.get("STATUS", "")).strip().upper() == "CANCELLED":
        return None
    start, end = _utc(_time(event, "DTSTART"), home), _utc(_time(event, "DTEND"), home)
    return Occurrence(start, end, safe_text(str(event.get("SUMMARY", ""))), tuple(_attendees(event)))


def _counts(one: Occurrence | None, window: Window) -> TypeGuard[Occurrence]:
    """Whether it lasts, and touches the window."""
    return one is not None and one.start < one.end and one.start < window.end and window.start < one.end


def _time(event: Component, name: str) -> date:
    """A property's value, which is a day or a time of a day."""
    found: Any = event[name]
    if not isinstance(found.dt, date):
        raise TypeError(name)
    return found.dt


def _utc(moment: date | datetime, home: ZoneInfo) -> datetime:
    """A time of the calendar; one without a zone, or a day without a time, is where the board is."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=home)).astimezone(UTC)


def _attendees(event: Component) -> Iterator[Attendee]:
    """The people who are invited and did not decline; rooms are no people."""
    found = event.get("ATTENDEE", [])
    for one in found if isinstance(found, list) else [found]:
        kind = str(one.params.get("CUTYPE", "INDIVIDUAL")).upper()
        answer = str(one.params.get("PARTSTAT", "")).upper()
        if kind == "INDIVIDUAL" and answer != "DECLINED":
            address = str(one).strip().lower().removeprefix("mailto:")
            yield Attendee(safe_text(str(one.params.get("CN", ""))), safe_text(address))
