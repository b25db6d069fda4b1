"""What people decided about sites, as policies are told of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from helpdesk.robots.ruling import news, outage
from helpdesk.store.site_orders import Kind, SiteOrder

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def test_two_dates_at_once() -> None:
    """Of two orders of one moment, as of two contacts in one cycle, the one that took the other's place is told last, whatever the site."""
    for number in range(64):
        first = SiteOrder(f"S{number:02}", Kind.OUT, NOW, NOW + timedelta(days=1), "Dieter Dahl", team=False)
        second = replace(first, until=NOW + timedelta(hours=6))
        ended = replace(first, lifted=NOW, lifted_by="Eva Ekman")
        down = {outage(second), outage(ended)}
        assert news(down, set())[-1].end == second.until
        assert news(down, {outage(second)}) == [outage(ended)]
