"""A site that serves jobs in simulated time: slots, a speed that depends on how many run, chance and failures.

Between two events all that run go equally fast (`speed(n)`, 1: as fast as alone), so throughput, waiting and knee follow from physics, not from
the curves that are fitted to them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from helpdesk.robots.load.control import Rules, Seen, control, name
from helpdesk.robots.load.values import Course, LoadTest, State, Step
from helpdesk.robots.record import JobState, Phase, Record, TestKind

T0 = datetime(2026, 6, 8, 12, 0, tzinfo=UTC)
EVENTS = 10_000
RULES = Rules()


@dataclass
class _Job:
    name: str
    sent: float
    left: float  # seconds of work, alone
    bad: bool
    began: float | None = None
    due: datetime | None = None


@dataclass
class LoadSite:
    slots: int = 1000
    speed: Callable[[int], float] = lambda _n: 1.0
    work: float = 300.0
    spread: float = 0.2  # of a job's work, standard deviation of its logarithm
    drift: float = 0.0  # of the whole site, from hour to hour
    fails: float = 0.0
    seed: int = 1
    name: str = "DESY-HH"
    now: float = 0.0
    jobs: list[_Job] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)  # noqa: S311 - a world from a seed
        self.weather: dict[int, float] = {}

    def send(self, name: str, due: datetime | None = None) -> None:
        size = self.work * math.exp(self.rng.gauss(0, self.spread) - self.spread**2 / 2)
        bad = self.rng.random() < self.fails
        self.jobs.append(_Job(name, self.now, size * (self.rng.random() if bad else 1), bad, due=due))

    def ended(self, until: float) -> list[Record]:
        """Go on to a moment; what ended by then."""
        found: list[Record] = []
        while self.now < until:
            running = self.jobs[: self.slots]
            for one in running:
                one.began = self.now if one.began is None else one.began
            pace = self.speed(len(running)) * self._weather() if running else 1.0
            next_end = min((one.left / pace for one in running), default=math.inf)
            step = min(next_end, until - self.now, 600 - self.now % 600)
            self.now += step
            for one in running:
                one.left -= step * pace
            for one in [one for one in running if one.left <= 1e-9]:
                self.jobs.remove(one)
                found.append(self.record(one))
        return found

    def first(self) -> list[Record]:
        """Go on until something ends."""
        while not (found := self.ended(self.now + 1.0)):
            pass
        return found

    def record(self, one: _Job, state: JobState | None = None) -> Record:
        state = state or (JobState.FAILED if one.bad else JobState.SUCCESS)
        good = state is JobState.SUCCESS
        return Record(
            job=one.name, experiment="atlas", site=self.name, template="dimuon", template_version="v1",
            test_kind=TestKind.STRESS, campaign_id="lt1", attempt=1, engine="local", queue="desy",
            node=f"wn-{self.rng.randrange(5)}", t_scheduled=one.due or at(one.sent), t_submitted=at(one.sent),
            t_started=None if one.began is None else at(one.began), t_final=at(self.now), t_observed=at(self.now),
            events_processed=EVENTS if good else None, state=state, phase=None if good else Phase.STAGE_IN,
            error_class="" if good else "stage-in", native_code="" if good else "payload:14",
        )  # fmt: skip

    def cancel(self) -> list[Record]:
        """Everything that is there is cancelled."""
        gone, self.jobs = self.jobs, []
        return [self.record(one, JobState.CANCELLED) for one in gone]

    def _weather(self) -> float:
        return self.weather.setdefault(int(self.now // 600), math.exp(self.rng.gauss(0, self.drift)))


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def ramp(site: LoadSite, steps: Sequence[int], each: int = 30) -> tuple[list[Record], Course]:
    """Keep N jobs there, until `each` of a step have ended (at least three times N)."""
    records: list[Record] = []
    marks: list[Step] = []
    number = 0
    for concurrency in steps:
        marks.append(Step(concurrency, at(site.now)))
        before = len(records)
        while len(records) - before < max(each, 3 * concurrency):
            while len(site.jobs) < concurrency:
                number += 1
                site.send(f"j{number}")
            records += site.first()
    filled = at(site.now)
    while site.jobs:
        records += site.first()
    return records, Course(T0, tuple(marks), filled)


def play(
    test: LoadTest,
    site: LoadSite,
    rules: Rules = RULES,
    *,
    look: float = 5.0,
    blind: tuple[float, float] = (0, 0),
) -> tuple[LoadTest, list[Record]]:
    """The controller at a site, until the test has ended; `blind`: seconds in which nobody looks."""
    records: list[Record] = []
    sent = 0
    while test.state is not State.ENDED and site.now < 200_000:
        if not blind[0] < site.now < blind[1]:
            running = sum(one.began is not None for one in site.jobs)
            seen = Seen(sent, len(site.jobs), len(site.jobs) - running, records)
            move = control(test, seen, rules, at(site.now))
            test = move.test
            for number, due in move.send:
                assert number == sent
                sent += 1
                site.send(name(test.id, number), due)
            if test.state is State.STOPPING:
                records += site.cancel()
        records += site.ended(site.now + look)
    return test, records


def storage(jobs: float) -> Callable[[int], float]:
    """A shared bottleneck: up to so many jobs go at full speed, then they share it."""
    return lambda n: min(1.0, jobs / max(1, n))


def thrashing(jobs: float, fall: float) -> Callable[[int], float]:
    """Behind the knee the site as a whole gets slower."""
    return lambda n: 1.0 if n <= jobs else (jobs / n) ** (1 + fall)


def law(s: float, k: float) -> Callable[[int], float]:
    """Gunther's law."""
    return lambda n: 1 / (1 + s * (n - 1) + k * n * (n - 1))


@dataclass(frozen=True)
class World:
    """Simulated sites of one kind, with the knee that they have (None: none up to 64)."""

    name: str
    knee: float | None
    make: Callable[[int], LoadSite]


WORLDS = (
    World("slots", 12, lambda seed: LoadSite(slots=12, seed=seed)),
    World("storage", 10, lambda seed: LoadSite(speed=storage(10), seed=seed)),
    World("thrashing", 10, lambda seed: LoadSite(speed=thrashing(10, 0.5), seed=seed)),
    World("linear", None, lambda seed: LoadSite(seed=seed)),
    World("gradual", 1 / 0.08, lambda seed: LoadSite(speed=law(0.08, 0), seed=seed)),
    World("retrograde", 7.4, lambda seed: LoadSite(speed=law(0.05, 0.002), seed=seed)),
    World("noisy", 12, lambda seed: LoadSite(slots=12, seed=seed, spread=0.6, drift=0.1, fails=0.15)),
    World("noisy linear", None, lambda seed: LoadSite(seed=seed, spread=0.6, drift=0.1, fails=0.15)),
)
RAMP = (1, 2, 4, 8, 16, 32)
