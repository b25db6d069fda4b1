"""Real mail: SMTP to a list, from the list to the mailbox, the board, and back to people; with Postfix, mlmmj and Dovecot."""

import os
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from helpdesk import app, asking, views
from helpdesk.config import settings_of
from helpdesk.outbox import OutboxRow, State
from helpdesk.report import Report
from helpdesk.store import outbox as rows
from tests.human import ImapHuman
from tests.servers import dovecot, postfix
from tests.servers.daemon import eventually
from tests.servers.postfix import LIST_DOMAIN, MAIL_DOMAIN, Postfix
from tests.servers.smtp_sink import Fault, Received, SmtpSink, Stage

LIST = f"dast@{LIST_DOMAIN}"
ANN = "ann@users.test"
GONE = "gone@users.test"
MEMBER = "member@users.test"
GGUS = "help@tracker.test"

CONFIG = """\
[board]
name = "dast"
list_address = "{list}"
list_ids = ["dast.lists.example.test"]
act = "act"
secret_file = "board.secret"
[imap]
host = "127.0.0.1"
port = {imap}
security = "none"
username = "{user}"
password_env = "HELPDESK_TEST_PASSWORD"
[smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "{user}@example.test"
[store]
url = "sqlite:///{folder}/board.db"
[policy]
settle_seconds = 0
escalation_grace_minutes = 0
[[people]]
name = "Aiden Archer"
addresses = ["aiden@example.test"]
roles = ["shifter", "admin"]
[[destination]]
label = "GGUS"
address = "{ggus}"
mode = "mail"
[[label]]
name = "Ganga"
kind = "temporary"
meaning = "a bug in Ganga"
"""
_users = count(1)


@dataclass
class Town:
    """One board on real servers, and the people around it."""

    folder: Path
    user: str
    imap: dovecot.Dovecot
    post: Postfix
    world: SmtpSink
    human: ImapHuman
    ids: Iterator[int] = field(default_factory=lambda: count(1))
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        text = CONFIG.format(
            list=LIST,
            imap=self.imap.port,
            smtp=self.post.port,
            user=self.user,
            folder=self.folder,
            ggus=GGUS,
        )
        self.settings = settings_of(self.folder / "helpdesk.toml", text)

    @property
    def board(self) -> str:
        """The board's own address."""
        return f"{self.user}@{MAIL_DOMAIN}"

    def send(self, sender: str, to: str, subject: str, answers: EmailMessage | None = None) -> str:
        """Somebody writes, from an ordinary client; the Message-ID."""
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = sender, to, subject
        message["Message-ID"] = f"<{next(self.ids)}.{self.user}@{sender.partition('@')[2]}>"
        message["Date"] = datetime.now(UTC)
        if answers is not None:
            message["In-Reply-To"] = answers["Message-ID"]
            message["References"] = f"{answers['References'] or ''} {answers['Message-ID']}".strip()
        message.set_content("All my jobs fail since this morning.")
        with smtplib.SMTP("127.0.0.1", self.post.port) as client:
            client.send_message(message, sender, [to])
        return str(message["Message-ID"])

    def run(self, **later: float) -> Report:
        """The board looks, after some time."""
        self.now += timedelta(**(later or {"minutes": 1}))
        return app.run_once(self.settings, self.now)

    def lands(self, mails: int) -> None:
        """So many mails lie in the inbox, sooner or later."""
        eventually(
            lambda: len(list(self.human.look("INBOX"))) >= mails,
            f"{mails} mails in the inbox: {self.post.log}",
        )

    def leaves(self, to: str, number: int = 1) -> EmailMessage:
        """The `number`-th mail of the board to an address in the world."""

        def found() -> list[Received]:
            return [
                mail
                for mail in self.world.received
                if mail.recipients == (to,) and b"X-Helpdesk-Id" in mail.content
            ]

        eventually(lambda: len(found()) >= number, f"mail {number} to {to}: {self.post.log}")
        parsed: EmailMessage = BytesParser(_class=EmailMessage, policy=default).parsebytes(
            found()[number - 1].content
        )
        return parsed

    def label(self, message_id: str, *keywords: str) -> None:
        """A shifter labels a mail."""
        uid = next(seen.uid for seen in self.human.look("INBOX") if seen.message_id == message_id)
        self.human.add_flags("INBOX", [uid], list(keywords))

    def thread(self, message_id: str) -> Any:
        """The thread of a mail, as `show --json` tells it."""
        board_of = app.dialect(self.settings), app.policy(self.settings), self.settings.board.name
        with app.opened(self.settings, writing=False) as engine, engine.connect() as conn:
            threads = list(views.list_threads(conn, *board_of))
        return next(one for one in threads if any(m["message_id"] == message_id for m in one["messages"]))

    def outbox(self) -> list[OutboxRow]:
        """All mails of the board."""
        with app.opened(self.settings, writing=False) as engine, engine.connect() as conn:
            return list(rows.rows(conn, State))

    def release(self, name: str, version: str) -> None:
        """Somebody says that a release is out; the next look carries it out."""
        with app.opened(self.settings, writing=True) as engine, engine.begin() as conn:
            asking.release(conn, self.settings, name, version, self.now)


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
