"""A mail server whose clock is wrong: nothing that people count on depends on it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.world import World, mail

ANN = "ann@users.example.com"
AIDEN = "aiden@example.org"
LIST = "dast@lists.example.org"
SUBJECT = "All jobs fail"


class Skewed:
    """Mail comes in by a clock that is some hours ahead, or behind."""

    def __init__(self, world: World, hours: int) -> None:
        self.world, self.skew = world, timedelta(hours=hours)

    def mail(self, sender: str, *answers: str, folder: str = "INBOX", **more: Any) -> str:
        """A mail about the thread, written now."""
        message_id = f"<s{next(self.world.ids)}@{sender.partition('@')[2]}>"
        self.deliver(message_id, sender, answers, folder, date=self.world.now, **more)
        return message_id

    def deliver(
        self, message_id: str, sender: str, answers: Sequence[str], folder: str = "INBOX", **more: Any
    ) -> None:
        """Its copy arrives now."""
        octets = mail(sender, SUBJECT, message_id, answers=answers, **more)
        self.world.human.deliver(folder, octets, self.world.now + self.skew)

    def is_unread(self, message_id: str) -> bool:
        """Whether the thread calls for somebody because of a reply."""
        return "unread_reply" in self.world.thread(message_id)["reasons"]


@pytest.mark.parametrize("hours", [-49, -1, 1, 49])
def test_a_clock_that_is_wrong(world: World, hours: int) -> None:
    """Urgent, answered, waiting, closed, reopened, answered and closed by hand: all as with a clock that is right."""
    server = Skewed(world, hours)
    asked = server.mail(ANN)
    world.settle()

    world.on(asked, "add_flags", ["urgent"])
    world.advance(minutes=1)
    answer = server.mail(AIDEN, asked, to=ANN)
    world.advance(minutes=1)
    world.advance(minutes=3)
    world.expect_mail(AIDEN, "URGENT")
    world.advance(hours=3)  # it was answered: nobody on call is mailed
    world.expect_no_mail()

    world.on(asked, "remove_flags", ["urgent"])
    world.settle()
    world.on(asked, "add_flags", ["waiting"])
    world.settle()
    world.advance(days=6, hours=22)
    assert world.where(asked) == "INBOX"
    world.advance(hours=3)
    assert world.where(asked) == "Archive"

    reply = server.mail(ANN, asked, answer)
    world.advance(minutes=1)
    assert world.where(asked) == "INBOX"
    assert server.is_unread(asked)
    last = server.mail(AIDEN, asked, reply, to=ANN)
    world.advance(minutes=1)
    assert not server.is_unread(asked)
    for sender in (ANN, AIDEN, ANN):  # three mails before the next look, and the user has the last word
        last = server.mail(sender, asked, last, to=ANN if sender == AIDEN else LIST)
    world.advance(minutes=1)
    assert server.is_unread(asked)


@pytest.mark.parametrize("hours", [-49, -1, 1, 49])
def test_the_closing_answer_comes_back_from_the_list(world: World, hours: int) -> None:
    """A shifter answers and archives; the list's copy of that answer follows into the archive, and a lost database changes no id."""
    server = Skewed(world, hours)
    asked = server.mail(ANN)
    world.settle()
    written = world.now
    answer = server.mail(AIDEN, asked, folder="Sent")
    world.on(asked, "move", "Archive")
    world.settle()
    assert world.thread(asked)["state"] == "closed"
    server.deliver(answer, AIDEN, [asked], date=written)
    world.advance(minutes=1)
    world.advance(minutes=1)
    assert world.thread(asked)["state"] == "closed"
    assert world.where(answer) == "Archive,Sent"

    ids = {one["id"] for one in world.threads()}
    world.lose_database()
    world.tick()
    world.advance(days=1)
    assert {one["id"] for one in world.threads()} == ids
