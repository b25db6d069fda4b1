"""The identity of our mails: the same for the same reason, and nobody else's."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.errors import UsageError
from helpdesk.mailids import (
    Reason,
    bounce_token,
    command_key,
    confirm_token,
    confirms,
    key_of,
    loop_token,
    message_id,
    own_id,
    own_sender,
    sender_with_token,
    token_of,
)

SECRET = b"a secret of the board, 32 octets"
OTHER = b"a secret of another board's, also"
REASON = Reason("dast", "dast-7kq2m0p0d4", "escalate", "Ganga Expert 1")
OURS = message_id(REASON, "example.org", SECRET)

words = st.text(max_size=40)
reasons = st.builds(Reason, board=words, thread=words, rule=words, occasion=words)


def test_is_stable() -> None:
    """The id of a reason never changes, or a retry after an upgrade would be a second mail."""
    assert OURS == "<helpdesk.v53axz3mj2rchluy.mcklip6cppmnsk2ox5epii56sk@example.org>"


@given(reasons)
def test_is_ours(reason: Reason) -> None:
    """Every id that we make is ours, fits an RFC 5322 msg-id, and is made again from the same reason."""
    made = message_id(reason, "example.org", SECRET)
    assert own_id(made, SECRET)
    assert made == message_id(replace(reason), "example.org", SECRET)
    assert made.isascii()
    assert made.isprintable()
    assert " " not in made


@given(reasons, reasons)
def test_different_reasons(one: Reason, other: Reason) -> None:
    """Two reasons have two ids, wherever the border between their parts lies."""
    same = message_id(one, "example.org", SECRET) == message_id(other, "example.org", SECRET)
    assert same == (one == other)


def test_borders_count() -> None:
    """A word that moves from one part of the reason into the next makes another reason."""
    one = Reason("dast", "a", "bc", "d")
    other = Reason("dast", "ab", "c", "d")
    assert message_id(one, "example.org", SECRET) != message_id(other, "example.org", SECRET)


@pytest.mark.parametrize(
    "text",
    [OURS, OURS.strip("<>"), OURS.upper(), f"  {OURS} ", OURS.replace("example.org", "relay.example.net")],
)
def test_tolerant(text: str) -> None:
    """Brackets, case, blanks and the domain do not matter."""
    assert own_id(text, SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<>",
        "<helpdesk.@example.org>",
        "<1234@example.org>",
        OURS.replace("helpdesk", "other"),
        OURS.replace("@", "a@"),
        "x" + OURS,
        "<helpdesk." + "é" * 16 + "." + "é" * 26 + "@example.org>",
        "<helpdesk." + "a" * 16 + "." + "a" * 26 + "@example.org>",
        bounce_token(OURS, SECRET),
    ],
)
def test_not_ours(text: str) -> None:
    """What lacks the right HMAC is not ours, whatever it looks like."""
    assert not own_id(text, SECRET)


def test_other_secret() -> None:
    """Without the secret nobody can make or recognise an id, a loop token or an envelope sender."""
    sender = sender_with_token("board@example.org", bounce_token(OURS, SECRET))
    assert not own_id(OURS, OTHER)
    assert not own_sender(sender, OTHER)
    assert key_of(OURS) != key_of(message_id(REASON, "example.org", OTHER))


@given(st.integers(min_value=0, max_value=len(loop_token(OURS)) - 1), st.characters(codec="ascii"))
def test_every_character_counts(place: int, character: str) -> None:
    """An id with one other character is not ours."""
    token = loop_token(OURS)
    changed = token[:place] + character + token[place + 1 :]
    assert own_id(f"<{changed}@example.org>", SECRET) == (character.lower() == token[place])


def test_loop_token() -> None:
    """The loop token is ours like the id it was made from, and leads to the same key."""
    assert own_id(loop_token(OURS), SECRET)
    assert key_of(loop_token(OURS)) == key_of(OURS) != ""


@pytest.mark.parametrize(
    "address", ["board@example.org", "board+dast@example.org", "a" * 37 + "@example.org"]
)
def test_bounce_comes_home(address: str) -> None:
    """The envelope sender leads home to the same mailbox, and to the mail that bounced."""
    sender = sender_with_token(address, bounce_token(OURS, SECRET))
    local, _, domain = sender.partition("@")
    assert local.startswith(address.partition("@")[0] + "+")
    assert domain == "example.org"
    assert len(local) <= 64
    assert own_sender(sender, SECRET)
    assert own_sender(f"<{sender.upper()}>", SECRET)
    assert key_of(sender) == key_of(OURS)


def test_long_sender() -> None:
    """An address without room for a token stays as it is."""
    long = "a" * 38 + "@example.org"
    assert sender_with_token(long, bounce_token(OURS, SECRET)) == long
    assert sender_with_token("nonsense", bounce_token(OURS, SECRET)) == "nonsense"


@pytest.mark.parametrize(
    "address", ["", "board@example.org", "board+@example.org", "board+spam@example.org", "+", "@", "a+b@c+d"]
)
def test_no_token(address: str) -> None:
    """Any other address has no token and is no envelope sender of ours."""
    assert token_of(address) == ""
    assert not own_sender(address, SECRET)


def test_forged_sender() -> None:
    """A token that was made up is found and not believed."""
    forged = "board+" + "a" * 26 + "@example.org"
    assert token_of(forged) == "a" * 26
    assert not own_sender(forged, SECRET)


@given(st.text())
def test_strangers(text: str) -> None:
    """No text of a stranger is taken for ours, and none raises."""
    assert not own_id(text, SECRET)
    assert not own_sender(text, SECRET)
    assert isinstance(key_of(text), str)


@pytest.mark.parametrize(
    "domain", ["example.org", "very-" * 10 + "long." + "sub." * 30 + "example.org", "x" * 60]
)
def test_length(domain: str) -> None:
    """An id is at most 120 characters long, whatever the domain."""
    made = message_id(REASON, domain, SECRET)
    assert len(made) <= 120
    assert own_id(made, SECRET)


def test_international_domain() -> None:
    """A domain beyond ASCII is written in ASCII."""
    assert message_id(REASON, "Bücher.example", SECRET).endswith("@xn--bcher-kva.example>")


@pytest.mark.parametrize("domain", ["", "a b", "a>b", "a..b", "x" * 70, "a\r\nb"])
def test_bad_domain(domain: str) -> None:
    """What is no domain is refused."""
    with pytest.raises(UsageError, match="no domain"):
        message_id(REASON, domain, SECRET)


def test_no_secret() -> None:
    """Without a secret nothing is signed."""
    with pytest.raises(UsageError, match="secret"):
        message_id(REASON, "example.org", b"")


def test_a_confirm_token_is_for_one_command_and_one_address() -> None:
    """It fits the command mail and the address that it was made for, in any case, and nothing else."""
    key = command_key("<1@x>", "ann@x", "close")
    token = confirm_token(key, "ann@x", SECRET)
    assert confirms(token.upper(), key, "Ann@x", SECRET)
    assert not confirms(token, key, "bob@x", SECRET)
    assert not confirms(token, command_key("<2@x>", "ann@x", "close"), "ann@x", SECRET)
    assert not confirms(token, key, "ann@x", b"another secret")
    assert not confirms(token[:-1], key, "ann@x", SECRET)
    assert (len(token), token.isalnum()) == (32, True)
