"""Why a server cannot be reached, and what to do about it in a configuration."""

import socket
import ssl
from collections.abc import Iterator
from typing import Final

from helpdesk.errors import HelpdeskError, LoginRefusedError, Trouble, UnreachableError

PORTS: Final = {"imap": "993 for tls, else 143", "smtp": "465 for tls, 587 for starttls, 25 for none"}

_TROUBLES: Final[
    tuple[tuple[type[BaseException], Trouble], ...]
] = (  # the first that fits: some are others' children
    (ssl.SSLCertVerificationError, Trouble.CERTIFICATE),
    (ssl.SSLError, Trouble.NO_TLS),
    (socket.gaierror, Trouble.NO_NAME),
    (ConnectionRefusedError, Trouble.NOBODY),
    (TimeoutError, Trouble.SILENT),
)

_ADVICE: Final = {
    Trouble.CERTIFICATE: "[{section}] host as the certificate spells it, or ca_file: the authority that signed it",
    Trouble.NO_TLS: '[{section}] security: that port does not begin with TLS, so perhaps "starttls"; {ports}',
    Trouble.NO_NAME: "[{section}] host: this machine knows no server of that name",
    Trouble.NOBODY: "[{section}] host and port: nothing listens there; {ports}",
    Trouble.SILENT: "[{section}] host and port: nothing answers, or a firewall is between; {ports}",
}
_TLS_FAILS: Final = (
    "[{section}] host and port: STARTTLS is known there, but no TLS came about; the server's may be too old"
)
_WAITS_FOR_TLS: Final = (
    '[{section}] security: perhaps that port waits for "tls"; or a firewall is between; {ports}'
)


def trouble(error: BaseException) -> Trouble | None:
    """What an error, or what it came from, is a case of."""
    causes = [*_causes(error)]
    return next((name for kind, name in _TROUBLES if any(isinstance(one, kind) for one in causes)), None)


def advice(error: HelpdeskError, section: str, security: str) -> str:
    """Which keys of a section to look at."""
    if isinstance(error, LoginRefusedError):
        return f"the server is right, the login is not: [{section}] username, and its password or token"
    found = error.trouble if isinstance(error, UnreachableError) else None
    if found is None:
        return f"see [{section}] in the configuration"
    words = _ADVICE[found]
    if found is Trouble.SILENT and security != "tls":
        words = _WAITS_FOR_TLS
    elif found is Trouble.NO_TLS and security == "starttls":
        words = _TLS_FAILS
    return words.format(section=section, ports=f"[{section}] port is usually {PORTS[section]}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
