"""What a rota needs of an iCalendar document (RFC 5545): the lines of its events and zones, within limits; pure.

Everything else (alarms, descriptions, attachments, to-dos) is left behind before a library sees it: it costs time, and
each kind of value is one more way to be malformed.  Sizes are checked here, before anything is expensive.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from helpdesk.shifts.repeating import complaint
from helpdesk.shifts.values import CalendarError
from helpdesk.text import safe_text

MAX_EVENTS = 2_000
MAX_DATES = 20_000
"""Dates in all EXDATE and RDATE together: each costs the library 50 microseconds."""

MAX_DEPTH = 10  # components within components; RFC 5545 has three
MAX_RULES = 5  # of one event; RFC 5545 wants at most one
MAX_ATTENDEES = 50  # of one event
SHOWN = 60  # characters of a summary in a sentence

_CUT = "is cut off, or broken: its components do not end as they begin"
_CALENDAR = ("VCALENDAR",)
_EVENT = ("VCALENDAR", "VEVENT")
_ZONE = ("VCALENDAR", "VTIMEZONE")
_KEPT = frozenset(
    {"UID", "SEQUENCE", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE"}
    | {"SUMMARY", "STATUS", "ATTENDEE"}
)
_KEPT_OF_ZONES = frozenset(
    {"BEGIN", "END", "TZID", "DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME"}
)
_FOLD = re.compile(rb"\r?\n[ \t]")
_LINE_END = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r'([A-Za-z0-9-]+)((?:;(?:[^":]|"[^"]*")*+)?):(.*)', re.DOTALL)
_TZID = re.compile(r';TZID=(?:"([^"]*)"|([^;:"]*))', re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One content line, unfolded; `name` is upper-case, `parameters` begin with a semicolon if there are any."""

    name: str
    parameters: str
    value: str

    def __str__(self) -> str:
        """The line as RFC 5545 writes it, without folds."""
        return f"{self.name}{self.parameters}:{self.value}"

    @property
    def zone(self) -> str | None:
        """The value of its TZID parameter."""
        found = _TZID.search(self.parameters)
        return None if found is None else found[1] or found[2] or ""

    def in_zone(self, name: str) -> "Line":
        """The same line with another TZID; "" takes it away: the time floats."""
        instead = f';TZID="{name}"' if name else ""
        return replace(self, parameters=_TZID.sub(lambda _: instead, self.parameters))


@dataclass(slots=True)
class Component:
    """A VEVENT or VTIMEZONE, as the lines that we need of it."""

    lines: list[Line] = field(default_factory=list)

    def values(self, name: str) -> Sequence[str]:
        """The values of all lines with this name."""
        return [line.value for line in self.lines if line.name == name]

    def first(self, name: str) -> str:
        """The value of the first such line, or ""."""
        return next(iter(self.values(name)), "")

    @property
    def title(self) -> str:
        """What a sentence calls it."""
        plain = _ESCAPED.sub(lambda found: " " if found[1] in "nN" else found[1], self.first("SUMMARY"))
        words = safe_text(plain, limit=SHOWN)
        return f'"{words}"' if words else "an event without a summary"

    @property
    def complaint(self) -> str:
        """Why this event cannot be followed, or ""."""
        rules = self.values("RRULE")
        if len(rules) > MAX_RULES:
            return f"has more than {MAX_RULES} rules"
        return next((words for words in map(complaint, rules) if words), "")

    def beside(self, first: str, last: str) -> bool:
        """Whether the event surely is not between two days (YYYYMMDD): it does not repeat, and its dates say so."""
        if any(line.name in {"RRULE", "RDATE", "RECURRENCE-ID", "DURATION"} for line in self.lines):
            return False
        begins, ends = self.first("DTSTART")[:8], self.first("DTEND")[:8]
        return (_is_day(begins) and begins > last) or (_is_day(ends) and ends < first)


def _is_day(text: str) -> bool:
    """Whether this may be a day: a month 13 is a mistake that somebody should hear of, and no time far away."""
    return text.isdecimal() and "01" <= text[4:6] <= "12" and "01" <= text[6:8] <= "31"


@dataclass(slots=True)
class Document:
    """All that we need of a calendar; `zones` are its own definitions by TZID, `zone` is its X-WR-TIMEZONE."""

    events: list[Component] = field(default_factory=list)
    zones: dict[str, Component] = field(default_factory=dict)
    zone: str = ""


def decoded(octets: bytes) -> str:
    """The text, unfolded (RFC 5545 section 3.1): UTF-8, or what old programs of Windows write instead.

    Lines are unfolded before they are decoded: a fold may stand within a character.
    """
    whole = _FOLD.sub(b"", octets)
    try:
        return whole.decode("utf-8-sig")
    except UnicodeDecodeError:
        return whole.decode("cp1252", "replace")


def read(text: str) -> Document:
    """Take a text apart that `decoded` unfolded; CalendarError for what is no calendar, is cut off, or is too much."""
    document, zone = Document(), Component()
    for place, line in _placed(text):
        if place == _EVENT:
            _add_to_event(document, line)
        elif place[:2] == _ZONE:
            zone = _add_to_zone(document, zone, line, whole=place == _ZONE)
        elif place == _CALENDAR and line.name == "X-WR-TIMEZONE":
            document.zone = line.value.strip()
    dates = sum(
        line.value.count(",") + 1
        for event in document.events
        for line in event.lines
        if line.name in {"EXDATE", "RDATE"}
    )
    if dates > MAX_DATES:
        raise CalendarError(f"has {dates} exceptional dates, and {MAX_DATES} at most are read")
    return document


def _add_to_event(document: Document, line: Line) -> None:
    if line.name == "BEGIN":
        if len(document.events) == MAX_EVENTS:
            raise CalendarError(f"has more than {MAX_EVENTS} events")
        document.events.append(Component())
    elif line.name in _KEPT and _is_sane(line):
        event = document.events[-1]
        if line.name != "ATTENDEE" or len(event.values("ATTENDEE")) < MAX_ATTENDEES:
            event.lines.append(line)


def _is_sane(line: Line) -> bool:
    """A sequence number that is none would only be in the way: the library compares them."""
    return line.name != "SEQUENCE" or (line.value.isdecimal() and len(line.value) < 10)


def _add_to_zone(document: Document, zone: Component, line: Line, *, whole: bool) -> Component:
    """Collect the definition of a zone; of two with one name the first counts."""
    if line.name == "BEGIN" and whole:
        zone = Component()
    if line.name in _KEPT_OF_ZONES:
        zone.lines.append(line)
    if line.name == "END" and whole:
        document.zones.setdefault(zone.first("TZID"), zone)
    return zone


def _placed(text: str) -> Iterator[tuple[tuple[str, ...], Line]]:
    """Each line with the components around it, its own BEGIN and END included."""
    place: tuple[str, ...] = ()
    whole = False
    for line in _lines(text):
        kind = line.value.strip().upper()
        if line.name == "BEGIN":
            place = (*place, kind)
            if len(place) > MAX_DEPTH:
                raise CalendarError("is broken: components within components without end")
        yield place, line
        if line.name == "END":
            if place[-1:] != (kind,):
                raise CalendarError(_CUT)
            place = place[:-1]
            whole = whole or not place
    if place:
        raise CalendarError(_CUT)
    if not whole:
        raise CalendarError("is no iCalendar document")


def _lines(text: str) -> Iterator[Line]:
    """The content lines; what is none is passed over."""
    for raw in _LINE_END.split(text):
        found = _LINE.fullmatch(raw)
        if found is not None:
            yield Line(found[1].upper(), found[2], found[3])
