"""Mails of an archive, understood as the board understands them."""

import pytest

from helpdesk.model import Nature
from helpdesk.replay.archive import RawMail
from helpdesk.replay.book import NATURES, VIAS
from tests.archives import ANN, BOB, HOUR, LIST, mail, reader

LISTED = {"List-Id": "<dast.lists.example>", "List-Post": f"<mailto:{LIST}>"}


def test_copies_of_a_message_are_one_message() -> None:
    """The same id, Date and author are one message, however often they lie there."""
    found = reader([mail("<a@x>"), mail("<a@x>"), mail("<a@x>", body="with a footer")])
    assert (found.counts.mails, found.counts.copies, len(found.book)) == (3, 2, 1)


def test_a_list_copy_and_a_direct_copy_are_one_message_by_its_author() -> None:
    """Of a direct copy and one that the list rewrote, the direct one says who wrote it, whichever came first."""
    direct = mail("<a@x>", ANN)
    listed = mail("<a@x>", f"Ann via DAST <{LIST}>", headers=LISTED)
    for order in ([direct, listed], [listed, direct]):
        book = reader(order).book
        assert [book.people.texts()[one] for one in book.author] == [ANN]
        assert [VIAS[one] for one in book.via] == ["direct"]


def test_a_reused_id_is_another_message() -> None:
    """The same id with another Date, or of another author, is a message of its own."""
    found = reader([mail("<a@x>"), mail("<a@x>", at=HOUR), mail("<a@x>", BOB)])
    assert (len(found.book), found.counts.reused, found.counts.copies) == (3, 2, 0)


def test_mails_without_an_id() -> None:
    """Two copies of a mail without a Message-ID are one message, two mails are two."""
    found = reader([mail(""), mail(""), mail("", subject="Another thing")])
    assert (len(found.book), found.counts.copies, found.counts.without_id) == (2, 1, 3)


@pytest.mark.parametrize(
    "octets", [b"", b"\n", b"\nno header at all\n", b"no header at all\n\nbody\n", b"\0" * 100]
)
def test_what_is_no_mail_goes_to_quarantine(octets: bytes) -> None:
    """A mail without a header field is listed with its place and the reason, and stops nobody."""
    found = reader([mail("<a@x>"), RawMail("octet 99", octets, len(octets)), mail("<b@x>")])
    assert len(found.book) == 2
    (one,) = found.counts.quarantine
    assert (one.number, one.place, bool(one.why)) == (2, "octet 99", True)


def test_what_cannot_be_opened_goes_to_quarantine() -> None:
    """A mail that the system does not let us read is listed with the system's reason."""
    found = reader([RawMail("cur/1", b"", 0, why="Permission denied")])
    assert [(one.place, one.why) for one in found.counts.quarantine] == [("cur/1", "Permission denied")]


def test_a_quarantine_of_thousands_is_counted_and_not_kept() -> None:
    """A file of rubbish costs no memory."""
    found = reader([b"rubbish\n"] * 3000)
    assert (found.counts.quarantined, len(found.counts.quarantine)) == (3000, 1000)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_line_ends_and_8_bit(end: bytes) -> None:
    """CR LF and raw 8-bit text in a header are read as the board reads them."""
    octets = "From: J\xfcrgen <j@uni.example>\nSubject: Gr\xfc\xdfe\nMessage-ID: <a@x>\n\nbody\n".encode(
        "latin-1"
    )
    book = reader([octets.replace(b"\n", end)]).book
    assert book.titles == {0: "Grüße"}
    assert book.ids.texts()[book.id[0]] == "<a@x>"


def test_a_header_is_read_whatever_its_body() -> None:
    """A header field in a body is none, and a body of megabytes is not looked at."""
    octets = mail("<a@x>", body="Message-ID: <z@x>\nAuto-Submitted: auto-replied\n" + "x" * 200_000)
    book = reader([octets]).book
    assert book.ids.texts() == ["", "<a@x>"]
    assert [NATURES[one] for one in book.nature] == [Nature.HUMAN]


def test_evidence_that_strangers_make_up_is_bounded() -> None:
    """A thousand kinds of evidence are told apart, the rest is something else."""
    mails = [mail(f"<{n}@x>", headers={"Auto-Submitted": f"auto-{n}"}) for n in range(1200)]
    book = reader(mails).book
    assert len(book.whys) <= 1002
    assert "something else" in book.whys.texts()
