"""The identity of our mails: who we are, proven by an HMAC of the board's secret.

A mail's Message-ID is a function of its reason, so it exists before the first byte, is the same on a retry, and can
neither be forged nor pre-empted by somebody who does not know the secret.  Four texts carry it:

- the Message-ID `<helpdesk.KEY.MAC@domain>`;
- the loop token `helpdesk.KEY.MAC` in X-Helpdesk-Id, which survives a relay that rewrites the Message-ID;
- the bounce token `KEY` + a shorter MAC, which makes the envelope sender `board+TOKEN@domain` (RFC 5233);
- the answer token, made alike for another purpose, in Reply-To: it says which mail is answered, and if that was one to a
  destination, to which.

KEY is the same in all of them: `key_of` finds the row of the outbox again.  A confirm token is no identity: it proves that who
sends it back can read the address that it was sent to.  Pure.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from helpdesk.errors import UsageError

_KEY = 16  # characters of base32: 80 bits name a mail
_MAC = 26  # 130 bits prove it
_SHORT_MAC = 10  # 50 bits: RFC 5321 section 4.5.3.1.1 gives the local part 64 octets in all
_COMMAND = 32  # 160 bits name a command mail
_CONFIRM_MAC = 16  # 80 bits: people copy it by hand
_LOCAL_PART = 64
_DOMAIN = 64  # keeps the whole Message-ID under 120 characters

_TOKEN = re.compile(rf"helpdesk\.([a-z2-7]{{{_KEY}}})\.([a-z2-7]{{{_MAC}}})")
_BOUNCE = re.compile(rf"([a-z2-7]{{{_KEY}}})([a-z2-7]{{{_SHORT_MAC}}})")
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class Answered:
    """The mail of ours that somebody answers, by its Message-ID; `destination` if it was one to a destination."""

    message_id: str
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a mail is sent: one mail per reason, for ever."""

    board: str
    thread: str  # the thread's id on this board, "" for a mail about the board itself
    rule: str
    occasion: str


def message_id(reason: Reason, domain: str, secret: bytes) -> str:
    """Make the Message-ID of the mail for this reason, in angle brackets."""
    fields = json.dumps([reason.board, reason.thread, reason.rule, reason.occasion])
    return _id_of(_mac(secret, "reason", fields)[:_KEY], domain, secret)


BOARD_MARK = "helpdesk.board"
"""How the token of a digest in the folder Board begins.  Its KEY says what it was made for, and its MAC proves the KEY: such a mail needs
no row, and is never taken for one that was sent (by chance one key in thirty million begins like that)."""


def board_message_id(board: str, occasion: str, sender: str, secret: bytes) -> str:
    """Make the Message-ID of a digest that is kept in the folder Board: it proves that it was made for that folder."""
    key = "board" + _mac(secret, "board", json.dumps([board, occasion]))[: _KEY - len("board")]
    return _id_of(key, sender.rpartition("@")[2], secret)


def loop_token(own_message_id: str) -> str:
    """Make what X-Helpdesk-Id carries: the Message-ID without brackets and domain."""
    return own_message_id.strip("<> \t").partition("@")[0]


def own_id(text: str, secret: bytes) -> bool:
    """Tell whether a Message-ID or a loop token is ours; brackets, case and domain do not matter."""
    found = _TOKEN.fullmatch(loop_token(text).lower())
    return found is not None and _same(found[2], _mac(secret, "id", found[1])[:_MAC])


def bounce_token(own_message_id: str, secret: bytes) -> str:
    """Make the token for the envelope sender of this mail."""
    key = key_of(own_message_id)
    return key + _mac(secret, "bounce", key)[:_SHORT_MAC]


def answer_token(own_message_id: str, secret: bytes, destination: str = "") -> str:
    """Make the token for the Reply-To of this mail."""
    key = key_of(own_message_id)
    return key + _mac(secret, _answer(destination), key)[:_SHORT_MAC]


def answered(address: str, sender: str, secret: bytes, destinations: Iterable[str]) -> Answered | None:
    """Tell which mail an address stands for that a mail was sent to; None: it is not one that we really gave."""
    found = _BOUNCE.fullmatch(token_of(address))
    if found is None or sender_with_token(sender, found[0]).lower() != address.strip("<> \t").lower():
        return None
    for destination in ("", *destinations):
        if _same(found[2], _mac(secret, _answer(destination), found[1])[:_SHORT_MAC]):
            return Answered(_id_of(found[1], sender.rpartition("@")[2], secret), destination)
    return None


