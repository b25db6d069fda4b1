"""The week of a site: what counts, what there is to fix, and no figure that is more exact than its jobs allow."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from helpdesk.reports.counting import Count, Fate
from helpdesk.reports.mail import SiteReportMail
from helpdesk.reports.outages import Cause
from helpdesk.reports.week import SiteWeek, site_week
from helpdesk.reports.weeks import Week
from helpdesk.reports.wording import headline, mail
from helpdesk.robots.record import Blame, JobState
from tests.weeks import BAD, CRASH, GOOD, MONDAY, WEEK, facts, jobs, out, peers

HOUR = timedelta(hours=1)
BEFORE = WEEK.start - 7 * 24 * HOUR


def text(week: SiteWeek) -> str:
    return " ".join(" ".join(mail(week).lines).split())


def said(week: SiteWeek) -> SiteReportMail:
    return mail(week)


def test_what_counts() -> None:
    """Lost jobs and timeouts are failures; what is central, the experiment's, a user's, the robots' or cancelled is told and not counted."""
    found = [
        *jobs(GOOD, 20),
        *jobs(replace(BAD, state=JobState.LOST), 2),
        *jobs(replace(BAD, state=JobState.TIMEOUT), 3),
        *jobs(replace(BAD, blame=Blame.CENTRAL), 4),
        *jobs(replace(BAD, blame=Blame.ROBOT, native_code="local:never_submitted"), 5),
        *jobs(replace(BAD, blame=Blame.EXPERIMENT, native_code="payload:30"), 6),
        *jobs(replace(BAD, state=JobState.CANCELLED), 7),
        *jobs(replace(BAD, blame=Blame.UNKNOWN, native_code="local:no_result"), 1),
    ]
    week = site_week(facts(found))
    assert week.rows[0].this == Count(good=20, bad=6, central=4, others=11, cancelled=7)
    assert "Not counted: 4 failed for what failed at many sites or centrally, 11 by the fault" in text(week)
    assert "7 cancelled" in text(week)


def test_the_week_of_a_job() -> None:
    """A job belongs to the week in which it ended, to the second, in the site's time, whenever its record came."""
    edges = [
        replace(GOOD, job="a", t_final=WEEK.start - timedelta(seconds=1)),
        replace(GOOD, job="b", t_final=WEEK.start, t_observed=MONDAY),
        replace(GOOD, job="c", t_final=WEEK.end - timedelta(seconds=1)),
        replace(GOOD, job="d", t_final=WEEK.end),
    ]
    [row] = site_week(facts(edges)).rows
    assert (row.this.good, row.last.good) == (2, 1)


def test_late_results() -> None:
    """Results of the week before that came after its report are counted there, and the mail says how many they are."""
    late = jobs(GOOD, 30, BEFORE, t_observed=WEEK.start + 9 * HOUR)
    week = site_week(facts([*jobs(GOOD, 30), *late]))
    assert (week.rows[0].last.good, week.late) == (30, 30)
    assert "30 results of the week before came after its report; last counts them." in text(week)


def test_still_running() -> None:
    """Jobs that have not ended are in no denominator, and are told."""
    week = site_week(facts(jobs(GOOD, 30), going=Counter(atlas=3)))
    assert week.rows[0].this.ended == 30
    assert "3 jobs of the week have not ended yet." in text(week)


def test_green() -> None:
    """A green week is four lines."""
    week = site_week(
        facts([*jobs(GOOD, 330), *jobs(CRASH, 3), *jobs(GOOD, 300, BEFORE)], peers={"atlas": peers(14)})
    )
    assert mail(week).lines == (
        "DESY-HH, Mon 8 Jun - Sun 14 Jun 2026: nothing to fix.",
        "NOW    atlas in",
        "WEEK   success 99.1 % (97-100), last 100.0 %, 14 peers 96.9 %",
        "WRONG? Reply. Or helpdesk: retest | out until 18 Jun | pause 2 weeks",
    )


