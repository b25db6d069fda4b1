"""The machine where labels are folders: people drag, and the board must stay true (docs/decisions.md section 13)."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from hypothesis import HealthCheck, settings

from helpdesk.ports import Tier
from tests.databases import SqliteFile
from tests.machine import CALM, HOMES, BoardMachine
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.test_machine_memory import _folder
from tests.world import World

FOLDER_OF = {
    "waiting": "INBOX/WAITING",
    "urgent": "INBOX/URGENT",
    "escalated": "INBOX/ESCALATED",
    "fixed_in_next_release": "INBOX/FIXED in next release",
    "ggus": "INBOX/ESCALATED/GGUS",
    "mc08_dataset_problem": "INBOX/mc08 dataset problem",
    "docs": "INBOX/docs",
    "site_trouble": "INBOX/ask Paul",  # a folder that nobody explained
}


class FoldersBoard(BoardMachine):
    """To set a label is to drag into its folder, to remove it is to drag back into the inbox."""

    homes = (*HOMES, *FOLDER_OF.values())
    keywords = False

    @staticmethod
    def make_world(stack: ExitStack) -> World:
        server = MemoryServer()
        folder = _folder()
        stack.callback(SqliteFile(folder).clear)
        config = CALM.replace("[smtp]", 'dialect = "folders"\n[smtp]')
        return World(server, lambda: MemoryMailbox(server, Tier.PLAIN), folder, config)

    def _on(self, pick: int, action: str, *args: Any, unless: str = "") -> None:
        folder = FOLDER_OF.get(args[0][0]) if action in {"add_flags", "remove_flags"} else None
        found = self._find(pick)
        if folder is None:
            super()._on(pick, action, *args, unless=unless)
        elif found is not None and action == "add_flags" and found[0] != folder:
            self.world.human.move(found[0], [found[2]], folder)
        elif found is not None and action == "remove_flags" and found[0] == folder:
            self.world.human.move(folder, [found[2]], "INBOX")

    def _arrive(self, who: str, *, answers: Sequence[str] = (), **more: Any) -> str:
        labels = [one for one in more.get("flags", ()) if one in FOLDER_OF]
        if labels:
            more |= {"flags": (), "folder": FOLDER_OF[labels[0]]}
        return super()._arrive(who, answers=answers, **more)

    def _consistent(self) -> None:
        read = {(folder, seen.uid): "\\Seen" in seen.flags for folder, seen in self._copies()}
        for thread in self.world.consistency():
            for folder, uid in thread.copies:
                assert folder.startswith("INBOX") == thread.open, (thread, folder)
                if thread.open and folder not in {"INBOX/ask Paul", home(thread.labels)}:
                    assert (folder, read[folder, uid]) == ("INBOX", False), (thread, folder)


def home(labels: frozenset[str]) -> str:
    """The folder that an open thread with these labels is shown in."""
    if "URGENT" in labels:
        return "INBOX/URGENT"
    if "ESCALATED" in labels:
        return "INBOX/ESCALATED/GGUS" if "GGUS" in labels else "INBOX/ESCALATED"
    shown = ("WAITING", "FIXED in next release", "mc08 dataset problem")
    return next((f"INBOX/{label}" for label in shown if label in labels), "INBOX")


TestFoldersBoard = FoldersBoard.TestCase
TestFoldersBoard.settings = settings(
    max_examples=int(os.environ.get("HELPDESK_EXAMPLES", "30")),
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
