"""The mailboxes that have to keep the contract: the memory in three tiers, and the real servers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from helpdesk.mailbox.connect import Account, Password, connect
from helpdesk.mailbox.lifeline import Lifeline
from helpdesk.ports import Mailbox, Tier
from helpdesk.store import db
from tests.conftest import SERVERS, Login
from tests.databases import SqliteFile
from tests.human import Human, ImapHuman
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer

MEMORIES: Final = (*(f"memory-{tier.value}" for tier in Tier), "lifeline-QRESYNC")


@dataclass(frozen=True, slots=True)
class World:
    """A mailbox, and a human at the same account; what a server cannot do is said here and nowhere else."""

    name: str
    mailbox: Mailbox
    human: Human
    connect: Callable[[], Mailbox]

    @property
    def special_use(self) -> bool:
        return self.name != "pymap"

    @property
    def folds_case(self) -> bool:
        return self.name != "pymap"

    @property
    def one_command(self) -> bool:
        """Whether LIST-STATUS and UNSELECT are there."""
        return self.name not in {"pymap", "dovecot-poor"}

    @property
    def names_by_content(self) -> bool:
        """Whether the server's id is a hash of the mail: equal mails are one then (RFC 8474 allows that)."""
        return self.name in {"pymap", "cyrus"}

    def takes_folder(self, name: str) -> bool:
        """Tell whether the server can have a folder of that name: pymap lists a backslash without escaping it."""
        odd = {"pymap": "\\", "cyrus": '\\"'}.get(self.name, "")
        return not set(odd) & set(name)

    @property
    def slow(self) -> bool:
        return self.name in {"pymap", "dovecot-maildir", "dovecot-poor", "cyrus"}


@pytest.fixture(params=[*MEMORIES, *SERVERS])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """One server after the other, each with a fresh account that has INBOX and Archive."""
    yield from make_world(request.param, request)


def make_world(name: str, request: pytest.FixtureRequest) -> Iterator[World]:
    if name in MEMORIES:
        server = MemoryServer()
        kind, _, tier = name.partition("-")
        connect_one: Callable[[], Mailbox] = partial(MemoryMailbox, server, Tier(tier))
        if kind == "lifeline":
            connect_one = partial(_lifeline, connect_one, request.getfixturevalue("tmp_path"))
        yield World(name, connect_one(), server, connect_one)
        return
    login = request.getfixturevalue("login")(name)
    human = ImapHuman(login.host, login.port, login.user, login.password)
    if "Archive" not in human.folders():
        human.create("Archive")
    opened: list[Mailbox] = []

    def another() -> Mailbox:
        opened.append(connect(account(login)))
        return opened[-1]

    yield World(name, another(), human, another)
    human.close()
    for mailbox in opened:
        mailbox.close()


def _lifeline(connect_one: Callable[[], Mailbox], folder: Path) -> Mailbox:
    kept = SqliteFile(folder)
    kept.make()
    return Lifeline(connect_one, db.open_engine(kept.url))


def account(login: Login) -> Account:
    return Account(login.host, login.port, "none", login.user, lambda: Password(login.password))
