"""The machine on a real Dovecot: the same humans with a plain mail client, the daemon over the production wire."""

import itertools
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from helpdesk.mailbox.account import Account, Password
from helpdesk.mailbox.connect import connect
from tests.human import ImapHuman
from tests.machine import CALM, BoardMachine
from tests.servers import dovecot
from tests.test_machine_memory import RAM
from tests.world import World

EXAMPLES = int(os.environ.get("HELPDESK_DOVECOT_EXAMPLES", "12"))
_users = itertools.count(1)


def play(server: dovecot.Dovecot, examples: int, *, derandomize: bool = False) -> None:
    """Play so many random days on the server, each with a mailbox of its own."""

    class DovecotBoard(BoardMachine):
        replaceable: tuple[str, ...] = ("Archives",)

        @staticmethod
        def make_world(stack: ExitStack) -> World:
            user = f"machine{next(_users)}-{os.getpid()}"
            human = ImapHuman(server.host, server.port, user, server.password)
            stack.callback(human.close)
            account = Account(server.host, server.port, "none", user, lambda: Password(server.password))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=RAM)))
            return World(human, lambda: connect(account), folder, CALM)

    run_state_machine_as_test(
        DovecotBoard,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            derandomize=derandomize,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.dovecot
def test_the_board_converges_on_a_real_server(dovecot_mdbox: dovecot.Dovecot) -> None:
    """Whatever humans, mail and crashes do on Dovecot: consistent, silent afterwards, nothing lost."""
    play(dovecot_mdbox, EXAMPLES, derandomize=True)
