"""Every story is told on the memory server, on a real Dovecot, and with its database on PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk.mailbox.account import Account, Password
from helpdesk.mailbox.connect import connect
from tests.conftest import Login
from tests.databases import on_server
from tests.human import ImapHuman
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import World


@pytest.fixture(params=["memory", "dovecot-mdbox", "memory-postgresql"])
def world(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    login: Callable[[str], Login],
    human_on: Callable[[Login], ImapHuman],
) -> Iterator[World]:
    """A board with two shifters, two destinations and nothing in its inbox; the first cycle has run."""
    place = on_server(request.getfixturevalue("postgresql")) if "postgresql" in request.param else None
    if request.param.startswith("memory"):
        server = MemoryServer()
        told = World(server, lambda: MemoryMailbox(server), tmp_path, database=place)
    else:
        who = login(request.param)
        account = Account(who.host, who.port, "none", who.user, lambda: Password(who.password))
        told = World(human_on(who), lambda: connect(account), tmp_path)
    told.tick()
    yield told
    told.close()
    if place is not None:
        place.drop()
