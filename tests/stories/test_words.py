"""Stories of what our mails say: the question first, in its author's words, and nothing that was not for the reader."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from helpdesk.ports import Letter
from tests.memory_mailer import Trouble
from tests.world import World

ANN = "Ann Archer <ann@users.example.com>"
AIDEN = "Aiden Archer <aiden@example.org>"
GGUS = "ggus@tracker.example.net"

QUESTION = """\
Dear team,

since 04:00 all my jobs fail at DESY-HH. It is ganga job 117.3.

    ERROR 1099: could not stage in mc08.105802.JF17_pythia_jet_filter.recon.AOD.e347_s462_r541

Is DESY-HH in downtime since Monday?

--
Ann Archer, Institute of Physics
"""
ANSWER = """\
helpdesk: escalate GGUS

I pass it to GGUS.

On Mon, 8 Jun 2026, Ann Archer wrote:
> Dear team,
> since 04:00 all my jobs fail at DESY-HH.
"""


def text_of(letter: Letter, kind: str = "plain") -> str:
    message = message_from_bytes(letter.content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def escalated(world: World, question: str) -> str:
    world.on(question, "add_flags", ["ggus"])
    world.settle()
    world.advance(minutes=11)
    return text_of(world.expect_mail(GGUS))


def test_an_escalation_begins_with_what_an_expert_asks(world: World) -> None:
    """The question, the error line and the job come first, then the user's own words, then what was said since."""
    question = world.incoming(ANN, "All jobs fail", body=QUESTION)
    world.tick()
    world.advance(minutes=5)
    world.incoming(AIDEN, "Re: All jobs fail", answers=[question], body=ANSWER)
    world.tick()
    world.expect_mail("aiden@example.org", "Nothing proves that you wrote it")
    said = escalated(world, question)
    places = [
        said.index(one)
        for one in (
            "Is DESY-HH in downtime since Monday?",
            "  error: ERROR 1099: could not stage in",
            "  job: 117.3",
            "  site: DESY-HH",
            "Ann Archer <ann@users.example.com> asks:",
            "> since 04:00 all my jobs fail",
            "What was said since:",
            "Aiden Archer (team):",
            "    I pass it to GGUS.",
        )
    ]
    assert places == sorted(places)
    for absent in ("Institute of Physics", "helpdesk:", "wrote:"):
        assert absent not in said


def test_a_destination_does_not_read_the_teams_notes(world: World) -> None:
    """What a question is a case of is told to the destination; who has taken it, and its state, are not."""
    question = world.incoming(ANN, "All jobs fail", body=QUESTION)
    world.tick()
    world.on(question, "add_flags", ["taken", "mc08_dataset_problem"])
    world.settle()
    [known] = [line for line in escalated(world, question).splitlines() if line.startswith("Known as:")]
    assert known == "Known as: mc08 dataset problem"


def test_a_forwarded_question_is_told_whole(world: World) -> None:
    """What was forwarded to the list is the question, and stays."""
    body = "FYI\n\n---------- Forwarded message ----------\nFrom: Bob\n\nWhy does job 4711 fail with exit code 65?\n"
    question = world.incoming(ANN, "Fwd: job fails", body=body)
    world.tick()
    said = escalated(world, question)
    assert "> Why does job 4711 fail with exit code 65?" in said


def test_a_long_thread_keeps_its_question(world: World) -> None:
    """Of a long thread the question and the newest mails are told, and how many stand between."""
    question = world.incoming(ANN, "All jobs fail", body="What can I do?")
    last = question
    for number in range(20):
        world.advance(minutes=1)
        last = world.incoming(
            ANN, "Re: All jobs fail", answers=[question, last], body=f"This is word {number}."
        )
    world.tick()
    said = escalated(world, question)
    assert "> What can I do?" in said
    assert "What was said since (without the 9 mails before):" in said
    assert "This is word 9." in said
    assert "This is word 8." not in said


def test_a_mail_that_has_gone_is_not_quoted(world: World) -> None:
    """A mail that somebody deleted meanwhile is not quoted, and holds up nothing."""
    question = world.incoming(ANN, "All jobs fail", body=QUESTION)
    world.tick()
    answer = world.incoming(ANN, "Re: All jobs fail", answers=[question], body="It is solved, no, it is not.")
    world.tick()
    world.on(question, "add_flags", ["ggus"])
    world.settle()
    world.on(answer, "delete")
    world.advance(minutes=11)
    assert "It is solved" not in text_of(world.expect_mail(GGUS))


TOLD = """\
[policy]
close_warning_days = 2
close_notice = true
[shifts]
week_ends = "Wednesday 24:00"
"""


def waiting(world: World) -> str:
    world.reconfigure(TOLD)
    question = world.incoming(ANN, "All jobs fail", body=QUESTION)
    world.tick()
    world.on(question, "add_flags", ["waiting"])
    world.settle()
    return question


def test_a_user_is_told_before_and_after(world: World) -> None:
    """Where the board wants it, a user is warned, and told when his question was closed; an answer brings it back."""
    question = waiting(world)
    world.advance(days=5)
    warned = world.expect_mail("ann@users.example.com")
    assert "your question goes to our archive after Mon 15 Jun 2026" in " ".join(text_of(warned).split())
    world.advance(days=1)
    world.advance(days=1)
    closed = world.expect_mail("ann@users.example.com")
    assert "put your question into our archive" in " ".join(text_of(closed).split())
    assert world.thread(question)["state"] == "closed"
    world.incoming(
        ANN, "Re: All jobs fail", answers=[question, closed.message_id], body="No, it still fails."
    )
    world.advance(minutes=1)
    assert world.thread(question)["state"] == "open"


def test_nobody_is_warned_of_what_will_not_come(world: World) -> None:
    """A user who answers between the plan and the first byte is not warned."""
    question = waiting(world)
    world.mailer.script(Trouble.BUSY)
    world.advance(days=5)
    world.on(question, "remove_flags", ["waiting"])
    world.settle()
    world.advance(hours=2)
    world.expect_no_mail()
