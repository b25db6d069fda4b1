"""Escalation as people live it: the story goes out, the destination answers, and nobody is forgotten."""

import email
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP, default
from typing import Any

import pytest

from helpdesk import asking, views
from helpdesk.outbox import State
from helpdesk.ports import Letter
from helpdesk.store import names
from helpdesk.store import outbox as rows
from tests.memory_mailer import Trouble
from tests.trackermail import COMMENT, NUMBER, RECEIPT, REOPENED, SOLVED, TrackerMail, reply_to
from tests.world import World

ANN = "ann@users.example.com"
BOB = "bob@users.example.com"
AIDEN = "aiden@example.org"
GGUS = "ggus@tracker.example.net"
FRED = "fred@tracker.example.net"  # an expert there: their domain, not their address
MALLORY = "mallory@evil.example"
BOARD = "dast-board@example.org"


@dataclass
class Story:
    """A world, and what a mail client and a tracker do with a mail."""

    world: World
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def ask(self, subject: str = "All jobs fail", who: str = ANN) -> str:
        return self.world.incoming(who, subject)

    def escalate(self, question: str, where: str = "ggus") -> Letter:
        """A shifter sets the label, and the story leaves; its copy comes home."""
        self.world.on(question, "add_flags", [where])
        self.world.settle()
        self.world.advance(minutes=10)
        letter = self.world.expect_mail(GGUS)
        self.home(letter)
        self.world.tick()
        return letter

    def home(self, letter: Letter) -> None:
        self.world.human.deliver("INBOX", letter.content, self.world.now, ())

    def deliver(self, octets: bytes, folder: str = "INBOX") -> None:
        self.world.human.deliver(folder, octets, self.world.now, ())
        self.world.tick()

    def tracker(self, mail: TrackerMail, to: str, *, sender: str = GGUS, answers: Sequence[str] = ()) -> str:
        """A tracker's mail comes in."""
        message_id = f"<t{next(self.ids)}@tracker.example.net>"
        self.deliver(mail.octets(to, self.world.now, message_id, sender=sender, answers=answers))
        return message_id

    def write(
        self, sender: str, to: str, subject: str = "Re: All jobs fail", *, folder: str = "INBOX", **more: Any
    ) -> str:
        """Somebody writes directly, through no list."""
        message = EmailMessage(policy=SMTP)
        message_id = f"<w{next(self.ids)}@{sender.partition('@')[2]}>"
        message["From"], message["To"], message["Subject"] = sender, to, subject
        message["Date"], message["Message-ID"] = self.world.now, message_id
        if answers := more.pop("answers", ()):
            message["In-Reply-To"], message["References"] = answers[-1], " ".join(answers)
        for name, value in more.pop("headers", {}).items():
            message[name] = value
        message.set_content(more.pop("text", "We look at it."))
        self.deliver(message.as_bytes(), folder)
        return message_id

    def talk(self, question: str, where: str = "GGUS") -> dict[str, Any]:
        """What the board tells of the talk with a destination."""
        talks = {one["where"]: one for one in self.world.thread(question)["talks"]}
        return dict(talks.get(where, {}))

    def told(self, question: str) -> list[dict[str, Any]]:
        """The story of a thread, as `show --json` tells it."""
        board = self.world.board
        with self.world.engine.connect() as conn:
            key = names.find(conn, self.world.thread(question)["id"], board.name)
            return list(views.one_thread(conn, board.dialect, board.policy, board.name, key)["story"])

    def reasons(self, question: str) -> set[str]:
        return set(self.world.thread(question)["reasons"])

    def ids_in(self, question: str) -> list[str]:
        return [m["message_id"] for m in self.world.thread(question)["messages"]]

    def pending(self) -> set[str]:
        return {later.rule for later in self.world.tick().pending}


def subject_of(letter: Letter) -> str:
    return str(email.message_from_bytes(letter.content, policy=default)["Subject"])


@pytest.fixture
def story(world: World) -> Story:
    return Story(world)


