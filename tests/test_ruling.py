"""What holds of a site: a person's pin, else what stood when it was paused, else the policy's word."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from helpdesk.robots.ruling import Opinions, outage, wanted
from helpdesk.store.site_orders import NO_RULING, Kind, Ruling, SiteOrder, rulings
from helpdesk.store.verdicts import Change

NOW = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
GOOD = Change(NOW, "atlas", "RAL", "include", "it works", "v1")
BAD = replace(GOOD, action="exclude", reason="it fails", evidence={"cause": "evidence"})
OUT = SiteOrder("RAL", Kind.OUT, NOW, LATER, "Eva", team=False, why="disks", id=7)
IN = replace(OUT, kind=Kind.IN, id=8)
PAUSE = replace(OUT, kind=Kind.PAUSE, id=9)
BY_HAND = replace(BAD, by="Eva", evidence={"cause": "pin", "order": 7})


@pytest.mark.parametrize(
    ("standing", "opinion", "ruling", "becomes"),
    [
        (None, GOOD, NO_RULING, ""),
        (None, BAD, NO_RULING, "exclude by robot"),
        (BAD, BAD, NO_RULING, ""),
        (BAD, GOOD, NO_RULING, "include by robot"),
        (replace(BAD, at=LATER), BAD, NO_RULING, "exclude by robot"),  # written while the clock was wrong
        (replace(GOOD, at=LATER), GOOD, NO_RULING, "include by robot"),
        (replace(BAD, at=NOW + timedelta(minutes=5)), BAD, NO_RULING, ""),
        (GOOD, GOOD, Ruling(pin=OUT), "exclude by Eva"),
        (BAD, BAD, Ruling(pin=OUT), "exclude by Eva"),
        (BY_HAND, GOOD, Ruling(pin=OUT), ""),
        (BY_HAND, GOOD, Ruling(pin=replace(OUT, id=10)), "exclude by Eva"),
        (BY_HAND, GOOD, NO_RULING, "include by robot"),
        (BY_HAND, BAD, NO_RULING, "exclude by robot"),
        (GOOD, BAD, Ruling(pin=IN), ""),
        (BAD, BAD, Ruling(pin=IN), "include by Eva"),
        (BY_HAND, BAD, Ruling(pin=IN), "include by Eva"),
        (GOOD, BAD, Ruling(pause=PAUSE), ""),
        (BAD, GOOD, Ruling(pause=PAUSE), ""),
        (GOOD, GOOD, Ruling(pin=OUT, pause=PAUSE), "exclude by Eva"),
    ],
)
def test_who_has_the_last_word(
    standing: Change | None, opinion: Change, ruling: Ruling, becomes: str
) -> None:
    """A pin wins, a pause keeps what stands, else the policy's word counts; a row is written only when it says something new."""
    due = wanted(standing, opinion, ruling)
    assert ("" if due is None else f"{due.action} by {due.by}") == becomes


def test_what_a_pin_says() -> None:
    """The row of a pin names who, until when and why, and says so where programs look."""
    due = wanted(None, GOOD, Ruling(pin=OUT))
    assert due is not None
    assert due.reason == "pinned out by Eva until 2026-06-10 12:00 UTC: disks"
    assert due.evidence == {"cause": "pin", "order": 7, "until": LATER.isoformat()}
    endless = wanted(None, GOOD, Ruling(pin=replace(OUT, until=None, why="")))
    assert endless is not None
    assert (endless.reason, endless.evidence["until"]) == ("pinned out by Eva", None)


def test_opinions() -> None:
    """What the policies said is remembered by experiment, and made true at the present time when nobody rules any more."""
    opinions = Opinions()
    for one in (GOOD, BAD, replace(GOOD, experiment="cms")):
        opinions.hear(one)
    [due] = opinions.overdue({}, {}, LATER)
    assert (due.experiment, due.action, due.at) == ("atlas", "exclude", LATER)
    pinned = opinions.overdue({}, rulings([OUT]), LATER)
    assert [(one.experiment, one.by) for one in pinned] == [("atlas", "Eva"), ("cms", "Eva")]


def test_rulings() -> None:
    """Of two pins the later holds, beside a pause."""
    assert rulings([OUT, PAUSE, IN]) == {"RAL": Ruling(IN, PAUSE)}


@pytest.mark.parametrize(
    ("order", "end"),
    [
        (OUT, LATER),
        (replace(OUT, lifted=NOW + timedelta(hours=1)), NOW + timedelta(hours=1)),
        (replace(OUT, lifted=NOW), NOW + timedelta(seconds=1)),
    ],
)
def test_outage(order: SiteOrder, end: datetime) -> None:
    """To its policy a site that is put out by hand is down until the date, or until somebody ended it."""
    told = outage(order)
    assert (told.site, told.start, told.end, told.severity) == ("RAL", NOW, end, "outage")


def test_no_end() -> None:
    """A pin without a date has no end that anybody will see."""
    assert outage(replace(OUT, until=None)).end > NOW + timedelta(days=3000)


def test_what_a_pin_leaves_behind() -> None:
    """When a pin is taken back before its end, nobody is told of a downtime that was never declared, with an end that is not true."""
    said = "declared downtime until 2026-06-10 12:00 UTC"
    opinion = replace(BAD, reason=said, evidence={"cause": "downtime"})
    due = wanted(BY_HAND, opinion, NO_RULING)
    assert due is not None
    assert (due.action, "as soon as test jobs succeed" in due.reason) == ("exclude", True)
    fresh = wanted(GOOD, opinion, NO_RULING)
    assert fresh is not None
    assert fresh.reason == said
