"""Whose fault: what the robots know is put beside what a user's new mail says (docs/whose-fault.md)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from helpdesk import asking
from helpdesk.digest.build import digest
from helpdesk.gathering import gather
from helpdesk.robots.record import Blame, JobState, Phase, Record, TestKind
from helpdesk.store import incidents, meta, records, troubles, verdicts
from helpdesk.store.core import ACTION, FAULT, MENTION
from helpdesk.store.incidents import Part, Scope
from helpdesk.store.verdicts import Change
from tests.world import World

ANN = "Ann Ash <ann@users.example.com>"
BOB = "Bob Birch <bob@users.example.com>"
AIDEN = "aiden@example.org"
LABEL = {"site_trouble"}
SITES = """
[[site]]
name = "DESY-HH"
aliases = ["DESY-HH_DATADISK"]
se = "desy-se"
[[site.queue]]
experiment = "atlas"
queue = "desy-atlas"
[[site]]
name = "RAL-T1"
[[dataset]]
name = "mc08-zmumu"
inputs = ["data/zmumu.root"]
[[template]]
name = "dimuon"
experiment = "atlas"
payload = "dimuon"
dataset = "mc08-zmumu"
"""
COMPLAINT = (
    "Hello,\n\nall my jobs at DESY-HH fail since this morning:\n\nended with payload:12\n\nCheers,\nAnn\n"
)
UNRELATED = "Hello,\n\nhow do I find the output of my jobs at DESY-HH?\n\nCheers,\nAnn\n"


@pytest.fixture(name="desk")
def with_sites(world: World) -> World:
    """The world, on a board with two sites; it has run once since."""
    world.reconfigure(SITES)
    world.tick()
    return world


def change(world: World, action: str, reason: str = "5 of 6 failed", **evidence: object) -> None:
    """A verdict on DESY-HH, now."""
    known = {"cause": "evidence", "classes": {"stage_in_checksum": 5}, **evidence}
    with world.engine.begin() as conn:
        verdicts.add(conn, [Change(world.now, "atlas", "DESY-HH", action, reason, "1", evidence=known)])


def jobs(world: World, failed: int, ended: int, code: str = "payload:12") -> None:
    """Test jobs at DESY-HH that ended in the last minutes."""
    made = []
    for number in range(ended):
        end = world.now - timedelta(minutes=ended - number)
        bad = number < failed
        made.append(
            Record(
                f"{world.now:%H%M}-{number}", "atlas", "DESY-HH", "dimuon", "1", TestKind.FUNCTIONAL, "routine", 1, "local",
                "desy-atlas", t_scheduled=end, t_final=end, t_observed=end, phase=Phase.STAGE_IN if bad else None,
                state=JobState.FAILED if bad else JobState.SUCCESS, error_class="stage_in_checksum" if bad else "",
                native_code=code if bad else "", blame=Blame.SITE if bad else None,
            )
        )  # fmt: skip
    with world.engine.begin() as conn:
        records.add(conn, made)


def shown(world: World) -> str:
    """The digest as it is now."""
    with world.engine.connect() as conn:
        return "\n".join(digest(gather(world.board, conn, world.now, ())).lines)


def faults(world: World) -> int:
    with world.engine.connect() as conn:
        return len(conn.execute(select(FAULT)).all())


def test_a_site_that_is_out(desk: World) -> None:
    """A user's mail names a site that is out, with the robots' error: the label is there after one run, digest and show tell why."""
    jobs(desk, 5, 6)
    change(desk, "exclude")
    desk.now += timedelta(minutes=10)
    mail = desk.incoming(ANN, "All jobs fail", body=COMPLAINT)
    report = desk.tick()
    assert desk.flags(mail) == LABEL
    line = "DESY-HH is out since 06:00: stage-in fails (payload:12)"
    assert line in " ".join(shown(desk).split())
    told = desk.show(mail)
    assert told["fault"] == [line]
    assert (told["labels"], told["attention"]) == (["site_trouble"], True)
    added = [a for a in report.actions if a.kind == "add_label"]
    assert [(a.rule, a.what) for a in added] == [("site_trouble", "site_trouble")]
    assert added[0].reason == (
        'DESY-HH is out since Mon 8 Jun 06:00: stage-in fails (payload:12), and the mail quotes "ended with payload:12"'
    )
    assert [r["reason"] for r in told["registers"]] == [added[0].reason]
    assert [(e["guideline"], e["status"]) for e in told["story"]] == [("4.3", "done")]
    assert desk.tick().actions == []


def test_who_removes_it_is_right_forever(desk: World) -> None:
    """A person removes the label: it stays away, whatever the user writes and whatever the robots find."""
    change(desk, "exclude")
    mail = desk.incoming(ANN, "All jobs fail", body=COMPLAINT)
    desk.tick()
    desk.on(mail, "remove_flags", ["site_trouble"])
    desk.settle()
    assert desk.flags(mail) == set()
    again = desk.incoming(ANN, "Re: All jobs fail", answers=[mail], body=COMPLAINT)
    desk.settle()
    change(desk, "include")
    desk.advance(hours=1)
    change(desk, "exclude")
    desk.settle()
    assert faults(desk) == 2
    assert desk.flags(mail) | desk.flags(again) == set()


def test_undo_is_forever_too(desk: World) -> None:
    """`undo` takes the label away as a person's own hand does."""
    change(desk, "exclude")
    mail = desk.incoming(ANN, "All jobs fail", body=COMPLAINT)
    desk.tick()
    with desk.engine.connect() as conn:
        action = conn.execute(select(ACTION.c.id).where(ACTION.c.rule == "site_trouble")).scalar_one()
    with desk.engine.begin() as conn:
        asking.undo_action(conn, action, desk.now)
    desk.settle()
    assert desk.flags(mail) == set()
    desk.incoming(ANN, "Re: All jobs fail", answers=[mail], body=COMPLAINT)
    desk.settle()
    assert desk.flags(mail) == set()