def test_an_expert_s_answer_comes_home(story: Story) -> None:
    """An answer to the escalation joins the thread although it refers to nothing, and calls for a shifter, who is not told twice."""
    question = story.ask()
    letter = story.escalate(question)
    assert reply_to(letter).startswith("dast-board+")
    answer = story.write(FRED, reply_to(letter), "about your mail")
    assert answer in story.ids_in(question)
    assert "expert_comment" in story.reasons(question)
    roles = {m["message_id"]: m["role"] for m in story.world.thread(question)["messages"]}
    assert (roles[question], roles[answer]) == ("user", "expert")
    story.world.incoming(AIDEN, "Re: All jobs fail", answers=[question])
    story.world.tick()
    assert "expert_comment" not in story.reasons(question)


def test_a_token_wins_over_references(story: Story) -> None:
    """An answer that was written as a reply to something else goes to the thread of the token, and joins no two threads."""
    question, other = story.ask(), story.ask("Another problem of mine", BOB)
    story.world.tick()
    between = story.world.incoming(BOB, "Re: Another problem of mine", answers=[other])
    letter = story.escalate(question)
    answer = story.write(FRED, reply_to(letter), answers=[other, between])
    assert answer in story.ids_in(question)
    assert story.world.thread(other)["id"] != story.world.thread(question)["id"]


@pytest.mark.parametrize("field", ["Delivered-To", "X-Original-To", "Envelope-To"])
def test_a_token_that_only_the_server_kept(story: Story, field: str) -> None:
    """Where the sender's client wrote the plain address, the server's note of the real one is enough."""
    question = story.ask()
    letter = story.escalate(question)
    answer = story.write(FRED, BOARD, "about your mail", headers={field: reply_to(letter)})
    assert answer in story.ids_in(question)


def test_without_plus_addresses_references_do(story: Story) -> None:
    """On a server that delivers no plus addresses Reply-To is the board, and references bring the answer home."""
    config = story.world.config.replace(
        'sender = "dast-board@example.org"', 'sender = "dast-board@example.org"\nplus_addresses = false'
    )
    story.world.config = config
    story.world.reconfigure()
    question = story.ask()
    letter = story.escalate(question)
    assert reply_to(letter) == BOARD
    answer = story.write(GGUS, BOARD, answers=[letter.message_id])
    assert answer in story.ids_in(question)
    assert story.talk(question)["heard_at"] is not None


@pytest.mark.parametrize("tracker", NUMBER)
def test_a_tracker_s_life(story: Story, tracker: str) -> None:
    """Receipt, comment, solved, open again: the number is learned, attention asked for, and the shifter told what to tell."""
    story.world.reconfigure(
        '[[destination]]\nlabel = "Other"\naddress = "other@elsewhere.example"\n',
    )
    story.world.config = story.world.config.replace(
        'address = "ggus@tracker.example.net"',
        'address = "ggus@tracker.example.net"\nsenders = ["gitlab@tracker.example.net", "jira@tracker.example.net"]',
    )
    story.world.reconfigure()
    question = story.ask("Jobs fail")
    letter = story.escalate(question)
    to, sender = reply_to(letter), RECEIPT[tracker].sender
    story.tracker(RECEIPT[tracker], to, sender=sender)
    assert story.talk(question)["tickets"] == [NUMBER[tracker]]
    assert story.talk(question)["heard_at"] is None
    assert "expert_comment" not in story.reasons(question)
    story.tracker(COMMENT[tracker], to, sender=sender)
    assert story.talk(question)["heard_at"] is not None
    assert "expert_comment" in story.reasons(question)
    story.tracker(SOLVED[tracker], to, sender=sender)
    assert (story.talk(question)["solved"], story.talk(question)["to_tell"]) == (True, True)
    assert "nag" not in story.pending()
    story.tracker(REOPENED[tracker], to, sender=sender)
    assert (story.talk(question)["solved"], story.talk(question)["to_tell"]) == (False, False)
    assert "nag" in story.pending()


