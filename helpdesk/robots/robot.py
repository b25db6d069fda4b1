"""What a turn works with, and what it did: values alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine as Database

from helpdesk.robots.codes import Lookup
from helpdesk.robots.engine import Engine, JobSpec
from helpdesk.robots.outcome import OnItsWay, Work
from helpdesk.robots.record import Record
from helpdesk.robots.schedule import Intent


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a template becomes a job."""

    experiment: str
    version: str
    test_kind: str
    spec: Callable[[str], JobSpec]  # our id -> what runs
    work: Callable[[str], Work]  # our id -> what it reads
    wall: timedelta


@dataclass(frozen=True, slots=True)
class Robot:
    """Everything that a turn works with."""

    database: Database
    engines: Mapping[str, Engine]
    recipes: Mapping[str, Recipe]  # by template
    folder: Path  # where results land
    most: int  # jobs on their way in one lane
    lookup: Lookup = field(default_factory=Lookup)


@dataclass(slots=True)
class Turned:
    """What a turn did."""

    records: list[Record] = field(default_factory=list)
    submitted: list[OnItsWay] = field(default_factory=list)
    kept: list[Intent] = field(default_factory=list)  # no room in their queue
    troubles: list[tuple[str, str]] = field(default_factory=list)  # (engine, what it said)