def test_a_site_that_recovered(desk: World) -> None:
    """A site that was back before the mail came is no trouble, and nothing is said."""
    change(desk, "exclude")
    desk.advance(hours=4)
    change(desk, "include")
    desk.now += timedelta(minutes=5)
    mail = desk.incoming(ANN, "All jobs fail", body=COMPLAINT)
    desk.tick()
    assert desk.flags(mail) == set()
    assert desk.show(mail)["fault"] == []


def test_a_site_that_recovers_later(desk: World) -> None:
    """What was true of the mail stays: the label is not taken away, and the line says until when the site was out."""
    change(desk, "exclude")
    desk.now += timedelta(minutes=5)
    mail = desk.incoming(ANN, "All jobs fail", body=COMPLAINT)
    desk.tick()
    desk.advance(hours=1)
    change(desk, "include")
    desk.now += timedelta(minutes=5)
    assert desk.tick().actions == []
    assert desk.flags(mail) == LABEL
    assert desk.show(mail)["fault"] == [
        "DESY-HH was out from 06:00 to 07:05: stage-in fails (stage_in_checksum)"
    ]


@pytest.mark.parametrize("hours", [3, 7])
def test_the_user_was_quicker(desk: World, hours: int) -> None:
    """A site that goes out after the mail came: the mails of the last hours are looked at again, older ones are not."""
    old = desk.incoming(BOB, "Jobs fail", body=COMPLAINT.replace("Ann", "Bob"))
    desk.tick()
    desk.now += timedelta(hours=hours)
    mail = desk.incoming(ANN, "All jobs fail", body=COMPLAINT)
    desk.tick()
    assert desk.flags(mail) == set()
    desk.now += timedelta(minutes=20)
    change(desk, "exclude")
    desk.tick()
    assert (desk.flags(mail), desk.flags(old)) == (LABEL, set())