def test_a_ticket_number_finds_its_thread(story: Story) -> None:
    """A tracker's mail with no token and no reference goes where its number was given; another destination's number does not."""
    question, other = story.ask(), story.ask("Disk full", BOB)
    letter = story.escalate(question)
    story.tracker(RECEIPT["zammad"], reply_to(letter))
    lost = story.tracker(COMMENT["zammad"], BOARD)
    assert lost in story.ids_in(question)
    stranger = story.tracker(COMMENT["zammad"], BOARD, sender="support@elsewhere.example")
    assert stranger not in story.ids_in(question)
    ghost = story.tracker(SOLVED["zammad"], BOARD, answers=["<ticket.48112@zammad.example>"])
    later = story.tracker(COMMENT["zammad"], BOARD, answers=["<ticket.48112@zammad.example>", ghost])
    assert {ghost, later} <= set(story.ids_in(question))
    assert len(story.ids_in(other)) == 1


def test_the_number_stands_in_every_later_mail(story: Story) -> None:
    """A reminder and a second escalation quote the destination's number as it spells it."""
    question = story.ask()
    letter = story.escalate(question)
    assert "Ticket" not in subject_of(letter)
    story.tracker(RECEIPT["zammad"], reply_to(letter))
    story.world.advance(hours=24)
    reminder = story.world.expect_mail(GGUS, f"In-Reply-To: {letter.message_id}")
    assert "[Ticket#48112]" in subject_of(reminder)
    story.world.on(question, "remove_flags", ["ggus", "escalated"])
    story.world.settle()
    assert "[Ticket#48112]" in subject_of(story.escalate(question))


def test_the_ticket_survives_the_loss_of_the_database(story: Story) -> None:
    """After the database is lost the talk starts anew, and the number is learned from the mail that is there."""
    question = story.ask()
    letter = story.escalate(question)
    story.tracker(RECEIPT["zammad"], reply_to(letter))
    lost = story.tracker(COMMENT["zammad"], BOARD)
    story.world.lose_database()
    story.world.tick()
    assert story.talk(question)["tickets"] == ["[Ticket#48112]"]
    assert story.talk(question)["heard_at"] is None
    assert lost in story.ids_in(question)
    story.world.advance(hours=24)
    story.world.expect_mail(GGUS, "[Ticket#48112]")


def test_three_reminders_then_the_shifter(story: Story) -> None:
    """A destination that says nothing is reminded every day, three times; then the thread is the shifter's to settle."""
    question = story.ask()
    story.escalate(question)
    for _ in range(3):
        story.world.advance(hours=23)
        story.world.expect_no_mail()
        story.world.advance(hours=1)
        story.world.expect_mail(GGUS, "All jobs fail")
    assert story.world.thread(question)["notes"] == ["GGUS has not answered 3 reminders"]
    told = [one for one in story.told(question) if one["rule"] == "nag"]
    assert [(one["status"], one["reason"]) for one in told] == [("done", "GGUS has not answered")] * 3
    story.world.advance(days=5)
    assert story.talk(question)["reminders"] == 3


def test_a_word_starts_the_clock_again(story: Story) -> None:
    """Whatever the destination says gives it another day, and three new reminders."""
    question = story.ask()
    letter = story.escalate(question)
    story.world.advance(hours=24)
    story.world.expect_mail(GGUS)
    story.world.advance(hours=20)
    story.write(GGUS, reply_to(letter), text="We look at it tomorrow.")
    assert story.talk(question)["reminders"] == 0
    story.world.advance(hours=23)
    story.world.expect_no_mail()
    story.world.advance(hours=1)
    story.world.expect_mail(GGUS)


