"""A site's week made by hand: jobs that end when and how a test says."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from helpdesk.reports.counting import Count
from helpdesk.reports.facts import Facts, Peer
from helpdesk.reports.outages import Turn
from helpdesk.reports.speed import Work
from helpdesk.reports.weeks import Week
from helpdesk.robots.record import Blame, JobState, Phase, Record
from tests.test_robots_records import FAILED

WEEK = Week(2026, 24, "Europe/Berlin")
MONDAY = WEEK.end + timedelta(hours=6)  # 08:00 in Berlin
BAD = replace(FAILED, wall_s=600.0, t_started=None, native_text="cannot open the file", raw={})
GOOD = replace(
    BAD,
    state=JobState.SUCCESS,
    phase=None,
    error_class="",
    native_code="",
    native_text="",
    blame=None,
    wall_s=1000.0,
    events_processed=20_000,
)
CRASH = replace(BAD, phase=Phase.PAYLOAD, native_code="payload:31", error_class="wrong_answer")


def jobs(
    kind: Record,
    number: int,
    start: datetime = WEEK.start,
    every: timedelta = timedelta(minutes=30),
    **more: Any,
) -> list[Record]:
    """So many jobs of a kind, each on a node of its own unless `more` says which, ended at fixed distances."""
    return [
        replace(
            kind,
            **{
                "job": f"{kind.native_code}{kind.state}{start:%d%H}{place}{more.get('experiment', '')}{more.get('template', '')}{more.get('node', '')}",
                "engine_job_id": str(88_000 + place),
                "node": f"wn-{place % 50:03}.desy.example.org",
                "t_final": start + place * every,
                "t_observed": start + place * every + timedelta(minutes=1),
                **more,
            },
        )
        for place in range(number)
    ]


def peers(number: int, good: int = 330, bad: int = 4, speed: float = 24.0) -> tuple[Peer, ...]:
    """Sites with the same week."""
    done = {"dimuon": Work(int(speed * 1000), 1000.0)}
    return tuple(Peer(f"P{place}", Count(good - place, bad + place), done, {}) for place in range(number))


def facts(records: Iterable[Record], **more: Any) -> Facts:
    """What is known of one experiment at DESY-HH on the Monday after the week."""
    known: dict[str, Any] = {
        "site": "DESY-HH",
        "week": WEEK,
        "now": MONDAY,
        "experiments": ("atlas",),
        "records": tuple(records),
        "excuse": lambda _record: None,
        "turns": {},
        "peers": {},
        "told_before": WEEK.start + timedelta(hours=8),
        "going": Counter(),
    }
    return Facts(**{**known, **more})


def out(
    start: datetime, end: datetime | None, cause: str = "evidence", back: str = "proof", **more: Any
) -> Sequence[Turn]:
    """Out from a moment, and back, unless it is out still."""
    went = replace(Turn(start, True, cause, "robot", "6 of 7 failed, mostly stage_in"), **more)
    return (went,) if end is None else (went, Turn(end, False, back, "robot", "back"))


def green_week() -> Facts:
    """A week in which there is nothing to do."""
    found = [*jobs(GOOD, 330), *jobs(CRASH, 3), *jobs(GOOD, 300, WEEK.before.start)]
    return facts(found, peers={"atlas": peers(14)})


def bad_week() -> Facts:
    """Three bad nodes, a site that one of three experiments has out, and a failure of many sites."""
    log = {"log": "copying root://se.desy.example.org/zmumu.root\npilot: timed out after 600 s\nended"}
    names = ("atlas", "cms", "lhcb")
    bad = [one for n in (117, 118, 119) for one in jobs(BAD, 14, node=f"wn-{n}.desy.example.org", raw=log)]
    good = [one for name in names for one in jobs(GOOD, 320, experiment=name)]
    before = [one for name in names for one in jobs(GOOD, 300, WEEK.before.start, experiment=name)]
    central = jobs(replace(CRASH, blame=Blame.CENTRAL), 9)
    gone = out(WEEK.end - timedelta(hours=21), None)
    went = out(WEEK.start + timedelta(hours=30), WEEK.start + timedelta(hours=36))
    return facts(
        [*good, *bad, *jobs(CRASH, 2), *central, *before],
        experiments=names,
        turns={"atlas": went, "lhcb": gone},
        peers={name: peers(14) for name in names},
    )


def utc(text: str) -> datetime:
    """A moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
