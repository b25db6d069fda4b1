"""CMS JobRobot: the success of a day's jobs."""

from helpdesk.robots.baselines.newest import DAY, HOUR, Published
from helpdesk.robots.protocol import Action


class JobRobot(Published):
    """Red below 90 % (tier 0 and 1) or 80 % (tier 2 and 3) of the last 24 hours, from ten jobs on.

    JobRobot only painted a map; here red is out.
    """

    window_s = DAY
    every_s = HOUR

    def verdict(self, site: str, now: float) -> tuple[Action | None, str]:
        """Apply the rule."""
        del now
        good, every = self.counts(site)
        if every < 10:
            return None, ""
        least = 0.9 if self.tiers[site] in {0, 1} else 0.8
        why = f"{good} of {every} jobs succeeded in a day"
        return ("exclude", why) if good < least * every else ("include", why)
