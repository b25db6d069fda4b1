"""What a policy is: the public interface between the records of test jobs and whoever decides about sites.

All times are epoch seconds.  `info` and the records are plain mappings, so that policies and worlds of others fit;
docs/verdicts.md lists their keys.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

Info = Mapping[str, Any]
"""{t0, tick_s, sites, templates, site: {name: {region, se, tier, expected_jobs_per_day}}}"""

Record = Mapping[str, Any]
"""A job (once when submitted, once when final) or a downtime."""

Action = Literal["exclude", "include"]
Decision = tuple[str, Action, str]
"""A site, what happens to it, and why."""

Wish = tuple[str, str, int]
"""A site, a template, and how many probes to submit now."""


class Policy(Protocol):
    """One object per experiment, called in time order every few minutes."""

    def observe(self, record: Record) -> None:
        """Take one record, in the order of delivery; records of any shape are borne."""

    def due_probes(self, now: float) -> Sequence[Wish]:
        """Say which probes to submit now, each once."""

    def decisions(self, now: float) -> Sequence[Decision]:
        """Say what changed since the last call; all sites begin included."""