def test_two_jobs_a_week() -> None:
    """Of two jobs no share is told: they are counted, and the mail says that they are too few."""
    week = site_week(facts(jobs(GOOD, 2)))
    assert headline(week) == "2 test jobs: too few to judge"
    assert [row.this for row in said(week).table][:2] == ["2 of 2", "2"]
    assert "%" not in text(week)
    assert "Fewer than 10 jobs tell too little for a share." in text(week)


def test_two_jobs_that_failed() -> None:
    """Where both of two jobs failed in one way that is to fix, however few they are; one alone is none."""
    assert headline(site_week(facts(jobs(BAD, 2)))) == "1 to fix (stage-in)"
    assert headline(site_week(facts(jobs(BAD, 1)))) == "1 test job: too few to judge"


def test_nobody_looked() -> None:
    """A week without jobs is not a good week, and says so; a pause that explains it is named."""
    week = site_week(facts(jobs(GOOD, 30, BEFORE), holds=("DESY-HH is paused by Dieter Dahl.",)))
    assert headline(week) == "nobody looked: no test job ended"
    assert not week.is_green
    assert "only an unseen one" in text(week)
    assert "DESY-HH is paused by Dieter Dahl." in text(week)


def test_only_what_does_not_count() -> None:
    """Jobs that all failed for a central reason say nothing of the site either."""
    week = site_week(facts(jobs(BAD, 30), excuse=lambda _record: Fate.CENTRAL))
    assert week.untested
    assert not week.fixes
    assert "30 failed for what failed at many sites" in text(week)


def test_no_queue() -> None:
    """A site that no experiment can test is not green, and says that nothing is known of it."""
    week = site_week(facts((), experiments=()))
    assert (week.is_green, week.untested) == (False, True)
    assert "The site has no queue with test jobs, so nothing is known of it." in text(week)


def test_one_experiment_nobody_looked() -> None:
    """A site that one of two experiments did not test is not green, and the mail names that experiment."""
    week = site_week(facts(jobs(GOOD, 300), experiments=("atlas", "cms")))
    assert not week.is_green
    assert "cms: no test job that counts ended" in text(week)


def test_a_new_site() -> None:
    """Without a week before there is nothing to compare with, and no figure stands there."""
    week = site_week(facts([*jobs(GOOD, 300), *jobs(BAD, 40, node="wn-7")]))
    assert {row.last for row in said(week).table if row.label == "success"} == {"-"}
    assert "No test jobs in the week before: nothing to compare with." in text(week)


def test_few_peers() -> None:
    """Of two peers no median is told; peers with fewer than ten jobs are none."""
    week = site_week(facts(jobs(BAD, 40), peers={"atlas": (*peers(2), *peers(9, good=9, bad=0)[1:])}))
    assert week.rows[0].peer_share is None
    assert "No median of peers" in text(week)


def test_what_to_fix() -> None:
    """Failures are clustered; what costs most comes first, with its nodes, how the others are, a job and the end of its log."""
    log = {"log": "\n".join(f"line {n}" for n in range(9))}
    bad = [one for n in (117, 118, 119) for one in jobs(BAD, 14, node=f"wn-{n}.desy.example.org", raw=log)]
    near = jobs(GOOD, 3, node="wn-118.desy.example.org")
    found = [*jobs(GOOD, 300), *near, *bad, *jobs(replace(CRASH, wall_s=10.0), 2)]
    week = site_week(facts(found, peers={"atlas": peers(14)}))
    [fix] = mail(week).fixes
    assert headline(week) == "1 to fix (stage-in, 3 nodes)"
    assert fix.what == "stage-in, pilot 1099: 42 of 44 failures, all on wn-117..119"
    assert fix.more[:2] == ('"cannot open the file"', "The other 50 nodes are fine: 0 of 302 jobs failed so.")
    assert fix.more[2].startswith("12 job-hours lost.")
    assert fix.example.startswith("Job ")
    assert "(dimuon) on wn-119" in fix.example
    assert fix.log == tuple(f"line {n}" for n in range(3, 9))
    assert mail(week).errors == "42 stage-in (pilot 1099), 2 payload (exit 31)"


