"""Who wrote a mail, as far as the board is concerned, and whether that is proven.

From is believed for the board's rules.  Where a list put its own address into From, the author is in X-Original-From or
Reply-To, but only the board's own list and the trusted ones may speak for an author.  Authentication-Results (RFC 8601) count
only from the servers that the board was told to trust, and only when they vouch for the domain in From.

Alignment is that of DMARC without a list of public suffixes: the proven domain is the domain in From or one above it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from authres import AuthenticationResultsHeader
from authres.core import AuthenticationResult, AuthResError

from helpdesk.mailbox.address import addresses
from helpdesk.model import Author, Header, Role

_MAX_FIELDS = 10  # Authentication-Results fields that are looked at, the newest come first
_MAX_LENGTH = 4096


@dataclass(frozen=True)
class AuthorPolicy:
    """What the board knows about people; every address, list id and server name is lower case."""

    list_address: str = ""  # the board's own list
    list_ids: frozenset[str] = frozenset()  # its List-Id values
    trusted_lists: frozenset[str] = (
        frozenset()
    )  # List-Id values, or addresses, of lists that may speak for an author
    authserv_ids: frozenset[str] = frozenset()  # empty: nothing is configured that could authenticate
    people: Mapping[str, Role] = field(default_factory=dict)  # address -> the strongest role
    destinations: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # address -> the labels it speaks for
    domains: Mapping[str, str] = field(default_factory=dict)  # label -> the domain of the destination's mail
    board: frozenset[str] = frozenset()  # the board's own addresses
    names: Mapping[str, str] = field(default_factory=dict)  # address -> how people call its owner

    @cached_property
    def speakers(self) -> frozenset[str]:
        """The From addresses of lists that may speak for an author: `dast.lists.x.org` is dast@lists.x.org."""
        named = self.list_ids | self.trusted_lists
        return (named | {one.replace(".", "@", 1) for one in named} | {self.list_address}) - {""}

    def at_home(self, address: str) -> tuple[str, ...]:
        """The destinations in whose domain, or below it, an address is."""
        domain = address.rpartition("@")[2]
        return tuple([label for label, home in self.domains.items() if _above(home, domain)])

    def is_board(self, address: str) -> bool:
        """Whether it is the board's own, with or without a token after a plus sign."""
        local, _, domain = address.partition("@")
        return address in self.board or f"{local.partition('+')[0]}@{domain}" in self.board

    def role(self, address: str) -> Role:
        """What an address stands for; the board's own may carry a token after a plus sign."""
        if self.is_board(address):
            return Role.BOT
        return self.people.get(address, Role.EXPERT if address in self.destinations else Role.USER)


def author(header: Header, folder_is_sent: bool, policy: AuthorPolicy) -> Author:
    """Say who wrote a message.

    Only the team can file into Sent, so what lies there is the team's and proven.
    """
    if folder_is_sent:
        return Author(header.sender, policy.people.get(header.sender, Role.SHIFTER), "sent", trusted=True)
    rewritten = header.sender in policy.speakers
    address = _behind_the_list(header, policy) if rewritten else header.sender
    via = "list" if rewritten or "list-id" in header.fields else "direct"
    trusted = not policy.authserv_ids or authenticated(header, policy.authserv_ids)
    return Author(address, policy.role(address), via, trusted)


def authenticated(header: Header, authserv_ids: frozenset[str]) -> bool:
    """Tell whether a trusted server vouches for the domain in From.

    Only its topmost field can: servers add theirs above what is there, and not every one takes out what a sender made up.  A DMARC
    failure in any of them outweighs a pass.
    """
    written = header.fields.get("from", ())
    if (
        "@" not in header.sender
        or len(written) != 1
        or sum("@" in one.address for one in addresses(written[0])) > 1
    ):
        return False  # which of them was proven?
    domain = header.sender.rpartition("@")[2]
    found = [[_verdict(result, domain) for result in results] for results in _results(header, authserv_ids)]
    return bool(found) and True in found[0] and all(False not in verdicts for verdicts in found)


def proven(header: Header, who: Author, policy: AuthorPolicy) -> bool:
    """Tell whether the author is certain enough to be obeyed: From alone never is, and no list can vouch for anybody."""
    if who.via != "direct":
        return who.via == "sent"
    return authenticated(header, policy.authserv_ids)


def vouching(header: Header) -> str:
    """Name the server that wrote the topmost Authentication-Results; "" if there is none."""
    newest = header.fields.get("authentication-results", ())[:1]
    return next((_server(value) for value in newest), "")


def _server(value: str) -> str:
    return (value.partition(";")[0].split() or [""])[0].lower()


def _behind_the_list(header: Header, policy: AuthorPolicy) -> str:
    """Find the author of a mail whose From is a list's.

    Not every list takes out an X-Original-From or a Reply-To that the sender made up.  So where several people are named,
    one who may do nothing special comes before one of the team.
    """
    named = [one for one in (header.original_from, *header.reply_to) if one and one not in policy.speakers]
    return min(named, key=lambda one: policy.role(one) is not Role.USER, default="")


def _results(header: Header, authserv_ids: frozenset[str]) -> Iterator[Sequence[AuthenticationResult]]:
    """The results of each field of the servers that are trusted, the newest first; a field that cannot be read has none."""
    for value in header.fields.get("authentication-results", ())[:_MAX_FIELDS]:
        if _server(value) not in authserv_ids:
            continue
        try:
            parsed = AuthenticationResultsHeader.parse_value(value[:_MAX_LENGTH])
        except (AuthResError, RecursionError):
            yield ()
            continue
        yield parsed.results


def _verdict(result: AuthenticationResult, domain: str) -> bool | None:
    """Tell whether one result proves (True) or disproves (False) the domain, or says nothing about it (None)."""
    proven = {
        f"{one.type}.{one.name}".lower(): str(one.value).lower().rpartition("@")[2]
        for one in result.properties
    }
    method, passed = result.method.lower(), result.result.lower() == "pass"
    if method == "dmarc":
        about = proven.get("header.from", domain)
        return (
            None
            if about != domain
            else True
            if passed
            else False
            if result.result.lower() == "fail"
            else None
        )
    names = {"dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",)}.get(method, ())
    return True if passed and any(_above(proven.get(name, ""), domain) for name in names) else None


def _above(proven: str, domain: str) -> bool:
    return bool(proven) and (domain == proven or domain.endswith(f".{proven}"))