def test_one_reminder_for_all(story: Story) -> None:
    """What is due on one day is one mail; what falls due after it waits for the next day, and what is not in it is not counted."""
    story.world.config = story.world.config.replace(
        'mode = "mail"', 'mode = "mail"\nhours = "Mon-Sun 00:00-24:00 UTC"'
    )
    story.world.reconfigure()
    first, second = story.ask("The first problem"), story.ask("The second problem", BOB)
    story.world.tick()
    story.world.on(first, "add_flags", ["ggus"])
    story.world.on(second, "add_flags", ["ggus"])
    story.world.settle()
    story.world.advance(minutes=10)
    story.world.expect_mail(GGUS)
    story.world.expect_mail(GGUS)
    third = story.ask("The third problem")
    story.world.advance(hours=2)
    story.escalate(third)
    story.world.advance(hours=22)
    letter = story.world.expect_mail(GGUS, "The first problem", "The second problem")
    assert "third" not in letter.content.decode()
    story.world.advance(hours=4)
    story.world.expect_no_mail()
    assert [story.talk(one)["reminders"] for one in (first, second, third)] == [1, 1, 0]
    story.world.advance(hours=14)  # midnight there: another day
    letter = story.world.expect_mail(GGUS, "The third problem")
    assert "first" not in letter.content.decode()
    answer = story.write(FRED, reply_to(letter), "about your reminder")
    assert answer in story.ids_in(third)


def test_an_answer_to_a_reminder_of_many_names_its_thread(story: Story) -> None:
    """Of a reminder about two threads the answer goes to the one whose id it begins with, else it is a thread of its own."""
    first, second = story.ask("The first problem"), story.ask("The second problem", BOB)
    story.world.tick()
    story.world.on(first, "add_flags", ["ggus"])
    story.world.on(second, "add_flags", ["ggus"])
    story.world.settle()
    story.world.advance(minutes=10)
    story.world.expect_mail(GGUS)
    story.world.expect_mail(GGUS)
    story.world.advance(hours=24)
    letter = story.world.expect_mail(GGUS)
    code = story.world.thread(second)["id"].removeprefix("dast-")[:5]
    answer = story.write(FRED, reply_to(letter), "your reminder", text=f"{code}: the disk was replaced")
    assert answer in story.ids_in(second)
    unsaid = story.write(FRED, reply_to(letter), "your reminder", text="all is well")
    assert len(story.ids_in(unsaid)) == 1


def test_office_hours_and_holidays(story: Story) -> None:
    """A reminder comes after the destination's working time, and never on a weekend or a holiday of it."""
    story.world.config = story.world.config.replace(
        'mode = "mail"',
        'mode = "mail"\nhours = "Mon-Fri 09:00-17:00 Europe/Zurich"\nholidays = ["2026-06-12"]\nnag_after_hours = 28',
    )
    story.world.reconfigure()
    question = story.ask()
    story.escalate(question)  # Monday, 08:12 there: three days of 8 hours, and 4 on Thursday
    story.world.advance(days=3, hours=4)
    story.world.expect_no_mail()
    story.world.advance(hours=1)  # Thursday, 13:12
    story.world.expect_mail(GGUS)
    for _ in range(3):
        story.world.advance(days=1)
        story.world.expect_no_mail()


def test_a_late_cycle_waits_for_the_morning(story: Story) -> None:
    """A daemon that was away when a reminder fell due does not write in the evening."""
    story.world.config = story.world.config.replace(
        'mode = "mail"', 'mode = "mail"\nhours = "Mon-Fri 09:00-17:00 UTC"\nnag_after_hours = 7'
    )
    story.world.reconfigure()
    story.escalate(story.ask())
    story.world.advance(hours=14)  # due at 16:00, and it is 20:12
    story.world.expect_no_mail()
    assert "nag" in story.pending()
    story.world.advance(hours=12)
    story.world.expect_no_mail()
    story.world.advance(hours=1)
    story.world.expect_mail(GGUS)


def test_what_never_left_is_not_nagged(story: Story) -> None:
    """While the escalation waits for a person the destination is not reminded of it, and the thread says so."""
    question = story.ask()
    story.world.on(question, "add_flags", ["ggus"])
    story.world.settle()
    story.world.mailer.script(Trouble.REFUSED)
    story.world.advance(minutes=10)
    story.world.expect_mail(AIDEN, "outbox")
    story.world.tick()
    assert "the mail to GGUS has not left" in story.world.thread(question)["notes"]
    story.world.advance(days=2)
    story.world.expect_mail(AIDEN, "outbox")