def test_the_site_is_asked_for(desk: World) -> None:
    """An error in the first mail, and the site in the next: together they are the evidence, if they are of one day."""
    change(desk, "exclude")
    mails = [desk.incoming(who, f"Jobs {who[:3]}", body="They fail:\n\npayload:12\n") for who in (ANN, BOB)]
    desk.tick()
    asked = [desk.incoming(AIDEN, "Re: Jobs", answers=[one], body="Which site?\n") for one in mails]
    desk.now += timedelta(hours=2)
    desk.incoming(ANN, "Re: Jobs", answers=[mails[0], asked[0]], body="It is DESY-HH.\n")
    desk.tick()
    desk.now += timedelta(hours=24)
    desk.incoming(BOB, "Re: Jobs", answers=[mails[1], asked[1]], body="It is DESY-HH.\n")
    desk.tick()
    assert [desk.flags(one) for one in mails] == [LABEL, set()]


def test_a_site_that_fails_without_a_verdict(desk: World) -> None:
    """Three failures of the same phase, and two fifths of all jobs, are enough; two are not."""
    jobs(desk, 2, 3)
    few = desk.incoming(BOB, "Some fail", body=COMPLAINT)
    desk.tick()
    desk.now += timedelta(minutes=5)
    jobs(desk, 2, 3)
    mail = desk.incoming(ANN, "All fail", body=COMPLAINT)
    desk.tick()
    assert (desk.flags(few), desk.flags(mail)) == (set(), LABEL)
    assert (
        desk.show(mail)["fault"][0]
        == "DESY-HH: stage-in fails (payload:12), 4 of 6 test jobs since 05:57; 1 other thread names it"
    )


@pytest.mark.parametrize(
    "body",
    [
        UNRELATED,
        "It works for me.\n\nOn Mon, 8 Jun 2026, Bob wrote:\n> all jobs at DESY-HH: payload:12\n",
        "My jobs fail:\n\nended with payload:12\n\n-- \nAnn Ash, DESY-HH\n",
        "My jobs at DESY-HH2 fail:\n\nended with payload:12\n",
        "My jobs at DESY-HH fail:\n\nError: your proxy has expired\n",
        "My jobs at DESY-HH fail:\n\nKeyError: 'muon_pt'\n",
        "My jobs at RAL-T1 fail:\n\nended with payload:12\n",
        "My jobs fail: see https://monitor.example.org/?site=DESY-HH\n\nended with payload:12\n",
    ],
)
def test_no_label_without_both(desk: World, body: str) -> None:
    """A question about something else, a quote, a signature, another site, the user's own error, a URL: no label."""
    change(desk, "exclude")
    desk.now += timedelta(minutes=5)
    mail = desk.incoming(ANN, "My jobs", body=body)
    desk.tick()
    assert desk.flags(mail) == set()
    assert faults(desk) == 0


def test_machines_and_the_team_name_nothing(desk: World) -> None:
    """Automatic mail, and what a shifter writes, is no evidence."""
    change(desk, "exclude")
    machine = desk.incoming(ANN, "Away", body=COMPLAINT, headers={"Auto-Submitted": "auto-replied"})
    shifter = desk.incoming(AIDEN, "A site is out", body=COMPLAINT)
    desk.tick()
    assert desk.flags(machine) | desk.flags(shifter) == set()
    assert faults(desk) == 0


def test_many_sites_fail(desk: World) -> None:
    """A failure of many sites labels mails that tell of its class; of robots that fell silent nothing goes on."""
    desk.reconfigure(SITES + "[robots]\nincident_after_minutes = 600\n")
    network = Part("atlas", "class network", desk.now - timedelta(hours=1), 9, Scope(error_class="network"))
    with desk.engine.begin() as conn:
        incidents.keep(conn, [network], desk.now)
        meta.put(conn, troubles.TURN, desk.now.isoformat())
    mail = desk.incoming(ANN, "Jobs fail", body="All fail at RAL-T1:\n\nError: Connection refused\n")
    desk.advance(minutes=10)
    assert desk.flags(mail) == LABEL
    assert desk.show(mail)["fault"] == ["many sites fail since 05:00: class network"]
    desk.now += timedelta(hours=1)
    late = desk.incoming(BOB, "Mine too", body="All fail at RAL-T1:\n\nError: Connection refused\n")
    desk.tick()
    assert desk.flags(late) == set()


