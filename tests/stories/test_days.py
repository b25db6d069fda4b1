"""What the board says once a day or a week: observe mode's report, and the labels as the week ends."""

from datetime import timedelta

from helpdesk import app
from helpdesk.store import outbox, wrongs
from helpdesk.store.wrongs import Mark
from tests.stories.test_shifts import AIDEN, ANN, SERGEY
from tests.world import World

OBSERVE = 'act = "act"'
TEMPORARY = '[[label]]\nname = "cern quota"\nkind = "temporary"\nmeaning = "quota at CERN is full"\n'


def observing(world: World, more: str = "") -> None:
    """The board only looks."""
    world.config = world.config.replace(OBSERVE, 'act = "observe"')
    world.reconfigure(more)


def test_a_board_that_only_looks_reports_every_morning(world: World) -> None:
    """At seven shifters and admins read what would have been done and mailed, thread by thread, numbered; once a day."""
    observing(world)
    question = world.incoming(ANN, "All jobs fail")
    other = world.incoming("Bob Barley <bob@users.example.com>", "Nothing works")
    world.tick()
    world.on(question, "add_flags", ["ggus"])
    world.on(other, "add_flags", ["urgent"])
    world.settle()
    world.expect_no_mail()
    world.advance(hours=1)
    letter = world.expect_mail(
        AIDEN,
        "would have done 4 plans, 3 of them with mail (Mon 8 Jun)",
        "add ESCALATED (ann@users.example.com: All jobs fail)",
        "send mail (urgent) (Bob Barley: Nothing works)",
        "helpdesk: wrong 1: why",
    )
    assert SERGEY in letter.recipients
    assert world.flags(question) == {"ggus"}
    world.advance(hours=1)
    world.expect_no_mail()
    world.advance(hours=23)
    world.expect_mail(AIDEN, "would have done nothing (Tue 9 Jun)")


def test_what_people_call_wrong_is_kept(world: World) -> None:
    """A plan that somebody calls wrong stands in the next report, in `show` and in `plan`."""
    observing(world, "[policy]\nsettle_seconds = 0\n")
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["ggus"])
    world.settle()
    world.advance(hours=1)
    world.expect_mail(AIDEN, "would have done")
    with world.engine.begin() as conn:
        row = outbox.newest(conn, "observe_report")
        assert row is not None
        kept = wrongs.mark(conn, Mark(row.message_id, 1, "Sergey", world.now, "she meant another GGUS"))
    report = app.judged(world.engine, world.tick())
    objections = {one.id: [said.words for said in one.wrong] for one in report.actions if one.wrong}
    assert objections == {kept.actions[0]: ["she meant another GGUS"]}
    [told] = [entry for entry in world.show(question)["story"] if entry["wrong"]]
    assert (told["id"], told["wrong"][0]["by"]) == (kept.actions[0], "Sergey")
    world.advance(hours=24)
    world.expect_mail(AIDEN, "SAID TO BE WRONG", "Sergey: she meant another GGUS")


def test_labels_are_reviewed_as_the_week_ends(world: World) -> None:
    """On Sunday night the shifters read which labels nobody explained and which nobody needs; once, and only if there are any."""
    world.reconfigure(TEMPORARY)
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["desy-srm", "mc08_dataset_problem", "cern_quota"])
    world.settle()
    world.on(question, "remove_flags", ["cern_quota"])
    world.settle()
    world.now = world.now.replace(hour=1) + timedelta(days=7)
    world.tick()
    letter = world.expect_mail(
        AIDEN,
        "1 to explain, 1 to retire",
        "desy-srm  1 thread",
        "cern quota",
        "STILL IN USE",
        "mc08 dataset problem  1 thread",
    )
    assert SERGEY in letter.recipients
    world.advance(hours=2)
    world.on(question, "remove_flags", ["desy-srm"])
    world.settle()
    world.reconfigure(without=TEMPORARY)
    world.advance(days=7)


def test_a_lost_database_tells_nothing_twice(world: World) -> None:
    """A report of this morning, and a week that ended before the database began, count as told."""
    observing(world)
    world.tick()
    world.advance(hours=1)
    world.expect_mail(AIDEN, "would have done nothing (Mon 8 Jun)")
    world.lose_database()
    world.advance(minutes=5)
    world.expect_no_mail()
    world.advance(hours=24)
    world.expect_mail(AIDEN, "would have done nothing (Tue 9 Jun)")
