"""The machine on the memory server; `make slow` plays 10,000 interleavings."""

import atexit
import os
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings

from helpdesk.ports import Tier
from tests.databases import SqliteFile
from tests.machine import CALM, BoardMachine
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import World

RAM = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - thousands of small databases need no disk


@cache
def _folder() -> Path:
    """One for all plays of this process: the engine of the play before goes on there (`tests.world`)."""
    folder = tempfile.TemporaryDirectory(dir=RAM)
    atexit.register(folder.cleanup)
    return Path(folder.name)


class MemoryBoard(BoardMachine):
    """Tier QRESYNC, with server ids."""

    @staticmethod
    def make_world(stack: ExitStack) -> World:
        server = MemoryServer()
        folder = _folder()
        stack.callback(SqliteFile(folder).clear)
        return World(server, lambda: MemoryMailbox(server, Tier.QRESYNC), folder, CALM)


EXAMPLES = int(os.environ.get("HELPDESK_EXAMPLES", "30"))

TestMemoryBoard = MemoryBoard.TestCase
TestMemoryBoard.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
