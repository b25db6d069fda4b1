"""The figures of the policy, in one place; docs/verdicts.md says why each is what it is."""

from dataclasses import dataclass

VERSION = "1"
"""Stored with every decision; changes whenever a decision could."""

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Tuning:
    """Log-likelihoods in nats, times in seconds."""

    threshold: float = 9.5  # nats of evidence that put a site out
    template_more: float = 1.0  # more for one template: as many chances as there are templates
    bad: float = 0.5  # share of failures of the alternative
    floor: float = 0.04  # a background is never believed to be lower
    ceiling: float = 0.25  # nor higher: what fails more is bad
    least_share: float = (
        0.4  # of failures since the onset; with less, users do better with the site than without
    )
    window_s: float = 12 * HOUR
    kept: int = 64  # results kept of a site
    proof: float = 3.7  # nats that bring a site back
    max_excluded: float = 0.1  # share of the sites that the robot may have out
    budget: float = 0.065  # probes per routine job for sites in doubt or out, on average
    beats: float = 0.045  # and for sites that are seldom tested
    heartbeat_s: float = 100 * MINUTE  # a site that is tested less often is probed as well
    retry: float = 0.6  # how much the failure of a retry counts
    same_node: float = 0.75  # and that of a node that failed already
    lost: float = 0.7
    silent: float = 0.8  # nats for a job of which nothing came in time
    silent_probe: float = 1.4  # and for a probe
    hush: float = 5.0  # results that should have come from a site, and did not, until it is asked how it is
    unproven: float = 0.35  # and a version of a template that is new and not yet known to work elsewhere
