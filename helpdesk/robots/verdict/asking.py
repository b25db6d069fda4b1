"""Who is asked, and in which order: what matters most spends first."""

from collections.abc import Sequence

from helpdesk.robots.verdict.back import prove
from helpdesk.robots.verdict.intake import Intake
from helpdesk.robots.verdict.probing import SECOND, Ask, Budget, doubt, grant, heartbeat, hush, mate, way_back
from helpdesk.robots.verdict.silence import Watch
from helpdesk.robots.verdict.tuning import DAY, HOUR, Tuning
from helpdesk.robots.verdict.values import Site

Given = tuple[Site, int, int]
"""A site, a template, and how many probes."""


def worst_first(site: Site) -> tuple[float, int]:
    """The order of sites in doubt."""
    return -site.score.level, site.number


class Asking:
    """The budgets of one policy, and who may spend them."""

    def __init__(self, intake: Intake, watch: Watch, tuning: Tuning, t0: float) -> None:
        self._intake, self._watch, self._tuning = intake, watch, tuning
        self._sites = list(intake.sites.values())
        self._seldom = [one for one in self._sites if one.seldom]
        most = max(12.0, tuning.budget * sum(one.expected or 24.0 for one in self._sites) / 2)
        self._budget, self._beats = Budget(most, most / 2), Budget(most, most / 4)
        self._quarter = t0  # when everybody was last looked at
        self.units: set[str] = set()  # storage elements of which a site went just now

    def earn(self, routine: int, passed: float) -> None:
        """Routine jobs and time bring probes."""
        some = 0.25 * len(self._sites) * passed / DAY
        self._budget.earn(self._tuning.budget * routine + some)
        self._beats.earn(self._tuning.beats * routine + some)

    def wishes(self, gone: Sequence[Site], now: float) -> list[Given]:
        """Spend on sites that are out, in serious doubt, mates of those, silent, in doubt, seldom tested."""
        out = [one for one in gone if one.out != "pin"]
        return [
            *grant(out, lambda x: self._back(x, now), self._budget, 0.0, now),
            *grant(self._doubtful(serious=True), lambda x: doubt(x, now), self._budget, 0.0, now),
            *grant(self._mates(), lambda x: mate(x, now), self._budget, 0.0, now),
            *grant(self._quiet(now), lambda x: hush(x, now, self._tuning), self._budget, 0.1, now),
            *grant(self._doubtful(serious=False), lambda x: doubt(x, now), self._budget, 0.4, now),
            *grant(self._rare(), lambda x: heartbeat(x, now, self._tuning), self._beats, 0.0, now),
        ]

    def _back(self, site: Site, now: float) -> list[Ask]:
        return way_back(site, prove(site, now, self._intake.usual, self._tuning), now)

    def _doubtful(self, *, serious: bool) -> list[Site]:
        """Sites in doubt, the worst first; a site that is seldom tested is always a serious case."""
        chosen = [
            one
            for one in self._intake.hot.values()
            if one.score.level > 0 and not one.out and serious == (one.seldom or one.score.level >= SECOND)
        ]
        return sorted(chosen, key=worst_first)

    def _mates(self) -> list[Site]:
        """Sites behind the storage element of one that went just now."""
        units, self.units = self.units, set()
        return [one for one in self._sites if not one.out and one.unit in units] if units else []

    def _quiet(self, now: float) -> list[Site]:
        """Who may have fallen silent: all, every quarter of an hour."""
        if now - self._quarter < HOUR / 4 or not self._watch.hearing:
            return []
        self._quarter = now
        return [one for one in self._sites if not one.out]

    def _rare(self) -> list[Site]:
        return [one for one in self._seldom if not one.out]
