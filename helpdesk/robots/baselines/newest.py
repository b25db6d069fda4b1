"""What every published rule needs: final results by site and template, each once, in the order of their ends."""

from abc import ABC, abstractmethod
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from helpdesk.robots.protocol import Action, Decision, Info, Record, Wish

HOUR, DAY = 3_600.0, 86_400.0
Result = tuple[float, bool]
"""The end of a job, and whether it succeeded."""


class Published(ABC):
    """A policy that looks at the results of a window, now and then; no probes."""

    window_s: float
    every_s: float

    def __init__(self, info: Info) -> None:
        self.sites: Sequence[str] = tuple(info["sites"])
        self.templates: Sequence[str] = tuple(info["templates"])
        self.out: set[str] = set()
        self.tiers: dict[str, object] = {name: info["site"][name].get("tier") for name in self.sites}
        self._results: dict[str, dict[str, list[Result]]] = {
            name: {template: [] for template in self.templates} for name in self.sites
        }
        self._seen: defaultdict[str, dict[object, None]] = defaultdict(dict)
        self._next = float(info["t0"])

    def observe(self, record: Record) -> None:
        """Keep a final result."""
        if record["record"] != "job" or record["state"] in {"submitted", "cancelled"}:
            return
        seen, key = self._seen[record["site"]], (record["engine_job_id"], record["attempt"])
        if key in seen:
            return
        seen[key] = None
        if len(seen) > 5_000:
            del seen[next(iter(seen))]
        insort(
            self._results[record["site"]][record["template"]],
            (record["t_final"], record["state"] == "success"),
        )

    def due_probes(self, now: float) -> Sequence[Wish]:
        """None: what the rules cost is what is sent anyway."""
        del now
        return ()

    def decisions(self, now: float) -> Sequence[Decision]:
        """Look at each site, if it is time to."""
        if now < self._next:
            return ()
        self._next += self.every_s * max(1, -(-(now - self._next) // self.every_s))
        for results in self._results.values():
            for found in results.values():
                while found and found[0][0] < now - self.window_s:
                    del found[0]
        return list(self._changes(now))

    @abstractmethod
    def verdict(self, site: str, now: float) -> tuple[Action | None, str]:
        """What the rule says about a site; None: as before."""

    def newest(self, site: str, template: str, number: int) -> Sequence[bool]:
        """The newest results of a template, oldest first."""
        return [good for _, good in self._results[site][template][-number:]]

    def counts(self, site: str) -> tuple[int, int]:
        """Successes, and all results, in the window."""
        found = [good for results in self._results[site].values() for _, good in results]
        return sum(found), len(found)

    def _changes(self, now: float) -> Iterator[Decision]:
        for site in self.sites:
            action, why = self.verdict(site, now)
            if action == "exclude" and site not in self.out:
                self.out.add(site)
                yield site, "exclude", why
            elif action == "include" and site in self.out:
                self.out.discard(site)
                yield site, "include", why


Make = Callable[[Info], Published]
