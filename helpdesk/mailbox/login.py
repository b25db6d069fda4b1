"""The login, by IMAPClient: connect, TLS, SASL (RFC 9051 section 6.2, RFC 8314, RFC 7628).

IMAPClient talks up to the login; then its socket and what it has read go to a `Conversation`.
"""

import base64
import imaplib
import re
import socket
import ssl
from typing import Final

from imapclient import IMAPClient, SocketTimeout

from helpdesk.connecting import trouble
from helpdesk.errors import LoginRefusedError, MailboxUnreachableError
from helpdesk.mailbox.account import Account, BearerToken, Credential
from helpdesk.mailbox.conversation import Conversation, patience, plain
from helpdesk.mailbox.stream import Stream

_LATER: Final = re.compile(
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|THROTTLED|SERVERBUG)\]|maximum number of|too many", re.IGNORECASE
)


class _Imap4(imaplib.IMAP4):
    """imaplib on a stream of ours, so that nothing it reads ahead is lost when we go on without it."""

    def __init__(self, account: Account, context: ssl.SSLContext | None) -> None:
        self._account = account
        self._context = context
        self._streams: tuple[socket.socket, Stream] | None = None
        super().__init__(account.host, account.port, account.connect_seconds)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        raw = socket.create_connection((host, port), timeout)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.sock = self._context.wrap_socket(raw, server_hostname=host) if self._context else raw

    def read(self, size: int) -> bytes:
        return self.stream.octets(size)

    def readline(self) -> bytes:
        return self.stream.line()

    def shutdown(self) -> None:
        self.sock.close()

    @property
    def stream(self) -> Stream:
        """The stream on the present socket: what came in clear before STARTTLS is not believed (RFC 9051 11.1)."""
        if self._streams is None or self._streams[0] is not self.sock:
            self._streams = self.sock, Stream(self.sock)
        return self._streams[1]


class _Client(IMAPClient):  # type: ignore[misc]  # IMAPClient has no types
    """IMAPClient on `_Imap4`, silent: imaplib would repr() every line (B13)."""

    def __init__(self, account: Account, context: ssl.SSLContext) -> None:
        self._account = account
        self._tls = context if account.security == "tls" else None
        timeout = SocketTimeout(account.connect_seconds, account.read_seconds)
        super().__init__(account.host, account.port, ssl=False, timeout=timeout)
        self.imap.debug = 0

    def _create_IMAP4(self) -> _Imap4:  # noqa: N802 -- IMAPClient's name
        self.imap = _Imap4(self._account, self._tls)
        return self.imap


def log_in(account: Account, credential: Credential) -> Conversation:
    """Connect and log in; whatever fails is raised without a traceback into the libraries, which hold the secret."""
    where = f"{account.host}:{account.port}"
    failure: MailboxUnreachableError | LoginRefusedError
    try:
        client = _secured(account)
    except ssl.SSLCertVerificationError as error:
        words = f"{where}: the certificate is not trusted: {error.verify_message}"
        failure = MailboxUnreachableError(words, trouble=trouble(error))
    except imaplib.IMAP4.error as error:
        failure = MailboxUnreachableError(f"{where}: {plain(str(error))}", retry_after=patience(str(error)))
    except OSError as error:
        words = f"{where}: {plain(str(error) or 'no answer')}"
        failure = MailboxUnreachableError(words, trouble=trouble(error))
    else:
        return _authenticated(client, account, credential)
    raise failure


def _secured(account: Account) -> _Client:
    context = ssl.create_default_context(cafile=account.ca_file)
    if not account.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    client = _Client(account, context)
    if account.security == "starttls":
        _start_tls(client, context)
    return client


def _start_tls(client: _Client, context: ssl.SSLContext) -> None:
    """Switch to TLS, or leave: a server that cannot, or that has us logged in already, may not be the server."""
    if client.imap.state != "NONAUTH" or "STARTTLS" not in client.imap.capabilities:
        client.shutdown()
        raise imaplib.IMAP4.error("the server does not offer STARTTLS")
    try:
        client.starttls(context)
    except (OSError, imaplib.IMAP4.error):
        client.shutdown()
        raise


def _authenticated(client: _Client, account: Account, credential: Credential) -> Conversation:
    imap = client.imap
    failure: MailboxUnreachableError | LoginRefusedError
    try:
        _present(client, account.username, credential)
    except (imaplib.IMAP4.error, OSError, UnicodeError) as error:
        imap.shutdown()
        byes = imap.untagged_responses.get("BYE", [])
        farewell = b" ".join(bye for bye in byes if isinstance(bye, bytes)).decode("latin-1")
        words = _scrubbed(farewell or str(error), account.username, credential)
        failure = _refusal(account, words, broken=bool(farewell) or _is_break(error))
    else:
        return Conversation(imap.sock, imap.stream)
    finally:  # imaplib remembers the last ten lines, the login among them
        imap.__dict__.get("_cmd_log", {}).clear()
    raise failure


def _present(client: _Client, username: str, credential: Credential) -> None:
    """Say who we are, with the first way that the server knows."""
    offered = set(client.imap.capabilities)
    if isinstance(credential, BearerToken):
        client.sasl_login(credential.mechanism, _Once(_bearer(username, credential)))
    elif "AUTH=PLAIN" in offered:
        client.plain_login(username, credential.secret)
    elif "LOGINDISABLED" in offered:
        raise imaplib.IMAP4.error("the server takes no password without TLS")
    else:
        client.login(username, credential.secret)


class _Once:
    """A SASL answer for the first challenge; the next one is the server's error, to be acknowledged."""

    def __init__(self, answer: bytes) -> None:
        self._answers = [answer]

    def __call__(self, _challenge: bytes) -> bytes:
        return self._answers.pop() if self._answers else b"\x01"  # RFC 7628 section 3.2.3


def _bearer(username: str, token: BearerToken) -> bytes:
    """Write the initial answer of OAUTHBEARER (RFC 7628 section 3.1) or XOAUTH2."""
    if token.mechanism == "OAUTHBEARER":
        name = username.replace("=", "=3D").replace(",", "=2C")
        return f"n,a={name},\1auth=Bearer {token.secret}\1\1".encode()
    return f"user={username}\1auth=Bearer {token.secret}\1\1".encode()


def _is_break(error: Exception) -> bool:
    """Tell a broken connection from a refusal; IMAPClient makes a LoginError of both."""
    kinds = (OSError, imaplib.IMAP4.abort)
    return isinstance(error, kinds) or isinstance(error.__context__, kinds)


def _refusal(account: Account, words: str, *, broken: bool) -> MailboxUnreachableError | LoginRefusedError:
    where = f"{account.host}:{account.port}"
    if broken or patience(words) is not None or _LATER.search(words):
        return MailboxUnreachableError(f"{where}: {words or 'no answer'}", retry_after=patience(words))
    return LoginRefusedError(f"{where} refused the login of {account.username}: {words}")


def _scrubbed(words: str, username: str, credential: Credential) -> str:
    """Take the secret out of a server's words, in clear and in base64: some servers echo what they were sent."""
    secret = credential.secret
    sent = [secret.encode(), f"\0{username}\0{secret}".encode()]
    if isinstance(credential, BearerToken):
        sent.append(_bearer(username, credential))
    for octets in sent:
        words = words.replace(base64.b64encode(octets).decode("ascii"), "***")
    return plain(words.replace(secret, "***")) if secret else plain(words)
