"""DIRAC's Resource Status System, its policy on the efficiency of jobs."""

from helpdesk.robots.baselines.newest import HOUR, Published
from helpdesk.robots.protocol import Action, Info


class ResourceStatus(Published):
    """Efficiency below 0.5 is Banned, below 0.9 Degraded, from ten jobs on; looked at every five minutes.

    The window is assumed to be twelve hours.  Banned sites pass through Probing: the policy must be content twice, half
    an hour apart.
    """

    window_s = 12 * HOUR
    every_s = HOUR / 12

    def __init__(self, info: Info) -> None:
        super().__init__(info)
        self._probing: dict[str, float] = {}

    def verdict(self, site: str, now: float) -> tuple[Action | None, str]:
        """Apply the rule."""
        good, every = self.counts(site)
        if every < 10:
            return None, ""
        if good / every < 0.5:
            self._probing.pop(site, None)
            return "exclude", f"efficiency {good / every:.2f} of {every} jobs"
        if site in self.out and now - self._probing.setdefault(site, now) >= HOUR / 2:
            del self._probing[site]
            return "include", f"efficiency {good / every:.2f} of {every} jobs, twice"
        return None, ""
