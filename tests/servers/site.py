"""A small site as deploy/examples has it: Postfix and Dovecot with those very files, moved to a folder and to free ports."""

import os
import pwd
import shutil
import smtplib
import subprocess
import time
from pathlib import Path
from typing import Final, Self

from tests.servers import dovecot
from tests.servers.installed import PROJECT
from tests.servers.process import free_port, kill_group, leash, short_directory, wait_for_greeting

EXAMPLES: Final = PROJECT / "deploy" / "examples"
PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin"
POSTFIX: Final = shutil.which("postfix", path=PATH)
MASTER: Final = Path("/usr/share/postfix/master.cf.dist")
PASSWORDS: Final = {"dast-board": "daemon-secret", "ann": "ann-secret", "sergey": "sergey-secret"}

_MOVED: Final = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
    ssl = yes
  }}
}}
"""


def why_not() -> str:
    """Why the site cannot be started here, or ""."""
    if os.geteuid() != 0:
        return "only root can start Postfix"
    if dovecot.BINARY is None or POSTFIX is None or not MASTER.exists():
        return "Dovecot or Postfix is not installed"
    return ""


class Site:
    """Both servers; use it as a context manager.  `certificate` is what clients must trust, for the name localhost."""

    def __init__(self) -> None:
        self.folder = short_directory()
        self.imaps, self.smtp, self.submissions = free_port(), free_port(), free_port()
        self.certificate = self.folder / "cert.pem"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        _certificate(self.folder)
        mail = self.folder / "mail"
        mail.mkdir()
        os.chown(mail, pwd.getpwnam("nobody").pw_uid, -1)
        self._postfix()  # first: it makes the folder of Dovecot's sockets
        try:
            self._wait_for_postfix()
            self._dovecot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        kill_group(self._master, self.folder / "queue")
        if self._process is not None:
            kill_group(self._process, self.folder)

    def _moved(self, text: str) -> str:
        """The text of an example with this folder instead of a server's places."""
        for place, here in (
            ("/etc/ssl/certs/mail.example.org.pem", self.certificate),
            ("/etc/ssl/private/mail.example.org.key", self.folder / "key.pem"),
            ("/etc/dovecot/users", self.folder / "users"),
            ("/var/vmail", self.folder / "mail"),
            ("uid=vmail gid=vmail", "uid=nobody gid=nogroup"),
            ("/var/spool/postfix", self.folder / "queue"),
            ("/etc/postfix", self.folder / "postfix"),
        ):
            text = text.replace(place, str(here))
        return text

    def _dovecot(self) -> None:
        users = (EXAMPLES / "dovecot" / "users").read_text()
        for name, password in PASSWORDS.items():
            users = users.replace(f"{name}:CHANGE-ME", f"{name}:{{PLAIN}}{password}")
        (self.folder / "users").write_text(users)
        text = self._moved((EXAMPLES / "dovecot" / "dovecot.conf").read_text())
        config = self.folder / "dovecot.conf"
        config.write_text(text + _MOVED.format(folder=self.folder, imaps=self.imaps))
        with (self.folder / "stderr").open("wb") as output:
            self._process = subprocess.Popen(
                [*leash(), str(dovecot.BINARY), "-F", "-c", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        end = time.monotonic() + 10
        while not (self.folder / "queue/private/dovecot-lmtp").exists():
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError((self.folder / "dovecot.log").read_text())
            time.sleep(0.02)

    def _postfix(self) -> None:
        folder = self.folder / "postfix"
        folder.mkdir()
        for path in (EXAMPLES / "postfix").iterdir():
            if path.name != "master.cf.add":
                (folder / path.name).write_text(self._moved(path.read_text()))
        (folder / "master.cf").write_text(
            MASTER.read_text() + (EXAMPLES / "postfix" / "master.cf.add").read_text()
        )
        for name in ("queue", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        self.postconf(
            "-e",
            f"queue_directory={self.folder}/queue",
            f"data_directory={self.folder}/data",
            f"maillog_file={self.folder}/maillog",
            f"maillog_file_prefixes={self.folder}",
            "inet_interfaces=127.0.0.1",
            "inet_protocols=ipv4",
            "default_transport=discard:",  # nothing leaves this machine
            "disable_dns_lookups=yes",
            "smtpd_error_sleep_time=0",
        )
        self.postconf("-F", "*/*/chroot=n")
        self.postconf("-M", f"smtp/inet={self.smtp} inet n - n - - smtpd")
        options = self.postconf("-M", "submissions/inet").partition(" ")[2].strip()
        self.postconf("-M", f"submissions/inet={self.submissions} {options}")
        for path in folder.iterdir():
            os.utime(path, (0, 0))  # it waits where a file is younger than two seconds
        subprocess.run(
            [str(POSTFIX), "-c", str(folder), "check"], check=True, capture_output=True
        )  # makes folders
        with (self.folder / "master").open("wb") as output:
            self._master = subprocess.Popen(
                [
                    *leash(),
                    f"{self.postconf('-h', 'daemon_directory').strip()}/master",
                    "-c",
                    str(folder),
                    "-d",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def postconf(self, *args: str) -> str:
        """Ask or change the configuration of this Postfix."""
        command = [str(shutil.which("postconf", path=PATH)), "-c", str(self.folder / "postfix"), *args]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def _wait_for_postfix(self) -> None:
        wait_for_greeting(self.smtp, self._master, self.folder / "maillog")

    @property
    def log(self) -> str:
        """What both wrote."""
        files = ("maillog", "master", "dovecot.log", "stderr")
        return "\n".join(p.read_text() for p in (self.folder / name for name in files) if p.exists())


def send(port: int, sender: str, recipient: str, content: bytes) -> None:
    """Hand a mail over by SMTP, as another server does; a refusal is an smtplib.SMTPException."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=10) as client:
        client.sendmail(sender, [recipient], content)


def _certificate(folder: Path) -> None:
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    )
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command.split(), *files, *names], check=True, capture_output=True)
