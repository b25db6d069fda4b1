"""What the policy keeps of a site, and what it says."""

import math
from bisect import insort
from collections import Counter, deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from math import exp, log
from typing import NamedTuple

from helpdesk.robots.protocol import Action
from helpdesk.robots.verdict.tuning import HOUR, MINUTE

Key = Hashable
Cell = tuple[str, Hashable]
"""What failures may have in common: ("all", ""), ("template", 2), ("class", auth), ("version", (2, 7)), ("region", DE)."""
NO_RESULT = "no result"
LEAST_S, MOST_S = 20 * MINUTE, 10 * HOUR
"""Bounds of the patience with a job."""


@dataclass(slots=True)
class Result:
    """The end of one attempt, or that none came; `weight` is how much its failure counts."""

    at: float
    template: int
    failed: bool
    weight: float
    cause: str
    node: str | None
    version: str | None
    probe: bool
    job: str = ""
    spoiled: bool = False  # it says nothing about a usual day
    cells: tuple[Cell, ...] = ()


def end_of(one: Result) -> float:
    """When it ended."""
    return one.at


class Waiting(NamedTuple):
    """A job that was submitted and has not ended."""

    submitted: float
    template: int
    version: str | None
    probe: bool


@dataclass(frozen=True, slots=True)
class Score:
    """What the evidence says about a site: nats over the threshold, and what they are made of since the onset."""

    level: float = 0.0  # 1 puts a site out
    nats: float = 0.0
    scope: int | None = None  # a template; None: all of them
    onset: float = 0.0
    results: int = 0
    failed: tuple[Result, ...] = ()

    @property
    def failures(self) -> int:
        """How many failed, those without a result included."""
        return len(self.failed)

    @property
    def silent(self) -> int:
        """Of the failures, those that are the lack of a result."""
        return sum(one.cause == NO_RESULT for one in self.failed)

    @property
    def last(self) -> float:
        """When the last failure was."""
        return self.failed[-1].at

    @property
    def share(self) -> float:
        """Of the results since the onset, how many failed."""
        return (len(self.failed) + 0.5) / (self.results + 1)

    @property
    def causes(self) -> Mapping[str, int]:
        """The failures by error class."""
        return Counter(one.cause for one in self.failed)

    @property
    def nodes(self) -> Mapping[str, int]:
        """The failures by node, where it is known."""
        return Counter(one.node for one in self.failed if one.node is not None)

    @property
    def templates(self) -> Mapping[int, int]:
        """The failures by template."""
        return Counter(one.template for one in self.failed)

    @property
    def example(self) -> str:
        """The latest job that failed."""
        return next((one.job for one in reversed(self.failed) if one.cause != NO_RESULT), "")


NOTHING = Score()


@dataclass(frozen=True, slots=True)
class Told:
    """One decision, with all that led to it."""

    at: float
    site: str
    action: Action
    cause: str  # evidence, downtime, pin, proof, explained
    reason: str
    score: Score
    version: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A declared downtime."""

    start: float
    end: float
    announced: float


@dataclass(slots=True)
class Turnaround:
    """How long jobs take, in logarithms of seconds: what 97 % do not exceed, by small steps, and the last few."""

    most: float = 8.6  # an hour and a half
    lately: float = 8.6
    seen: int = 0
    patience: float = 1.5 * HOUR  # seconds after which a job is overdue

    def saw(self, seconds: float) -> None:
        """Count one more."""
        took = log(seconds) if seconds > 1 else 0.0
        self.seen += 1
        self.lately += (took - self.lately) * (0.2 if self.seen > 5 else 1 / self.seen)
        step = 0.01 if self.seen > 27 else 0.3 / (self.seen + 3)
        self.most += min(32 * step, 0.5) if took > self.most else -step
        if self.seen & 3 == 0:  # it changes but slowly
            lately = max(3.5 * exp(self.lately), 2 * LEAST_S)
            self.patience = min(max(min(1.25 * exp(self.most), lately), LEAST_S), MOST_S)


@dataclass(slots=True)
class Site:
    """Everything that is kept of one site: bounded, whatever comes."""

    name: str
    number: int
    region: str | None
    unit: str  # the storage element, or the site itself
    expected: float | None
    seldom: bool  # jobs alone would tell too little
    slow: bool  # the next job will be long in coming
    results: list[Result]  # by their ends, the newest of them
    jobs: dict[Key, Waiting | None]  # None: ended
    tries: list[float]  # decayed counts by template
    fails: list[float]
    odds: tuple[list[float], list[float]] | None = None  # what failures and successes weigh
    learned: int = 0
    overdue: dict[Key, Result] = field(default_factory=dict)
    routine: Turnaround = field(default_factory=Turnaround)
    probing: Turnaround = field(default_factory=Turnaround)
    watched: int = 0  # entries of the overdue watch
    sampled: float = 0.0  # when a job was last submitted there
    heard: float = 0.0  # when a result last came from there
    score: Score = NOTHING
    stale: bool = False  # the score is older than the evidence
    since: float = float("-inf")  # evidence before that is spent
    begin: float = float("-inf")  # before that no sum began that still goes on
    out: str = ""  # why it is out: evidence, downtime, pin
    out_at: float = 0.0
    spent: float = float("-inf")  # `since` as it was when the site was put out
    blamed: Score = NOTHING
    penalty: float = 0.0
    penalty_at: float = 0.0
    asked_at: float = float("-inf")
    asked: int = 0  # failures that had been seen when probes were asked for
    failures: int = 0  # seen in all, silence included
    trace: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=200))
    downtimes: list[Planned] = field(default_factory=list)
    over: Planned | None = None  # a downtime that ended early
    pinned: tuple[Action, str] | None = None
    why: Told | None = None

    def keep(self, one: Result, most: int) -> Result | None:
        """Keep a result in the order of the ends; the oldest goes, and is returned."""
        if one.failed and one.at <= self.begin:
            self.begin = float("-inf")  # a late failure may begin a sum
        results = self.results
        if not results or one.at >= results[-1].at:
            results.append(one)
        else:
            insort(results, one, key=end_of)
        return results.pop(0) if len(results) > most else None

    def forget(self, job: str) -> None:
        """A job that was called lost was not."""
        self.results = [one for one in self.results if not one.failed or one.job != job]
        self.stale = True

    def damping(self, now: float) -> float:
        """How much more proof a site that was often out has to give: 1 and up, half of the excess gone in a day."""
        return 1.0 + 0.5 * min(4.0, max(0.0, self._left(now) - 1.0))

    def punish(self, now: float) -> None:
        """It was put out once more."""
        self.penalty, self.penalty_at = self._left(now) + 1.0, now

    def _left(self, now: float) -> float:
        return self.penalty * math.pow(0.5, max(0.0, now - self.penalty_at) / (24 * HOUR))
