"""The tools that people use on the same mailbox today, each set up as its manual says."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.benchmarks.site import RULE
from tests.servers.dovecot import PASSWORD

_PACKAGES: Final = {"mbsync": "isync", "notmuch": "notmuch", "afew": "afew", "imapfilter": "imapfilter"}

_MBSYNC: Final = """\
IMAPAccount board
Host 127.0.0.1
Port {port}
User {user}
Pass {password}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account board

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX

Channel all
Far :far:
Near :near:
Patterns INBOX Archive Sent
Create Near
SyncState *
"""
_NOTMUCH: Final = """\
[database]
path={folder}/mail
[user]
name=Helpdesk
primary_email=dast@lists.example.org
[new]
tags=new
[maildir]
synchronize_flags=true
"""
_AFEW: Final = """\
[Filter.1]
query = subject:"{rule}"
tags = +docs
message = the one rule
"""
_IMAPFILTER: Final = """\
options.timeout = 120
account = IMAP {{ server = '127.0.0.1', port = {port}, username = '{user}', password = '{password}' }}
found = account.INBOX:contain_subject('{rule}')
found:add_flags({{ 'docs' }})
"""


def missing(*programs: str) -> str:
    """What to install before these can run, or ""."""
    lacking = [_PACKAGES[name] for name in programs if shutil.which(name) is None]
    return f"install {', '.join(lacking)} (deploy/install-bench-peers)" if lacking else ""


class Pipeline:
    """Copies the mailbox, indexes the copy, tags by rule."""

    PROGRAMS: Final = ("mbsync", "notmuch", "afew")

    def __init__(self, folder: Path, port: int, user: str) -> None:
        self._folder = folder
        values = {"folder": folder, "port": port, "user": user, "password": PASSWORD, "rule": RULE}
        (folder / "mail").mkdir()
        (folder / "afew").mkdir()
        (folder / "mbsyncrc").write_text(_MBSYNC.format_map(values))
        (folder / "notmuch-config").write_text(_NOTMUCH.format_map(values))
        (folder / "afew" / "config").write_text(_AFEW.format_map(values))

    def run(self) -> Mapping[str, float]:
        """The first run of each, in seconds."""
        return {
            "mbsync": _seconds(self._folder, "mbsync", "--config", str(self._folder / "mbsyncrc"), "all"),
            "notmuch": _seconds(self._folder, "notmuch", "new"),
            "afew": _seconds(self._folder, "afew", "--tag", "--new"),
        }


class ImapFilter:
    """Asks the server for the mails that a rule means, each time anew."""

    PROGRAMS: Final = ("imapfilter",)

    def __init__(self, folder: Path, port: int, user: str) -> None:
        self._folder = folder
        values = {"port": port, "user": user, "password": PASSWORD, "rule": RULE}
        (folder / "imapfilter.lua").write_text(_IMAPFILTER.format_map(values))

    def run(self) -> float:
        """One run, in seconds."""
        return _seconds(self._folder, "imapfilter", "-c", str(self._folder / "imapfilter.lua"))


def _seconds(folder: Path, *command: str) -> float:
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "NOTMUCH_CONFIG": str(folder / "notmuch-config"),
    }
    started = time.perf_counter()
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if told.returncode:
        raise RuntimeError(f"{command[0]} ended with {told.returncode}: {_end(told.stdout, told.stderr)}")
    return seconds


def _end(*texts: str) -> str:
    return " ".join(texts)[-1000:].strip()
