"""HammerCloud's automatic exclusion, after its source of 2012."""

from helpdesk.robots.baselines.newest import HOUR, Published
from helpdesk.robots.protocol import Action, Info


class HammerCloud(Published):
    """A window of four hours, looked at every quarter of an hour.

    Out: the newest job failed in every template; or the newest three of one; or the newest two in two templates; or the
    newest two of one and the newest of another.  Not again within six hours.  In: none of these, and the newest two of
    every template succeeded.  A site without results stays as it is.
    """

    window_s = 4 * HOUR
    every_s = HOUR / 4

    def __init__(self, info: Info) -> None:
        super().__init__(info)
        self._last: dict[str, float] = {}

    def verdict(self, site: str, now: float) -> tuple[Action | None, str]:
        """Apply the rule."""
        runs = {name: self._failures(site, name) for name in self.templates}
        why = _reason(list(runs.values()))
        if why and site not in self.out:
            if now - self._last.get(site, float("-inf")) < 6 * HOUR:
                return None, ""
            self._last[site] = now
            return "exclude", why
        if not why and all(self.newest(site, name, 2) == [True, True] for name in self.templates):
            return "include", "the newest two of every template succeeded"
        return None, ""

    def _failures(self, site: str, template: str) -> int:
        """How many of the newest failed in a row, up to three."""
        run = 0
        for good in reversed(self.newest(site, template, 3)):
            if good:
                break
            run += 1
        return run


def _reason(runs: list[int]) -> str:
    if all(runs):
        return "the newest job failed in every template"
    if max(runs) >= 3:
        return "the newest three of a template failed"
    twice = sum(run >= 2 for run in runs)
    if twice >= 2:
        return "the newest two failed in two templates"
    if twice == 1 and sum(run >= 1 for run in runs) >= 2:
        return "the newest two failed in one template, the newest in another"
    return ""
