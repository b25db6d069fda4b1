"""What a report is made from, as it was read at one moment."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from helpdesk.reports.causes import Way
from helpdesk.reports.counting import Count, Excuse
from helpdesk.reports.outages import Turn
from helpdesk.reports.speed import Work
from helpdesk.reports.weeks import Week
from helpdesk.robots.record import Record


@dataclass(frozen=True, slots=True)
class Peer:
    """The same week at another site of the same tier, in one experiment."""

    site: str
    count: Count
    work: Mapping[str, Work]
    ways: Mapping[Way, int]  # counted failures


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a site's week."""

    site: str
    week: Week
    now: datetime
    experiments: tuple[str, ...]  # that test it
    records: tuple[Record, ...]  # of our functional tests of this week and the one before
    excuse: Excuse
    turns: Mapping[str, tuple[Turn, ...]]  # by experiment, oldest first, up to now
    peers: Mapping[str, tuple[Peer, ...]]  # by experiment
    told_before: datetime  # when the report of the week before was due
    holds: tuple[str, ...] = ()  # what people decided and holds, in words
    going: Counter[str] = field(default_factory=Counter)  # by experiment: meant for the week, not ended
    foreign: int = 0  # results of others in the week
