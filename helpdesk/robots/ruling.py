"""What holds of a site: a person's pin, else what stood when it was paused, else the policy's opinion.  Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from helpdesk.robots.judging import Downtime
from helpdesk.store.site_orders import NO_RULING, Kind, Ruling, SiteOrder
from helpdesk.store.verdicts import Change

PIN = "pin"
LIFTED = "what a person decided is over: it comes back as soon as test jobs succeed"
"""To a policy a pin was a downtime, with the end that it had when it began; that end would be told to people who ended it themselves."""

AHEAD = timedelta(minutes=10)
"""A row that is farther ahead was written while the clock was wrong; who waits for its time to come would wait for years."""

FAR = timedelta(days=3650)
"""The end of what has no end yet."""


def wanted(standing: Change | None, opinion: Change, ruling: Ruling) -> Change | None:
    """The row that makes what stands true again, None if it is true.

    `standing` is the site's last row in an experiment; `opinion` is what the policy says, as a row of now.
    """
    if ruling.pin is not None:
        due = pinned(opinion, ruling.pin)
    elif ruling.pause is not None:
        return None
    else:
        due = opinion
    out = standing is not None and standing.action == "exclude"
    wrong_clock = standing is not None and standing.at > due.at + AHEAD
    if wrong_clock or out != (due.action == "exclude"):
        return due
    if not out or standing is None or standing.evidence.get("order") == due.evidence.get("order"):
        return None
    return replace(due, reason=LIFTED) if due.evidence.get("cause") == "downtime" else due


def pinned(opinion: Change, pin: SiteOrder) -> Change:
    """The row of a pin, in the place of the policy's word."""
    end = "" if pin.until is None else f" until {pin.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    why = f": {pin.why}" if pin.why else ""
    until = None if pin.until is None else pin.until.isoformat()
    return replace(
        opinion,
        action="exclude" if pin.kind is Kind.OUT else "include",
        reason=f"pinned {pin.kind.value} by {pin.by}{end}{why}",
        by=pin.by,
        evidence={"cause": PIN, "order": pin.id, "until": until},
    )


class Opinions:
    """What the policies think of every site, whatever stands."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], Change] = {}

    def hear(self, said: Change) -> None:
        """Take a policy's latest word."""
        self._said[said.experiment, said.site] = said

    def overdue(
        self, standing: Mapping[tuple[str, str], Change], rulings: Mapping[str, Ruling], now: datetime
    ) -> list[Change]:
        """What has to change now, because a person decided, or what he decided is over."""
        found = []
        for key, said in sorted(self._said.items()):
            due = wanted(standing.get(key), replace(said, at=now), rulings.get(key[1], NO_RULING))
            found += [] if due is None else [due]
        return found


def outage(order: SiteOrder) -> Downtime:
    """To a policy a site that is put out by hand is down: its failures there are nothing new."""
    end = order.end or order.at + FAR
    return Downtime(order.site, order.at, order.at, max(end, order.at + timedelta(seconds=1)))


def news(down: AbstractSet[Downtime], told: AbstractSet[Downtime]) -> list[Downtime]:
    """What policies were not told yet, in the order in which it counts: of two that begin together the latest wins, so the one that holds is last."""
    return sorted(down - told, key=lambda one: (one.announced, one.end))
