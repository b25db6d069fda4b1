"""A private Mailman 3 that rewrites From, as lists do for domains with DMARC: `make slow` installs it (deploy/install-mailman)."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.servers.installed import PROJECT
from tests.servers.postfix import LIST_DOMAIN, MAIL_DOMAIN
from tests.servers.process import free_port, leash, short_directory

PROGRAM: Final = PROJECT / ".mailman" / "bin" / "mailman"
PATIENCE: Final = 90.0  # seconds: a dozen processes, each of which loads everything

_IDLE: Final = ("bounces", "digest", "nntp", "retry", "archive", "command", "task", "shunt")
_CONFIG: Final = """\
[mailman]
layout: here
site_owner: owner@{mail}
[paths.here]
var_dir: {folder}/var
[mta]
incoming: mailman.mta.null.NullMTA
outgoing: mailman.mta.deliver.deliver
lmtp_host: 127.0.0.1
lmtp_port: {lmtp}
smtp_host: 127.0.0.1
smtp_port: {smtp}
[webservice]
hostname: 127.0.0.1
port: {rest}
admin_user: rest
admin_pass: rest
[database]
url: sqlite:///{folder}/mailman.db
"""
_LIST: Final = {
    "dmarc_mitigate_action": "munge_from",
    "dmarc_mitigate_unconditionally": True,
    "default_nonmember_action": "accept",
    "default_member_action": "accept",
    "send_welcome_message": False,
}


@dataclass(frozen=True, slots=True)
class Mailman:
    """A running one; `lmtp` takes mail for its list."""

    folder: Path
    lmtp: int
    rest: int
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End the master, and with it all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)


def start(name: str, members: Sequence[str], *, smtp: int, lmtp: int) -> Mailman:
    """Start one with the list `name` and its members; it hands its mail to the SMTP server."""
    folder, rest = short_directory(), free_port()
    config = folder / "mailman.cfg"
    values = {"folder": folder, "lmtp": lmtp, "smtp": smtp, "rest": rest, "mail": MAIL_DOMAIN}
    idle = "".join(f"[runner.{one}]\nstart: no\n" for one in _IDLE)
    config.write_text(_CONFIG.format_map(values) + idle)
    root = ["--run-as-root"] if os.geteuid() == 0 else []
    command = [str(PROGRAM), *root, "-C", str(config)]
    environment = {**os.environ, "MAILMAN_CONFIG_FILE": str(config)}
    subprocess.run(
        [*command, "create", "-d", "-o", f"owner@{MAIL_DOMAIN}", f"{name}@{LIST_DOMAIN}"],
        cwd=folder, env=environment, check=True, capture_output=True,
    )  # fmt: skip
    master = PROGRAM.with_name("master")
    with (folder / "start.log").open("ab") as output:
        process = subprocess.Popen(
            [*leash(), str(master), "--force", "-C", str(config)],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    running = Mailman(folder, lmtp, rest, process)
    try:
        _wait(running)
        _ask(running, "PATCH", f"/lists/{name}.{LIST_DOMAIN}/config", _LIST)
        for member in members:
            _ask(running, "POST", "/members", _subscription(name, member))
    except (OSError, RuntimeError):
        running.stop()
        raise
    return running


def _subscription(name: str, member: str) -> Mapping[str, Any]:
    done = dict.fromkeys(("pre_verified", "pre_confirmed", "pre_approved"), True)
    return {"list_id": f"{name}.{LIST_DOMAIN}", "subscriber": member, "send_welcome_message": False, **done}


def _wait(running: Mailman) -> None:
    end = time.monotonic() + PATIENCE
    missing = {running.lmtp, running.rest}
    while missing and time.monotonic() < end and running.process.poll() is None:
        for port in sorted(missing):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                missing.discard(port)
        time.sleep(0.1)
    if missing:
        raise RuntimeError(
            f"Mailman does not listen on {missing}: {(running.folder / 'start.log').read_text()[-2000:]}"
        )


def _ask(running: Mailman, method: str, path: str, body: Mapping[str, Any]) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.rest}/3.1{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Basic {b64encode(b'rest:rest').decode()}"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310 -- our own server
        pass
