"""Versions of templates: a new one is not trusted to be good before it works at several sites."""

from helpdesk.robots.verdict.tuning import HOUR
from helpdesk.robots.verdict.values import Result

NEW_S = 36 * HOUR
KEPT = 32  # versions of a template
PROVEN = 3  # sites at which it worked


class _Version:
    __slots__ = ("failed", "first", "sites", "tried")

    def __init__(self, first: float) -> None:
        self.first, self.tried, self.failed = first, 0.0, 0.0
        self.sites: set[int] = set()


class Versions:
    """What is known of each version of each template, everywhere."""

    def __init__(self, templates: int) -> None:
        self._known: list[dict[str, _Version]] = [{} for _ in range(templates)]

    def saw(self, site: int, one: Result) -> None:
        """Count a result."""
        known = self._known[one.template]
        version = known.get(one.version or "")
        if version is None:
            if len(known) >= KEPT:
                del known[next(iter(known))]
            # of the first version nobody can say that it is new
            version = known[one.version or ""] = _Version(one.at if known else float("-inf"))
        version.tried = version.tried * 0.99 + 1
        version.failed = version.failed * 0.99 + one.failed
        if not one.failed and len(version.sites) < PROVEN:
            version.sites.add(site)

    def unproven(self, one: Result) -> bool:
        """Whether a failure may well be the version's."""
        version = self._known[one.template].get(one.version or "") if one.version is not None else None
        if version is None or one.at > version.first + NEW_S:
            return False
        return len(version.sites) < PROVEN or version.failed > 0.2 * version.tried
