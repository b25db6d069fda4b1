"""What a person is told to do when a server cannot be reached; where it can be had, by what happens on sockets."""

import socket
import ssl
from collections.abc import Iterator

import pytest

from helpdesk.connecting import PORTS, advice, trouble
from helpdesk.errors import HelpdeskError, LoginRefusedError, MailboxRefusedError, Trouble, UnreachableError
from helpdesk.mailbox.account import Account, Password
from helpdesk.mailbox.login import log_in
from helpdesk.smtp import SmtpMailer, SmtpServer
from tests.servers.process import free_port
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


def failures(host: str, port: int) -> Iterator[UnreachableError]:
    """What IMAP and SMTP say of a server that should speak TLS."""
    with pytest.raises(UnreachableError) as imap:
        log_in(Account(host, port, "tls", "dast", lambda: Password("x")), Password("x"))
    yield imap.value
    with pytest.raises(UnreachableError) as smtp:
        SmtpMailer(SmtpServer(host, port, "tls")).probe()
    yield smtp.value


def test_a_port_where_nobody_listens() -> None:
    """Both doors tell it from other troubles."""
    assert [one.trouble for one in failures("127.0.0.1", free_port())] == [Trouble.NOBODY] * 2


def test_a_port_that_does_not_begin_with_tls(sink: SmtpSink) -> None:
    """A server that begins in the clear is told from one that is not there."""
    assert [one.trouble for one in failures("127.0.0.1", sink.port)] == [Trouble.NO_TLS] * 2


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (ssl.SSLCertVerificationError(), Trouble.CERTIFICATE),
        (socket.gaierror(), Trouble.NO_NAME),
        (TimeoutError(), Trouble.SILENT),
        (ConnectionResetError(), None),
    ],
)
def test_a_cause_is_found_below_what_it_caused(error: OSError, found: Trouble | None) -> None:
    """A library's error is read by what it came from."""
    outer = RuntimeError()
    outer.__cause__ = error
    assert trouble(outer) is trouble(error) is found


@pytest.mark.parametrize("section", PORTS)
def test_advice_names_the_keys_that_can_be_wrong(section: str) -> None:
    """Each trouble has advice of its own, in the keys of its section; what nobody knows points at the whole section."""
    errors: list[HelpdeskError] = [UnreachableError("x", trouble=one) for one in Trouble]
    errors += [LoginRefusedError("x"), UnreachableError("x"), MailboxRefusedError("x")]
    said = [advice(error, section, "tls") for error in errors]
    assert len(set(said)) == len(said) - 1
    assert said[-1] == said[-2] == f"see [{section}] in the configuration"
    assert all(f"[{section}]" in one for one in said)
    silent = UnreachableError("x", trouble=Trouble.SILENT)
    assert '"tls"' in advice(silent, section, "none")
    assert '"tls"' not in advice(silent, section, "tls")
    no_tls = UnreachableError("x", trouble=Trouble.NO_TLS)
    assert '"starttls"' in advice(no_tls, section, "tls")
    assert '"starttls"' not in advice(no_tls, section, "starttls")
