"""Logging in: every way to prove who we are, every way to be refused, and no secret in anybody's ears."""

import base64
import logging
import re
import socket
import threading
import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from helpdesk.errors import LoginRefusedError, MailboxUnreachableError, UnreachableError
from helpdesk.mailbox.connect import Account, BearerToken, Credential, Password, connect
from tests.servers.certificates import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import ScriptedPeer, Turn, logged_in

SECRET = "hunter2-Zürich"
BOTH = "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER SASL-IR\r\n<tag> OK done\r\n"
TOLD = Turn("CAPABILITY", BOTH.encode())
TOKEN = BearerToken("ya29.secret-token", "XOAUTH2")


def account(port: int, credential: Credential, **changes: object) -> Account:
    plain = Account("127.0.0.1", port, "none", "ann", lambda: credential, connect_seconds=2, read_seconds=2)
    return replace(plain, **changes)  # type: ignore[arg-type]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def sasl(mechanism: str, initial: str, *rest: Turn) -> list[Turn]:
    return [TOLD, Turn(f"AUTHENTICATE {mechanism}", b"+ \r\n"), Turn(encoded(initial)), *rest]


@pytest.mark.parametrize(
    ("credential", "mechanism", "initial"),
    [
        (Password(SECRET), "PLAIN", f"\0ann\0{SECRET}"),
        (TOKEN, "XOAUTH2", f"user=ann\1auth=Bearer {TOKEN.secret}\1\1"),
        (replace(TOKEN, mechanism="OAUTHBEARER"), "OAUTHBEARER", f"n,a=ann,\1auth=Bearer {TOKEN.secret}\1\1"),
    ],
)
def test_each_mechanism_says_what_its_rfc_says(credential: Credential, mechanism: str, initial: str) -> None:
    """PLAIN (with any letters), XOAUTH2 and OAUTHBEARER send what their specifications want, once."""
    with ScriptedPeer(sasl(mechanism, initial, TOLD)) as peer:
        connect(account(peer.port, credential)).close()


