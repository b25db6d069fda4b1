"""A private Postfix on loopback, for root: a relay in front of a mailbox, with mailing lists in the path.

| mail for | goes to |
|---|---|
| `*@example.test` | LMTP: the mailbox server |
| a list that mlmmj keeps, `*@lists.example.test` | mlmmj, which sends to its members through this Postfix |
| a list that another program keeps | that program, by LMTP |
| anybody else | the world: an SMTP sink |
"""

import grp
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.process import free_port, leash, short_directory, wait_for_greeting

DAEMONS: Final = Path("/usr/lib/postfix/sbin")
MLMMJ: Final = shutil.which("mlmmj-receive", path=f"{os.environ.get('PATH', '')}:/usr/bin")
MAIL_DOMAIN: Final = "example.test"
LIST_DOMAIN: Final = "lists.example.test"

_MAIN: Final = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.{mail}
mydomain = {mail}
myorigin = {mail}
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:nobody lives here
virtual_mailbox_domains = {mail}
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
transport_maps = texthash:{folder}/conf/transport
relay_domains = {lists}
recipient_delimiter = +
relayhost = [127.0.0.1]:{world}
disable_dns_lookups = yes
smtp_host_lookup = native
smtputf8_enable = yes
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
minimal_backoff_time = 2s
maximal_backoff_time = 10s
queue_run_delay = 2s
in_flow_delay = 0
smtpd_error_sleep_time = 0
mlmmj_destination_recipient_limit = 1
"""
_MASTER: Final = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
mlmmj unix - n n - - pipe flags=ORhu user=nobody argv={mlmmj} -F -L {folder}/lists/$nexthop
"""
_MODES: Final = {"pid": 0o755, "public": 0o710, "maildrop": 0o730}
_QUEUES: Final = (
    "active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace"
)
_LIST_FOLDERS: Final = (
    "incoming queue/discarded archive text subconf unsubconf bounce control moderation subscribers.d digesters.d requeue"
    " nomailsubs.d"
)


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running one."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    host: str = "127.0.0.1"

    @property
    def log(self) -> str:
        """What it says of its work."""
        path = self.folder / "maillog"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> None:
        """End it and all that it started; its folder goes with it."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)


def missing() -> str:
    """Why none can be started here, or ""."""
    if os.geteuid() != 0:
        return "Postfix can be started by root only"
    if not (DAEMONS / "master").exists():
        return "Postfix is not installed"
    return "" if MLMMJ else "mlmmj is not installed"


def start(
    lmtp: int,
    world: int,
    *,
    lists: Mapping[str, Sequence[str]] | None = None,
    others: Mapping[str, int] | None = None,
    port: int = 0,
) -> Postfix:
    """Start one: `lists` are mlmmj's, with their members; `others` are addresses and the LMTP ports that take their mail."""
    folder, port, lists = short_directory(), port or free_port(), lists or {}
    transport = {f"{name}@{LIST_DOMAIN}": f"mlmmj:{name}" for name in lists}
    transport |= {address: f"lmtp:inet:127.0.0.1:{there}" for address, there in (others or {}).items()}
    _folders(folder)
    values = {"folder": folder, "port": port, "lmtp": lmtp, "world": world, "daemons": DAEMONS}
    values |= {"mail": MAIL_DOMAIN, "lists": LIST_DOMAIN, "mlmmj": MLMMJ}
    _write(folder / "conf" / "main.cf", _MAIN.format_map(values))
    _write(folder / "conf" / "master.cf", _MASTER.format_map(values))
    _write(folder / "conf" / "transport", "".join(f"{one} {to}\n" for one, to in transport.items()))
    for name, members in lists.items():
        _make_list(folder / "lists" / name, name, members, port)
    with (folder / "start.log").open("ab") as output:
        process = subprocess.Popen(
            [*leash(), str(DAEMONS / "master"), "-c", str(folder / "conf"), "-d"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "MAIL_CONFIG": str(folder / "conf")},
        )
    running = Postfix(folder, port, process)
    try:
        wait_for_greeting(port, process, folder / "start.log")
    except RuntimeError:
        running.stop()
        raise
    return running


def _folders(folder: Path) -> None:
    postfix, postdrop = pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postdrop").gr_gid
    for name in ("conf", "queue", "data", "lists"):
        (folder / name).mkdir()
    os.chown(folder / "data", postfix, -1)
    (folder / "data").chmod(0o700)
    for name in _QUEUES.split():
        queue = folder / "queue" / name
        queue.mkdir()
        os.chown(queue, 0 if name == "pid" else postfix, postdrop if name in {"public", "maildrop"} else 0)
        queue.chmod(_MODES.get(name, 0o700))


def _write(path: Path, text: str) -> None:
    """Postfix waits before it reads a file that may still be written: make it look older."""
    path.write_text(text)
    long_ago = time.time() - 60
    os.utime(path, (long_ago, long_ago))


def _make_list(folder: Path, name: str, members: Sequence[str], port: int) -> None:
    """What `mlmmj-make-ml` asks for, and a footer."""
    for one in _LIST_FOLDERS.split():
        (folder / one).mkdir(parents=True)
    address = f"{name}@{LIST_DOMAIN}"
    control = {
        "listaddress": f"{address}\n",
        "owner": f"owner@{MAIL_DOMAIN}\n",
        "relayhost": "127.0.0.1\n",
        "smtpport": f"{port}\n",
        "prefix": f"[{name}]\n",
        "customheaders": f"List-Id: <{name}.{LIST_DOMAIN}>\nList-Post: <mailto:{address}>\nPrecedence: list\n",
        "footer": f"\n-- \n{name}, a list of mlmmj\n",
    }
    for key, text in control.items():
        (folder / "control" / key).write_text(text)
    (folder / "index").write_text("0\n")
    (folder / "subscribers.d" / "m").write_text("".join(f"{one}\n" for one in members))
    nobody = pwd.getpwnam("nobody").pw_uid
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody, -1)
