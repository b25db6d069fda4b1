"""From a board that stands still to the mail that tells a person: a real daemon, Prometheus and Alertmanager."""

import email
import email.policy
import subprocess
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.conftest import Login
from tests.servers.alertmanager import AMTOOL, BINARY, SAMPLE, Alertmanager
from tests.servers.daemon import Daemon, Setting, eventually
from tests.servers.prometheus import BINARY as PROMETHEUS
from tests.servers.prometheus import Prometheus
from tests.servers.relay import Relay
from tests.servers.smtp_sink import SmtpSink

STANDS = "[firing] Board dast: no look at the mailbox succeeds"
DOWN = "[firing] Board dast: the daemon does not answer"


@pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed")
def test_alertmanager_takes_the_sample() -> None:
    """`amtool check-config` finds nothing wrong with it."""
    done = subprocess.run(
        [str(AMTOOL), "check-config", str(SAMPLE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "SUCCESS" in done.stdout


def mails(sink: SmtpSink) -> list[EmailMessage]:
    """What Alertmanager sent."""
    return [email.message_from_bytes(one.content, policy=email.policy.default) for one in sink.received]


@pytest.mark.skipif(
    BINARY is None or PROMETHEUS is None, reason="Alertmanager or Prometheus is not installed"
)
def test_a_person_is_told_what_happened_and_what_to_do(tmp_path: Path, login: Callable[[str], Login]) -> None:
    """A daemon whose mailbox went away is a mail that says so and names the runbook; one that ended is another; then all is well."""
    imap = login("dovecot-mdbox")
    with SmtpSink() as own, SmtpSink() as alerts, Relay(imap.host, imap.port) as relay:
        setting = Setting(tmp_path, imap, own, poll_seconds=0.5, imap_port=relay.port)

        def subjects(after: int = 0) -> str:
            return "\n".join(str(one["Subject"]) for one in mails(alerts)[after:])

        with Alertmanager(alerts.port) as told, Prometheus(setting.http_port, told.port):
            with Daemon(setting, silence=1) as daemon:
                daemon.until("looked")
                relay.cut()
                eventually(lambda: STANDS in subjects(), "who watches is told")
            before = len(alerts.received)
            eventually(lambda: DOWN in subjects(before), "the daemon has ended")
            relay.mend()
            with Daemon(setting) as daemon:
                daemon.until("looked")
                eventually(lambda: subjects().splitlines()[-1].startswith("[resolved]"), "all is well again")
                assert daemon.stop() == 0
        letter = next(one for one in mails(alerts) if STANDS in str(one["Subject"]))
        plain = letter.get_body(("plain",))
        words = "" if plain is None else plain.get_content()
        assert "The mailbox cannot be read: the board stands still, mail is not lost." in words
        assert "What to do: helpdesk/runbook.md#poll" in words
        assert letter["To"] == "admins@example.org"
