"""To what a mail answers, whose word it is, and whom it reaches: the rules, without a mailbox."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.mailbox.authors import AuthorPolicy
from helpdesk.mailbox.parse import parse_header
from helpdesk.mailbox.routing import answer_of, audience, speaker
from helpdesk.mailids import (
    Answered,
    Reason,
    answer_token,
    answered,
    bounce_token,
    message_id,
    own_sender,
    sender_with_token,
)
from helpdesk.model import Author, Header, Role

SECRET = b"sixteen octets or more"
BOARD = "dast-board@example.org"
GGUS, ANN, AIDEN = "ggus@tracker.example", "ann@uni.example", "aiden@example.org"
POLICY = AuthorPolicy(
    list_address="dast@lists.example.org",
    people={AIDEN: Role.SHIFTER, "xena@example.org": Role.EXPERT, "carl@site.example": Role.USER},
    destinations={GGUS: ("GGUS",), "both@tracker.example": ("GGUS", "Savannah")},
    domains={"GGUS": "tracker.example", "Savannah": "savannah.example"},
    board=frozenset({BOARD}),
)
OWN = message_id(Reason("dast", "dast-7kq2m", "escalate", "GGUS:1"), "example.org", SECRET)
TO_GGUS = Answered(OWN, "GGUS")
asked = partial(answered, sender=BOARD, secret=SECRET, destinations=("GGUS", "Savannah"))


def address(destination: str = "GGUS") -> str:
    return sender_with_token(BOARD, answer_token(OWN, SECRET, destination))


def header(*lines: str) -> Header:
    return parse_header("\n".join(lines).encode())


class TestTokens:
    """A token says to what a mail answers."""

    @pytest.mark.parametrize("destination", ["", "GGUS", "Savannah"])
    def test_it_names_the_mail(self, destination: str) -> None:
        """It gives the Message-ID of the mail that is answered, and the destination that it went to, without any row."""
        assert asked(address(destination)) == Answered(OWN, destination)
        assert asked(address(destination).upper()) == Answered(OWN, destination)

    def test_another_purpose_is_another_token(self) -> None:
        """The token of the envelope sender is no answer, and the token of an answer no bounce."""
        assert asked(sender_with_token(BOARD, bounce_token(OWN, SECRET))) is None
        assert not own_sender(address(), SECRET)

    @pytest.mark.parametrize(
        "wrong",
        [
            BOARD,
            "dast-board+x@example.org",
            address().replace("dast-board", "other"),
            address().replace("example.org", "evil.example"),
            address("Elsewhere"),
            "",
            "+@",
        ],
    )
    def test_what_is_no_token(self, wrong: str) -> None:
        """Another address, another board, a destination that nobody configured: no answer."""
        assert asked(wrong) is None

    @given(st.integers(0, 25), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
    def test_nobody_guesses(self, place: int, character: str) -> None:
        """Whatever character of a token is changed, it is no token any more."""
        local, _, domain = address().partition("@")
        start = local.index("+") + 1 + place
        forged = f"{local[:start]}{character}{local[start + 1 :]}@{domain}"
        assert (asked(forged) is not None) == (forged == address())

    @pytest.mark.parametrize(
        "line",
        [
            f"To: {address()}",
            f"To: a@x.example, Board <{address()}>",
            f"Cc: {address()}",
            f"Delivered-To: {address()}",
            f"X-Original-To: {address()}",
            f"Envelope-To: <{address()}>",
        ],
    )
    def test_where_it_stands(self, line: str) -> None:
        """In a recipient, or where a server kept the address that the mail was sent to."""
        assert answer_of(header(line, "Subject: x"), asked) == TO_GGUS

    def test_nowhere_else(self) -> None:
        """A token in a subject, a reference or From says nothing."""
        nowhere = header(
            f"Delivered-To: {BOARD}",
            f"Subject: {address()}",
            f"From: {address()}",
            f"References: <{address()}>",
            "To: a+b@x",
        )
        assert answer_of(nowhere, asked) is None


def who(address: str, role: Role = Role.USER, via: str = "direct", *, trusted: bool = True) -> Author:
    return Author(address, role, via, trusted)


class TestSpeakers:
    """Who merely has the token is nobody's word."""

    @pytest.mark.parametrize(
        ("author", "role", "trusted", "of"),
        [
            (who(GGUS, Role.EXPERT), Role.EXPERT, True, ("GGUS",)),
            (who("fred@tracker.example"), Role.EXPERT, True, ("GGUS",)),
            (who("fred@eu.tracker.example"), Role.EXPERT, True, ("GGUS",)),
            (who("fred@tracker.example", trusted=False), Role.EXPERT, False, ()),
            (who("mallory@eviltracker.example"), Role.EXPERT, False, ()),
            (who("fred@savannah.example"), Role.EXPERT, False, ()),
            (who(AIDEN, Role.SHIFTER), Role.SHIFTER, True, ()),
            (who("xena@example.org", Role.EXPERT), Role.EXPERT, True, ("GGUS",)),
            (who("xena@example.org", Role.EXPERT, trusted=False), Role.EXPERT, False, ()),
            (who("carl@site.example"), Role.USER, True, ()),
            (who("both@tracker.example", Role.EXPERT), Role.EXPERT, True, ("GGUS", "Savannah")),
        ],
    )
    def test_at_the_token(self, author: Author, role: Role, trusted: bool, of: tuple[str, ...]) -> None:
        """Its address and its domain are the destination's word, people keep their roles, anybody else is an unproven expert."""
        found = speaker(author, TO_GGUS, POLICY, is_user=False)
        assert (found.who.role, found.who.trusted, found.of) == (role, trusted, of)

    def test_a_user_of_the_thread_stays_one(self) -> None:
        """Who asks in the thread keeps his role, also in the destination's domain."""
        author = who("ann@tracker.example")
        found = speaker(author, TO_GGUS, POLICY, is_user=True)
        assert (found.who, found.of, found.at_destination) == (author, (), False)

    @pytest.mark.parametrize("answer", [None, Answered(OWN)])
    def test_without_a_destination_s_token(self, answer: Answered | None) -> None:
        """Without a token, or at that of a mail to the team, only the configured addresses speak for a destination."""
        assert speaker(who("xena@example.org", Role.EXPERT), answer, POLICY, is_user=False).of == ()
        assert speaker(who("fred@tracker.example"), answer, POLICY, is_user=False).of == ()
        assert speaker(who(GGUS, Role.EXPERT), answer, POLICY, is_user=False).of == ("GGUS",)
        forged = speaker(who(GGUS, Role.EXPERT, trusted=False), answer, POLICY, is_user=False)
        assert (forged.of, forged.at_destination) == ((), True)

    def test_what_lies_in_sent_is_the_team_s(self) -> None:
        """A destination's address in From of a mail in Sent is somebody of the team."""
        found = speaker(who(GGUS, Role.SHIFTER, "sent"), TO_GGUS, POLICY, is_user=False)
        assert (found.who.role, found.of) == (Role.SHIFTER, ())