def test_a_label_taken_off_in_time_leaks_no_reminder(story: Story) -> None:
    """Between the reminder's plan and its first byte a thread that was taken away is taken out; the last one drops the mail."""
    question = story.ask()
    story.escalate(question)
    story.world.now += timedelta(hours=24)
    story.world.on(question, "remove_flags", ["ggus", "escalated"])
    story.world.tick()
    story.world.advance(minutes=2)
    story.world.expect_no_mail()


def test_a_tracked_destination(story: Story) -> None:
    """Nothing is mailed where a ticket is opened by hand; without a number the thread is named after a working day."""
    question = story.ask()
    story.world.tick()
    story.world.on(question, "add_flags", ["dq2_savannah"])
    story.world.settle()
    story.world.advance(hours=23)
    assert story.world.thread(question)["notes"] == []
    story.world.advance(hours=2)
    assert story.world.thread(question)["notes"] == ["no ticket number of DQ2 Savannah is known"]


def test_an_internal_word_is_no_answer(story: Story) -> None:
    """A shifter's word to the destination, and the answer to our urgent mail, leave the user unanswered."""
    question = story.ask()
    letter = story.escalate(question)
    story.write(FRED, reply_to(letter))
    assert "expert_comment" in story.reasons(question)
    story.write(AIDEN, FRED, answers=[letter.message_id], folder="Sent")
    story.write(AIDEN, reply_to(letter))
    assert "expert_comment" in story.reasons(question)
    story.write(AIDEN, ANN, answers=[question], folder="Sent")
    assert "expert_comment" not in story.reasons(question)


def test_the_answer_to_the_urgent_mail(story: Story) -> None:
    """Who answers the board's alarm has not answered the user: the people on call are still called."""
    question = story.ask()
    story.world.tick()
    story.world.on(question, "add_flags", ["urgent"])
    story.world.tick()
    story.world.advance(minutes=2)
    letter = story.world.expect_mail(AIDEN)
    said = story.write(AIDEN, reply_to(letter), text="I am on the train.")
    assert said in story.ids_in(question)
    story.world.advance(minutes=60)
    story.world.expect_mail("sergey@example.org", "60")


def test_an_escalation_tells_what_users_may_read(story: Story) -> None:
    """A second escalation tells the user's mails and the team's answers to him, not what the team says among itself."""
    question = story.ask()
    story.world.tick()
    story.write(
        AIDEN, ANN, answers=[question], folder="Sent", text="helpdesk: taken\nDid you try the new release?"
    )
    story.write(
        AIDEN, "sergey@example.org", answers=[question], folder="Sent", text="Ann is always like that."
    )
    story.world.expect_mail(AIDEN)  # what became of the command
    letter = story.escalate(question)
    text = letter.content.decode()
    assert "Did you try the new release?" in text
    assert "helpdesk: taken" not in text
    assert "always like that" not in text


STRANGE: dict[str, Callable[[Story, Letter, str], object]] = {
    "a stranger with the token": lambda story, letter, _question: [
        story.write(MALLORY, reply_to(letter), "Re: [Ticket#666] Jobs fail", text="solved"),
        story.tracker(SOLVED["zammad"], reply_to(letter), sender=MALLORY),
    ],
    "a forged tracker without the token": lambda story, letter, _question: story.tracker(
        SOLVED["zammad"], BOARD, sender=MALLORY, answers=[letter.message_id]
    ),
    "a user at the destination's domain": lambda story, _letter, question: [
        story.write(
            "joe@tracker.example.net",
            "dast@lists.example.org",
            "Re: [Ticket#666] All jobs fail",
            answers=[question],
        ),
        story.tracker(
            SOLVED["zammad"], "dast@lists.example.org", sender="joe@tracker.example.net", answers=[question]
        ),
    ],
    "a list that echoes the tracker": lambda story, letter, _question: story.tracker(
        SOLVED["zammad"], BOARD, sender="owner@lists.example.org", answers=[letter.message_id]
    ),
}


