"""Real mail through Mailman 3, which puts its own address into From; part of `make slow`."""

import os
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.outbox import State
from tests.human import ImapHuman
from tests.servers import dovecot, mailman, postfix
from tests.servers.postfix import MAIL_DOMAIN
from tests.servers.process import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.town import ANN, LIST, MEMBER, Town

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


@pytest.fixture
def town(tmp_path: Path, dovecot_mdbox: dovecot.Dovecot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    why = postfix.missing() or (
        "" if mailman.PROGRAM.exists() else "Mailman is not installed (deploy/install-mailman)"
    )
    if why:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{why}, and this is CI")
        pytest.skip(why)
    monkeypatch.setenv("HELPDESK_TEST_PASSWORD", dovecot_mdbox.password)
    user = f"munged-{os.getpid()}"
    human = ImapHuman("127.0.0.1", dovecot_mdbox.port, user, dovecot_mdbox.password)
    smtp, lmtp = free_port(), free_port()
    with SmtpSink() as world:
        post = postfix.start(dovecot_mdbox.lmtp_port, world.port, others={LIST: lmtp}, port=smtp)
        lists = mailman.start("dast", (f"{user}@{MAIL_DOMAIN}", MEMBER), smtp=smtp, lmtp=lmtp)
        told = Town(tmp_path, user, dovecot_mdbox, post, world, human)
        told.run()
        yield told
        lists.stop()
        post.stop()
    human.close()


def test_a_question_goes_round_a_list_that_rewrites_from(town: Town) -> None:
    """The author behind the list is found, asked directly, and his answer through the list is his again.

    A mail of ours that somebody hands on to the list comes home with the list's From: it is recognised, and nobody acts on it.
    """
    question = town.send(ANN, LIST, "My jobs fail")
    town.lands(1)
    town.run()
    thread = town.thread(question)
    assert [(m["author"], m["role"], m["automatic"]) for m in thread["messages"]] == [(ANN, "user", False)]

    town.label(question, "fixed_in_next_release", "ganga", "\\Seen")
    town.run()
    town.release("Ganga", "5.2")
    town.run()
    asked = town.leaves(ANN)
    assert asked["Reply-To"] == LIST
    town.lands(2)
    town.run()
    assert [row.state for row in town.outbox()] == [State.OBSERVED]

    with smtplib.SMTP("127.0.0.1", town.post.port) as client:
        client.send_message(asked, ANN, [LIST])
    town.lands(3)
    town.run()
    thread = town.thread(question)
    assert {m["role"] for m in thread["messages"]} == {"user", "bot"}
    assert thread["labels"] == ["Ganga", "WAITING"]
    assert thread["reasons"] == []

    answer = town.send(ANN, LIST, f"Re: {asked['Subject']}", asked)
    town.lands(4)
    town.run()
    thread = town.thread(question)
    roles = {m["message_id"]: (m["author"], m["role"]) for m in thread["messages"]}
    assert roles[answer] == (ANN, "user")
    assert thread["labels"] == ["Ganga"]
    assert "unread_reply" in thread["reasons"]
    assert len(town.outbox()) == 1