def test_the_same_error_was_answered(desk: World) -> None:
    """What the team answered to the same error line is told with the thread where it stands, and what is still open too."""
    error = "Error: cannot register {} in the catalogue of the experiment\n"
    first = desk.incoming(BOB, "Output", body=error.format("/grid/bob/a/1.root"))
    desk.tick()
    second = desk.incoming(ANN, "Output not there", body=error.format("/grid/ann/b/2.root"))
    desk.tick()
    short = desk.thread(first)["id"].removeprefix("dast-")[:5]
    assert desk.show(second)["fault"] == [f"the same error is in {short}"]
    desk.now += timedelta(minutes=5)
    desk.incoming(
        AIDEN, "Re: Output", answers=[first], body="An odd user.\n", to="sergey@example.org", listed=False
    )
    desk.tick()
    assert desk.show(second)["fault"] == [f"the same error is in {short}"]
    desk.now += timedelta(minutes=5)
    answer = "Hi Bob,\n\nrenew your proxy. It has expired.\n\nAiden\n"
    desk.incoming(AIDEN, "Re: Output", answers=[first], body=answer)
    desk.tick()
    assert desk.show(second)["fault"] == [f'the same error was answered in {short}: "renew your proxy."']
    assert f'answered in {short}: "renew your proxy."' in " ".join(shown(desk).split())
    assert desk.flags(second) == set()


def test_others_name_the_site(desk: World) -> None:
    """Of a site of which the robots know nothing bad, two other open threads of the day are worth a line."""
    mails = [desk.incoming(who, f"Question {n}", body=UNRELATED) for n, who in enumerate((ANN, BOB, ANN))]
    desk.tick()
    assert desk.show(mails[0])["fault"] == [
        "DESY-HH: 2 other threads name it; the robots see no trouble there"
    ]


def test_a_lost_database(desk: World) -> None:
    """With an empty database the label that lies there is the rule's and ends no attention; old mail is not read for names."""
    change(desk, "exclude")
    mail = desk.incoming(ANN, "All jobs fail", body=COMPLAINT)
    desk.tick()
    desk.lose_database()
    desk.tick()
    told = desk.show(mail)
    assert desk.flags(mail) == LABEL
    assert (told["labels"], "unlabelled" in told["reasons"], told["fault"]) == (["site_trouble"], True, [])
    with desk.engine.connect() as conn:
        assert conn.execute(select(MENTION)).all() == []


def test_a_closed_thread_keeps_it(desk: World) -> None:
    """The label stays with a thread that is closed; evidence that comes when it is closed opens and labels nothing."""
    change(desk, "exclude")
    mail = desk.incoming(ANN, "All jobs fail", body=COMPLAINT)
    quick = desk.incoming(BOB, "Jobs fail", body=COMPLAINT.replace("DESY-HH", "RAL-T1"))
    desk.tick()
    for one in (mail, quick):
        desk.on(one, "move", "Archive")
    desk.settle()
    with desk.engine.begin() as conn:
        evidence = {"cause": "evidence", "classes": {"stage_in_checksum": 5}}
        verdicts.add(conn, [Change(desk.now, "atlas", "RAL-T1", "exclude", "x", "1", evidence=evidence)])
    desk.settle()
    assert (desk.where(mail), desk.flags(mail)) == ("Archive", LABEL)
    assert (desk.where(quick), desk.flags(quick)) == ("Archive", set())
    again = desk.incoming(BOB, "Re: Jobs fail", answers=[quick], body="Any news?\n")
    desk.tick()
    assert (desk.where(quick), desk.flags(quick) | desk.flags(again)) == ("INBOX", set())


def test_without_the_label(desk: World) -> None:
    """With [robots] site_trouble = false there is no label, and the lines are told all the same."""
    desk.reconfigure(SITES + "[robots]\nsite_trouble = false\n")
    change(desk, "exclude")
    desk.now += timedelta(minutes=5)
    mail = desk.incoming(ANN, "All jobs fail", body=COMPLAINT)
    desk.tick()
    assert desk.flags(mail) == set()
    assert desk.show(mail)["fault"] == ["DESY-HH is out since 06:00: stage-in fails (stage_in_checksum)"]
