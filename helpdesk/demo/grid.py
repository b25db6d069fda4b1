"""Four sites on this machine, as one engine: each has its storage and its nodes, and they can break.

Jobs are real: processes of the engine `local`, each under its runner.  Only where they believe to be is ours: a job of a site
reads the site's own copy of the data, is said to have run on a node of the site, at a time by the demo's clock.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from helpdesk.robots import datasets
from helpdesk.robots.engine import Batch, EngineInfo, Fetched, Handle, JobSpec, Status
from helpdesk.robots.engines.local import LocalEngine

DATA, EVENTS = "zpairs.csv", 1000
NODES, BROKEN = 6, 3  # of a site, and the one that breaks
HUNGRY = 4  # of so many jobs the broken node takes one: it is always free
SLOTS = 2  # jobs at once at a site
GOODBYE = 10.0  # seconds for all jobs to end
ROT = 1.05  # what becomes of a number that is stored badly


@dataclass(frozen=True, slots=True)
class Place:
    """A site as its jobs see it."""

    site: str
    queue: str  # also its folder
    domain: str


PLACES = (
    Place("DESY-HH", "desy", "desy.example"),
    Place("FZK-LCG2", "fzk", "gridka.example"),
    Place("CERN-PROD", "cern", "cern.example"),
    Place("TRIUMF", "triumf", "triumf.example"),
)


@dataclass(frozen=True, slots=True)
class Ran:
    """Where a job ran, and how far the demo's clock is from ours."""

    node: str
    drift: timedelta

    def moved(self, moment: datetime | None) -> datetime | None:
        """By the demo's clock."""
        return None if moment is None else moment + self.drift

    def over(self, ended: datetime | None) -> datetime | None:
        """The end, at the next full minute: which of several jobs ended first must not depend on this machine."""
        moment = self.moved(ended)
        return None if moment is None else moment.replace(second=0, microsecond=0) + timedelta(minutes=1)


class Grid:
    """The engine (`helpdesk.robots.engine.Engine`), and what can be done to the sites."""

    def __init__(self, folder: Path, storage: Path, clock: Callable[[], datetime]) -> None:
        self._sites, self._storage, self._clock = folder / "sites", storage, clock
        self._local = LocalEngine(folder / "jobs", {one.queue: SLOTS for one in PLACES})
        self._places = {one.queue: one for one in PLACES}
        self._queues = {one.site: one.queue for one in PLACES}
        self._ran: dict[str, Ran] = {}  # by job
        self._rotten: set[str] = set()  # sites that give the next job something else
        self._hungry: dict[str, Iterator[int]] = {}  # sites with a broken node: the numbers of the jobs since

    def build(self) -> None:
        """Make the data, and a copy of them for each site."""
        datasets.make("zpairs", EVENTS, self._storage / DATA)
        octets = (self._storage / DATA).read_bytes()
        for place in PLACES:
            disk = self._disk(place.site)
            disk.mkdir(parents=True)
            (disk / DATA).write_bytes(octets)

    # -- what breaks

    def lose_storage(self, site: str) -> None:
        """The disk server of a site is gone, and its data with it."""
        disk = self._disk(site)
        disk.rename(disk.with_name("storage.away"))

    def mend_storage(self, site: str) -> None:
        """It is back."""
        disk = self._disk(site)
        disk.with_name("storage.away").rename(disk)

    def rot(self, site: str) -> None:
        """One reading of the data brings wrong numbers: a bad memory, which nothing but the answer can tell."""
        self._rotten.add(site)

    def break_node(self, site: str) -> None:
        """A node of a site loses its software, and takes jobs all the same: a black hole."""
        self._hungry[site] = count()

    # -- the engine

    async def describe(self) -> EngineInfo:
        """The queues."""
        return await self._local.describe()

    async def submit(self, batch: Batch) -> Sequence[Handle]:
        """Each job with the paths of its site."""
        place, drift = self._places[batch.queue], self._clock() - datetime.now(UTC)
        self._ran |= {one.job: Ran(self._node(place, one.job), drift) for one in batch.jobs}
        return await self._local.submit(replace(batch, jobs=tuple(self._there(place, x) for x in batch.jobs)))

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        """How they are, by the demo's clock."""
        return [self._told(one) for one in await self._local.poll(handles)]

    async def fetch(self, handles: Collection[Handle], into: Path) -> Sequence[Fetched]:
        """What they left, by the demo's clock."""
        return [self._left(one) for one in await self._local.fetch(handles, into)]

    async def cancel(self, handles: Collection[Handle]) -> None:
        """End them."""
        await self._local.cancel(handles)

    async def reconcile(self, tags: Collection[str]) -> Sequence[tuple[str, Handle]]:
        """Which are here."""
        return await self._local.reconcile(tags)

    async def forget(self, tags: Collection[str]) -> None:
        """Remove their folders."""
        await self._local.forget(tags)

    def close(self) -> None:
        """End every job, and wait for it."""
        asyncio.run(self._local.end(GOODBYE))

    # -- where a job believes to be

    def _there(self, place: Place, spec: JobSpec) -> JobSpec:
        """Its data are those of the site; on a node without software even Python is missing."""
        mine = self._disk(place.site) / DATA
        if place.site in self._rotten:
            self._rotten.discard(place.site)
            mine = _rotten(mine)
        words = [str(mine) if word == str(self._storage / DATA) else word for word in spec.argv]
        if place.site in self._hungry and self._ran[spec.job].node.startswith(f"wn{BROKEN}."):
            words[0] = f"/cvmfs/atlas.{place.domain}/bin/python3"
        return replace(spec, argv=tuple(words))

    def _told(self, status: Status) -> Status:
        found = self._ran.get(status.handle.job)
        if found is None:
            return status
        return replace(
            status,
            node=found.node,
            submitted=found.moved(status.submitted),
            started=found.moved(status.started),
            ended=found.over(status.ended),
        )

    def _left(self, fetched: Fetched) -> Fetched:
        found = self._ran.get(fetched.handle.job)
        if found is None or not fetched.result:
            return fetched
        said: dict[str, Any] = json.loads(fetched.result)
        drift = found.drift.total_seconds()
        said["node"] = found.node
        said["t_started"] += drift
        said["phases"] = {name: [one + drift for one in span] for name, span in said["phases"].items()}
        return replace(fetched, result=json.dumps(said).encode())

    def _node(self, place: Place, job: str) -> str:
        """On which node a job runs: the same one each time the story is told."""
        number = hashlib.sha256(job.encode()).digest()[0] % NODES + 1
        if place.site in self._hungry:
            caught = next(self._hungry[place.site]) % HUNGRY == 0
            number = BROKEN if caught else number if number != BROKEN else number + 1
        return f"wn{number}.{place.domain}"

    def _disk(self, site: str) -> Path:
        return self._sites / self._queues[site] / "storage"


def _rotten(path: Path) -> Path:
    """The data as they are read badly: as many lines, other numbers."""
    head, *lines = path.read_text(encoding="ascii").splitlines()
    bad = path.with_name("bad.csv")
    rows = [",".join(f"{ROT * float(one):.3f}" for one in line.split(",")) for line in lines]
    bad.write_text("\n".join([head, *rows, ""]), encoding="ascii")
    return bad
