"""CMS Site Readiness, on the results of test jobs alone."""

from collections import deque

from helpdesk.robots.baselines.newest import DAY, HOUR, Published
from helpdesk.robots.protocol import Action, Info


class SiteReadiness(Published):
    """A day is bad when less than 80 % of its jobs succeed, good from 90 % on.

    Out (waiting room): five bad days in two weeks.  In: three good days in a row.  A day without jobs is no day, as the
    published rule drops bins in which everything is unknown.  After 45 days in the waiting room: the morgue, which only
    people end; not played here.
    """

    window_s = DAY
    every_s = DAY

    def __init__(self, info: Info) -> None:
        super().__init__(info)
        self._days: dict[str, deque[float]] = {name: deque(maxlen=14) for name in self.sites}
        self._next += DAY + HOUR

    def verdict(self, site: str, now: float) -> tuple[Action | None, str]:
        """Apply the rule."""
        del now
        good, every = self.counts(site)
        days = self._days[site]
        if every:
            days.append(good / every)
        if sum(day < 0.8 for day in days) >= 5:
            if site not in self.out:
                return "exclude", "five bad days in two weeks"
            if not _recovered(days):
                return None, ""
        if len(days) >= 3 and _recovered(days):
            days.clear()
            return "include", "three good days in a row"
        return None, ""


def _recovered(days: deque[float]) -> bool:
    return all(day >= 0.9 for day in list(days)[-3:])
