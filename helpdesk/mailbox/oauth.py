"""OAuth 2.0 access tokens (RFC 6749): from a command, from a file, or from a grant at a token endpoint.

A refresh token that the endpoint exchanges for a new one (section 6) is on disk before the access token is used: the
old one may be worth nothing from then on.
"""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING, Any, Final, Literal

from helpdesk.errors import LoginRefusedError, MailboxUnreachableError
from helpdesk.mailbox.account import BearerToken, Credential, Mechanism
from helpdesk.mailbox.conversation import plain
from helpdesk.secrets import secret_from

if TYPE_CHECKING:
    import httpx

MARGIN_SECONDS: Final = 120.0
"""A token that ends sooner than this is renewed before it is used."""

_PASSING: Final = frozenset({"temporarily_unavailable", "server_error", "slow_down", "authorization_pending"})


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and when it ends in seconds since 1970; 0 where the source has to be asked each time."""

    secret: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token endpoint wants to know; the files have mode 0600, and a new refresh token replaces the old."""

    url: str
    client_id: str
    kind: Literal["refresh_token", "client_credentials"]
    client_secret_file: Path | None = None
    refresh_token_file: Path | None = None
    scope: str | None = None
    timeout_seconds: float = 30


class _NoTokenError(Exception):
    """The endpoint's error code (RFC 6749 section 5.2); authlib's own class chokes on Microsoft's descriptions."""

    def __init__(self, error: object, description: object) -> None:
        del description  # free text that may quote what was sent
        super().__init__(plain(str(error)))


class TokenSource:
    """A `Renewable` source of credentials for all connections of one account, in any thread."""

    def __init__(
        self, fetch: Callable[[], Token], mechanism: Mechanism, clock: Callable[[], float] = time.time
    ) -> None:
        self._fetch = fetch
        self._mechanism = mechanism
        self._clock = clock
        self._token: Token | None = None
        self._lock = threading.Lock()  # two threads must not spend one refresh token

    def __call__(self) -> BearerToken:
        """Give a token that is good for a while."""
        with self._lock:
            if self._token is None or self._token.expires_at - MARGIN_SECONDS <= self._clock():
                self._token = self._fetch()
            return BearerToken(self._token.secret, self._mechanism)

    def renew(self, refused: Credential) -> BearerToken:
        """Give another token than the refused one; the one that another thread got meanwhile will do."""
        with self._lock:
            if self._token is None or self._token.secret == refused.secret:
                self._token = self._fetch()
            return BearerToken(self._token.secret, self._mechanism)


def from_command(argv: tuple[str, ...], timeout_seconds: float = 30) -> Token:
    """Run a program, without a shell, that prints an access token."""
    name = Path(argv[0]).name
    try:
        process = subprocess.Popen(  # noqa: S603 -- the administrator's own command
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise LoginRefusedError(f"the token command {name} cannot be started: {error.strerror}") from None
    with process:
        try:
            output, _ = process.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            output = None
        finally:
            with suppress(ProcessLookupError):  # with all that it started, which may hold its output open
                os.killpg(process.pid, SIGKILL)
    if output is None:
        raise MailboxUnreachableError(f"the token command {name} does not end")
    if process.returncode:
        raise MailboxUnreachableError(f"the token command {name} failed with exit code {process.returncode}")
    return Token(_checked(output.decode("utf-8", "replace").strip(), f"the token command {name}"), 0)


def from_file(path: Path) -> Token:
    """Read an access token that something else keeps fresh."""
    return Token(_checked(secret_from(path).get_secret_value().strip(), str(path)), 0)


def from_grant(grant: Grant) -> Token:
    """Ask the token endpoint (RFC 6749 sections 4.4 and 6)."""
    refresh_token = _secret(grant.refresh_token_file) if grant.kind == "refresh_token" else None
    answer = _asked(grant, refresh_token)
    new = answer.get("refresh_token")
    if grant.refresh_token_file and isinstance(new, str) and new not in {"", refresh_token}:
        replace_secret(grant.refresh_token_file, new)
    secret = _checked(str(answer.get("access_token") or ""), grant.url)
    return Token(secret, float(answer.get("expires_at") or "inf"))


def replace_secret(path: Path, secret: str) -> None:
    """Write a secret (0600) so that a crash leaves either the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink(missing_ok=True)


def _asked(grant: Grant, refresh_token: str | None) -> dict[str, Any]:
    import httpx  # noqa: PLC0415 -- most accounts have a password

    failure: LoginRefusedError | MailboxUnreachableError
    client_secret = _secret(grant.client_secret_file)
    try:
        with httpx.Client(timeout=grant.timeout_seconds, follow_redirects=False) as http:
            return _exchange(grant, client_secret, refresh_token, http)
    except _NoTokenError as error:
        refused = LoginRefusedError(f"{grant.url} refused a token: {error}")
        passing = MailboxUnreachableError(f"{grant.url} gives no token now: {error}")
        failure = passing if str(error) in _PASSING else refused
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        wait = error.response.headers.get("Retry-After", "")
        failure = MailboxUnreachableError(
            f"{grant.url} answered {code}", retry_after=float(wait) if wait.isdecimal() else None
        )
    except httpx.HTTPError as error:
        failure = MailboxUnreachableError(f"{grant.url}: {type(error).__name__}")
    except ValueError:  # authlib's word for an answer that is no JSON object
        failure = MailboxUnreachableError(f"{grant.url}: the answer is no token")
    raise failure  # outside of the handlers: no traceback carries the request, which holds the secrets


def _exchange(
    grant: Grant, client_secret: str | None, refresh_token: str | None, http: "httpx.Client"
) -> dict[str, Any]:
    """Do one token request; a client without a secret says only its name (RFC 6749 section 2.3)."""
    import httpx  # noqa: PLC0415 -- see above
    from authlib.oauth2 import OAuth2Client  # noqa: PLC0415

    client = OAuth2Client(http, client_id=grant.client_id, client_secret=client_secret, scope=grant.scope)
    client.oauth_error_class = _NoTokenError
    auth = httpx.BasicAuth(grant.client_id, client_secret) if client_secret else httpx.Auth()
    named = {} if client_secret else {"client_id": grant.client_id}
    if refresh_token is not None:
        return dict(client.refresh_token(grant.url, refresh_token=refresh_token, auth=auth, **named))
    return dict(client.fetch_token(grant.url, grant_type=grant.kind, auth=auth, **named))


def _secret(path: Path | None) -> str | None:
    return secret_from(path).get_secret_value() if path else None


def _checked(token: str, source: str) -> str:
    """Refuse what is no token (RFC 6750 section 2.1), so that it cannot become part of a command."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise LoginRefusedError(f"{source} gave no access token")
    return token
