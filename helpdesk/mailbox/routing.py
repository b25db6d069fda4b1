"""To what a mail answers, whose word it is, and whom it reaches (docs/mail.md sections 1 to 3).  Pure.

A token in the address says to *what* a mail answers, never *who* wrote it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from helpdesk.mailbox.address import addresses
from helpdesk.mailbox.authors import AuthorPolicy
from helpdesk.mailids import Answered
from helpdesk.model import Author, Header, Role
from helpdesk.rules.facts import TO_LIST, TO_TEAM

DELIVERY = ("delivered-to", "x-original-to", "envelope-to")
"""Fields in which mail servers keep the address that a mail was sent to."""

MAX_PEOPLE = 50


class Speaker(NamedTuple):
    """Who wrote a mail, and the destinations whose word it is."""

    who: Author
    at_destination: bool  # its machines are sorted as trackers
    of: tuple[str, ...] = ()


def answer_of(header: Header, answers: Callable[[str], Answered | None]) -> Answered | None:
    """The mail of ours that this one was sent in answer to, by the token in an address of it."""
    return next((found for one in _sent_to(header) if "+" in one and (found := answers(one))), None)


def _sent_to(header: Header) -> Iterator[str]:
    yield from header.recipients
    for name in DELIVERY:
        for value in header.fields.get(name, ()):
            if "+" in value:
                yield from (one.address for one in addresses(value))


def speaker(who: Author, answer: Answered | None, policy: AuthorPolicy, *, is_user: bool) -> Speaker:
    """Say what a mail at a destination's token makes of its author; `is_user`: he asks in that thread.

    Who has no role and is no user there is an expert, unproven: that adds attention and takes none away.  The destination's
    word is only what its own address writes, or at its token somebody of its domain, or an expert of `[[people]]`.
    """
    known = policy.destinations.get(who.address, ())
    if answer is not None and answer.destination and policy.people.get(who.address) is Role.EXPERT:
        known = tuple(dict.fromkeys([*known, answer.destination]))
    guest = (
        answer is not None
        and bool(answer.destination)
        and who.role in {Role.USER, Role.EXPERT}
        and who.address not in policy.people
        and who.via != "sent"
        and not is_user
    )
    if not guest:
        tracker = who.address in policy.destinations
        return Speaker(who, tracker, known if who.trusted and who.via != "sent" else ())
    assert answer is not None  # a guest has a token
    home = answer.destination in policy.at_home(who.address)
    of = tuple(dict.fromkeys((*known, *([answer.destination] if home else [])))) if who.trusted else ()
    return Speaker(who._replace(role=Role.EXPERT, trusted=bool(of)), at_destination=True, of=of)


def audience(header: Header, who: Author, policy: AuthorPolicy, *, own: bool = False) -> str:
    """Whom a mail reaches, as the store keeps it: addresses outside of the team, and words for the list and the team.

    To a user's Reply-To one may answer as well as to his address.  Of our `own` mails it is their addresses.
    """
    if own:
        return " ".join(header.recipients[:MAX_PEOPLE])
    found = dict.fromkeys([TO_LIST] if who.via == "list" else [])
    for one in header.recipients[:MAX_PEOPLE]:
        found[_kind(one, policy)] = None
    if who.role is Role.USER and who.via == "direct":
        found |= dict.fromkeys(one for one in header.reply_to[:MAX_PEOPLE] if "@" in _kind(one, policy))
    return " ".join(found)


def _kind(address: str, policy: AuthorPolicy) -> str:
    if address == policy.list_address:
        return TO_LIST
    role = policy.people.get(address, Role.USER)
    inside = role is not Role.USER or address in policy.destinations or policy.is_board(address)
    return TO_TEAM if inside else address
