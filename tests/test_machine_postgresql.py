"""The machine on the memory server, with its database on PostgreSQL: part of `make slow`."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from helpdesk.ports import Tier
from tests.databases import on_server
from tests.machine import CALM, BoardMachine
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.servers.postgres import Postgres
from tests.world import World

EXAMPLES = int(os.environ.get("HELPDESK_POSTGRESQL_EXAMPLES", "100"))


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_the_board_converges_on_postgresql(postgresql: Postgres, tmp_path: Path) -> None:
    """Whatever humans, mail, crashes, lost databases and old backups do: consistent, silent afterwards, nothing lost."""

    class PostgresqlBoard(BoardMachine):
        @staticmethod
        def make_world(stack: ExitStack) -> World:
            server = MemoryServer()
            place = on_server(postgresql)
            stack.callback(place.drop)
            return World(server, lambda: MemoryMailbox(server, Tier.QRESYNC), tmp_path, CALM, database=place)

    run_state_machine_as_test(
        PostgresqlBoard,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
