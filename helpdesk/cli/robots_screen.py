"""An evaluation for people: a row a question, a column a policy."""

from collections.abc import Iterator, Mapping
from typing import Any

from helpdesk.cli import screen

Told = Mapping[str, Any]


def show(told: Told) -> None:
    """The whole table, from the JSON document."""
    seeds = ", ".join(map(str, told["seeds"]))
    screen.say(f"The {told['world']} world, {told['days']:g} days, seeds {seeds} ({told['purpose']})")
    screen.say()
    found = told["policies"]
    screen.table(["", *found], _rows(found), fixed=1)
    screen.say()
    screen.say(
        "In brackets: outages that were counted, at most; few say little. out, back: minutes, median/90 % of those found. missed: share of the outages in %. from, to: 95 % by bootstrap."
    )
    screen.say(
        "net: user job-hours kept from failing, minus those kept from succeeding. The oracle is a tick late."
    )


def _rows(found: Mapping[str, Told]) -> Iterator[list[str]]:
    kinds = dict.fromkeys(kind for one in found.values() for kind in one["outages"])
    for kind in kinds:
        name = kind.replace("_", " ")
        outages = [one["outages"].get(kind, {}) for one in found.values()]
        number = max(one.get("outages", 0) for one in outages)
        yield [f"{name} ({number}): out", *(_two(one, "delay") for one in outages)]
        yield ["missed", *(_percent(one.get("missed_share")) for one in outages)]
        yield ["back", *(_two(one, "return") for one in outages)]
    yield from _spread(found, "false_exclusions_per_site_year", "false/site-year", 1)
    for kind in ("central", "region", "template"):
        if any(kind in one["wrongly_out_per_event"] for one in found.values()):
            events = [one["wrongly_out_per_event"].get(kind) for one in found.values()]
            yield [f"wrong/{kind}", *("-" if x is None else f"{x:.1f}" for x in events)]
    yield from _spread(found, "wrongly_excluded_share", "wrongly out, %", 2, 100)
    yield from _spread(found, "bad_time_covered_share", "covered, %", 0, 100)
    yield ["jobs/site-day", *(f"{one['jobs_per_site_day']:.1f}" for one in found.values())]
    yield from _spread(found, "net_user_job_hours_per_site_day", "net/site-day", 0)


def _two(told: Told, what: str) -> str:
    if told.get(f"{what}_p50") is None:
        return "-"
    return f"{told[f'{what}_p50']:.0f}/{told[f'{what}_p90']:.0f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f}"


def _spread(
    found: Mapping[str, Told], key: str, name: str, digits: int, times: float = 1
) -> Iterator[list[str]]:
    values = [one[key] for one in found.values()]
    yield [name, *(f"{times * one['value']:.{digits}f}" for one in values)]
    for end, word in (("low", "from"), ("high", "to")):
        yield [word, *(f"{times * one[end]:.{digits}f}" for one in values)]