def _answer(destination: str) -> str:
    return f"answer to {destination}" if destination else "answer"


def sender_with_token(address: str, token: str) -> str:
    """Make the envelope sender that brings a bounce home: `local+token@domain`.

    An address whose local part would become longer than a server must take is left alone: the bounce then comes
    home without its token, and quotes the Message-ID.
    """
    local, at, domain = address.rpartition("@")
    if not at or len(local) + 1 + len(token) > _LOCAL_PART:
        return address
    return f"{local}+{token}@{domain}"


def token_of(address: str) -> str:
    """Find the token in an envelope sender, "" if there is none; `own_sender` says whether it is ours."""
    local, _, _ = address.strip("<> \t").rpartition("@")
    token = local.rpartition("+")[2].lower() if "+" in local else ""
    return token if _BOUNCE.fullmatch(token) else ""


def own_sender(address: str, secret: bytes) -> bool:
    """Tell whether a bounce was sent to an envelope sender that we really used."""
    found = _BOUNCE.fullmatch(token_of(address))
    return found is not None and _same(found[2], _mac(secret, "bounce", found[1])[:_SHORT_MAC])


def bounced(address: str, sender: str, secret: bytes) -> str:
    """Find the Message-ID of the mail whose envelope sender this address is; "" if it is none that we used."""
    token = token_of(address)
    whole = sender_with_token(sender, token).lower() if token else ""
    if address.strip("<> \t").lower() != whole or not own_sender(address, secret):
        return ""
    return _id_of(key_of(address), sender.rpartition("@")[2], secret)


def command_key(message_id: str, author: str, said: str) -> str:
    """Name what a mail asks for: copies of the mail, and the same mail read again, have the same key."""
    digest = hashlib.sha256(json.dumps([message_id, author, said]).encode()).digest()
    return base64.b32encode(digest).decode()[:_COMMAND].lower()


def confirm_token(key: str, address: str, secret: bytes) -> str:
    """Make the token that proves that somebody can read `address`; it is good for this command mail only."""
    return key[:_KEY] + _confirm_mac(key, address, secret)


def confirms(token: str, key: str, address: str, secret: bytes) -> bool:
    """Tell whether a token is the one that was sent to `address` about this command mail."""
    return _same(token.lower(), confirm_token(key, address, secret))


def seal(text: str, secret: bytes) -> str:
    """Make the proof that the board wrote this text for itself (`helpdesk.keepsake`)."""
    return _mac(secret, "keepsake", text)


def _confirm_mac(key: str, address: str, secret: bytes) -> str:
    return _mac(secret, "confirm", json.dumps([key, address.lower()]))[:_CONFIRM_MAC]


def key_of(text: str) -> str:
    """Find the KEY in a Message-ID, a loop token or an envelope sender, proven or not; "" if there is none."""
    found = _TOKEN.fullmatch(loop_token(text).lower()) or _BOUNCE.fullmatch(token_of(text))
    return found[1] if found else ""


def _id_of(key: str, domain: str, secret: bytes) -> str:
    return f"<helpdesk.{key}.{_mac(secret, 'id', key)[:_MAC]}@{_short(domain)}>"


def _mac(secret: bytes, purpose: str, text: str) -> str:
    """HMAC-SHA-256 in lower-case base32, which survives relays that fold case; each purpose has its own."""
    if not secret:
        raise UsageError("The board has no secret: [board] secret_file is empty.")
    digest = hmac.new(secret, f"helpdesk {purpose}\0{text}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().rstrip("=").lower()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one, other)


def _short(domain: str) -> str:
    """Write the domain in ASCII (RFC 5890); of one that is too long keep the last labels."""
    try:
        name = domain.lower().encode("idna").decode()
    except UnicodeError:
        name = ""
    while len(name) > _DOMAIN and "." in name:
        name = name.partition(".")[2]
    if not _NAME.fullmatch(name) or len(name) > _DOMAIN:
        raise UsageError(f"{domain!r} is no domain that a Message-ID can end in.")
    return name
