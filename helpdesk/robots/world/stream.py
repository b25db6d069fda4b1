"""The records of a world in the order of delivery: routine jobs once for all, probes for whoever asks."""

import heapq
from collections.abc import Iterator
from itertools import count
from random import Random

from helpdesk.robots.protocol import Record
from helpdesk.robots.world.jobs import Fate, Nature, fate
from helpdesk.robots.world.parts import DAY, HOUR, MINUTE, Place, Template, World

Delivery = tuple[float, int, Record]


class Stream:
    """The routine jobs of a world, whatever the policies do: all of them see the same."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.nature = Nature(world)
        self._rng = Random(f"{world.name} {world.seed} routine")
        self._numbers = count()
        self._due: list[tuple[float, int, Place, Template]] = []
        self._boxes: list[Delivery] = []
        self.jobs = 0
        share = len(world.templates)
        for place in world.places:
            for template in world.templates:
                first = world.t0 + self._rng.random() * share * DAY / place.jobs_per_day
                self._due.append((first, next(self._numbers), place, template))
        heapq.heapify(self._due)
        for one in world.downtimes:
            told: Record = {
                "record": "downtime",
                "site": one.site,
                "t_announced": one.announced,
                "t_start": one.start,
                "t_end": one.end,
                "severity": one.severity,
            }
            heapq.heappush(self._boxes, (one.announced, next(self._numbers), told))

    def until(self, now: float) -> list[Delivery]:
        """All that is delivered up to a time, in that order."""
        while self._due and self._due[0][0] <= now:
            at, _, place, template = heapq.heappop(self._due)
            self.jobs += 1
            self._put(place, template, at, f"j{self.jobs}", 1)
            mean = len(self.world.templates) * DAY / place.jobs_per_day
            later = at + mean * self._rng.uniform(0.7, 1.3)
            heapq.heappush(self._due, (later, next(self._numbers), place, template))
        return delivered(self._boxes, now)

    def _put(self, place: Place, template: Template, at: float, name: str, attempt: int) -> None:
        happened = fate(self.nature, place, template, at, self._rng, probe=False)
        job = _Job(self, place, template, at, happened, f"{name}.{attempt}", attempt)
        for when, record in job.records(self._rng, "routine"):
            heapq.heappush(self._boxes, (when, next(self._numbers), record))
        failed = happened.ended is not None and happened.state != "success"
        if failed and attempt < 3 and self._rng.random() < self.world.post.retry:
            again = (happened.ended or at) + self._rng.uniform(1, 5) * MINUTE
            self._put(place, template, again, name, attempt + 1)
            self.jobs += 1


class Probes:
    """The probes of one policy."""

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream = stream
        self._rng = Random(f"{stream.world.name} {stream.world.seed} probes")
        self._numbers = count()
        self._boxes: list[Delivery] = []
        self._name = name
        self._places = {one.name: one for one in stream.world.places}
        self._templates = {one.name: one for one in stream.world.templates}
        self.jobs = 0

    def ask(self, site: str, template: str, number: int, now: float) -> None:
        """Submit probes now."""
        place, kind = self._places[site], self._templates[template]
        for _ in range(number):
            self.jobs += 1
            happened = fate(self._stream.nature, place, kind, now, self._rng, probe=True)
            job = _Job(self._stream, place, kind, now, happened, f"{self._name}-p{self.jobs}", 1)
            for when, record in job.records(self._rng, "probe"):
                heapq.heappush(self._boxes, (when, next(self._numbers), record))

    def until(self, now: float) -> list[Delivery]:
        """What they brought up to a time."""
        return delivered(self._boxes, now)


def delivered(boxes: list[Delivery], now: float) -> list[Delivery]:
    """Take what is due from a heap."""
    found = []
    while boxes and boxes[0][0] <= now:
        found.append(heapq.heappop(boxes))
    return found


class _Job:
    """One attempt, and the records that tell of it."""

    def __init__(  # noqa: PLR0913, PLR0917  # a job is just what it is made of
        self,
        stream: Stream,
        place: Place,
        template: Template,
        at: float,
        happened: Fate,
        name: str,
        attempt: int,
    ) -> None:
        self._stream, self._place, self._template = stream, place, template
        self._at, self._happened, self._name, self._attempt = at, happened, name, attempt

    def records(self, rng: Random, campaign: str) -> Iterator[tuple[float, Record]]:
        """Every delivery of every record, with its time."""
        post = self._stream.world.post
        told = self._begun(campaign)
        yield from self._delivered(self._at, told, rng)
        happened = self._happened
        if happened.ended is None:
            if rng.random() < post.lost_told:
                end = happened.started + post.lost_after_s * rng.uniform(0.8, 1.5)
                final = {**told, "state": "lost", "t_final": end, "phase": "report", "error_class": "lost"}
                yield from self._delivered(end, final, rng)
            return
        if rng.random() >= post.never:
            yield from self._delivered(happened.ended, self._ended(told, happened, happened.ended), rng)

    def _begun(self, campaign: str) -> dict[str, object]:
        place, template = self._place, self._template
        return {
            "record": "job",
            "engine_job_id": self._name,
            "campaign_id": campaign,
            "site": place.name,
            "region": place.region,
            "se": place.se,
            "node": None,
            "template": template.name,
            "template_version": self._stream.nature.version(place.name, template.name, self._at),
            "attempt": self._attempt,
            "t_submitted": self._at,
            "t_started": None,
            "t_final": None,
            "wall_s": None,
            "state": "submitted",
            "phase": "submit",
            "error_class": None,
            "native_code": None,
        }

    @staticmethod
    def _ended(told: dict[str, object], happened: Fate, ended: float) -> dict[str, object]:
        phase, error, code = happened.error or (None, None, None)
        return {
            **told,
            "node": happened.node,
            "t_started": happened.started,
            "t_final": ended,
            "wall_s": ended - happened.started,
            "state": happened.state,
            "phase": phase,
            "error_class": error,
            "native_code": code,
        }

    def _delivered(self, at: float, record: dict[str, object], rng: Random) -> Iterator[tuple[float, Record]]:
        post = self._stream.world.post
        for _ in range(1 + (post.twice > 0 and rng.random() < post.twice)):
            delay = rng.expovariate(1 / post.delay_s)
            if post.tail and rng.random() < post.tail:
                delay += rng.uniform(0.5, 5) * HOUR
            when = self._held(at + delay, rng)
            if when is not None:
                yield when, {**record, "t_observed": when}

    def _held(self, when: float, rng: Random) -> float | None:
        """A gap keeps records until it ends, or swallows them."""
        for one in self._stream.nature.troubles(self._place.name, when, when + 1):
            if one.kind == "gap":
                return None if rng.random() < one.share else one.end + rng.uniform(0, 10) * MINUTE
        return when
