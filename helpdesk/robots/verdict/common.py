"""Failures that many sites have in common are nobody's own: incidents, found before a site is put out.

A cell is what failures may have in common: everything, a template, an error class, a version of a template, a region.  In each
cell every storage element has one voice, the log-likelihood ratio of its latest results between "fails" and "as usual", bounded.
A common cause that reaches a part of them is weighed against none.  The loudest voice is not heard (leave one out), so that
one bad site, or one bad storage element, is no incident.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log

from helpdesk.robots.verdict.evidence import since
from helpdesk.robots.verdict.tuning import HOUR, MINUTE
from helpdesk.robots.verdict.values import Cell, Result, Site

WINDOWS_S = (20 * MINUTE, 45 * MINUTE, 90 * MINUTE)
REACH = (0.25, 0.9)
"""Which share of the sites a failure may reach."""
NEED = {"all": 8.0, "template": 8.0, "class": 8.0, "version": 6.0, "region": 6.0}
"""Nats for an incident; a fourth of it keeps it open."""
LOUD = {"all": 3, "template": 3, "class": 3, "version": 2, "region": 2}
"""How many voices besides the loudest must complain."""
COMPLAINT = 0.5
MEEK, SHRILL = -2.5, 3.5
"""What one voice may say at most, in nats: two bad sites are not many."""
USUALLY = {"class": 0.03}
"""Which share of results fails when nothing is wrong, in a class; else:"""
ELSE = 0.08
AT_ONCE = 4
ALL: Cell = ("all", "")
PLACE = {"all": 0, "template": 1, "class": 2, "version": 3, "region": 4}
"""Where the cell of a kind stands in `cells`."""
KEPT = 64

Heard = Sequence[tuple[Site, Result]]


@dataclass(frozen=True, slots=True)
class Incident:
    """A failure of many sites: since when, until when (open: infinity), how many storage elements complained.

    What it explains begins at `start`, a while before anybody could know; `first` is the first failure that was seen of it.
    """

    cell: Cell
    start: float
    end: float
    found: float
    sites: int
    first: float

    def words(self, templates: Sequence[str]) -> str:
        """What the failures have in common, for people."""
        kind, what = self.cell
        if kind == "all":
            return "everything"
        if kind == "template" and isinstance(what, int):
            return f"template {templates[what]}"
        if kind == "version" and isinstance(what, tuple):
            return f"version {what[1]} of template {templates[what[0]]}"
        return f"{kind} {what}"

    def covers(self, site: Site, one: Result) -> bool:
        """Whether it explains a failure."""
        return self.start <= one.at <= self.end and self.cell in cells(site, one)


def cells(site: Site, one: Result) -> tuple[Cell, ...]:
    """Whatever a failure may have in common with others."""
    if not one.cells:
        one.cells = (
            ALL,
            ("template", one.template),
            ("class", one.cause),
            ("version", (one.template, one.version)),
            ("region", site.region),
        )
    return one.cells


class Common:
    """The incidents of one policy: those that are open, and those of the last hours."""

    def __init__(self) -> None:
        self.open: dict[Cell, Incident] = {}
        self.past: deque[Incident] = deque(maxlen=KEPT)

    def explains(self, site: Site, one: Result) -> bool:
        """Whether a failure belongs to an incident."""
        if self.open and any(x.covers(site, one) for x in self.open.values()):
            return True
        return bool(self.past) and any(x.covers(site, one) for x in self.past)

    def look(self, sites: Sequence[Site], now: float, *, search: bool) -> bool:
        """Close incidents, and open new ones if somebody may go: whether anything changed."""
        latest = [_latest(sites, now, window) for window in WINDOWS_S]
        changed = False
        for cell in list(self.open):
            if all(self._nats(cell, heard) < NEED[cell[0]] / 4 for heard in latest[:2]):
                self.past.append(replace(self.open.pop(cell), end=now))
                changed = True
        for _ in range(AT_ONCE if search else 0):
            found = self._loudest(latest, now)
            if found is None:
                break
            self.open[found.cell] = found
            changed = True
        while self.past and self.past[0].end < now - 12 * HOUR:
            self.past.popleft()
            changed = True
        return changed

    def _nats(self, cell: Cell, heard: Heard) -> float:
        """What speaks for an incident that is open, without what others explain."""
        others = [one for one in self.open.values() if one.cell != cell]
        return Voices(_unexplained(heard, others)).nats(cell)

    def _loudest(self, latest: Sequence[Heard], now: float) -> Incident | None:
        """The cell that explains most of what no incident explains yet, the latest first; None: none does well enough."""
        best, most = None, 1.0
        for window, heard in zip(WINDOWS_S, latest, strict=True):
            voices = Voices(
                _unexplained(heard, [*self.open.values(), *(x for x in self.past if x.end > now - window)])
            )
            for cell in voices.loud():
                enough = voices.nats(cell) / NEED[cell[0]]
                if enough >= most and cell not in self.open:
                    start, number = now - window - 10 * MINUTE, voices.complaints(cell)
                    first = voices.first(cell)
                    best, most = Incident(cell, start, float("inf"), now, number, first), enough
            if best is not None:
                break
        return best


def _unexplained(heard: Heard, known: Sequence[Incident]) -> Heard:
    if not known:
        return heard
    return [(site, one) for site, one in heard if not any(x.covers(site, one) for x in known)]


class Voices:
    """How many results of each storage element failed, by what they may have in common."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._fails: defaultdict[Cell, Counter[str]] = defaultdict(Counter)
        self._tries: dict[str, defaultdict[Cell, Counter[str]]] = {}
        for site, one in heard:
            if one.failed:
                for cell in cells(site, one):
                    self._fails[cell][site.unit] += 1

    def loud(self) -> list[Cell]:
        """The cells in which enough voices complain to look at them."""
        return [
            cell
            for cell, failed in self._fails.items()
            if len(failed) > LOUD[cell[0]] and cell != ("region", None)
        ]

    def complaints(self, cell: Cell) -> int:
        """How many voices complain."""
        return sum(nats > COMPLAINT for nats in self._said(cell))

    def first(self, cell: Cell) -> float:
        """When the first of its failures was."""
        return min(one.at for site, one in self._heard if one.failed and cell in cells(site, one))

    def nats(self, cell: Cell) -> float:
        """How much speaks for one cause of all this, the loudest voice left out."""
        if len(self._fails.get(cell, ())) <= LOUD[cell[0]]:
            return 0.0
        said = sorted(self._said(cell))[:-1]
        if sum(nats > COMPLAINT for nats in said) < LOUD[cell[0]]:
            return 0.0
        return max(sum(log(reach * exp(nats) + 1 - reach) for nats in said) for reach in REACH)

    def _said(self, cell: Cell) -> list[float]:
        failed = self._fails[cell]
        usually = USUALLY.get(cell[0], ELSE)
        worse, better = log(0.6 / usually), log(0.4 / (1 - usually))
        # of an error class, all results could have been failures
        tries = self._tried("all")[ALL] if cell[0] == "class" else self._tried(cell[0])[cell]
        return [
            min(max(failed.get(unit, 0) * (worse - better) + tried * better, MEEK), SHRILL)
            for unit, tried in tries.items()
        ]

    def _tried(self, kind: str) -> defaultdict[Cell, Counter[str]]:
        """How many results each had, by the cells of a kind."""
        found = self._tries.get(kind)
        if found is None:
            found = self._tries[kind] = defaultdict(Counter)
            place = PLACE[kind]
            for site, one in self._heard:
                found[cells(site, one)[place]][site.unit] += 1
        return found


def _latest(sites: Sequence[Site], now: float, window: float) -> Heard:
    """The latest results of all, but of sites that were out before: that is known."""
    start = now - window
    return [
        (site, one) for site in sites if not (site.out and site.out_at < start) for one in since(site, start)
    ]
