"""The fake earns its trust: whatever people and the daemon do, the memory and a real server end the same."""

import os
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from helpdesk.errors import UidValidityChangedError
from helpdesk.mailbox.connect import connect
from helpdesk.ports import Folder, Mailbox, Tier
from helpdesk.uidset import UidSet
from tests.conftest import SERVERS, Login
from tests.contract.conftest import account
from tests.human import Human, ImapHuman
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer

FOLDERS: Final = ("INBOX", "Archive", "Ganga")
FLAGS: Final = ("waiting", "Urgent", "urgent", "\\Seen", "\\Flagged", "taken")
folders = st.sampled_from(FOLDERS)
picks = st.sets(st.integers(1, 12), min_size=1, max_size=4)
flag_sets = st.lists(st.sampled_from(FLAGS), min_size=1, max_size=3, unique_by=str.lower)
EXAMPLES: Final = 100 if os.environ.get("HYPOTHESIS_PROFILE") == "slow" else 15


class Side:
    """One of the two worlds: its people, its daemon, and what the daemon saw last."""

    def __init__(self, human: Human, mailbox: Mailbox) -> None:
        self.human = human
        self.mailbox = mailbox
        self.seen: dict[str, tuple[Folder, int, set[int]]] = {}
        if "Ganga" not in human.folders():
            human.create("Ganga")
        for name in FOLDERS:
            self.remember(name)

    def remember(self, name: str) -> None:
        """Take a checkpoint: the UIDVALIDITY, the MODSEQ and the UIDs of a folder."""
        (status,) = self.mailbox.statuses([name])
        folder = self.mailbox.select(name)
        assert status.modseq is not None
        self.seen[name] = (folder, status.modseq, set(self.mailbox.uids(folder)))

    def changed(self, name: str) -> object:
        """Tell what changed since the checkpoint, in words that do not depend on the server."""
        folder, modseq, known = self.seen[name]
        try:
            changes = self.mailbox.changes(folder, modseq)
        except UidValidityChangedError:
            return "another folder"
        rows = {row.uid: folded(row.flags) for row in changes.rows}
        return rows, known & set(changes.vanished or ())

    def stored(self, name: str, uids: set[int], change: str, flags: list[str], *, careful: bool) -> object:
        folder, modseq, _ = self.seen[name]
        try:
            stored = self.mailbox.store(folder, UidSet.of(uids), change, flags, modseq if careful else None)
        except UidValidityChangedError:
            return "another folder"
        return set(stored.modified)

    def moved(self, name: str, uids: set[int], target: str) -> object:
        folder, _, _ = self.seen[name]
        try:
            return self.mailbox.move(folder, UidSet.of(uids), target).uids
        except UidValidityChangedError:
            return "another folder"

    def shown(self) -> object:
        statuses = {s.name: (s.messages, s.uidnext) for s in self.mailbox.statuses(FOLDERS)}
        looks = {name: self.human.look(name) for name in FOLDERS}
        return statuses, {
            name: [(seen.uid, seen.message_id, folded(seen.flags)) for seen in look]
            for name, look in looks.items()
        }


def folded(flags: frozenset[str]) -> frozenset[str]:
    """Servers differ in when a STORE that changes nothing registers the spelling of its keyword."""
    return frozenset(flag.lower() for flag in flags)


class TwoWorlds(RuleBasedStateMachine):
    """The same acts on both sides; after each of them both look the same."""

    def __init__(self, real: Side) -> None:
        super().__init__()
        server = MemoryServer()
        self.memory = Side(server, MemoryMailbox(server, Tier.QRESYNC))
        self.real = real
        self.delivered = 0

    def both(self, act: Callable[[Side], object]) -> None:
        assert act(self.memory) == act(self.real)

    @rule(name=folders, flags=flag_sets)
    def deliver(self, name: str, flags: list[str]) -> None:
        self.delivered += 1
        mail = f"Message-ID: <{self.delivered}@x>\r\n\r\nhelp\r\n".encode()
        self.both(lambda side: side.human.deliver(name, mail, None, flags))

    @precondition(lambda self: self.delivered)
    @rule(name=folders, uids=picks, flags=flag_sets, how=st.sampled_from(["add", "remove", "set"]))
    def label(self, name: str, uids: set[int], flags: list[str], how: str) -> None:
        self.both(lambda side: getattr(side.human, f"{how}_flags")(name, uids, flags))

    @precondition(lambda self: self.delivered)
    @rule(name=folders, uids=picks, to=folders, how=st.sampled_from(["move", "copy"]))
    def drag(self, name: str, uids: set[int], to: str, how: str) -> None:
        if name != to:
            self.both(lambda side: getattr(side.human, how)(name, uids, to))

    @precondition(lambda self: self.delivered)
    @rule(name=folders, uids=picks, how=st.sampled_from(["delete", "mark_deleted"]))
    def strike(self, name: str, uids: set[int], how: str) -> None:
        self.both(lambda side: getattr(side.human, how)(name, uids))

    @rule(name=folders)
    def expunge(self, name: str) -> None:
        self.both(lambda side: side.human.expunge(name))

    @rule()
    def restore(self) -> None:
        self.both(lambda side: side.human.change_uidvalidity("Ganga"))

    @precondition(lambda self: self.delivered)
    @rule(name=folders, uids=picks, flags=flag_sets, change=st.sampled_from("+-"), careful=st.booleans())
    def bot_labels(self, name: str, uids: set[int], flags: list[str], change: str, careful: bool) -> None:
        self.both(lambda side: side.stored(name, uids, change, flags, careful=careful))

    @precondition(lambda self: self.delivered)
    @rule(name=folders, uids=picks, to=folders)
    def bot_moves(self, name: str, uids: set[int], to: str) -> None:
        if name != to:
            self.both(lambda side: side.moved(name, uids, to))

    @rule(name=folders)
    def bot_looks(self, name: str) -> None:
        self.both(lambda side: side.changed(name))
        self.both(lambda side: side.remember(name))

    @invariant()
    def both_look_the_same(self) -> None:
        self.both(Side.shown)


@pytest.mark.dovecot
@pytest.mark.parametrize("server", [name for name in SERVERS if name in {"dovecot-mdbox", "cyrus"}])
def test_memory_and_server_end_the_same(login: Callable[[str], Login], server: str) -> None:
    """Any sequence of acts by people and daemon leaves the memory and a real server alike, and both tell the same."""

    class OnServer(TwoWorlds):
        def __init__(self) -> None:
            who = login(server)
            self.person = ImapHuman(who.host, who.port, who.user, who.password)
            super().__init__(Side(self.person, connect(account(who))))

        def teardown(self) -> None:
            self.person.close()
            self.real.mailbox.close()

    run_state_machine_as_test(
        OnServer,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
