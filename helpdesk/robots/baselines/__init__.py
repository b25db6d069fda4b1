"""The published rules of other robots as policies, so that ours can be held against them on the same worlds.

Each is written from its publication (docs/verdicts.md names the source and what had to be assumed), asks for no probes
and trusts its records: they are yardsticks, not for production.
"""

from collections.abc import Callable, Mapping

from helpdesk.robots.baselines.cms import SiteReadiness
from helpdesk.robots.baselines.dirac import ResourceStatus
from helpdesk.robots.baselines.hammercloud import HammerCloud
from helpdesk.robots.baselines.jobrobot import JobRobot
from helpdesk.robots.baselines.newest import Published
from helpdesk.robots.protocol import Info

BASELINES: Mapping[str, Callable[[Info], Published]] = {
    "HC": HammerCloud,
    "CMS": SiteReadiness,
    "DIRAC": ResourceStatus,
    "JobRobot": JobRobot,
}

__all__ = ["BASELINES", "HammerCloud", "JobRobot", "ResourceStatus", "SiteReadiness"]
