"""Failures of many sites, from a policy's words to rows that outlive it (`helpdesk.store.incidents`).  Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isinf

from helpdesk.robots.judging import SiteInfo
from helpdesk.robots.protocol import Policy
from helpdesk.robots.verdict import Verdicts
from helpdesk.robots.verdict.common import Incident
from helpdesk.store.incidents import Part, Scope


def found(experiment: str, policy: Policy, sites: Mapping[str, SiteInfo]) -> Iterator[Part]:
    """What a policy finds open now; policies of others know of no incidents."""
    if not isinstance(policy, Verdicts):
        return
    for one in policy.incidents:
        if isinf(one.end):
            started = datetime.fromtimestamp(one.first, UTC)
            scope = _scope(one, policy, sites)
            yield Part(experiment, one.words(policy.templates), started, one.sites, scope)


def _scope(incident: Incident, policy: Verdicts, sites: Mapping[str, SiteInfo]) -> Scope:
    """Which records it is about."""
    kind, what = incident.cell
    if kind == "template" and isinstance(what, int):
        return Scope(template=policy.templates[what])
    if kind == "version" and isinstance(what, tuple):
        return Scope(template=policy.templates[what[0]], version=str(what[1] or ""))
    if kind == "class":
        return Scope(error_class=str(what))
    if kind == "region":
        return Scope(sites=tuple(sorted(name for name, one in sites.items() if one.region == what)))
    return Scope()
