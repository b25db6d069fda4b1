"""The fuse: it blows at the moment that was chosen, and nowhere else."""

import pytest

from helpdesk.errors import MailboxUnreachableError
from helpdesk.uidset import UidSet
from tests.faults import Crash, CrashingMailbox, Fuse
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer


def play(fuse: Fuse) -> MemoryServer:
    """Label a message, move it and leave a note: three changing calls."""
    server = MemoryServer()
    uid = server.deliver("INBOX", b"Subject: hi\r\n\r\n")
    mailbox = CrashingMailbox(MemoryMailbox(server), fuse)
    folder = mailbox.select("INBOX")
    try:
        mailbox.store(folder, UidSet.of([uid]), "+", ["waiting"], None)
        mailbox.move(folder, UidSet.of([uid]), "Archive")
        mailbox.append("INBOX", b"Subject: note\r\n\r\n", [])
    except (Crash, MailboxUnreachableError):
        assert fuse.blown
    return server


def left(server: MemoryServer) -> tuple[int, int]:
    return len(server.look("INBOX")), len(server.look("Archive"))


def test_without_a_moment_nothing_happens() -> None:
    """A fuse without a moment counts the changing calls and lets all pass."""
    fuse = Fuse()
    assert left(play(fuse)) == (1, 1)
    assert (fuse.calls, fuse.blown) == (3, False)


@pytest.mark.parametrize(
    ("at", "after", "expected"),
    [(2, False, (1, 0)), (2, True, (0, 1)), (3, False, (0, 1)), (3, True, (1, 1))],
)
def test_the_crash_is_before_or_after(at: int, after: bool, expected: tuple[int, int]) -> None:
    """The n-th change has not happened when the crash is before it, and has when it is after it."""
    assert left(play(Fuse(at, after))) == expected


def test_the_line_may_break_instead() -> None:
    """The fuse may raise what a broken connection raises."""
    fuse = Fuse(1, error=lambda: MailboxUnreachableError("gone"))
    assert left(play(fuse)) == (1, 0)
    assert fuse.blown