class TestAudience:
    """Whom a mail reaches."""

    @pytest.mark.parametrize(
        ("lines", "author", "reaches"),
        [
            (["To: dast@lists.example.org"], who(AIDEN, Role.SHIFTER), "list"),
            ([f"To: {ANN}"], who(AIDEN, Role.SHIFTER, "list"), f"list {ANN}"),
            ([f"To: {ANN}", f"Cc: {BOARD}, {GGUS}"], who(AIDEN, Role.SHIFTER, "sent"), f"{ANN} team"),
            ([f"To: {address()}"], who(AIDEN, Role.SHIFTER), "team"),
            (["To: carl@site.example"], who(AIDEN, Role.SHIFTER), "carl@site.example"),
            (["To: undisclosed-recipients:;"], who(AIDEN, Role.SHIFTER), ""),
            (["To: dast@lists.example.org", "Reply-To: a@home.example"], who(ANN), "list a@home.example"),
            (["To: x@y.example", f"Reply-To: {BOARD}"], who(ANN), "x@y.example"),
            (["To: x@y.example", "Reply-To: a@home.example"], who(ANN, via="list"), "list x@y.example"),
        ],
    )
    def test_words(self, lines: list[str], author: Author, reaches: str) -> None:
        """The list and the team are words, everybody else an address; a user's Reply-To is another address of his."""
        assert audience(header("Subject: x", *lines), author, POLICY) == reaches

    def test_our_own(self) -> None:
        """Of our mails the addresses are kept: they prove to which destination one went."""
        assert audience(header(f"To: {GGUS}"), who(BOARD, Role.BOT), POLICY, own=True) == GGUS

    def test_not_without_end(self) -> None:
        """A mail to a thousand people reaches fifty of them."""
        many = header("To: " + ", ".join(f"u{n}@x.example" for n in range(1000)))
        assert len(audience(many, who(AIDEN, Role.SHIFTER), POLICY).split()) == 50


def test_nobody_is_at_home_without_a_domain() -> None:
    """A destination that has neither address nor domain is nobody's home."""
    assert replace(POLICY, domains={}).at_home(GGUS) == ()
    assert POLICY.at_home("nonsense") == ()
