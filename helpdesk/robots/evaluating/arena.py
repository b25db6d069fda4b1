"""One world, several policies: each sees the same routine jobs, sends its own probes, and decides for itself."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from helpdesk.robots.protocol import Decision, Info, Policy, Record, Wish
from helpdesk.robots.world import Stream, World
from helpdesk.robots.world.parts import HOUR
from helpdesk.robots.world.stream import Probes

Makers = Mapping[str, Callable[[Info], Policy]]


@dataclass(slots=True)
class Played:
    """What a policy did: probes, and every change with its time."""

    probes: int = 0
    log: list[tuple[float, str, str, str]] = field(default_factory=list)  # when, site, action, reason


class Oracle:
    """Knows the truth, and is one tick late: what nobody can do better."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._out: set[str] = set()

    def observe(self, record: Record) -> None:
        """Ask no record."""

    def due_probes(self, now: float) -> list[Wish]:
        """Ask for nothing."""
        del now
        return []

    def decisions(self, now: float) -> list[Decision]:
        """Exclude who is bad by his own fault."""
        bad = {
            site
            for one in self._world.troubles
            if one.own and one.start <= now < one.end
            for site in one.sites
        }
        found: list[Decision] = [(site, "exclude", "true") for site in sorted(bad - self._out)]
        found += [(site, "include", "true") for site in sorted(self._out - bad)]
        self._out = bad
        return found


def play(world: World, makers: Makers) -> Iterator[float | tuple[Mapping[str, Played], int]]:
    """Play a world: the share that is done, now and then, and at the end all that was done and the routine jobs."""
    stream = Stream(world)
    policies: dict[str, Policy] = {name: make(world.info()) for name, make in makers.items()}
    policies["oracle"] = Oracle(world)
    probes = {name: Probes(stream, name) for name in policies}
    played = {name: Played() for name in policies}
    now, told = world.t0, world.t0
    while now < world.end:
        now += world.tick_s
        routine = stream.until(now)
        for name, policy in policies.items():
            mine = probes[name].until(now)
            for _, _, record in sorted([*routine, *mine]) if mine else routine:
                policy.observe(record)
            for site, action, reason in policy.decisions(now):
                played[name].log.append((now, site, action, reason))
            for site, template, number in policy.due_probes(now):
                probes[name].ask(site, template, number, now)
        if now - told >= 6 * HOUR:
            told = now
            yield (now - world.t0) / (world.end - world.t0)
    for name, one in played.items():
        one.probes = probes[name].jobs
    yield played, stream.jobs
