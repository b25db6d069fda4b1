"""What every `Mailer` promises: the fake in memory and the SMTP client against a real server alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import pytest

from helpdesk.ports import Delivery, Letter, Mailer, Outcome
from helpdesk.smtp import SmtpMailer, SmtpServer
from tests.memory_mailer import MemoryMailer, Trouble
from tests.servers.smtp_sink import DROP, Fault, SmtpSink, Stage

TEXT = b"Subject: hello\r\nMIME-Version: 1.0\r\n\r\n.dot\r\n..dots\r\n.\r\nlast line\r\n"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A letter on the other side."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


class Office(Protocol):
    """A mailer and the other side of it."""

    @property
    def mailer(self) -> Mailer:
        """The one under test."""

    @property
    def arrived(self) -> Sequence[Arrived]:
        """What got through so far."""

    def expect(self, letters: Sequence[Letter], troubles: Sequence[Trouble]) -> None:
        """Arrange what happens to each of these letters, in order."""


class MemoryOffice:
    def __init__(self) -> None:
        self.mailer = MemoryMailer()

    @property
    def arrived(self) -> Sequence[Arrived]:
        return [Arrived(one.sender, one.recipients, one.content) for one in self.mailer.arrived]

    def expect(self, letters: Sequence[Letter], troubles: Sequence[Trouble]) -> None:
        self.mailer.script(*troubles[: len(letters)])


class SmtpOffice:
    def __init__(self, sink: SmtpSink) -> None:
        self.sink = sink
        self.mailer = SmtpMailer(SmtpServer(sink.host, sink.port, "none", timeout=10, data_timeout=10))

    @property
    def arrived(self) -> Sequence[Arrived]:
        return [Arrived(one.sender, one.recipients, one.content) for one in self.sink.received]

    def expect(self, letters: Sequence[Letter], troubles: Sequence[Trouble]) -> None:
        for letter, trouble in zip(letters, troubles, strict=False):
            self.sink.script(*_faults(letter, trouble))


def _faults(letter: Letter, trouble: Trouble) -> list[Fault]:
    first = letter.recipients[0]
    faults = {
        Trouble.NONE: [],
        Trouble.BUSY: [Fault(Stage.RCPT, "450 later", to=one) for one in letter.recipients],
        Trouble.REFUSED: [Fault(Stage.RCPT, "550 never", to=one) for one in letter.recipients],
        Trouble.ONE_REFUSED: [Fault(Stage.RCPT, "550 no such user", to=first)],
        Trouble.ONE_LATER: [Fault(Stage.RCPT, "450 later", to=first)],
        Trouble.ONE_OF_EACH: [
            Fault(Stage.RCPT, "550 no such user", to=first),
            Fault(Stage.RCPT, "450 later", to=letter.recipients[1]),
        ],
        # lasting, because a mailer may try at once on a fresh connection
        Trouble.LOST_BEFORE: [Fault(Stage.RCPT, DROP, to=first, lasting=True)],
        Trouble.LOST_AFTER: [Fault(Stage.TEXT, DROP, to=first, accepted=True)],
        Trouble.LOST_TEXT: [Fault(Stage.TEXT, DROP, to=first)],
    }
    return faults[trouble]


@pytest.fixture(params=["memory", "smtp"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    if request.param == "memory":
        yield MemoryOffice()
        return
    with SmtpSink() as sink:
        yield SmtpOffice(sink)


def letter(number: int) -> Letter:
    return Letter(
        message_id=f"<{number}@example.org>",
        sender="board@example.org",
        recipients=(f"a{number}@example.org", f"b{number}@example.org"),
        content=TEXT,
    )


def run(office: Office, *troubles: Trouble) -> list[Delivery]:
    letters = [letter(number) for number in range(len(troubles))]
    office.expect(letters, troubles)
    results = list(office.mailer.send(letters))
    assert [sent for sent, _ in results] == letters
    return [delivery for _, delivery in results]


def test_letters_arrive(office: Office) -> None:
    """Each letter arrives octet by octet with its envelope, in order."""
    deliveries = run(office, Trouble.NONE, Trouble.NONE)
    assert [one.outcome for one in deliveries] == [Outcome.ACCEPTED, Outcome.ACCEPTED]
    assert office.arrived == [
        Arrived("board@example.org", ("a0@example.org", "b0@example.org"), TEXT),
        Arrived("board@example.org", ("a1@example.org", "b1@example.org"), TEXT),
    ]


def test_no_letters(office: Office) -> None:
    """No letters are no results, and nothing arrives."""
    assert run(office) == []
    assert office.arrived == []


def test_one_at_a_time(office: Office) -> None:
    """A letter goes out only when its result is asked for, so that the result before it can be stored first."""
    results = office.mailer.send([letter(0), letter(1)])
    assert office.arrived == []
    next(results)
    assert len(office.arrived) == 1
    next(results)
    assert len(office.arrived) == 2


@pytest.mark.parametrize(
    ("trouble", "outcome", "arrives"),
    [
        (Trouble.BUSY, Outcome.TEMPORARY, False),
        (Trouble.REFUSED, Outcome.PERMANENT, False),
        (Trouble.LOST_BEFORE, Outcome.TEMPORARY, False),
        (Trouble.LOST_AFTER, Outcome.UNKNOWN, True),
        (Trouble.LOST_TEXT, Outcome.UNKNOWN, False),
    ],
)
def test_outcomes(office: Office, trouble: Trouble, outcome: Outcome, *, arrives: bool) -> None:
    """What happened is said, and one letter's trouble does not stop those before and after it."""
    deliveries = run(office, Trouble.NONE, trouble, Trouble.NONE)
    assert [one.outcome for one in deliveries] == [Outcome.ACCEPTED, outcome, Outcome.ACCEPTED]
    assert deliveries[1].answer
    expected = ["a0@example.org", *(["a1@example.org"] if arrives else []), "a2@example.org"]
    assert [one.recipients[0] for one in office.arrived] == expected


