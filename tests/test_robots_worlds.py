"""The simulated worlds, and the published rules that are played in them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from helpdesk.robots.baselines import BASELINES, HammerCloud, JobRobot, ResourceStatus, SiteReadiness
from helpdesk.robots.protocol import Policy
from helpdesk.robots.world import Stream, World, rough, textbook
from helpdesk.robots.world.stream import Probes
from tests.robots_records import HOUR, T0, TEMPLATES, info, pair

DAY = 24 * HOUR
Record = Mapping[str, Any]


def _records(world: World, until: float = float("inf")) -> list[Record]:
    stream = Stream(world)
    return [record for _, _, record in stream.until(min(until, world.end))]


@pytest.mark.parametrize("make", [textbook, rough])
def test_a_world_follows_from_its_seed(make: Any) -> None:
    """The same seed gives the same records, another one others."""
    some = _records(make(1, 3, 8))
    assert some == _records(make(1, 3, 8))
    assert some != _records(make(2, 3, 8))


@pytest.mark.parametrize("make", [textbook, rough])
def test_records_are_delivered_in_order_and_have_the_promised_keys(make: Any) -> None:
    """What the interface for outside worlds names is there, in the order of delivery."""
    world = make(3, 6, 12)
    records = [one for one in _records(world) if one["record"] == "job"]
    assert [one["t_observed"] for one in records] == sorted(one["t_observed"] for one in records)
    promised = (
        "engine_job_id campaign_id site region se node template template_version attempt t_submitted t_started"
        " t_final wall_s state phase error_class native_code t_observed"
    )
    assert all(set(promised.split()) <= set(one) for one in records)
    assert {one["state"] for one in records} >= {"submitted", "success", "failed"}
    assert all(one["t_final"] <= one["t_observed"] for one in records if one["t_final"] is not None)


def test_textbook_figures() -> None:
    """A job every ten minutes, a background of some per cent."""
    world = textbook(4, 5, 20)
    records = [one for one in _records(world) if one["state"] != "submitted"]
    quiet = {place.name for place in world.places} - {x for one in world.troubles for x in one.sites}
    rate = len(records) / 20 / 5
    assert 120 < rate < 155
    calm = [one["state"] for one in records if one["site"] in quiet]
    if calm:
        assert 0.01 < calm.count("failed") / len(calm) < 0.08


def test_the_rough_world_has_everything() -> None:
    """All that textbooks leave out happens in it: over a few seeds every kind of trouble, and every kind of record."""
    worlds = [rough(seed, 30, 40) for seed in range(5)]
    kinds = {one.kind for world in worlds for one in world.troubles}
    assert kinds == {
        "hard",
        "half",
        "one_template",
        "black_hole",
        "lost",
        "ramp",
        "flap",
        "rack",
        "shared",
        "downtime",
        "central",
        "region",
        "template",
        "burst",
        "surge",
        "gap",
    }
    records = [one for seed in range(2) for one in _records(rough(seed, 24, 20))]
    states = Counter(one.get("state", one["record"]) for one in records)
    assert {"timeout", "lost", "downtime"} <= set(states)
    assert any(one.get("attempt", 1) > 1 for one in records)
    assert any(one.get("template_version", "1") != "1" for one in records)
    assert any(place.jobs_per_day == 2 for place in worlds[0].places)


def test_an_outage_fails_jobs() -> None:
    """During a hard outage of the textbook nearly every job of its site fails, and before it hardly any."""
    worlds = [textbook(seed, 5, 10) for seed in range(20)]
    found = ((world, one) for world in worlds for one in world.troubles)
    world, outage = next((x, one) for x, one in found if one.kind == "hard" and one.end < x.end)
    (site,) = outage.sites
    records = [
        one for one in _records(world, outage.end) if one["site"] == site and one["state"] != "submitted"
    ]
    within = [one["state"] for one in records if outage.start + HOUR < one["t_final"] < outage.end]
    before = [one["state"] for one in records if outage.start - 6 * HOUR < one["t_final"] < outage.start]
    assert within.count("failed") / len(within) > 0.85
    assert before.count("failed") / len(before) < 0.3


def test_probes_are_short_and_everybody_has_his_own() -> None:
    """Whoever asks for a probe gets its two records, soon, and nobody else sees them."""
    stream = Stream(textbook(1, 3, 8))
    mine, yours = Probes(stream, "mine"), Probes(stream, "yours")
    mine.ask("SITE001", "read", 2, stream.world.t0 + HOUR)
    records = [one for _, _, one in mine.until(stream.world.t0 + 2 * HOUR)]
    assert Counter(one["state"] for one in records)["submitted"] == 2
    assert len(records) == 4
    assert {one["campaign_id"] for one in records} == {"probe"}
    assert not yours.until(stream.world.end)


def _told(policy: Policy, results: str, template: str = "read", start: float = T0) -> None:
    """S: a success, F: a failure of site S01, a quarter of an hour apart."""
    for number, one in enumerate(results):
        for record in pair(
            "S01",
            template,
            f"{template}{start}{number}",
            start + number * 900,
            "auth" if one == "F" else None,
        ):
            policy.observe(record)


@pytest.mark.parametrize(
    ("runs", "out"),
    [
        ({"read": "SFFF"}, True),
        ({"read": "SSFF"}, False),
        ({"read": "SSFF", "analysis": "SSSF", "simulation": "SSSS"}, True),
        ({"read": "SSSF", "analysis": "SSSF", "simulation": "SSSS"}, False),
        ({"read": "SSSF", "analysis": "SSSF", "simulation": "SSSF"}, True),
        ({"read": "SSFF", "analysis": "SSFF", "simulation": "SSSS"}, True),
        ({"read": "FFFS"}, False),
        ({}, False),
    ],
)
def test_hammercloud(runs: dict[str, str], out: bool) -> None:
    """The rule of 2012, line by line; a site without jobs stays as it is."""
    policy = HammerCloud(info())
    for template, results in runs.items():
        _told(policy, results, template)
    assert [one[:2] for one in policy.decisions(T0 + 1.5 * HOUR)] == ([("S01", "exclude")] if out else [])


def test_hammercloud_takes_back() -> None:
    """When the newest two of every template succeeded; and not out again within six hours."""
    policy = HammerCloud(info())
    for template in TEMPLATES:
        _told(policy, "FFF", template)
    assert policy.decisions(T0 + HOUR)[0][1] == "exclude"
    for template in TEMPLATES:
        _told(policy, "SS", template, T0 + 1.1 * HOUR)
    assert policy.decisions(T0 + 2 * HOUR)[0][1] == "include"
    for template in TEMPLATES:
        _told(policy, "FFF", template, T0 + 2 * HOUR)
    assert policy.decisions(T0 + 3 * HOUR) == []


def test_jobrobot() -> None:
    """Red below 80 % of ten jobs of a day."""
    policy = JobRobot(info())
    _told(policy, "SSSSSSSFF")
    assert policy.decisions(T0 + 4 * HOUR) == []
    _told(policy, "FF", start=T0 + 4 * HOUR)
    assert policy.decisions(T0 + 5 * HOUR)[0][1] == "exclude"
    _told(policy, "S" * 20, start=T0 + 5 * HOUR)
    assert policy.decisions(T0 + 11 * HOUR)[0][1] == "include"


def test_dirac() -> None:
    """Banned below a half; back through half an hour of probing."""
    policy = ResourceStatus(info())
    _told(policy, "SSSSFFFFFF")
    assert policy.decisions(T0 + 4 * HOUR)[0][1] == "exclude"
    _told(policy, "S" * 8, start=T0 + 4 * HOUR)
    assert policy.decisions(T0 + 7 * HOUR) == []
    assert policy.decisions(T0 + 7.6 * HOUR)[0][1] == "include"


def test_cms() -> None:
    """Five bad days of fourteen, and three good days in a row."""
    policy, log = SiteReadiness(info()), []
    for day in range(12):
        _told(policy, ("FFFF" if day < 5 else "SSSS"), start=T0 + day * DAY + HOUR)
        log += [(day, action) for _, action, _ in policy.decisions(T0 + (day + 1) * DAY + HOUR)]
    assert log == [(4, "exclude"), (7, "include")]


@pytest.mark.parametrize("name", BASELINES)
def test_the_published_rules_send_no_probes(name: str) -> None:
    """Their cost is that of the routine."""
    assert BASELINES[name](info()).due_probes(T0) == ()
