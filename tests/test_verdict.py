"""The verdict on sites: who goes, who stays, who returns, and why."""

import pytest

from helpdesk.robots.verdict import InfoError, Tuning, Verdicts, make_policy
from tests.robots_records import HOUR, SITES, T0, TEMPLATES, TICK, Play, bad_from, fine, info, pair


def test_a_site_that_fails_goes_and_returns_by_itself() -> None:
    """Every job fails for four hours: it is out within the hour, back within the hour after, and nobody else is."""
    play = Play(bad_from(5, "S07", end=9)).run(12)
    (gone, (site, action, _)), (back, (_, again, why)) = play.log
    assert (site, action, again) == ("S07", "exclude", "include")
    assert gone - T0 < 6 * HOUR
    assert 9 * HOUR < back - T0 < 10 * HOUR
    assert "works again" in why


def test_where_nothing_fails_nothing_is_decided_or_probed() -> None:
    """Peace costs nothing."""
    play = Play(fine).run(24)
    assert (play.log, play.probes) == ([], [])


def test_one_template_is_enough() -> None:
    """A site at which one of three templates fails is found, and the reason names the template."""
    play = Play(lambda s, t, at: "auth" if s == "S03" and t == "read" and at > T0 + 5 * HOUR else None).run(9)
    assert play.ever() == {"S03"}
    assert "in read" in play.log[0][1][2]


@pytest.mark.parametrize("template", [None, "analysis"])
def test_a_central_failure_excludes_nobody(template: str | None) -> None:
    """All sites fail at once, in all templates or in one: an incident, no exclusion."""
    play = Play(lambda _s, t, at: "auth" if template in {None, t} and 5 < (at - T0) / HOUR < 8 else None).run(
        10
    )
    assert not play.ever()
    assert play.policy.incidents


def test_a_site_that_fails_on_after_a_central_failure_goes() -> None:
    """What was hidden in it is found when it is over."""

    def truth(site: str, _template: str, at: float) -> str | None:
        hour = (at - T0) / HOUR
        return "auth" if 5 < hour < 7 or (site == "S09" and hour > 5) else None

    play = Play(truth).run(10)
    assert play.ever() == {"S09"}


def test_a_failure_of_a_region_excludes_nobody() -> None:
    """Six sites of one region fail together, from six storage elements."""
    region = {name for place, name in enumerate(SITES) if place % 5 == 1}
    play = Play(bad_from(5, *region, end=8)).run(10)
    assert not play.ever()
    assert next(one.words(TEMPLATES) for one in play.policy.incidents) == "region R1"


def test_sites_behind_one_storage_element_go_together() -> None:
    """Three sites share one: no incident, all three are out."""
    shared = {"S00", "S05", "S10"}
    play = Play(bad_from(5, *shared, end=10)).run(9)
    assert play.out() == shared


def test_jobs_that_vanish_are_found() -> None:
    """A site from which nothing comes back is out after some hours, without any failure."""
    play = Play(bad_from(24, "S11", error="vanish")).run(36)
    assert play.ever() == {"S11"}
    assert "no result" in play.log[0][1][2]


def test_a_lack_of_results_from_everybody_is_nobodys_fault() -> None:
    """Nothing arrives for six hours: nobody goes, and no probe is sent into the dark."""
    play = Play(lambda _s, _t, at: "vanish" if 24 < (at - T0) / HOUR < 30 else None).run(34)
    assert not play.ever()
    assert not [at for at, _ in play.probes if 25.5 * HOUR < at - T0 < 30 * HOUR]


def test_a_result_that_comes_after_all_takes_the_suspicion_back() -> None:
    """No result is weak evidence; the result itself is what counts, even after the job was given up."""
    policy = make_policy(info())
    begun, ended = pair("S01", "read", 1, T0, None)
    policy.observe(begun)
    policy.decisions(T0 + 10 * HOUR)
    lost = {**ended, "state": "lost", "t_final": T0 + HOUR, "t_observed": T0 + 10 * HOUR}
    policy.observe(lost)
    policy.decisions(T0 + 10.1 * HOUR)
    assert "mostly lost" in policy.explain("S01")
    policy.observe({**ended, "t_observed": T0 + 10.2 * HOUR, "t_final": T0 + 10.2 * HOUR})
    policy.decisions(T0 + 10.3 * HOUR)
    assert "failed" not in policy.explain("S01")


