"""What passes between us and the process that expands a calendar: JSON, both ways."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from helpdesk.shifts.values import Attendee, CalendarError, Expanded, Occurrence, Window


def asked(zone: str, window: Window) -> bytes:
    """The line that precedes the calendar's octets."""
    line = {"zone": zone, "start": window.start.isoformat(), "end": window.end.isoformat()}
    return json.dumps(line).encode() + b"\n"


def request(line: bytes) -> tuple[str, Window]:
    """What `asked` wrote."""
    read = json.loads(line)
    return read["zone"], Window(datetime.fromisoformat(read["start"]), datetime.fromisoformat(read["end"]))


def told(expanded: Expanded) -> Mapping[str, Any]:
    """The answer."""
    return {
        "occurrences": [
            [
                one.start.isoformat(),
                one.end.isoformat(),
                one.summary,
                [[who.name, who.address] for who in one.attendees],
            ]
            for one in expanded.occurrences
        ],
        "notes": expanded.notes,
    }


def answer(octets: bytes) -> Expanded:
    """What `told` said; CalendarError if it is a refusal."""
    read = json.loads(octets)
    if "error" in read:
        raise CalendarError(read["error"])
    return Expanded(
        tuple(
            Occurrence(
                datetime.fromisoformat(start),
                datetime.fromisoformat(end),
                summary,
                tuple(Attendee(name, address) for name, address in attendees),
            )
            for start, end, summary, attendees in read["occurrences"]
        ),
        tuple(read["notes"]),
    )
