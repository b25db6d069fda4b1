"""Who we are at an IMAP server, and how we prove it.  Secrets have no repr: they show nowhere but on the wire."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

Security = Literal["tls", "starttls", "none"]
Mechanism = Literal["XOAUTH2", "OAUTHBEARER"]


@dataclass(frozen=True, slots=True)
class Password:
    """A password; its text shows nowhere but on the wire."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """An OAuth 2.0 access token (RFC 7628, or Google's and Microsoft's older XOAUTH2)."""

    secret: str = field(repr=False)
    mechanism: Mechanism = "XOAUTH2"


Credential = Password | BearerToken


@runtime_checkable
class Renewable(Protocol):
    """A source of credentials that can get a new one when the server refuses the old."""

    def __call__(self) -> Credential:
        """Give the present one."""

    def renew(self, refused: Credential) -> Credential:
        """Give another one than the refused one, whatever that one's expiry says."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the mailbox is, and who we are there."""

    host: str
    port: int
    security: Security
    username: str
    credential: Callable[[], Credential] = field(repr=False)
    verify: bool = True
    ca_file: str | None = None
    connect_seconds: float = 15
    read_seconds: float = 60