@pytest.mark.parametrize("who", STRANGE)
def test_strangers_settle_nothing(story: Story, who: str) -> None:
    """Nobody but the destination teaches a number, says "solved", ends reminders, or takes attention away."""
    question = story.ask()
    story.world.on(question, "add_flags", ["\\Flagged"])
    letter = story.escalate(question)
    story.write(FRED, reply_to(letter))
    before = story.reasons(question)
    talk = story.talk(question)
    STRANGE[who](story, letter, question)
    assert before <= story.reasons(question)
    after = story.talk(question)
    assert (after["tickets"], after["solved"], after["heard_at"]) == ([], False, talk["heard_at"])
    assert story.world.thread(question)["state"] == "escalated"
    assert "nag" in story.pending()


def test_a_user_who_replies_to_all(story: Story) -> None:
    """A user of the thread whom a tracker put in copy, and who answers at our token, is still the user: WAITING is lifted."""
    question = story.ask()
    letter = story.escalate(question)
    story.world.on(question, "add_flags", ["waiting"])
    story.world.settle()
    answer = story.write(
        ANN, f"{GGUS}, {reply_to(letter)}", "Re: [Ticket#666] All jobs fail", text="solved, thanks!"
    )
    roles = {m["message_id"]: m["role"] for m in story.world.thread(question)["messages"]}
    assert roles[answer] == "user"
    assert "waiting" not in story.world.flags(question)
    assert story.talk(question).get("tickets", []) == []
    assert not story.talk(question).get("solved")
    assert "nag" in story.pending()


def test_a_number_of_the_user_is_not_the_tracker_s(story: Story) -> None:
    """A ticket number that the user put into his subject comes back in the receipt, and is not quoted to the tracker."""
    question = story.ask("[Ticket#1] All jobs fail")
    letter = story.escalate(question)
    receipt = TrackerMail(
        "[Ticket#48112] Re: [Ticket#1] All jobs fail",
        "We got your request.",
        {"Auto-Submitted": "auto-replied"},
    )
    story.tracker(receipt, reply_to(letter))
    assert story.talk(question)["tickets"] == ["[Ticket#48112]"]


def test_a_forged_token_is_a_plain_address(story: Story) -> None:
    """An address that looks like a token and is none leads nowhere."""
    question = story.ask()
    letter = story.escalate(question)
    forged = reply_to(letter).replace("@", "a@", 1)
    answer = story.write(FRED, forged, "about your mail")
    assert answer not in story.ids_in(question)


def test_the_outbox_knows_when_a_mail_left(story: Story) -> None:
    """The clock of a mail that was late by hours starts when it left."""
    question = story.ask()
    story.world.on(question, "add_flags", ["ggus"])
    story.world.settle()
    story.world.mailer.script(Trouble.BUSY)
    story.world.advance(minutes=10)
    story.world.expect_no_mail()
    story.world.advance(hours=5)
    story.world.expect_mail(GGUS)
    with story.world.engine.connect() as conn:
        (row,) = [row for row in rows.rows(conn, State) if row.rule == "escalate"]
    assert row.left_at == story.world.now
    story.world.advance(hours=23)
    story.world.expect_no_mail()
    story.world.advance(hours=1)
    story.world.expect_mail(GGUS)


