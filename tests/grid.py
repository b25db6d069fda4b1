"""Twelve simulated sites behind an engine that knows how each job ends, beside a board: robots and mails in the story's own time."""

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from helpdesk.robots import manning
from helpdesk.robots.engine import Batch, EngineInfo, Fetched, Handle, JobSpec, Limits, Status
from helpdesk.robots.outcome import Work
from helpdesk.robots.record import JobState
from helpdesk.robots.robot import Recipe, Robot
from helpdesk.robots.service import Service
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import CONFIG, World

NAMES = tuple(f"S{number:02}" for number in range(12))
TEMPLATES = ("dimuon", "read")
DIETER, EVA = "dieter@desy.example.org", "eva@ral.example.org"
PEOPLE = f"""
[[people]]
name = "Dieter Dahl"
addresses = ["{DIETER}", "dahl@desy.example.org"]
roles = ["contact"]
[[people]]
name = "Eva Ekman"
addresses = ["{EVA}"]
roles = ["contact"]
"""
CONTACTS = {"S00": "Dieter Dahl", "S01": "Eva Ekman", "S02": "Dieter Dahl"}

Truth = Callable[[str, str, datetime], int]
"""The exit code of a job of a site and a template that ends at a time."""


def _site(name: str) -> str:
    contact = f'contacts = ["{CONTACTS[name]}"]\n' if name in CONTACTS else ""
    queue = f'[[site.queue]]\nexperiment = "atlas"\nqueue = "{name}"\n'
    return f'[[site]]\nname = "{name}"\nregion = "R{int(name[1:]) % 3}"\ntimezone = "UTC"\n{contact}{queue}'


def _template(name: str) -> str:
    return f'[[template]]\nname = "{name}"\nexperiment = "atlas"\npayload = "read"\ndataset = "zmumu"\n'


SITES = f"""{PEOPLE}{"".join(map(_site, NAMES))}
[[dataset]]
name = "zmumu"
inputs = ["zmumu.root"]
{"".join(map(_template, TEMPLATES))}
[[cocktail]]
name = "daily"
templates = {{ dimuon = 1, read = 1 }}
[robots]
cocktail = "daily"
jobs_per_day = 144
blacklist_file = "blacklist.json"
"""


def fine(_site: str, _template: str, _at: datetime) -> int:
    """Nothing fails."""
    return 0


@dataclass
class Scripted:
    """An engine whose jobs have ended when they are looked at; a queue is a site of the same name."""

    truth: Truth = fine
    now: datetime = field(init=False)
    jobs: dict[str, tuple[str, JobSpec, datetime]] = field(default_factory=dict)
    sent: list[tuple[datetime, str, str]] = field(default_factory=list)  # when, site, template

    async def describe(self) -> EngineInfo:
        return EngineInfo("scripted", "1", NAMES, 1000)

    async def submit(self, batch: Batch) -> Sequence[Handle]:
        for one in batch.jobs:
            self.jobs[one.job] = (batch.queue, one, self.now)
            self.sent.append((self.now, batch.queue, one.argv[0]))
        return [Handle(one.job, f"{batch.tag}:{one.job}") for one in batch.jobs]

    def _code(self, job: str) -> int:
        queue, spec, at = self.jobs[job]
        return self.truth(queue, spec.argv[0], at)

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        return [
            Status(
                one,
                JobState.FAILED if self._code(one.job) else JobState.SUCCESS,
                node=f"wn-{len(one.job) % 7}",
                ended=self.now,
            )
            for one in handles
        ]

    async def fetch(self, handles: Collection[Handle], into: Path) -> Sequence[Fetched]:  # noqa: ARG002 - nothing lands
        return [
            Fetched(one, json.dumps({"exit": code}).encode(), f"ended with {code}", code)
            for one in handles
            for code in [self._code(one.job)]
        ]

    async def cancel(self, handles: Collection[Handle]) -> None:
        """Nothing runs."""

    async def reconcile(self, tags: Collection[str]) -> Sequence[tuple[str, Handle]]:  # noqa: ARG002 - nothing is lost
        return []

    async def forget(self, tags: Collection[str]) -> None:
        """Nothing is kept."""


@dataclass
class Grid:
    """The robots of a board, and the board itself, at one time."""

    folder: Path
    more: str = ""
    engine: Scripted = field(default_factory=Scripted)
    config: str = CONFIG

    def __post_init__(self) -> None:
        server = MemoryServer()
        self.world = World(
            server, lambda: MemoryMailbox(server), self.folder, self.config + SITES + self.more
        )
        self.world.now = self.engine.now = self.world.now - timedelta(days=1)
        self.restart()

    @property
    def blacklist(self) -> Path:
        return self.folder / "blacklist.json"

    def restart(self) -> None:
        """The daemon's robots begin anew: all that they know is in the database."""
        settings = self.world.settings
        recipes = {name: _recipe(name) for name in TEMPLATES}
        robot = Robot(self.world.engine, {"local": self.engine}, recipes, self.folder, most=20)
        plan = manning.plan(settings, manning.downtimes(settings))
        self.service = Service(robot, plan)

    def run(self, hours: float, *, board: bool = True) -> None:
        """Let time go by, five minutes a step; with `board` the board looks twice an hour, and at the end."""
        end = self.world.now + timedelta(hours=hours)
        while self.world.now < end:
            self.world.now += timedelta(minutes=5)
            self.step(board=board and (self.world.now.minute % 30 == 0 or self.world.now >= end))

    def step(self, *, board: bool = True) -> None:
        """One turn of the robots, and one look of the board, at the present time."""
        self.engine.now = self.world.now
        asyncio.run(self.service.step(self.world.now))
        if board:
            self.world.tick()

    def close(self) -> None:
        self.world.close()


def _recipe(name: str) -> Recipe:
    limits = Limits(60, 1, 1)
    return Recipe(
        "atlas",
        "v1",
        "functional",
        lambda job: JobSpec(job, (name,), limits),
        lambda _job: Work(),
        timedelta(hours=1),
    )


def bad(*sites: str, since: datetime, until: datetime | None = None, template: str = "") -> Truth:
    """These sites fail at stage-in from a time on, perhaps in one template only."""

    def truth(site: str, kind: str, at: datetime) -> int:
        now = since <= at and (until is None or at < until)
        return 11 if site in sites and now and template in {"", kind} else 0

    return truth