def test_a_refused_token_is_acknowledged() -> None:
    """A server's challenge after a bad token is answered with the dummy that RFC 7628 wants, not with the token again."""
    turns = [
        TOLD,
        Turn("AUTHENTICATE XOAUTH2", b"+ \r\n"),
        Turn(re.compile(".+"), b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"),
        Turn(encoded("\1"), b"<tag> NO [AUTHENTICATIONFAILED] Invalid credentials\r\n"),
    ]
    with ScriptedPeer(turns) as peer, pytest.raises(LoginRefusedError, match="AUTHENTICATIONFAILED"):
        connect(account(peer.port, TOKEN))


class Tokens:
    """A source of tokens that counts how it is asked."""

    def __init__(self) -> None:
        self.renewed: list[str] = []

    def __call__(self) -> Credential:
        return BearerToken("old", "XOAUTH2")

    def renew(self, refused: Credential) -> Credential:
        self.renewed.append(refused.secret)
        return BearerToken("new", "XOAUTH2")


def refused_with(token: str) -> list[Turn]:
    words = f"user=ann\1auth=Bearer {token}\1\1"
    return [*sasl("XOAUTH2", words)[:2], Turn(encoded(words), b"<tag> NO [AUTHENTICATIONFAILED] expired\r\n")]


def test_a_refused_token_is_renewed_once() -> None:
    """When the server refuses a token, a new one is fetched and tried, and a second refusal is final."""
    tokens = Tokens()
    with ScriptedPeer(refused_with("old"), sasl("XOAUTH2", "user=ann\1auth=Bearer new\1\1", TOLD)) as peer:
        connect(replace(account(peer.port, TOKEN), credential=tokens)).close()
    assert tokens.renewed == ["old"]
    with ScriptedPeer(refused_with("old"), refused_with("new")) as peer, pytest.raises(LoginRefusedError):
        connect(replace(account(peer.port, TOKEN), credential=tokens))


def test_a_password_is_quoted_where_plain_is_unknown() -> None:
    """Without AUTH=PLAIN the password goes in a LOGIN, quoted."""
    told = Turn("CAPABILITY", b"* CAPABILITY IMAP4rev1\r\n<tag> OK done\r\n")
    turns = [told, Turn('LOGIN ann "a \\"b\\" \\\\c"'), told]
    with ScriptedPeer(turns) as peer:
        connect(account(peer.port, Password('a "b" \\c'))).close()


def test_no_password_goes_where_none_is_taken() -> None:
    """Where the server says LOGINDISABLED, no password is sent, and the sentence says what is missing."""
    told = Turn("CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n<tag> OK done\r\n")
    with ScriptedPeer([told]) as peer, pytest.raises(LoginRefusedError, match="without TLS"):
        connect(account(peer.port, Password(SECRET)))


@pytest.mark.parametrize(
    ("said", "error", "seconds"),
    [
        (b"<tag> NO [AUTHENTICATIONFAILED] no\r\n", LoginRefusedError, None),
        (b"<tag> NO no\r\n", LoginRefusedError, None),
        (b"<tag> NO [UNAVAILABLE] later\r\n", MailboxUnreachableError, 60),
        (b"<tag> NO [LIMIT] too many connections\r\n", MailboxUnreachableError, 60),
        (b"<tag> NO Maximum number of connections from user+IP exceeded\r\n", MailboxUnreachableError, None),
        (
            b"<tag> BAD Request is throttled. Suggested Backoff Time: 2000 milliseconds\r\n",
            MailboxUnreachableError,
            2,
        ),
        (b"* BYE [UNAVAILABLE] overloaded\r\n", MailboxUnreachableError, 60),
        (b"* BYE\r\n", MailboxUnreachableError, None),
    ],
)
def test_refused_is_not_unreachable(
    said: bytes, error: type[UnreachableError], seconds: float | None
) -> None:
    """A wrong password is told from a server that has no time, and from one that hangs up."""
    turns = [*sasl("PLAIN", f"\0ann\0{SECRET}")[:2], Turn(re.compile(".+"), said, then="close")]
    with ScriptedPeer(turns) as peer, pytest.raises(error) as caught:
        connect(account(peer.port, Password(SECRET)))
    assert type(caught.value) is error
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("credential", [Password(SECRET), TOKEN])
def test_a_secret_is_told_to_nobody(credential: Credential, caplog: pytest.LogCaptureFixture) -> None:
    """Even when the server echoes it, in clear or encoded, a secret is in no error, no traceback, no repr, no log."""
    caplog.set_level(logging.DEBUG)
    sent = (
        f"\0ann\0{credential.secret}"
        if isinstance(credential, Password)
        else f"user=ann\1auth=Bearer {credential.secret}\1\1"
    )
    echo = f"<tag> NO [AUTHENTICATIONFAILED] got {encoded(sent)} and {credential.secret}\r\n".encode()
    with ScriptedPeer(
        [TOLD, Turn(re.compile("AUTHENTICATE .+"), b"+ \r\n"), Turn(re.compile(".+"), echo)]
    ) as peer:
        who = account(peer.port, credential)
        with pytest.raises(LoginRefusedError) as caught:
            connect(who)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    chain = [
        *shown.format(chain=True),
        str(caught.value),
        repr(caught.value),
        caplog.text,
        repr(who),
        repr(credential),
    ]
    ours = "".join(part for part in chain if "test_login.py" not in part)
    for secret in (credential.secret, encoded(sent)):
        assert secret not in ours
    assert caught.value.__context__ is None


def test_starttls_is_not_given_up() -> None:
    """Where STARTTLS is configured and not offered, nothing more is said: somebody may have taken it away."""
    told = Turn("CAPABILITY", b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n<tag> OK done\r\n")
    with (
        ScriptedPeer([told]) as peer,
        pytest.raises(MailboxUnreachableError, match="does not offer STARTTLS"),
    ):
        connect(account(peer.port, Password(SECRET), security="starttls"))


def test_starttls_is_not_skipped_by_a_greeting() -> None:
    """A greeting that says we are logged in already (PREAUTH) does not talk us out of STARTTLS."""
    greeting = b"* PREAUTH welcome\r\n"
    with (
        ScriptedPeer([TOLD], greeting=greeting) as peer,
        pytest.raises(MailboxUnreachableError, match="STARTTLS"),
    ):
        connect(account(peer.port, Password(SECRET), security="starttls"))


def test_words_before_tls_are_forgotten(tmp_path: Path) -> None:
    """What somebody slips in behind the answer to STARTTLS, before TLS begins, is not believed."""
    authority = Authority()
    (tmp_path / "ca.pem").write_text(authority.pem)
    heard: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        raw, _ = listener.accept()
        raw.sendall(b"* OK ready\r\n")
        plain = raw.makefile("rb")
        tag = plain.readline().split()[0]
        raw.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n")
        tag = plain.readline().split()[0]
        raw.sendall(tag + b" OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=EVIL\r\nx OK evil\r\n")
        with authority.server().wrap_socket(raw, server_side=True) as secure:
            words = secure.makefile("rb")
            while line := words.readline():
                tag, command = line.split(b" ", 1)
                heard.append(command.split()[0].decode())
                told = b"* CAPABILITY IMAP4rev1\r\n" if command.startswith(b"CAPABILITY") else b""
                secure.sendall(told + tag + b" OK done\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    mailbox = connect(
        account(
            port, Password("secret"), security="starttls", ca_file=str(tmp_path / "ca.pem"), host="localhost"
        )
    )
    mailbox.close()
    thread.join(5)
    listener.close()
    assert heard[:3] == ["CAPABILITY", "LOGIN", "CAPABILITY"]


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificates_are_verified(dovecot_mdbox: Dovecot, security: str) -> None:
    """A certificate that nobody vouches for is refused unless its authority is named, or verifying is switched off."""
    port = dovecot_mdbox.tls_port if security == "tls" else dovecot_mdbox.port
    who = account(port, Password("secret"), security=security)
    with pytest.raises(MailboxUnreachableError, match="certificate is not trusted"):
        connect(who)
    connect(replace(who, ca_file=str(dovecot_mdbox.certificate))).close()
    connect(replace(who, verify=False)).close()


def test_nobody_there_is_unreachable() -> None:
    """Where nobody listens, or nobody speaks, the mailbox is unreachable within the timeout."""
    with ScriptedPeer() as peer:
        port = peer.port
    with pytest.raises(MailboxUnreachableError):
        connect(account(port, Password(SECRET)))
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailboxUnreachableError):
        connect(account(silent.getsockname()[1], Password(SECRET), read_seconds=0.2, connect_seconds=0.2))


def test_a_server_that_hangs_up_is_unreachable() -> None:
    """A server that greets with BYE, or with another protocol, is unreachable."""
    for greeting in (b"* BYE too busy\r\n", b"220 smtp.example.test ESMTP\r\n"):
        with ScriptedPeer([], greeting=greeting) as peer, pytest.raises(MailboxUnreachableError):
            connect(account(peer.port, Password(SECRET)))


def test_setting_up_costs_nothing() -> None:
    """The commands of the login are not counted; the octets are."""
    with ScriptedPeer(logged_in()) as peer:
        mailbox = connect(account(peer.port, Password("secret")))
        assert mailbox.commands == 0
        assert mailbox.bytes > 0
        mailbox.close()


def test_closing_never_fails() -> None:
    """A mailbox whose connection has ended, or was closed before, can be closed."""
    with ScriptedPeer([*logged_in(), Turn("NOOP", b"", then="close")]) as peer:
        mailbox = connect(account(peer.port, Password("secret")))
        with pytest.raises(MailboxUnreachableError):
            mailbox._session.run("NOOP")
        mailbox.close()
        mailbox.close()
