"""Declared downtimes come from the sites' own calendars; a calendar that cannot be read takes nothing away."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from helpdesk.robots.downtimes import REFRESH, Downtimes
from helpdesk.shifts.source import Source

NOW = datetime(2026, 6, 8, 12, 0, tzinfo=UTC)


def event(start: str, end: str, summary: str) -> str:
    return f"BEGIN:VEVENT\r\nUID:{start}{summary}\r\nDTSTAMP:20260601T000000Z\r\nDTSTART:{start}\r\nDTEND:{end}\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\n"


def calendar(path: Path, *events: str) -> Source:
    path.write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n",
        newline="",
    )
    return Source(str(path))


def test_declared(tmp_path: Path) -> None:
    """An outage and a warning are told apart; what is long over or far away is not declared."""
    source = calendar(
        tmp_path / "d.ics",
        event("20260608T130000Z", "20260608T180000Z", "dCache upgrade"),
        event("20260609T130000Z", "20260609T140000Z", "AT RISK: network"),
        event("20260501T130000Z", "20260501T140000Z", "old"),
        event("20270501T130000Z", "20270501T140000Z", "next year"),
    )
    downtimes = Downtimes({"DESY-HH": source}, "UTC")
    downtimes.refresh(NOW)
    assert [(one.site, one.start.hour, one.severity) for one in downtimes.known(NOW)] == [
        ("DESY-HH", 13, "outage"),
        ("DESY-HH", 13, "warning"),
    ]
    assert {one.announced for one in downtimes.known(NOW)} == {NOW}


def test_read_again(tmp_path: Path) -> None:
    """A calendar is read again after a while, keeps its old announcements, and its last good reading when it breaks."""
    path = tmp_path / "d.ics"
    first = event("20260608T130000Z", "20260608T180000Z", "one")
    downtimes = Downtimes({"DESY-HH": calendar(path, first)}, "UTC")
    downtimes.refresh(NOW)
    calendar(path, first, event("20260608T190000Z", "20260608T200000Z", "two"))
    downtimes.refresh(NOW + timedelta(minutes=1))
    assert len(list(downtimes.known(NOW))) == 1
    later = NOW + REFRESH
    downtimes.refresh(later)
    assert sorted(one.announced for one in downtimes.known(later)) == [NOW, later]
    path.write_text("no calendar")
    downtimes.refresh(later + REFRESH)
    assert len(list(downtimes.known(later))) == 2
    assert "DESY-HH" in downtimes.troubles
