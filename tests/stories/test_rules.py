"""The rules of the board, each as its users meet it."""

from datetime import timedelta

from sqlalchemy import select

from helpdesk.outbox import State
from helpdesk.store import outbox
from helpdesk.store.core import ACTION, MESSAGE
from tests.world import World

ANN = "ann@users.example.com"
AIDEN = "aiden@example.org"


def rules(report: object) -> set[tuple[str, str]]:
    return {(a.kind, a.rule) for a in report.actions}  # type: ignore[attr-defined]


def test_without_a_settle_time_everything_happens_in_one_run(world: World) -> None:
    """With settle_seconds = 0 a label is spread and a close completed by the run that first sees it."""
    world.reconfigure("[policy]\nsettle_seconds = 0\n")
    question = world.incoming(ANN, "All jobs fail")
    reply = world.incoming(ANN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(question, "add_flags", ["waiting"])
    world.advance(seconds=1)
    assert world.flags(reply) == {"waiting"}
    world.on(reply, "move", "Archive")
    world.advance(seconds=1)
    assert [world.where(m) for m in (question, reply)] == ["Archive", "Archive"]
    assert world.flags(question) | world.flags(reply) == set()


def test_a_removed_label_goes_everywhere(world: World) -> None:
    """A label that a human takes off one mail leaves the whole thread."""
    question = world.incoming(ANN, "All jobs fail")
    reply = world.incoming(ANN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(question, "add_flags", ["docs"])
    world.settle()
    world.on(reply, "remove_flags", ["docs"])
    world.settle()
    assert [world.flags(m) for m in (question, reply)] == [set(), set()]


def test_the_client_s_spelling_is_kept(world: World) -> None:
    """A tag that Thunderbird spells in its own way is the same label, and is spread as it is spelled."""
    question = world.incoming(ANN, "All jobs fail")
    reply = world.incoming(ANN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(question, "add_flags", ["fixed=20in=20next=20release"])
    world.settle()
    assert world.flags(reply) == {"fixed=20in=20next=20release"}
    assert world.thread(question)["state"] == "fixed_in_next_release"
    world.on(reply, "remove_flags", ["fixed=20in=20next=20release"])
    world.settle()
    assert [world.flags(m) for m in (question, reply)] == [set(), set()]


def test_a_copy_in_the_archive_closes_the_thread(world: World) -> None:
    """A client that archives by COPY closes the thread; the old copy is left where it is."""
    question = world.incoming(ANN, "All jobs fail")
    reply = world.incoming(ANN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(question, "copy", "Archive")
    world.settle()
    assert world.where(reply) == "Archive"
    assert world.where(question) == "Archive,INBOX"
    assert world.thread(question)["state"] == "closed"
    assert world.tick().actions == []


def test_a_year_folder_is_an_archive(world: World) -> None:
    """Thunderbird's yearly subfolders of the archive close a thread too."""
    world.human.create("Archive/2026")
    question = world.incoming(ANN, "All jobs fail")
    reply = world.incoming(ANN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(reply, "move", "Archive/2026")
    world.settle()
    assert world.where(question) == "Archive"
    world.on(question, "move", "INBOX")
    report = world.settle()
    assert ("move", "reopened_by_hand") in rules(report)
    assert world.where(reply) == "INBOX"


def test_a_state_label_in_the_archive_reopens(world: World) -> None:
    """A state label that a human sets on a closed thread opens all of it."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "move", "Archive")
    world.settle()
    world.on(question, "add_flags", ["urgent"])
    world.settle()
    assert world.where(question) == "INBOX"
    assert world.flags(question) == {"urgent"}
    world.expect_mail("aiden@example.org", "All jobs fail")
    world.on(question, "remove_flags", ["urgent"])
    world.tick()


def test_urgent_is_told_and_told_again(world: World) -> None:
    """URGENT mails the shifters after two minutes, and the people on call after an hour without an answer."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["urgent"])
    world.tick()
    world.expect_no_mail()
    world.advance(minutes=2)
    letter = world.expect_mail("aiden@example.org", "All jobs fail")
    assert "sergey@example.org" in letter.recipients
    world.advance(minutes=59)
    world.expect_mail("sergey@example.org", "60")
    world.advance(days=2)


def test_an_answer_ends_the_alarm(world: World) -> None:
    """A shifter who answers an urgent thread keeps the people on call asleep."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["urgent"])
    world.tick()
    world.advance(minutes=2)
    world.expect_mail("aiden@example.org")
    world.incoming(AIDEN, "Re: All jobs fail", answers=[question])
    world.advance(hours=2)


def test_taken_is_a_soft_claim(world: World) -> None:
    """The label taken goes with a team mail, or after four hours."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["taken"])
    world.settle()
    assert world.flags(question) == {"taken"}
    world.advance(hours=4)
    assert world.flags(question) == set()
    world.on(question, "add_flags", ["taken"])
    world.settle()
    world.incoming(AIDEN, "Re: All jobs fail", answers=[question])
    world.advance(minutes=1)
    assert world.flags(question) == set()


def test_a_release_asks_the_user_once(world: World) -> None:
    """FIXED threads of a released component ask their user to verify, once, and wait."""
    question = world.incoming(ANN, "Output not registered")
    other = world.incoming("bob@users.example.com", "Plots look odd")
    world.tick()
    world.on(question, "add_flags", ["fixed_in_next_release", "docs"])
    world.on(other, "add_flags", ["fixed_in_next_release"])
    world.settle()
    world.advance(minutes=1)
    cycle = 1000
    world.ask("release", name="docs", version="2.0", cycle=cycle)
    world.expect_mail(ANN, "docs 2.0", "Output not registered")
    assert world.thread(question)["state"] == "waiting"
    assert world.thread(other)["state"] == "fixed_in_next_release"
    world.advance(days=1)


def test_a_team_rule_labels_once(world: World) -> None:
    """A [[rule]] labels a matching thread; that ends no attention, and a human's removal is final."""
    world.reconfigure(
        '[[rule]]\nname = "mc08"\nwhen = { subject = "mc08" }\nadd = ["mc08 dataset problem"]\n'
    )
    question = world.incoming(ANN, "Dataset mc08.1058 missing")
    report = world.advance(seconds=10)
    assert rules(report) == {("add_label", "new")}
    assert world.flags(question) == {"mc08_dataset_problem"}
    assert world.thread(question)["reasons"] == ["unlabelled", "unread_reply"]
    world.on(question, "remove_flags", ["mc08_dataset_problem"])
    world.settle()
    world.incoming(ANN, "Re: Dataset mc08.1058 missing", answers=[question])
    world.advance(minutes=1)
    assert world.flags(question) == set()


def test_a_slip_is_undone(world: World) -> None:
    """`undo` reverses what the bot did and counts as a touch: the bot does not do it again."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["waiting"])
    world.settle()
    world.advance(days=8)
    assert world.where(question) == "Archive"
    with world.engine.connect() as conn:
        query = select(ACTION).where(ACTION.c.kind == "move", ACTION.c.rule == "auto_close")
        action = conn.execute(query).one()
    world.ask("undo", thread=action.thread, action=action.id, kind="move", what=action.what)
    assert world.where(question) == "INBOX"
    assert world.advance(minutes=5).actions == []
    assert world.where(question) == "INBOX"


def test_an_own_list_copy_of_the_closing_answer_does_not_reopen(world: World) -> None:
    """A shifter answers, archives, and his own mail comes back over the list: the thread stays closed."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    answer = "<answer@example.org>"
    world.incoming(AIDEN, "Re: All jobs fail", answers=[question], message_id=answer, folder="Sent")
    world.on(question, "move", "Archive")
    world.settle()
    sent = world.now - timedelta(minutes=2)
    world.incoming(AIDEN, "Re: All jobs fail", answers=[question], message_id=answer, date=sent)
    world.advance(minutes=2)
    assert world.where(question) == "Archive"
    assert world.where(answer) == "Archive,Sent"
    assert world.thread(question)["state"] == "closed"


def test_a_bounce_of_ours_calls_for_a_shifter(world: World) -> None:
    """A bounce of a mail of ours joins its thread, brings attention, and stops the auto-close."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["ggus"])
    world.settle()
    world.advance(minutes=11)
    letter = world.expect_mail("ggus@tracker.example.net")
    bounce = (
        b"From: MAILER-DAEMON@mx.example.net\r\nTo: dast-board@example.org\r\nSubject: Undelivered Mail Returned\r\n"
        b"Message-ID: <bounce1@mx.example.net>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
        b"Final-Recipient: rfc822; ggus@tracker.example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: "
        + letter.message_id.encode()
        + b"\r\n\r\n--b--\r\n"
    )
    world.human.deliver("INBOX", bounce, world.now)
    world.advance(minutes=1)
    thread = world.thread("<bounce1@mx.example.net>")
    assert thread["id"] == world.thread(question)["id"]
    assert "bounce" in thread["reasons"]


def test_a_bounce_that_quotes_nothing_finds_its_thread(world: World) -> None:
    """The address that a bounce comes to says which mail it is about; so does an answering machine's; a made-up one does not."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["ggus"])
    world.settle()
    world.advance(minutes=11)
    letter = world.expect_mail("ggus@tracker.example.net")
    forged = letter.sender.replace("+", "+a") if "+" in letter.sender else letter.sender

    def comes(number: int, sender: str, to: str, subject: str) -> str:
        own = f"<back{number}@mx.example.net>"
        head = f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: {own}\r\nAuto-Submitted: auto-replied"
        world.human.deliver("INBOX", f"{head}\r\n\r\nIt did not work.\r\n".encode(), world.now)
        world.advance(minutes=1)
        return str(world.thread(own)["id"])

    mine = world.thread(question)["id"]
    assert comes(1, "deputy@mx.example.net", letter.sender, "I am away") == mine
    before = world.thread(question)["reasons"]
    assert comes(2, "MAILER-DAEMON@mx.example.net", forged, "Undelivered Mail Returned to Sender") != mine
    assert (
        comes(3, "MAILER-DAEMON@mx.example.net", letter.sender, "Undelivered Mail Returned to Sender") == mine
    )
    assert set(world.thread(question)["reasons"]) - set(before) == {"bounce"}


def test_our_own_copy_joins_its_thread_and_changes_nothing(world: World) -> None:
    """The copy of an escalation that comes home belongs to its thread, has role bot, and proves the delivery."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["ggus"])
    world.settle()
    world.advance(minutes=11)
    letter = world.expect_mail("ggus@tracker.example.net")
    world.human.deliver("INBOX", letter.content, world.now)
    world.advance(minutes=1)
    thread = world.thread(question)
    assert {m["role"] for m in thread["messages"]} == {"user", "bot"}
    assert thread["state"] == "escalated"
    with world.engine.connect() as conn:
        assert [row.state for row in outbox.rows(conn, tuple(State))] == [State.OBSERVED]
    assert world.tick().actions == []


def test_hostile_text_stays_text(world: World) -> None:
    """Escape sequences and line breaks in a subject are harmless wherever the board shows them."""
    raw = (
        b"From: =?utf-8?q?Evil=0D=0ABcc=3A_x?= <evil@users.example.com>\r\nTo: dast@lists.example.org\r\n"
        b"Subject: =?utf-8?q?=1B[31mred=0D=0AX-Bad=3A_1_=E2=80=AEtxt_[/foo]?=\r\nMessage-ID: <evil@users.example.com>\r\n\r\nhi\r\n"
    )
    world.human.deliver("INBOX", raw, world.now)
    world.tick()
    subject = world.thread("<evil@users.example.com>")["subject"]
    assert not set(subject) & set("\x1b\r\n\u202e")
    with world.engine.connect() as conn:
        assert conn.execute(
            select(MESSAGE.c.quarantined if "quarantined" in MESSAGE.c else MESSAGE.c.id)
        ).all()


def test_a_late_parent_joins_two_threads(world: World) -> None:
    """Two replies whose parent comes last are one thread: open if either is, labels united, and no mail."""
    one = world.incoming(ANN, "Re: Jobs", answers=["<ghost@late.example.com>"])
    world.tick()
    two = world.incoming("bob@users.example.com", "Re: Disk", answers=["<other@late.example.com>"])
    world.tick()
    world.on(one, "add_flags", ["docs"])
    world.settle()
    world.on(two, "move", "Archive")
    world.settle()
    assert world.thread(one)["id"] != world.thread(two)["id"]
    world.incoming(ANN, "Jobs", message_id="<ghost@late.example.com>", answers=["<other@late.example.com>"])
    world.advance(minutes=1)
    assert world.thread(one)["id"] == world.thread(two)["id"]
    assert [world.where(m) for m in (one, two)] == ["INBOX", "INBOX"]
    assert [world.flags(m) for m in (one, two)] == [{"docs"}, {"docs"}]
    assert world.tick().actions == []


def test_what_only_a_human_can_settle_is_said(world: World) -> None:
    """WAITING and FIXED together are shown with the thread and by every run that looks at it, until a human chose."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["waiting", "fixed_in_next_release"])
    report = world.settle()
    said = "WAITING and FIXED both set"
    assert [(n.thread, n.note) for n in report.notes] == [(world.thread(question)["id"], said)]
    assert world.thread(question)["notes"] == [said]
    world.on(question, "remove_flags", ["fixed_in_next_release"])
    world.settle()
    assert world.thread(question)["notes"] == []


def test_a_label_that_is_configured_later_covers_its_threads(world: World) -> None:
    """A keyword that nobody had explained becomes a label of its whole thread with the configuration that names it."""
    question = world.incoming(ANN, "All jobs fail")
    reply = world.incoming(ANN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(question, "add_flags", ["desy-srm"])
    world.settle()
    assert world.flags(reply) == set()
    world.reconfigure('[[label]]\nname = "desy-srm"\nkind = "temporary"\n')
    world.tick()
    world.settle()
    assert world.flags(reply) == {"desy-srm"}
