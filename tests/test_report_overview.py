"""The week of all sites: experiments, regions, and who needs somebody first."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk.reports.overview import overview
from helpdesk.reports.week import SiteWeek, site_week
from helpdesk.store import migrations
from tests.desk import Desk, memory_desk
from tests.test_cli_reports import NOW, SITES, fill
from tests.weeks import BAD, GOOD, WEEK, bad_week, facts, green_week, jobs, out


def named(week: SiteWeek, name: str) -> SiteWeek:
    return replace(week, site=name)


def test_who_comes_first() -> None:
    """Who is out now comes first, then what costs most, then what failed most; a green site comes last, an unseen one before it."""
    gone = site_week(facts(jobs(GOOD, 100), turns={"atlas": out(WEEK.end - timedelta(hours=1), None)}))
    slow = site_week(facts([*jobs(GOOD, 100), *jobs(replace(BAD, wall_s=90_000.0), 20)]))
    fast = site_week(facts([*jobs(GOOD, 100), *jobs(BAD, 20)]))
    unseen, green = site_week(facts(())), site_week(green_week())
    mixed = {"green": green, "fast": fast, "unseen": unseen, "slow": slow, "gone": gone}
    found = overview([named(week, name) for name, week in mixed.items()], {})
    assert [one.site for one in found.weeks] == ["gone", "slow", "fast", "unseen", "green"]
    assert (found.green, found.untested, found.to_fix) == (1, 1, 2)


def test_groups() -> None:
    """An experiment and a region add up the jobs of their sites, and tell the median of those that were tested enough."""
    sites = [
        named(site_week(bad_week()), "A"),
        named(site_week(green_week()), "B"),
        named(site_week(facts(())), "C"),
    ]
    found = overview(sites, {"A": "DE", "B": "DE", "C": "UK"})
    atlas, cms, lhcb = found.experiments
    assert (atlas.name, atlas.sites, atlas.untested, atlas.good, atlas.ended) == ("atlas", 3, 1, 650, 697)
    assert atlas.middle == pytest.approx((320 / 364 + 330 / 333) / 2)
    assert atlas.hours == timedelta(hours=6)
    assert (cms.sites, lhcb.out) == (1, 1)
    assert [(experiment, group.name, group.sites) for experiment, group in found.regions] == [
        ("atlas", "DE", 2),
        ("atlas", "UK", 1),
        ("cms", "DE", 1),
        ("lhcb", "DE", 1),
    ]
    assert found.regions[1][1].middle is None


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = memory_desk(tmp_path, monkeypatch)
    desk.write_config(more=f'{SITES}[[site]]\nname = "NO-QUEUE"\nregion = "DE"\n')
    migrations.upgrade(f"sqlite:///{desk.database}")
    return desk


def test_command(desk: Desk) -> None:
    """The command shows the sites that are not green, worst first, and leaves out those that nobody can test."""
    fill(desk)
    said = desk.say("report", "overview", "--now", NOW, columns=100)
    assert said.code == 0, said
    assert "5 sites, 3 green, 2 with something to fix, 0 that nobody tested" in said.out
    assert said.out.index("RAL") < said.out.index("DESY-HH")
    told = desk.read("report", "overview", "--now", NOW)
    [atlas] = told["experiments"]
    assert (atlas["sites"], atlas["good"], atlas["ended"], atlas["hours_out"]) == (5, 600, 680, 5.0)
    assert [one["site"] for one in told["sites"]][:2] == ["RAL", "DESY-HH"]
    assert told["regions"] == []


def test_no_sites(desk: Desk) -> None:
    """A board without sites says that there are none."""
    desk.write_config()
    said = desk.say("report", "overview", "--now", NOW)
    assert (said.code, said.out) == (0, "No site has a queue, so none is tested.\n")