def test_stress_records_never_count() -> None:
    """Load tests break things on purpose."""
    policy = make_policy(info())
    for number in range(50):
        for record in pair("S01", "read", number, T0 + number, "payload", test_kind="stress"):
            policy.observe(record)
    assert policy.decisions(T0 + HOUR) == []
    assert policy.due_probes(T0 + HOUR) == []


@pytest.mark.parametrize("blame", ["central", "experiment", "user", "robot"])
def test_what_is_blamed_on_others_is_no_evidence(blame: str) -> None:
    """The record may say whose fault a failure is."""
    policy = make_policy(info())
    for number in range(50):
        for record in pair("S01", "read", number, T0 + number, "payload", blame=blame):
            policy.observe(record)
    assert policy.decisions(T0 + HOUR) == []


def test_a_pin_wins() -> None:
    """A person keeps a failing site in and a good one out, until the pin is taken back."""
    play = Play(bad_from(2, "S07"))
    play.policy.pin("S07", "include", "we know")
    play.policy.pin("S08", "exclude", "new hardware")
    play.run(6)
    assert play.out() == {"S08"}
    assert play.log[0][1][2] == "pinned by hand: new hardware"
    play.policy.pin("S07", None)
    play.policy.pin("S08", None)
    play.run(1)
    assert play.out() == {"S07"}


def _downtime(play: Play, start: float, end: float, **more: object) -> None:
    times = {"t_announced": T0, "t_start": T0 + start * HOUR, "t_end": T0 + end * HOUR}
    play.tell({"record": "downtime", "site": "S04", "severity": "outage", **times, **more})


def test_a_declared_downtime_wins() -> None:
    """Out as it begins, whatever the jobs say, and back when jobs succeed after its end."""
    play = Play(bad_from(3, "S04", end=8))
    _downtime(play, 3, 8)
    play.run(10)
    (gone, (_, _, why)), (back, _) = play.log
    assert gone == T0 + 3 * HOUR
    assert why.startswith("declared downtime until")
    assert 8 * HOUR < back - T0 < 9 * HOUR


def test_a_downtime_that_ends_early_is_over() -> None:
    """Jobs that succeed bring the site back, and the rest of the declaration does not put it out again."""
    play = Play(bad_from(3, "S04", end=4))
    _downtime(play, 3, 20)
    play.run(12)
    assert [action for _, (_, action, _) in play.log] == ["exclude", "include"]
    assert play.log[1][0] - T0 < 6 * HOUR


def test_a_downtime_that_overruns_keeps_the_site_out() -> None:
    """Its end alone proves nothing."""
    play = Play(bad_from(3, "S04", end=12))
    _downtime(play, 3, 6)
    play.run(11)
    assert play.out() == {"S04"}


def test_a_warning_is_no_downtime() -> None:
    """Jobs go on during it."""
    play = Play()
    _downtime(play, 3, 6, severity="warning")
    assert not play.run(8).log


def test_a_site_that_is_seldom_tested_is_probed() -> None:
    """Two jobs a day: an outage of eight hours is found all the same."""
    policy = make_policy(info(per_day=2))
    play = Play(bad_from(30, "S07", end=38), policy, every=12 * HOUR).run(38)
    assert play.ever() == {"S07"}


def test_flapping_makes_the_way_back_longer() -> None:
    """The third return takes more successes than the first."""

    def truth(site: str, _template: str, at: float) -> str | None:
        return (
            "stage-in"
            if site == "S07" and (at - T0) / HOUR > 5 and (at - T0) % (4 * HOUR) < 2 * HOUR
            else None
        )

    play = Play(truth).run(24)
    proofs = [int(why.split()[-2]) for _, (_, action, why) in play.log if action == "include"]
    assert len(proofs) >= 3
    assert proofs[2] > proofs[0]


def test_a_new_version_is_suspected_before_the_site() -> None:
    """A version that fails at the first two sites that have it puts neither out before others failed elsewhere."""
    play = Play()
    play.run(6)
    for number in range(4):
        for record in pair("S07", "read", f"v{number}", play.now, "payload", template_version="2"):
            play.tell({**record, "t_final": play.now, "t_observed": play.now})
    play.run(0.1)
    assert not play.ever()