def test_bad_luck_is_not_to_fix() -> None:
    """A few failures of one kind among many jobs are nobody's task; the same among fewer jobs are."""
    assert not site_week(facts([*jobs(GOOD, 330), *jobs(BAD, 5)])).fixes
    assert site_week(facts([*jobs(GOOD, 30), *jobs(BAD, 5)])).fixes


def test_what_fails_at_the_peers_too() -> None:
    """What peers see as often is not the site's to fix."""
    alike = tuple(replace(one, ways={("stage-in", "pilot:1099"): 30}) for one in peers(5))
    found = [*jobs(GOOD, 300), *jobs(BAD, 30)]
    assert site_week(facts(found, peers={"atlas": peers(5)})).fixes
    assert not site_week(facts(found, peers={"atlas": alike})).fixes


def test_what_took_it_out() -> None:
    """What put the site out is to fix, though the exclusion left it few failures."""
    start = WEEK.start + 50 * HOUR
    found = [*jobs(GOOD, 330), *jobs(BAD, 4, start - HOUR, timedelta(minutes=15))]
    assert not site_week(facts(found)).fixes
    [fix] = site_week(facts(found, turns={"atlas": out(start, start + 5 * HOUR)})).fixes
    assert fix.took_out
    assert fix.since > 0


def test_the_costliest_first() -> None:
    """Ten jobs that hang for hours cost more than thirty that fail at once; one that fails at once costs the work it did not do."""
    slow = jobs(replace(CRASH, wall_s=36_000.0), 10)
    fast = jobs(replace(BAD, wall_s=1.0), 30)
    week = site_week(facts([*jobs(GOOD, 100), *slow, *fast]))
    assert [one.way[0] for one in week.fixes] == ["payload", "stage-in"]
    assert round(week.fixes[1].hours * 3600) == 30 * 1000


def test_one_template() -> None:
    """Failures of one template alone are told as such, if others were tested enough for that to be no chance."""
    found = [*jobs(GOOD, 100), *jobs(GOOD, 100, template="read"), *jobs(BAD, 20, template="read")]
    assert headline(site_week(facts(found))) == "1 to fix (stage-in, template read)"


@pytest.mark.parametrize(
    ("turns", "hours", "words"),
    [
        (out(WEEK.start + HOUR, WEEK.start + 6 * HOUR), {Cause.YOURS: 5 * HOUR}, "5h00 yours"),
        (out(BEFORE, WEEK.start + 2 * HOUR), {Cause.YOURS: 2 * HOUR}, "2h00 yours"),
        (out(WEEK.end - HOUR, None), {Cause.YOURS: HOUR}, "1h00 yours"),
        (out(WEEK.end + HOUR, None), {}, ""),
        (
            out(WEEK.start, WEEK.start + HOUR, back="explained"),
            {Cause.CENTRAL: HOUR},
            "1h00 central (not counted)",
        ),
        (out(WEEK.start, WEEK.start + HOUR, "downtime"), {Cause.DOWNTIME: HOUR}, "1h00 declared downtime"),
        (
            out(WEEK.start, WEEK.start + HOUR / 2, "pin", by="Dieter"),
            {Cause.PERSON: HOUR / 2},
            "30 min by decision of Dieter",
        ),
    ],
)
def test_hours_out(turns: tuple[object, ...], hours: dict[Cause, timedelta], words: str) -> None:
    """The hours out within the week, by whose cause: cut at its bounds, in words."""
    week = site_week(facts(jobs(GOOD, 300), turns={"atlas": turns}))
    assert week.rows[0].hours == hours
    assert ", ".join(mail(week).hours) == words


def test_a_pin_takes_over() -> None:
    """A site that goes out by its jobs and is then kept out by a person has hours of both."""
    first = out(WEEK.start, None)[0]
    pinned = replace(first, at=WEEK.start + 2 * HOUR, cause="pin", by="Dieter")
    back = replace(first, at=WEEK.start + 5 * HOUR, out=False, cause="pin")
    week = site_week(facts(jobs(GOOD, 300), turns={"atlas": (first, pinned, back)}))
    assert week.rows[0].hours == {Cause.YOURS: 2 * HOUR, Cause.PERSON: 3 * HOUR}


