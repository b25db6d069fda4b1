"""A private Dovecot 2.3: any user name, password `secret`, as root or as any ordinary user."""

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.process import free_port, kill_group, leash, short_directory, wait_for_greeting

BINARY: Final = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
PASSWORD: Final = "secret"
STORES: Final = {"mdbox": "mdbox:~/mdbox", "maildir": "maildir:~/Maildir", "sdbox": "sdbox:~/sdbox"}
SPECIAL: Final = ("Archive", "Drafts", "Junk", "Sent", "Trash")


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running server; `tls_port`, `lmtp_port` and `certificate` are there when they were asked for."""

    directory: Path
    port: int
    tls_port: int
    lmtp_port: int
    certificate: Path
    stop: Callable[[], None]
    host: str = "127.0.0.1"
    password: str = PASSWORD


def start(store: str = "mdbox", *, tls: bool = False, lmtp: bool = False, extra: str = "") -> Dovecot:
    """Start a server with its own directory; `extra` is appended to its configuration."""
    if BINARY is None:
        raise FileNotFoundError("dovecot is not installed")
    directory = short_directory()
    port, tls_port, lmtp_port = free_port(), free_port() if tls else 0, free_port() if lmtp else 0
    home = directory / "home"
    home.mkdir()
    if os.geteuid() == 0:
        os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)
    if tls:
        _certificate(directory)
    configuration = directory / "dovecot.conf"
    configuration.write_text(
        _general(directory, store, tls=tls, lmtp=lmtp) + _services(port, tls_port, lmtp_port) + extra
    )
    log = directory / "dovecot.log"
    with (directory / "stderr.log").open("ab") as output:
        process = subprocess.Popen(
            [*leash(), BINARY, "-F", "-c", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for_greeting(port, process, log)
    except RuntimeError:
        kill_group(process, directory)
        raise
    return Dovecot(
        directory=directory,
        port=port,
        tls_port=tls_port,
        lmtp_port=lmtp_port,
        certificate=directory / "cert.pem",
        stop=lambda: kill_group(process, directory),
    )


def _general(directory: Path, store: str, *, tls: bool, lmtp: bool) -> str:
    owner, group, login, internal, internal_group = _accounts()
    folders = "\n".join(
        f"  mailbox {name} {{\n    special_use = \\{name}\n    auto = create\n  }}" for name in SPECIAL
    )
    crypto = (
        f"ssl = yes\nssl_cert = <{directory}/cert.pem\nssl_key = <{directory}/key.pem" if tls else "ssl = no"
    )
    return f"""
base_dir = {directory}/run
state_dir = {directory}/run
instance_name = {directory.name}
protocols = imap{" lmtp" if lmtp else ""}
listen = 127.0.0.1
log_path = {directory}/dovecot.log
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {internal_group}
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={directory}/home/%n allow_all_users=yes
}}
mail_location = {STORES[store]}
mail_fsync = never
mail_attribute_dict = file:%h/attributes
recipient_delimiter = +
{crypto}
protocol imap {{
  mail_max_userip_connections = 200
}}
namespace inbox {{
  inbox = yes
  separator = /
{folders}
}}
"""


def _services(port: int, tls_port: int, lmtp_port: int) -> str:
    root = os.geteuid() == 0
    cages = ("anvil", "stats", "imap-urlauth-login", "submission-login")
    uncaged = "" if root else "".join(f"service {name} {{\n  chroot =\n}}\n" for name in cages)
    lmtp = (
        f"""
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@example.test
  hostname = localhost
}}
"""
        if lmtp_port
        else ""
    )
    return f"""
service imap-login {{
  {"" if root else "chroot ="}
  process_min_avail = 1
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
{uncaged}{lmtp}"""


def _accounts() -> tuple[str, str, str, str, str]:
    """Tell who owns the mail (user, group), who runs the login processes, and who the rest (user, group)."""
    if os.geteuid() == 0:
        return "nobody", "nogroup", "dovenull", "dovecot", "dovecot"
    me, mine = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    return me, mine, me, me, mine


def _certificate(directory: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "cert.pem")]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