def test_the_reason_and_the_evidence_are_kept() -> None:
    """Each decision has its numbers, an example and the version of the policy; the site is explained in words."""
    play = Play(bad_from(5, "S07")).run(8)
    told = play.policy.history[-1]
    assert (told.site, told.cause, told.version) == ("S07", "evidence", "1")
    assert told.score.causes == {"stage-in": told.score.failures}
    words = play.policy.explain("S07")
    assert words.startswith("S07: excluded (evidence); ")
    assert "bad of the last" in words.partition("\n")[0]
    assert play.policy.explain("S01").count(told.reason) == 0
    assert words.count(told.reason) == 1
    assert "of 9.5" in words
    assert "an example: job j" in words
    assert "#" in words


def test_a_threshold_can_be_chosen() -> None:
    """More evidence asked for is a later exclusion."""
    delays = []
    for threshold in (5, 30):
        policy = Verdicts(info(), Tuning(threshold=threshold))
        delays.append(Play(bad_from(5, "S07"), policy).run(12).log[0][0])
    assert delays[0] < delays[1]


GARBAGE: list[object] = [
    None,
    7,
    [],
    "job",
    {},
    {"record": "job"},
    {"record": "job", "site": "nowhere"},
    {"record": "job", "site": ["S01"], "template": {}},
    {"record": "job", "site": "S01", "template": ["read"]},
    {"record": "job", "site": "S01", "template": "nothing"},
    {"record": "job", "site": "S01", "template": "read", "engine_job_id": []},
    {"record": "job", "site": "S01", "template": "read", "engine_job_id": "x", "state": []},
    {"record": "job", "site": "S01", "template": "read", "engine_job_id": "x", "state": "odd"},
    {"record": "thing", "site": "S01"},
    {"record": "downtime", "site": "S01", "t_start": "soon"},
    {"record": "downtime", "site": "S01", "t_start": 5, "t_end": 4},
]


@pytest.mark.parametrize("record", GARBAGE)
def test_what_is_no_record_is_counted_and_borne(record: object) -> None:
    """It never raises, changes nothing, and is listed."""
    policy = make_policy(info())
    policy.observe(record)  # type: ignore[arg-type]  # that is the point
    assert sum(policy.oddities.values()) == 1
    assert policy.decisions(T0 + TICK) == []


def test_the_list_of_oddities_is_bounded() -> None:
    """A flood of unknown sites fills no memory."""
    policy = make_policy(info())
    for number in range(2000):
        policy.observe({"record": "job", "site": f"unknown {number}"})
    assert len(policy.oddities) <= 201
    assert sum(policy.oddities.values()) == 2000


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -1e30, 1e30, "noon", None, True])
def test_odd_times_are_borne(odd: object) -> None:
    """A clock that is wrong is no reason to fall over: what counts then is when the record came."""
    play = Play(bad_from(5, "S07"))
    original = play.policy.observe
    for key in ("t_final", "t_submitted", "t_observed"):
        for record in pair("S02", "read", f"odd {key}", T0, "auth"):
            original({**record, key: odd})
    assert play.run(8).ever() == {"S07"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"t0": None}, "t0 is no number"),
        ({"tick_s": 0}, "tick_s is no positive number"),
        ({"sites": []}, "sites is no list"),
        ({"sites": ["A", "A"]}, "names one of them twice"),
        ({"templates": "read"}, "templates is no list"),
        ({"templates": [1]}, "something that is no name"),
        ({"site": 5}, "site is no mapping"),
        ({"site": {"S01": 5}}, "details of site S01"),
        ({"site": {"S01": {"region": 5}}}, "region of site S01"),
        ({"site": {"S01": {"expected_jobs_per_day": -1}}}, "expected_jobs_per_day of site S01"),
        ({"max_excluded": 2}, "max_excluded"),
    ],
)
def test_a_broken_info_is_told(change: dict[str, object], sentence: str) -> None:
    """One sentence a problem, all at once."""
    with pytest.raises(InfoError, match=sentence):
        make_policy({**info(), **change})
    with pytest.raises(InfoError) as raised:
        make_policy({**info(), **change, "tick_s": "x"})
    assert len(raised.value.problems) >= 1


def test_an_info_without_details_will_do() -> None:
    """Regions, storage elements and rates may be unknown."""
    policy = make_policy({**info(), "site": {}})
    assert Play(bad_from(5, "S07"), policy).run(8).ever() == {"S07"}


def test_info_must_be_a_mapping() -> None:
    """And says so."""
    with pytest.raises(InfoError, match="no mapping"):
        make_policy([])  # type: ignore[arg-type]  # that is the point
