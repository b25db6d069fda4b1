"""The machine on the memory server; `make slow` plays 10,000 interleavings."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, settings

from helpdesk.ports import Tier
from tests.machine import CALM, BoardMachine
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import World

RAM = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - thousands of small databases need no disk


class MemoryBoard(BoardMachine):
    """Tier QRESYNC, with server ids."""

    @staticmethod
    def make_world(stack: ExitStack) -> World:
        server = MemoryServer()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=RAM)))
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
