"""The shifts of the demo: three a day, each eight hours of one person, as a calendar that the board reads."""

from datetime import datetime, timedelta

from helpdesk.demo.cast import SHIFTERS, Person

HOURS = 8


def on_shift(at: datetime) -> Person:
    """Who is on duty."""
    return SHIFTERS[at.hour // HOURS]


def next_shift(now: datetime) -> datetime:
    """When the next shift starts."""
    return now.replace(hour=now.hour // HOURS * HOURS, minute=0, second=0, microsecond=0) + timedelta(
        hours=HOURS
    )


def calendar() -> str:
    """The shifts of many days (RFC 5545)."""
    events = (line for number, person in enumerate(SHIFTERS) for line in _event(number, person))
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//helpdesk//demo//EN", *events, "END:VCALENDAR")
    return "".join(f"{line}\r\n" for line in lines)


def _event(number: int, person: Person) -> tuple[str, ...]:
    """One shift of each day; it begins a month before the story, which knows of no gap."""
    return (
        "BEGIN:VEVENT",
        f"UID:shift-{number}@demo.example.org",
        "DTSTAMP:20090501T000000Z",
        f"DTSTART:20090501T{number * HOURS:02}0000Z",
        f"DURATION:PT{HOURS}H",
        "RRULE:FREQ=DAILY;COUNT=120",
        f"SUMMARY:{person.name}",
        "END:VEVENT",
    )