def test_one_recipient_refused(office: Office) -> None:
    """A letter that some recipients get is accepted, and the others are named with the server's words."""
    (delivery,) = run(office, Trouble.ONE_REFUSED)
    assert (delivery.outcome, delivery.refused) == (Outcome.ACCEPTED, ("a0@example.org",))
    assert "a0@example.org: 550" in delivery.answer
    assert [one.recipients for one in office.arrived] == [("b0@example.org",)]


def test_one_recipient_later(office: Office) -> None:
    """A letter that some recipients get is accepted, and whom the server wants later is named apart from the refused."""
    (delivery,) = run(office, Trouble.ONE_LATER)
    assert (delivery.outcome, delivery.refused, delivery.deferred) == (
        Outcome.ACCEPTED,
        (),
        ("a0@example.org",),
    )
    assert "450" in delivery.answer
    assert [one.recipients for one in office.arrived] == [("b0@example.org",)]


def test_told_before_the_text(office: Office) -> None:
    """Who does not get a letter that others get is known before its text goes out."""
    heard: list[tuple[tuple[str, ...], int]] = []
    troubles = (Trouble.NONE, Trouble.ONE_LATER, Trouble.ONE_REFUSED, Trouble.BUSY)
    letters = [letter(number) for number in range(len(troubles))]
    office.expect(letters, troubles)
    list(
        office.mailer.send(
            letters, lambda _, told: heard.append((told.refused + told.deferred, len(office.arrived)))
        )
    )
    assert heard == [(("a1@example.org",), 1), (("a2@example.org",), 2)]


def test_one_of_each(office: Office) -> None:
    """Where one recipient is refused and the other put off nothing arrives, and who may get it later is known."""
    (delivery,) = run(office, Trouble.ONE_OF_EACH)
    assert delivery.outcome is Outcome.TEMPORARY
    assert (delivery.refused, delivery.deferred) == (("a0@example.org",), ("b0@example.org",))
    assert office.arrived == []


@pytest.mark.parametrize("trouble", [Trouble.LOST_BEFORE, Trouble.LOST_TEXT])
def test_gives_up(office: Office, trouble: Trouble) -> None:
    """After two lost connections in a row the rest waits, untried."""
    deliveries = run(office, trouble, trouble, Trouble.NONE, Trouble.NONE)
    assert [one.outcome for one in deliveries[2:]] == [Outcome.TEMPORARY, Outcome.TEMPORARY]
    assert office.arrived == []


def test_trouble_between(office: Office) -> None:
    """An answer of the server, of whatever kind, ends a row of lost connections."""
    deliveries = run(office, Trouble.LOST_TEXT, Trouble.REFUSED, Trouble.LOST_TEXT, Trouble.NONE)
    assert deliveries[3].outcome is Outcome.ACCEPTED


def test_abandoned(office: Office) -> None:
    """A caller that stops asking leaves the rest unsent, and may send again."""
    results = office.mailer.send([letter(0), letter(1)])
    next(results)
    del results
    again = replace(letter(2), recipients=("c@example.org",))
    assert [delivery.outcome for _, delivery in office.mailer.send([again])] == [Outcome.ACCEPTED]
    assert len(office.arrived) == 2
