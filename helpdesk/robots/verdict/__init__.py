"""The verdict on each site: `make_policy(info)` gives one experiment's policy (docs/verdicts.md)."""

from helpdesk.robots.protocol import Info
from helpdesk.robots.verdict.info import InfoError
from helpdesk.robots.verdict.policy import Verdicts
from helpdesk.robots.verdict.tuning import VERSION, Tuning

__all__ = ["VERSION", "InfoError", "Tuning", "Verdicts", "make_policy"]


def make_policy(info: Info) -> Verdicts:
    """A policy for the sites and templates of `info`; raise InfoError, which says everything that is wrong with it."""
    return Verdicts(info)
