"""Every story is told twice: on the memory server, and on a real Dovecot."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk.mailbox.account import Account, Password
from helpdesk.mailbox.connect import connect
from tests.conftest import Login
from tests.human import ImapHuman
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import World


@pytest.fixture(params=["memory", "dovecot-mdbox"])
def world(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    login: Callable[[str], Login],
    human_on: Callable[[Login], ImapHuman],
) -> Iterator[World]:
    """A board with two shifters, two destinations and nothing in its inbox; the first cycle has run."""
    if request.param == "memory":
        server = MemoryServer()
        told = World(server, lambda: MemoryMailbox(server), tmp_path)
    else:
        who = login(request.param)
        account = Account(who.host, who.port, "none", who.user, lambda: Password(who.password))
        told = World(human_on(who), lambda: connect(account), tmp_path)
    told.tick()
    yield told
    told.close()
