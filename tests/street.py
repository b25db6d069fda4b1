"""Two boards on one street, and everybody who answers a mail with a mail.

| who | does |
|---|---|
| the other board | is a destination of the first, and the first of it |
| Olga | is out of office: her mail program answers each mail, properly marked |
| Otto | has one that marks nothing: what it says looks like a person's words |
| a list | has the board among its members: what is written to it comes back to the board, with another From |
| a rude list | does the same, and takes away whatever could tell where the mail comes from |
| GGUS | refuses: each mail comes back |
| a tracker | comments on each mail, with its ticket's number |

A forger who writes commands in a shifter's name is in tests/test_loops.py.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from functools import partial
from pathlib import Path
from typing import Final

from helpdesk.ports import Letter
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import CONFIG, World

NAMES: Final = ("dast", "ops")
ANN, OLGA, OTTO = "ann@users.example.com", "olga@users.example.com", "otto@users.example.com"
ECHO, RUDE = "echo@lists.example.com", "rude@lists.example.com"
USERS: Final = (ANN, OLGA, OTTO, ECHO, RUDE)
GGUS, TRACKER = "ggus@tracker.example.net", "help@desk.example.edu"

_MORE: Final = """
[[destination]]
label = "Neighbours"
address = "{other}-board@example.org"
mode = "mail"
[[destination]]
label = "Desk"
address = "help@desk.example.edu"
mode = "mail"
domain = "desk.example.edu"
[brakes]
max_mails = 1000
max_bot_moves = 1000
[caps]
user_per_day = {caps[0]}
thread_per_day = {caps[1]}
board_per_hour = {caps[2]}
"""


@dataclass
class Street:
    """Both boards at one time; `post` carries everything that was sent to whom it is for."""

    folder: Path
    caps: tuple[int, int, int]
    boards: dict[str, World] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    sent: list[tuple[datetime, str, Letter]] = field(default_factory=list)  # when, from which board
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        for name, other in zip(NAMES, reversed(NAMES), strict=True):
            (self.folder / name).mkdir()
            config = CONFIG.replace("dast", name) + _MORE.format(other=other, caps=self.caps)
            server = MemoryServer()
            self.boards[name] = World(server, partial(MemoryMailbox, server), self.folder / name, config)
            self.boards[name].tick()

    def close(self) -> None:
        """Lock up."""
        for world in self.boards.values():
            world.mailbox.close()
            world.engine.dispose()

    def advance(self, **time: float) -> None:
        """Time goes by; both boards look, and their mail is carried, until nobody has anything to say at this moment."""
        for world in self.boards.values():
            world.now += timedelta(**time)
        for _ in range(5):
            for world in self.boards.values():
                world.tick()
            if not sum([self._carry(name) for name in NAMES]):
                return

    def _carry(self, name: str) -> int:
        world = self.boards[name]
        new = world.mailer.arrived[self.carried[name] :]
        self.carried[name] += len(new)
        for letter in new:
            self.sent.append((world.now, name, letter))
            message: EmailMessage = BytesParser(_class=EmailMessage, policy=default).parsebytes(
                letter.content
            )
            for to in letter.recipients:
                self._arrive(name, to, letter, message)
        return len(new)

    def _arrive(self, name: str, to: str, letter: Letter, message: EmailMessage) -> None:
        """One recipient has it."""
        home = to.partition("-board")[0]
        if home in self.boards:
            self._deliver(home, letter.content)
        elif answer := _ANSWERS.get(to):
            for octets in answer(letter, message, f"<r{next(self.ids)}@{to.partition('@')[2]}>"):
                self._deliver(name, octets)

    def _deliver(self, name: str, octets: bytes) -> None:
        world = self.boards[name]
        world.human.deliver("INBOX", octets, world.now)


Answer = Callable[[Letter, EmailMessage, str], Iterator[bytes]]


def _reply(
    sender: str, message: EmailMessage, own: str, words: str, headers: Mapping[str, str]
) -> EmailMessage:
    answer = EmailMessage(policy=SMTP)
    answer["From"], answer["To"] = sender, str(message["Reply-To"] or message["From"])
    answer["Subject"] = headers.get("Subject", f"Re: {message['Subject']}")
    answer["Message-ID"], answer["In-Reply-To"] = own, str(message["Message-ID"])
    answer["References"] = " ".join([*str(message["References"] or "").split(), str(message["Message-ID"])])
    answer["Date"] = message["Date"]
    for key, value in headers.items():
        if key != "Subject":
            answer[key] = value
    answer.set_content(words)
    return answer


def _olga(_: Letter, message: EmailMessage, own: str) -> Iterator[bytes]:
    yield _reply(OLGA, message, own, "I am away.", {"Auto-Submitted": "auto-replied"}).as_bytes()


def _otto(_: Letter, message: EmailMessage, own: str) -> Iterator[bytes]:
    yield _reply(OTTO, message, own, "Thank you for your mail, I read it on Monday.", {}).as_bytes()


def _tracker(_: Letter, message: EmailMessage, own: str) -> Iterator[bytes]:
    marks = {"Subject": f"[Ticket#4711] {message['Subject']}", "Auto-Submitted": "auto-generated"}
    yield _reply(TRACKER, message, own, "We look into it. Please do not answer above.", marks).as_bytes()


def _bounce(letter: Letter, message: EmailMessage, own: str) -> Iterator[bytes]:
    yield (
        f"From: MAILER-DAEMON@mx.example.net\r\nTo: {letter.sender}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        f"Message-ID: {own}\r\nDate: {message['Date']}\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nnot delivered\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; {GGUS}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message['Message-ID']}\r\n\r\n--b--\r\n"
    ).encode()


def _echo(_: Letter, message: EmailMessage, __: str) -> Iterator[bytes]:
    again: EmailMessage = BytesParser(_class=EmailMessage, policy=default).parsebytes(message.as_bytes())
    again.replace_header("From", f"Somebody via echo <{ECHO}>")
    again["List-Id"] = "<echo.lists.example.com>"
    again["Precedence"] = "list"
    yield again.as_bytes()


def _rude(_: Letter, message: EmailMessage, own: str) -> Iterator[bytes]:
    body = message.get_body(("plain",))
    again = _reply(
        RUDE, message, own, str(body.get_content()) if body else "", {"List-Id": "<rude.lists.example.com>"}
    )
    yield again.as_bytes()


_ANSWERS: Final[Mapping[str, Answer]] = {
    OLGA: _olga,
    OTTO: _otto,
    ECHO: _echo,
    RUDE: _rude,
    GGUS: _bounce,
    TRACKER: _tracker,
}
DESTINATIONS: Final[Sequence[str]] = ("ggus", "neighbours", "desk")
