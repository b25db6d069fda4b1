"""The sample set-up for a small site: right by the servers' own tools, and it carries a board."""

import imaplib
import json
import shutil
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpdesk.cli import commands
from helpdesk.config import settings_of
from tests.servers.daemon import eventually
from tests.servers.site import EXAMPLES, PASSWORDS, PATH, POSTFIX, Site, send, why_not
from tests.world import mail

BOARD = "dast-board"
LIST = "dast@lists.example.org"
LOGIN_NAMES = ["ann", BOARD, "sergey"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    if why_not():
        pytest.skip(why_not())
    with Site() as site:
        yield site


def client(site: Site, name: str) -> imaplib.IMAP4_SSL:
    """Somebody's mail client."""
    context = ssl.create_default_context(cafile=str(site.certificate))
    found = imaplib.IMAP4_SSL("localhost", site.imaps, ssl_context=context)
    found.login(name, PASSWORDS[name])
    return found


def subjects(site: Site, name: str) -> list[str]:
    with client(site, name) as imap:
        _, [count] = imap.select("INBOX", readonly=True)
        if count == b"0":
            return []
        _, rows = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        return [row[1].decode().removeprefix("Subject: ").strip() for row in rows if isinstance(row, tuple)]


def contains(site: Site, name: str, subject: str) -> bool:
    return subject in subjects(site, name)


def board(site: Site, folder: Path) -> Path:
    """The example's configuration for the site's ports, with its secrets where the unit's credentials would be."""
    text = (EXAMPLES / "helpdesk.toml").read_text()
    text = text.replace(
        'host = "mail.example.org"',
        f'host = "localhost"\nport = {site.imaps}\nca_file = "{site.certificate}"',
    )
    text = text.replace('security = "none"', f'security = "none"\nport = {site.smtp}')
    text = text.replace("/var/lib/helpdesk/dast/", f"{folder}/").replace('act = "observe"', 'act = "act"')
    path = folder / "helpdesk.toml"
    path.write_text(text)
    (folder / "imap-password").write_text(f"{PASSWORDS[BOARD]}\n")
    return path


def test_the_example_is_a_right_configuration() -> None:
    """The board of the example is what the unit keeps: credentials, database and pages where they are expected."""
    text = (EXAMPLES / "helpdesk.toml").read_text()
    settings = settings_of(Path("/etc/helpdesk/dast.toml"), text)
    assert settings.imap.password_credential == "imap-password"
    assert settings.store.file == Path("/var/lib/helpdesk/dast/helpdesk.db")
    assert (settings.board.act, settings.daemon.http_port) == ("observe", 9155)
    assert [person.name for person in settings.people if "admin" in person.roles]


@pytest.mark.skipif(shutil.which("doveconf") is None, reason="Dovecot is not installed")
def test_dovecot_takes_its_file() -> None:
    """`doveconf -n` reads the file, and knows every setting in it."""
    command = ["doveconf", "-n", "-c", str(EXAMPLES / "dovecot" / "dovecot.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for line in ("mail_location = mdbox:~/mdbox", "ssl = required", "auth_username_format = %Ln"):
        assert line in done.stdout


@pytest.mark.skipif(POSTFIX is None, reason="Postfix is not installed")
def test_postfix_takes_its_files(site: Site) -> None:
    """`postfix check` and `postconf` find nothing wrong: no unknown and no unused setting."""
    folder = site.folder / "postfix"
    for command in (
        ["postfix", "-c", str(folder), "check"],
        ["postconf", "-c", str(folder), "-n"],
        ["postconf", "-c", str(folder), "-M"],
    ):
        program = str(shutil.which(command[0], path=PATH))
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_mail_to_the_list_is_in_everybody_s_inbox(site: Site) -> None:
    """A user's mail to the list's alias lies in the one mailbox that daemon and shifters see, each by a login of their own."""
    send(site.smtp, "bob@users.example", LIST, mail("bob@users.example", "To the list", "<list@x>"))
    for name in LOGIN_NAMES:
        eventually(partial(contains, site, name, "To the list"), site.log)


def test_bounces_come_home(site: Site) -> None:
    """Mail to the board's envelope sender, token and all, reaches the board."""
    bounce = mail(
        "mailer-daemon@mx.example.net", "Undelivered", "<bounce@x>", to=f"{BOARD}+abcdefgh@example.org"
    )
    send(site.smtp, "", f"{BOARD}+abcdefgh@example.org", bounce)
    eventually(lambda: "Undelivered" in subjects(site, BOARD), site.log)


def test_strangers_are_refused(site: Site) -> None:
    """No mailbox that is not there, no relaying from elsewhere, and no login with another's password."""
    with pytest.raises(smtplib.SMTPException):
        send(site.smtp, "bob@users.example", "nobody@example.org", b"Subject: x\r\n\r\nx\r\n")
    assert "reject_unauth_destination" in site.postconf("-h", "smtpd_relay_restrictions")
    context = ssl.create_default_context(cafile=str(site.certificate))
    with imaplib.IMAP4_SSL("localhost", site.imaps, ssl_context=context) as imap:
        with pytest.raises(imaplib.IMAP4.error):
            imap.login(BOARD, PASSWORDS["ann"])
        imap.login("ann", PASSWORDS["ann"])


def test_shifters_send_with_their_own_password(site: Site) -> None:
    """Submission takes a shifter's login over TLS, and nobody's without one."""
    context = ssl.create_default_context(cafile=str(site.certificate))
    with smtplib.SMTP_SSL(
        "localhost", site.submissions, local_hostname="ann.example", context=context
    ) as out:
        with pytest.raises(smtplib.SMTPException):
            out.sendmail("ann@example.org", [LIST], b"Subject: x\r\n\r\nx\r\n")
        out.rset()
        out.login("ann", PASSWORDS["ann"])
        out.sendmail("ann@example.org", [LIST], mail("ann@example.org", "From a shifter", "<ann@x>"))
    eventually(lambda: "From a shifter" in subjects(site, BOARD), site.log)


def test_many_labels_are_kept(site: Site) -> None:
    """More keywords than a Maildir could keep stay on a mail, for every login."""
    words = " ".join(f"label{number}" for number in range(40))
    with client(site, "ann") as imap:
        imap.append("INBOX", "", None, mail("bob@users.example", "Labels", "<labels@x>"))
        imap.select("INBOX")
        imap.store("*", "+FLAGS", f"({words})")
    with client(site, "sergey") as imap:
        imap.select("INBOX", readonly=True)
        _, rows = imap.fetch("*", "(FLAGS)")
    assert all(word in str(rows[0]) for word in words.split())


def test_a_board_works_on_it(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the example's configuration `check --probe` finds nothing to repair, and runs see what comes."""
    path = str(board(site, tmp_path))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    told = CliRunner().invoke(commands, ["check", "--probe", "--json", "--config", path])
    found = json.loads(told.stdout)["checks"]
    assert (told.exit_code, [one for one in found if not one["ok"]]) == (0, [])
    assert {"probe keywords", "probe conditional store", "probe move"} <= {one["name"] for one in found}
    assert CliRunner().invoke(commands, ["run", "--once", "--config", path]).exit_code == 0
    with client(site, "ann") as imap:
        imap.append("INBOX", "", None, mail("bob@users.example", "One", "<one@x>"))
        imap.append("INBOX", "", None, mail("bob@users.example", "Re: One", "<two@x>", answers=["<one@x>"]))
        told = CliRunner().invoke(commands, ["run", "--once", "--json", "--config", path])
        assert json.loads(told.stdout)["observed"]["new"] == 2
