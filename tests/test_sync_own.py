"""Observing mail of our own, and mail that is nobody's issue."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from helpdesk.model import Nature
from helpdesk.ports import Tier
from helpdesk.store.core import OUTBOX
from tests.bench import GGUS, OWN, START, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, Tier.QRESYNC)
    made.look()
    yield made
    made.close()


def outbox(bench: Bench, message_id: str, thread: int | None) -> None:
    """A mail that was sent."""
    values = {
        "message_id": message_id,
        "thread": thread,
        "code": "",
        "rule": "escalate",
        "occasion": "1",
        "kind": "escalation",
        "recipients": GGUS,
        "context": "",
        "planned_at": START,
        "state": "sent",
        "attempts": 1,
        "last_answer": "",
    }
    with bench.engine.begin() as conn:
        conn.execute(insert(OUTBOX), [values])


def test_our_own_mail_joins_its_thread(bench: Bench) -> None:
    """The copy of a mail that we sent about a thread belongs to it, and so does what answers or returns it."""
    bench.deliver("<a@x>")
    bench.look()
    outbox(bench, OWN, bench.thread("<a@x>").key)
    bench.deliver(OWN, "dast-board@example.org", subject="[dast] escalated")
    bench.deliver(
        "<rewritten@relay>", "board@x", headers={"X-Helpdesk-Id": OWN.strip("<>").partition("@")[0]}
    )
    bench.deliver("<ggus@x>", GGUS, answers=[OWN], subject="Re: [dast] escalated")
    bench.deliver(
        "<bounce@x>",
        "MAILER-DAEMON@example.org",
        subject="Undelivered",
        headers={"Content-Type": "multipart/report; boundary=xx"},
        body=f"--xx\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {OWN}\r\n\r\n--xx--",
    )
    assert bench.look().holds == ()
    (thread,) = bench.threads()
    assert len(thread.messages) == 5
    assert [m.message_id for m in thread.messages if m.of_ours] == ["<bounce@x>"]
    assert [m.message_id for m in thread.messages if m.nature is Nature.OWN] == [OWN, "<rewritten@relay>"]


def test_our_own_mail_after_the_loss_of_the_outbox(bench: Bench) -> None:
    """A mail of ours that no row tells about belongs to the thread that its references name."""
    bench.deliver("<a@x>")
    bench.deliver(OWN, "dast-board@example.org", answers=["<a@x>"], when=START - timedelta(days=1))
    bench.look()
    assert bench.groups() == [{"<a@x>", OWN}]


def test_our_own_mail_about_a_thread_may_lie_anywhere(bench: Bench) -> None:
    """A mail of ours about a thread belongs to it in the folder Helpdesk as well."""
    bench.server.create("Helpdesk")
    bench.deliver("<a@x>")
    bench.look()
    outbox(bench, OWN, bench.thread("<a@x>").key)
    bench.deliver(OWN, "dast-board@example.org", folder="Helpdesk")
    bench.look()
    assert bench.groups() == [{"<a@x>", OWN}]
    for source, target in (("Helpdesk", "Archive"), ("Archive", "Helpdesk")):
        bench.server.move(source, [1], target)
        bench.look()
        assert bench.groups() == [{"<a@x>", OWN}]


def test_our_own_mail_about_the_board_is_correspondence(bench: Bench) -> None:
    """A mail of ours that is about no thread is in none."""
    outbox(bench, OWN, None)
    bench.deliver(OWN, "dast-board@example.org", subject="[dast] digest")
    assert bench.look().new == 1
    assert bench.threads() == []
    bench.server.move("INBOX", [1], "Archive")
    bench.look()
    assert bench.threads() == []


def test_filed_mail_is_nobodys_issue(bench: Bench) -> None:
    """A mail that is moved to the folder Helpdesk leaves its thread, and comes back with it."""
    bench.server.create("Helpdesk")
    bench.deliver("<a@x>")
    bench.deliver("<b@x>", answers=["<a@x>"])
    bench.look()
    bench.server.move("INBOX", [2], "Helpdesk")
    bench.look()
    assert bench.groups() == [{"<a@x>"}]
    bench.server.move("Helpdesk", [1], "INBOX")
    bench.look()
    assert bench.groups() == [{"<a@x>", "<b@x>"}]


def test_the_last_mail_of_a_thread_is_filed(bench: Bench) -> None:
    """A thread whose only mail is filed is no more."""
    bench.server.create("Helpdesk")
    bench.deliver("<a@x>")
    bench.deliver("<b@x>", folder="Helpdesk")
    bench.look()
    assert bench.groups() == [{"<a@x>"}]
    bench.server.move("INBOX", [1], "Helpdesk")
    bench.look()
    assert bench.threads() == []
    bench.server.delete("Helpdesk", [1, 2])
    bench.look()
    bench.look()
    assert (bench.held(), bench.threads()) == ([], [])
