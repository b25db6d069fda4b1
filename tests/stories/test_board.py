"""The main job, end to end."""

from tests.world import World

ANN = "ann@users.example.com"
AIDEN = "aiden@example.org"


def test_a_reply_lifts_waiting(world: World) -> None:
    """The user's reply takes WAITING off the whole thread, and the thread wants attention again."""
    question = world.incoming(ANN, "All jobs fail")
    answer = world.incoming(AIDEN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(answer, "add_flags", ["waiting"])
    world.settle()
    assert world.flags(question) == {"waiting"}
    assert world.thread(question)["state"] == "waiting"
    reply = world.incoming(ANN, "Re: All jobs fail", answers=[question, answer])
    report = world.advance(hours=1)
    assert {(a.kind, a.rule) for a in report.actions} == {("remove_label", "user_replied")}
    assert [world.flags(m) for m in (question, answer, reply)] == [set(), set(), set()]
    assert world.thread(question)["reasons"] == ["unlabelled", "unread_reply"]
    assert world.tick().actions == []


def test_archiving_one_mail_takes_its_thread(world: World) -> None:
    """A shifter archives one mail: once the thread is settled the rest follows, and open labels go."""
    question = world.incoming(ANN, "All jobs fail")
    answer = world.incoming(AIDEN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(question, "add_flags", ["waiting", "docs"])
    world.settle()
    world.on(answer, "move", "Archive")
    report = world.advance(seconds=5)
    assert report.actions == []
    assert [p.rule for p in report.pending] == ["close"]
    report = world.settle()
    assert {a.rule for a in report.actions} == {"close"}
    assert [world.where(m) for m in (question, answer)] == ["Archive", "Archive"]
    assert [world.flags(m) for m in (question, answer)] == [{"docs"}, {"docs"}]
    assert world.thread(question)["state"] == "closed"
    assert world.tick().actions == []


def test_a_users_reply_brings_a_closed_thread_back(world: World) -> None:
    """Any reply of a user returns the whole thread to the inbox; an out-of-office follows into the archive."""
    question = world.incoming(ANN, "All jobs fail")
    answer = world.incoming(AIDEN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(answer, "move", "Archive")
    world.settle()
    away = world.incoming(
        ANN, "Out of office: All jobs fail", answers=[question], headers={"Auto-Submitted": "auto-replied"}
    )
    world.advance(minutes=5)
    assert [world.where(m) for m in (question, answer, away)] == ["Archive"] * 3
    thanks = world.incoming(ANN, "Re: All jobs fail", answers=[question, answer])
    report = world.advance(hours=3)
    assert ("move", "reopen") in {(a.kind, a.rule) for a in report.actions}
    assert [world.where(m) for m in (question, answer, away, thanks)] == ["INBOX"] * 4
    assert "reopened" in world.thread(question)["reasons"]
    assert world.tick().actions == []


def test_waiting_closes_after_seven_days(world: World) -> None:
    """A thread that waits for its user for seven days closes by itself, and not a second before."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["waiting"])
    world.settle()
    early = world.advance(days=6, hours=23, minutes=57, seconds=59)
    assert early.actions == []
    report = world.advance(seconds=1)
    assert ("move", "auto_close") in {(a.kind, a.rule) for a in report.actions}
    assert world.where(question) == "Archive"
    assert world.tick().actions == []


def test_an_escalation_is_mailed_once(world: World) -> None:
    """A where label adds ESCALATED, and after the grace period the destination gets the story, once."""
    question = world.incoming(ANN, "All jobs fail", body="Error: lost heartbeat in job 4711")
    world.tick()
    world.on(question, "add_flags", ["ggus"])
    report = world.settle()
    assert ("add_label", "repair") in {(a.kind, a.rule) for a in report.actions}
    assert world.flags(question) == {"ggus", "escalated"}
    world.expect_no_mail()
    world.advance(minutes=10)
    world.expect_mail(
        "ggus@tracker.example.net", "lost heartbeat in job 4711", "Auto-Submitted: auto-generated"
    )
    world.advance(hours=23)
    world.lose_database()
    world.tick()
    world.advance(days=3)


def test_a_slip_does_not_leak(world: World) -> None:
    """A where label that is removed within the grace period was never mailed."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["ggus"])
    world.settle()
    world.on(question, "remove_flags", ["ggus"])
    world.settle()
    assert world.flags(question) == set()
    world.advance(days=1)


def test_losing_the_database_loses_no_mail(world: World) -> None:
    """An empty database adopts what lies there: nothing is moved, mailed or closed by it."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["waiting"])
    world.settle()
    before = world.thread(question)
    world.lose_database()
    report = world.advance(minutes=1)
    assert report.actions == []
    after = world.thread(question)
    assert (after["id"], after["state"], after["labels"]) == (before["id"], "waiting", ["WAITING"])
    assert world.tick().actions == []
