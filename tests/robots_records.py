"""Test jobs as records, and a small experiment whose policy is played with them."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from helpdesk.robots.protocol import Decision
from helpdesk.robots.verdict import Verdicts, make_policy

T0, TICK, HOUR, MINUTE = 1_767_225_600.0, 300.0, 3600.0, 60.0
SITES = tuple(f"S{number:02}" for number in range(30))
TEMPLATES = ("read", "analysis", "simulation")

Record = dict[str, Any]
Truth = Callable[[str, str, float], str | None]
"""The error class of a job of a site and a template at a time; None: it succeeds; "vanish": nothing comes."""


def info(per_day: float = 144, **more: Any) -> dict[str, Any]:
    """Thirty sites in five regions; the first three are behind one storage element."""
    details = {
        name: {
            "region": f"R{place % 5}",
            "se": "se-shared" if place in {0, 5, 10} else f"se{place}",
            "tier": 2,
            "expected_jobs_per_day": per_day,
        }
        for place, name in enumerate(SITES)
    }
    known = {"t0": T0, "tick_s": TICK, "sites": list(SITES), "templates": list(TEMPLATES), "site": details}
    return {**known, **more}


def pair(
    site: str, template: str, number: object, at: float, error: str | None, **more: Any
) -> Iterator[Record]:
    """The two records of a job that is submitted at a time and takes ten minutes."""
    begun = {
        "record": "job",
        "engine_job_id": str(number),
        "campaign_id": "routine",
        "site": site,
        "template": template,
        "template_version": "1",
        "attempt": 1,
        "node": None,
        "t_submitted": at,
        "t_final": None,
        "state": "submitted",
        "error_class": None,
        "t_observed": at,
        **more,
    }
    yield begun
    if error != "vanish":
        end = at + 10 * MINUTE
        state = "success" if error is None else "failed"
        yield {
            **begun,
            "state": state,
            "error_class": error,
            "node": f"wn{(len(site) + sum(map(ord, str(number)))) % 50}",
            "t_final": end,
            "t_observed": end,
            **more,
        }


def fine(_site: str, _template: str, _at: float) -> str | None:
    """Nothing ever fails."""
    return None


class Play:
    """A policy that gets the jobs of all sites in time order, answers to its probes included."""

    def __init__(
        self, truth: Truth = fine, policy: Verdicts | None = None, every: float = 10 * MINUTE
    ) -> None:
        self.policy = policy or make_policy(info())
        self.truth, self.every, self.now = truth, every, T0
        self.log: list[tuple[float, Decision]] = []
        self.probes: list[tuple[float, str]] = []
        self._numbers = count()
        self._boxes: list[Mapping[str, Any]] = []
        self._next = {name: T0 + place * 17.0 for place, name in enumerate(SITES)}
        self._turn = count()

    def run(self, hours: float) -> "Play":
        """Let time pass."""
        end = self.now + hours * HOUR
        while self.now < end:
            self.now += TICK
            self._submit()
            self._boxes.sort(key=lambda one: one["t_observed"])
            while self._boxes and self._boxes[0]["t_observed"] <= self.now:
                self.policy.observe(self._boxes.pop(0))
            self.log += [(self.now, one) for one in self.policy.decisions(self.now)]
            for site, template, number in self.policy.due_probes(self.now):
                for _ in range(number):
                    self.probes.append((self.now, site))
                    self._job(site, template, self.now, campaign_id="probe")
        return self

    def tell(self, record: Mapping[str, Any]) -> None:
        """Give the policy one record more."""
        self.policy.observe(record)

    def out(self) -> set[str]:
        """Who is excluded now."""
        found: set[str] = set()
        for _, (site, action, _) in self.log:
            (found.add if action == "exclude" else found.discard)(site)
        return found

    def ever(self) -> set[str]:
        """Who was excluded at some time."""
        return {site for _, (site, action, _) in self.log if action == "exclude"}

    def _submit(self) -> None:
        for site, at in self._next.items():
            while self._next[site] <= self.now:
                self._job(site, TEMPLATES[next(self._turn) % 3], self._next[site])
                self._next[site] = max(at, self._next[site]) + self.every

    def _job(self, site: str, template: str, at: float, **more: Any) -> None:
        error = self.truth(site, template, at + 10 * MINUTE)
        self._boxes += pair(site, template, f"j{next(self._numbers)}", at, error, **more)


def bad_from(start: float, *sites: str, end: float = float("inf"), error: str = "stage-in") -> Truth:
    """These sites fail between two times, in hours from the start."""

    def truth(site: str, _template: str, at: float) -> str | None:
        return error if site in sites and start <= (at - T0) / HOUR < end else None

    return truth
