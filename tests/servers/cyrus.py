"""A private Cyrus IMAP 3.6, unpacked beside Dovecot (its package conflicts): any user name, any password.

`HELPDESK_CYRUS_ROOT` names the folder into which Debian's cyrus-imapd, cyrus-common and their libraries were unpacked
with `dpkg -x`.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.process import free_port, kill_group, leash, short_directory, wait_for_greeting

ROOT: Final = os.environ.get("HELPDESK_CYRUS_ROOT", "")
PASSWORD: Final = "secret"
FOLDERS: Final = ("Archive", "Drafts", "Junk", "Sent", "Trash")


@dataclass(frozen=True, slots=True)
class Cyrus:
    """A running server."""

    directory: Path
    port: int
    stop: Callable[[], None]
    host: str = "127.0.0.1"
    password: str = PASSWORD


def start() -> Cyrus:
    """Start a server with its own directory."""
    programs = Path(ROOT, "usr/lib/cyrus/bin")
    directory = short_directory()
    port = free_port()
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    for name in (
        "conf/socket",
        "conf/proc",
        "conf/db",
        "conf/log",
        "conf/lock",
        "conf/sieve",
        "spool",
        "run",
    ):
        (directory / name).mkdir(parents=True)
    (directory / "imapd.conf").write_text(_settings(directory, user))
    (directory / "cyrus.conf").write_text(_services(directory, programs, port))
    if os.geteuid() == 0:
        for path in (directory, *directory.rglob("*")):
            shutil.chown(path, user)
    libraries = f"{ROOT}/usr/lib/x86_64-linux-gnu:{ROOT}/lib/x86_64-linux-gnu"
    log = directory / "master.log"
    settings = [
        "-C",
        f"{directory}/imapd.conf",
        "-M",
        f"{directory}/cyrus.conf",
        "-p",
        f"{directory}/run/pid",
    ]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*leash(), str(programs / "master"), "-D", *settings],
            env={**os.environ, "CYRUS_USER": user, "LD_LIBRARY_PATH": libraries},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for_greeting(port, process, log, 20)
    except RuntimeError:
        kill_group(process, directory)
        raise
    return Cyrus(directory, port, lambda: kill_group(process, directory))


def _settings(directory: Path, user: str) -> str:
    special = "\n".join(f"xlist-{name.lower()}: {name}" for name in FOLDERS)
    return f"""
configdirectory: {directory}/conf
proc_path: {directory}/conf/proc
mboxname_lockpath: {directory}/conf/lock
defaultpartition: default
partition-default: {directory}/spool
cyrus_user: {user}
admins: cyradm
unixhierarchysep: yes
altnamespace: yes
virtdomains: off
allowplaintext: yes
sasl_pwcheck_method: alwaystrue
sasl_mech_list: PLAIN LOGIN
autocreate_quota: 0
autocreate_post: yes
autocreate_inbox_folders: {" | ".join(FOLDERS)}
{special}
specialusealways: yes
servername: localhost
idlesocket: {directory}/conf/socket/idle
notifysocket: {directory}/conf/socket/notify
lmtpsocket: {directory}/conf/socket/lmtp
sievedir: {directory}/conf/sieve
imapidlepoll: 1
expunge_mode: immediate
delete_mode: immediate
duplicatesuppression: no
conversations: yes
"""


def _services(directory: Path, programs: Path, port: int) -> str:
    settings = f"-C {directory}/imapd.conf"
    return f"""
START {{
  recover cmd="{programs}/ctl_cyrusdb {settings} -r"
}}
SERVICES {{
  imap cmd="{programs}/imapd {settings} -U 100" listen="127.0.0.1:{port}" prefork=1
}}
DAEMON {{
  idled cmd="{programs}/idled {settings}"
}}
EVENTS {{
}}
"""
