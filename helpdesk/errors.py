"""What can go wrong, and whether trying again may help."""

from enum import StrEnum


class HelpdeskError(Exception):
    """The root of our errors: a sentence for a person, and `exit_code` for a shell; `todo` is what to look at, where that is known."""

    exit_code = 1
    todo = ""


class UsageError(HelpdeskError):
    """The command or the configuration is wrong: nothing was done."""

    exit_code = 2


class ConfigError(UsageError):
    """Every problem of a configuration at once, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Trouble(StrEnum):
    """Why no connection came about, where a person can do something about it."""

    CERTIFICATE = "certificate"  # it is not trusted, or another server's
    NO_TLS = "no_tls"  # what answers there speaks something else
    NO_NAME = "no_name"
    NOBODY = "nobody"  # nothing listens there
    SILENT = "silent"


class UnreachableError(HelpdeskError):
    """A server could not be reached, or the connection broke: a new connection may heal it."""

    exit_code = 3

    def __init__(
        self, message: str, *, retry_after: float | None = None, trouble: Trouble | None = None
    ) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.retry_after = retry_after  # seconds, when the server said how long to stay away


class MailboxUnreachableError(UnreachableError):
    """The IMAP connection is of no use any more."""


class LoginRefusedError(UnreachableError):
    """The server refused who we say we are: trying again without a change does not help."""


class MailboxRefusedError(HelpdeskError):
    """The server answered NO or BAD to one command; the connection is still good."""


class UidValidityChangedError(MailboxRefusedError):
    """The folder is not the one that we knew (RFC 9051 section 2.3.1.1)."""


class DeadlyMailError(MailboxRefusedError):
    """A mail that ends the connection whenever it is fetched; the present connection is a new one, and good."""

    def __init__(self, strikes: int) -> None:
        super().__init__(deadly(strikes))
        self.strikes = strikes


def deadly(strikes: int) -> str:
    """Why a mail lies in quarantine that ended so many connections."""
    return f"the connection ends whenever it is fetched ({strikes} times)"


class HeldError(HelpdeskError):
    """The board is held by a brake, or a clock, or another instance."""
