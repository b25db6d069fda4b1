"""The mails of real trackers are sorted, and their ticket numbers found as they spell them."""

import pytest

from helpdesk.mailbox.body import text_of
from helpdesk.mailbox.classify import classify, unproven
from helpdesk.mailbox.parse import parse_header
from helpdesk.mailbox.trackers import ticket_numbers
from helpdesk.model import Header, Nature
from tests.trackermail import COMMENT, NUMBER, RECEIPT, REOPENED, SOLVED, TrackerMail
from tests.world import START

SAYS = {
    Nature.RECEIPT: RECEIPT,
    Nature.COMMENT: COMMENT,
    Nature.SOLVED: SOLVED,
    Nature.UNSOLVED: REOPENED,
}
ALL = [
    pytest.param(nature, mail, id=f"{tracker}-{nature}")
    for nature, mails in SAYS.items()
    for tracker, mail in mails.items()
]


def nature_of(mail: TrackerMail) -> Nature:
    octets = mail.octets("board@example.org", START, "<1@tracker>")
    text = text_of(octets, 65536)
    return classify(parse_header(octets), own=False, destination=True, text=text).nature


@pytest.mark.parametrize(("nature", "mail"), ALL)
def test_what_trackers_say(nature: Nature, mail: TrackerMail) -> None:
    """Receipt, comment, solved and open again are told apart; an agent who answers from Zammad is a person."""
    assert nature_of(mail) is (Nature.HUMAN if mail is COMMENT["zammad"] else nature)


@pytest.mark.parametrize("tracker", NUMBER)
@pytest.mark.parametrize("mails", [RECEIPT, COMMENT, SOLVED, REOPENED])
def test_ticket_numbers(tracker: str, mails: dict[str, TrackerMail]) -> None:
    """Each mail of a tracker names its ticket once, as the tracker spells it: that is what it recognises."""
    octets = mails[tracker].octets("board@example.org", START, "<1@tracker>")
    (number,) = ticket_numbers(parse_header(octets))
    assert number.strip("()") == NUMBER[tracker].strip("()")


@pytest.mark.parametrize(
    ("subject", "numbers"),
    [
        ("[dast] 7kq2m for GGUS: jobs fail with UTF-8 and SHA-256", ()),
        ("Re: step (#2) of the recipe", ()),
        ("Jobs 4711 and 4712 fail", ()),
        ("Fwd: [example.org #77] [Ticket#8] disk", ("[example.org #77]", "[Ticket#8]")),
        ("Your Ticket #12: disk", ("Ticket #12",)),
        ("disk (DDM-12)", ("(DDM-12)",)),
        ("[Ticket#1] " * 20, ("[Ticket#1]",)),
        ("[" + "a#" * 5000 + "1]", ()),
        ("", ()),
    ],
)
def test_what_is_no_ticket_number(subject: str, numbers: tuple[str, ...]) -> None:
    """In a person's subject only what is marked as a ticket is one, and a hostile subject costs nothing."""
    assert ticket_numbers(_header(subject)) == numbers


def test_nobody_s_tracker_settles_nothing() -> None:
    """From who knows whom "solved" and "open again" are comments, and the rest is what it was."""
    for mails in (SOLVED, REOPENED):
        octets = mails["ggus"].octets("board@example.org", START, "<1@tracker>")
        told = unproven(classify(parse_header(octets), own=False, destination=True))
        assert told.nature is Nature.COMMENT
    receipt = classify(_header("[Ticket#1] new ticket"), own=False, destination=True)
    assert unproven(receipt) == receipt


def _header(subject: str) -> Header:
    return parse_header(f"Subject: {subject}\nFrom: a@b.example\n".encode())


def test_numbers_of_servicenow() -> None:
    """ServiceNow has numbers without a sign around them: they count in its own mail, and nowhere else."""
    subject = "Subject: Incident INC0012345 -- comments added\n"
    assert ticket_numbers(parse_header(f"{subject}X-ServiceNow-Generated: true\n".encode())) == (
        "INC0012345",
    )
    assert ticket_numbers(parse_header(subject.encode())) == ()