def test_a_number_that_a_person_says(story: Story) -> None:
    """Where a ticket was opened by hand, a command tells its number, and the tracker's mail finds the thread by it."""
    story.world.config = story.world.config.replace(
        'mode = "track"', 'mode = "track"\ndomain = "savannah.example"\nsenders = ["bugs@savannah.example"]'
    )
    story.world.reconfigure()
    question, other = story.ask(), story.ask("Disk full", BOB)
    story.world.tick()
    said = "helpdesk: escalate DQ2 Savannah 5123\n"
    story.write(AIDEN, ANN, answers=[question], folder="Sent", text=said)
    story.world.expect_mail(AIDEN)
    assert story.talk(question, "DQ2 Savannah")["tickets"] == ["#5123"]
    story.world.advance(days=2)
    assert story.world.thread(question)["notes"] == []
    bug = TrackerMail("[bug #5123] All jobs fail", "Update of bug #5123", {"Precedence": "bulk"})
    ghost = "<5123.bugs@savannah.example>"
    answer = story.tracker(bug, BOARD, sender="bugs@savannah.example", answers=[ghost])
    later = story.tracker(bug, BOARD, sender="bugs@savannah.example", answers=[ghost, answer])
    assert {answer, later} <= set(story.ids_in(question))
    assert story.talk(question, "DQ2 Savannah")["heard_at"] is not None
    assert len(story.ids_in(other)) == 1


def test_proof_is_asked_for_where_there_can_be_any(story: Story) -> None:
    """On a board that can prove authors, a mail from the destination's own address without a pass is a comment of nobody."""
    story.world.reconfigure('[auth]\nauthserv_ids = ["mx.example.org"]\n')
    question = story.ask()
    letter = story.escalate(question)
    story.tracker(SOLVED["zammad"], reply_to(letter))
    assert "expert_comment" in story.reasons(question)
    assert story.talk(question) == {}
    passed = {"Authentication-Results": "mx.example.org; dmarc=pass header.from=tracker.example.net"}
    proven = TrackerMail(
        SOLVED["zammad"].subject, SOLVED["zammad"].text, {**SOLVED["zammad"].headers, **passed}
    )
    story.tracker(proven, reply_to(letter))
    assert (story.talk(question)["solved"], story.talk(question)["tickets"]) == (True, ["[Ticket#48112]"])


def test_a_machine_that_answers_every_mail(story: Story) -> None:
    """A responder at the destination that answers each of our mails stops no reminder: after three it is the shifter's."""
    question = story.ask()
    story.escalate(question)
    robot = TrackerMail(
        "Re: your mail", "Your message awaits moderation.", {"Auto-Submitted": "auto-replied"}
    )
    for _ in range(3):
        story.world.advance(hours=24)
        story.tracker(robot, reply_to(story.world.expect_mail(GGUS)))
    story.world.advance(days=3)
    assert story.world.thread(question)["notes"] == ["GGUS has not answered 3 reminders"]


def test_a_planned_reminder_forgets_what_was_taken_away(story: Story) -> None:
    """While a reminder waits for its first byte, a thread that was answered goes out of it; the last one takes it along."""
    first, second = story.ask("The first problem"), story.ask("The second problem", BOB)
    story.world.tick()
    story.world.on(first, "add_flags", ["ggus"])
    story.world.on(second, "add_flags", ["ggus"])
    story.world.settle()
    story.world.advance(minutes=10)
    letters = [story.world.expect_mail(GGUS), story.world.expect_mail(GGUS)]
    about_first = next(one for one in letters if "first" in subject_of(one))
    story.world.reconfigure("[caps]\nboard_per_hour = 0\n")
    story.world.advance(hours=24)
    story.world.expect_mail(AIDEN, "nag")  # the cap holds it
    story.world.expect_mail(AIDEN, "outbox")
    story.write(FRED, reply_to(about_first))
    story.world.reconfigure()
    with story.world.engine.begin() as conn:
        (held,) = rows.rows(conn, [State.HELD])
        asking.retry(conn, held.id, story.world.now)
    story.world.tick()
    letter = story.world.expect_mail(GGUS, "The second problem")
    assert "first" not in letter.content.decode()
    story.world.mailer.script(Trouble.BUSY)
    story.world.advance(hours=24)
    story.world.on(first, "remove_flags", ["ggus", "escalated"])
    story.world.on(second, "remove_flags", ["ggus", "escalated"])
    story.world.settle()
    story.world.advance(hours=2)
    story.world.expect_no_mail()
    with story.world.engine.connect() as conn:
        states = [row.state for row in rows.rows(conn, State) if row.rule == "nag"]
    assert states[-1] is State.DROPPED
