"""Jobs of which nothing comes: weak evidence against a site, withdrawn when the result turns up.

A job is overdue when it is out for longer than 97 % of the site's jobs need, and a quarter more, or for three times and a
half as long as its latest jobs needed.  The watch has a clock of
its own: it stands still while nothing arrives from anybody (we are blind, no site is at fault), and a while after.
"""

from collections import defaultdict

from helpdesk.robots.verdict.tuning import HOUR, MINUTE
from helpdesk.robots.verdict.values import Key, Site

WATCHED = 512  # jobs of a site that are watched at a time
SURE = 8.0  # so many results should have come, and none did


class Watch:
    """Who is overdue when, and whether anything arrives at all."""

    def __init__(self, t0: float, tick_s: float) -> None:
        self._tick, self._now = tick_s, t0
        self._lag = 0.0  # how long the watch has stood still
        self._slots: defaultdict[int, list[tuple[Site, Key]]] = defaultdict(list)
        self._next = int(t0 // tick_s)
        self.came, self._rate = 0, 0.0  # results since the last tick, from anybody, and usually in one
        self._silent = 0.0
        self._grace = 0.0
        self.blind = False

    @property
    def hearing(self) -> bool:
        """Whether anything came since the last tick but one."""
        return self._silent < 2 * self._tick

    def wait(self, site: Site, key: Key, since: float, seconds: float) -> None:
        """Look at a job again when it should have ended."""
        if site.watched < WATCHED:
            site.watched += 1
            slot = int((since + seconds - self._lag) // self._tick) + 1
            self._slots[max(slot, self._next)].append((site, key))

    def tick(self, now: float) -> list[tuple[Site, Key]]:
        """Go on to `now`: the jobs that have become overdue, unless they ended."""
        passed = max(0.0, now - self._now)
        self._now = max(now, self._now)
        self._look(passed)
        if self.blind or self._grace > 0:
            self._grace = max(0.0, self._grace - (0.0 if self.blind else passed))
            self._lag += passed
            return []
        due = []
        last = int((self._now - self._lag) // self._tick)
        if last - self._next > len(self._slots):  # a long way, and little on it
            for slot in sorted(one for one in self._slots if one <= last):
                due += self._slots.pop(slot)
        else:
            for slot in range(self._next, last + 1):
                due += self._slots.pop(slot, ())
        self._next = max(self._next, last + 1)
        for site, _ in due:
            site.watched -= 1
        return due

    def _look(self, passed: float) -> None:
        ticks = passed / self._tick
        if self.came:
            if self.blind:
                self._grace = min(HOUR, 15 * MINUTE + 0.5 * self._silent)
            self._silent, self.blind = 0.0, False
            per_tick = self.came / max(ticks, 1.0)
            self._rate += 0.01 * (min(per_tick, 4 * self._rate + 1) - self._rate)
        else:
            self._silent += passed
            self.blind = self._silent / self._tick * self._rate > SURE
        self.came = 0
