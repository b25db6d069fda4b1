"""Verdicts alone, on one core: the records of three experiments at 150 sites, through policies that are asked every five minutes.

Beside it HammerCloud's published rule, and a bare loop that looks at each record and keeps its state.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from helpdesk.robots.baselines import HammerCloud
from helpdesk.robots.protocol import Decision, Info, Policy, Record, Wish
from helpdesk.robots.verdict import make_policy
from helpdesk.robots.world import Stream, World, textbook
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.lab import Lab
from tests.benchmarks.series import Series

GOAL: Final = 100_000
RECORDS: Final = 1_000_000
SITES: Final = 150
EXPERIMENTS: Final = 3

Ticks = Sequence[tuple[float, Sequence[Record]]]


class Bare:
    """The least that anybody could do with a record."""

    def __init__(self, _info: Info) -> None:
        self.states: dict[str, str] = {}

    def observe(self, record: Record) -> None:
        """Keep the state of the site's last job."""
        self.states[record["site"]] = record["state"]

    def due_probes(self, now: float) -> Sequence[Wish]:
        """Ask for nothing."""
        del now
        return ()

    def decisions(self, now: float) -> Sequence[Decision]:
        """Decide nothing."""
        del now
        return ()


def measure(lab: Lab) -> Iterator[Figure]:
    """Take turns: ours, HammerCloud's rule and the bare loop over the same records."""
    records = RECORDS if lab.messages >= 100_000 else 10 * lab.messages
    speeds: dict[str, list[float]] = {"ours": [], "HC": [], "bare": []}
    makers: dict[str, Callable[[Info], Policy]] = {"ours": make_policy, "HC": HammerCloud, "bare": Bare}
    days = max(2.0, records / EXPERIMENTS / (SITES * 2 * 140))
    for _ in range(lab.rounds):
        seconds, taken = dict.fromkeys(makers, 0.0), 0
        for experiment in range(
            EXPERIMENTS
        ):  # one after another: their records need not be in memory together
            world = textbook(500 + experiment, days, SITES)
            ticks = _ticks(world, records // EXPERIMENTS)
            taken += sum(len(some) for _, some in ticks)
            for name, make in makers.items():
                seconds[name] += _seconds(make, world, ticks)
        for name, spent in seconds.items():
            speeds[name].append(taken / spent)
    yield Figure(
        f"verdicts over {records:,} records of {SITES} sites in {EXPERIMENTS} experiments: records/s of processor time",
        "probes unanswered",
        f"HammerCloud's rule: {Series(speeds['HC'])}, a bare loop: {Series(speeds['bare'])} records/s",
        Series(speeds["ours"]),
        Goal(GOAL, at_least=True),
    )


def _ticks(world: World, most: int) -> Ticks:
    stream, now, left, found = Stream(world), world.t0, most, []
    while left > 0 and now < world.end:
        now += world.tick_s
        some = [record for _, _, record in stream.until(now)][:left]
        left -= len(some)
        found.append((now, some))
    return found


def _seconds(make: Callable[[Info], Policy], world: World, ticks: Ticks) -> float:
    policy = make(world.info())
    gc.collect()
    gc.freeze()  # the records are not what is measured
    started = time.process_time()
    for now, records in ticks:
        for record in records:
            policy.observe(record)
        policy.decisions(now)
        policy.due_probes(now)
    seconds = time.process_time() - started
    gc.unfreeze()
    return seconds