def test_out_for_central_failures() -> None:
    """A site whose failures before it went out all belong to a failure of many sites was not out for its own cause."""
    start = WEEK.start + 50 * HOUR
    found = [*jobs(GOOD, 300), *jobs(BAD, 4, start - HOUR, timedelta(minutes=15))]
    turns = {"atlas": out(start, start + HOUR)}
    week = site_week(facts(found, turns=turns, excuse=lambda _record: Fate.CENTRAL))
    assert week.rows[0].hours == {Cause.CENTRAL: HOUR}


def test_now() -> None:
    """What is out now is told with since when, and a footnote says why; one that two experiments share stands once."""
    went = out(WEEK.start + HOUR, None)
    names = ("atlas", "cms", "lhcb")
    found = [one for name in names for one in jobs(GOOD, 300, experiment=name)]
    week = site_week(facts(found, experiments=names, turns={"cms": went, "lhcb": went}))
    assert [(one.experiment, one.says, one.note) for one in mail(week).now] == [
        ("atlas", "in", ""),
        ("cms", "OUT since Mon 8 Jun 01:00", "[1]"),
        ("lhcb", "OUT since Mon 8 Jun 01:00", "[1]"),
    ]
    assert mail(week).notes == ("[1] 6 of 7 failed, mostly stage_in",)
    assert mail(week).hours == ("cms and lhcb: 167h00 yours",)


def test_speed_at_the_same_mix() -> None:
    """A week with more jobs of a slow template is no slower: all are compared at the mix of this week."""
    slow = replace(GOOD, template="slow", wall_s=4000.0)
    this = [*jobs(GOOD, 100), *jobs(slow, 100)]
    last = [*jobs(GOOD, 100, BEFORE), *jobs(slow, 10, BEFORE)]
    [row] = site_week(facts([*this, *last])).rows
    assert row.speed == pytest.approx(8.0)  # 40,000 events in 5,000 s
    assert row.last_speed == pytest.approx(row.speed)
    [row] = site_week(facts([*this, *jobs(GOOD, 100, BEFORE)])).rows
    assert row.last_speed is None  # the slow template was not run


def test_speed_is_of_a_core() -> None:
    """A job on eight cores uses eight core seconds a second."""
    [row] = site_week(facts(jobs(GOOD, 100, cores=8))).rows
    assert row.speed == pytest.approx(2.5)


def test_a_week_that_goes_on() -> None:
    """The running week is told as far as it is known, and says so."""
    now = WEEK.start + 24 * HOUR
    week = site_week(facts(jobs(GOOD, 300), now=now, turns={"atlas": out(now - HOUR, None)}))
    assert week.rows[0].this.ended == 48
    assert week.rows[0].hours == {Cause.YOURS: HOUR}
    assert mail(week).week == "week 24 so far"


def test_days() -> None:
    """Every job of two weeks stands on one of fourteen days, also where a day has 25 hours."""
    autumn = Week(2026, 43, "Europe/Berlin")
    ends = autumn.end - timedelta(minutes=1)
    found = jobs(GOOD, 14 * 48, autumn.before.start)
    week = site_week(facts([*found, replace(GOOD, t_final=ends)], week=autumn, now=autumn.end))
    assert [one.count.good for one in week.days[:7]] == [48] * 7
    assert (autumn.end - autumn.start, autumn.end - autumn.days[6]) == (169 * HOUR, 25 * HOUR)
    assert week.days[13].count.good == 49


def test_columns() -> None:
    """No line of a mail is wider than 72 columns, whatever names there are."""
    long = "A_SITE_WITH_A_VERY_LONG_NAME_INDEED_THAT_FILLS_MOST_OF_A_LINE_BY_ITSELF_AND_MORE"
    names = tuple(f"experiment-with-a-name-{n}" for n in range(5))
    found = [one for name in names for one in jobs(BAD, 30, experiment=name, template=long, node=long)]
    week = site_week(facts(found, site=long, experiments=names, turns={names[0]: out(WEEK.start, None)}))
    assert all(len(line) <= 72 for line in mail(week).lines)
