"""Real mail: SMTP to a list, from the list to the mailbox, the board, and back to people; with Postfix, mlmmj and Dovecot."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from helpdesk.outbox import State
from tests.human import ImapHuman
from tests.servers import dovecot, postfix
from tests.servers.postfix import MAIL_DOMAIN
from tests.servers.smtp_sink import Fault, SmtpSink, Stage
from tests.town import ANN, GGUS, GONE, LIST, MEMBER, SERGEY, Town

_users = count(1)


@pytest.fixture
def town(tmp_path: Path, dovecot_mdbox: dovecot.Dovecot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    if why := postfix.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{why}, and this is CI")
        pytest.skip(why)
    monkeypatch.setenv("HELPDESK_TEST_PASSWORD", dovecot_mdbox.password)
    user = f"board{next(_users)}-{os.getpid()}"
    human = ImapHuman("127.0.0.1", dovecot_mdbox.port, user, dovecot_mdbox.password)
    members = (f"{user}@{MAIL_DOMAIN}", MEMBER)
    with SmtpSink() as world:
        post = postfix.start(dovecot_mdbox.lmtp_port, world.port, lists={"dast": members})
        told = Town(tmp_path, user, dovecot_mdbox, post, world, human)
        told.run()
        yield told
        post.stop()
    human.close()


def test_a_question_goes_round(town: Town) -> None:
    """A user writes to the list, is asked whether the release helps, and answers to the list: one thread all the way.

    The list adds its header, prefix and footer; the board's own copy proves that its mail went out.
    """
    question = town.send(ANN, LIST, "My jobs fail")
    town.lands(1)
    town.run()
    thread = town.thread(question)
    assert [(m["author"], m["role"], m["automatic"]) for m in thread["messages"]] == [(ANN, "user", False)]
    assert "unlabelled" in thread["reasons"]

    town.label(question, "fixed_in_next_release", "ganga")
    town.run()
    town.release("Ganga", "5.2")
    town.run()
    asked = town.leaves(ANN)
    assert asked["Reply-To"] == LIST
    assert asked["In-Reply-To"] == question
    assert "5.2" in asked["Subject"]
    town.lands(2)
    town.run()
    assert [row.state for row in town.outbox()] == [State.OBSERVED]
    assert town.thread(question)["labels"] == ["Ganga", "WAITING"]

    answer = town.send(ANN, str(asked["Reply-To"]), f"Re: {asked['Subject']}", asked)
    town.lands(3)
    town.run()
    thread = town.thread(question)
    assert {m["message_id"] for m in thread["messages"]} == {question, asked["Message-ID"], answer}
    assert thread["labels"] == ["Ganga"]
    assert "unread_reply" in thread["reasons"]
    assert town.run().actions == []


def test_a_bounce_comes_home(town: Town) -> None:
    """A mail to somebody who has gone comes back to the board's envelope sender, joins its thread and gets attention."""
    question = town.send(GONE, LIST, "My jobs fail")
    town.lands(1)
    town.run()
    town.world.script(Fault(Stage.RCPT, "550 5.1.1 no such user", to=GONE, lasting=True))
    town.label(question, "fixed_in_next_release", "ganga")
    town.run()
    town.release("Ganga", "5.2")
    town.run()
    town.lands(3)  # our own copy, and the bounce
    town.run()
    [row] = town.outbox()
    assert row.state is State.OBSERVED
    thread = town.thread(question)
    assert "bounce" in thread["reasons"]
    assert len(thread["messages"]) == 3


def test_an_escalation_is_answered(town: Town) -> None:
    """A destination gets the story from the board, and its answer comes to the board and into the thread."""
    question = town.send(ANN, LIST, "My jobs fail")
    town.lands(1)
    town.run()
    town.label(question, "ggus")
    town.run()
    story = town.leaves(GGUS)
    town.lands(2)
    answer = town.send(
        GGUS, str(story["Reply-To"]).rpartition("<")[2].rstrip(">"), f"Re: {story['Subject']}", story
    )
    town.lands(3)
    town.run()
    thread = town.thread(question)
    assert {m["message_id"]: m["role"] for m in thread["messages"]}[answer] == "expert"
    assert "expert_comment" in thread["reasons"]
    assert [row.state for row in town.outbox()] == [State.OBSERVED]
    assert not [mail for mail in town.world.received if mail.recipients == (ANN,)]


def test_a_command_is_confirmed_and_carried_out(town: Town) -> None:
    """A shifter whom no server vouches for writes to the board, is asked, sends the token back, and is told what was done."""
    question = town.send(ANN, LIST, "My jobs fail")
    town.lands(1)
    town.run()
    short = str(town.thread(question)["id"])
    town.send(
        SERGEY,
        town.board,
        "from my phone",
        body=f"Helpdesk: waiting {short}\nhelpdesk: tell user {short}: Which site?",
    )
    town.lands(2)
    town.run()
    asked = town.leaves(SERGEY)
    assert town.thread(question)["labels"] == []
    token = (
        str(asked.get_body(("plain",))).partition("helpdesk: confirm ")[2].split()[0]
    )  # as it stands in the mail
    home = str(asked["Reply-To"]).rpartition("<")[2].rstrip(">")
    body = f"helpdesk: confirm {token}\n\n> Did you write this?"
    town.comes(town.send(SERGEY, home, f"Re: {asked['Subject']}", asked, body=body))
    town.run()
    assert town.thread(question)["labels"] == ["WAITING"]
    told, done = town.leaves(ANN), town.leaves(SERGEY, 2)
    assert "Which site?" in str(told.get_body(("plain",)))
    assert "WAITING is set" in str(done.get_body(("plain",)))
    for mail in (asked, told, done):
        town.comes(str(mail["Message-ID"]))
    town.run()
    assert {row.state for row in town.outbox()} == {State.OBSERVED}
    assert town.run().actions == []
    assert {seen.message_id for seen in town.human.look("INBOX")} == {question, told["Message-ID"]}
    assert len(town.human.look("Helpdesk")) == 4  # the command, the question about it, the token, the answer
