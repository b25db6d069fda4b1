"""What observing costs, and servers that tell little or nonsense."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from helpdesk.actions import CopyPlan
from helpdesk.bits import PLACE
from helpdesk.mailbox import delta
from helpdesk.model import URGENT, WAITING, Stamp
from helpdesk.ports import Tier
from helpdesk.store import copies, threads
from tests.bench import Bench, only
from tests.memory_server import MemoryFolder


@pytest.fixture(params=Tier)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, request.param)
    yield made
    made.close()


def test_a_quiet_cycle_costs_one_command(bench: Bench) -> None:
    """When nothing changed, a cycle is one command and a few statements, however large the mailbox is."""
    for number in range(100):
        bench.deliver(f"<{number}@x>", folder="Archive" if number % 2 else "INBOX")
    bench.look()
    bench.look()
    statements: list[str] = []
    event.listen(bench.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    before = bench.mailbox.commands
    bench.look()
    plain = bench.tier is Tier.PLAIN  # where each folder has to be looked into
    assert bench.mailbox.commands - before <= (8 if plain else 1)
    assert len(statements) <= (60 if plain else 20)


def test_no_cycle_reads_a_whole_table(bench: Bench) -> None:
    """Whatever happens in a cycle or is told after it, every question about copies, messages, threads and ids has an index."""
    for number in range(20):
        bench.deliver(f"<{number}@x>", subject=f"Question {number}")
    bench.look()
    asked: list[tuple[str, object]] = []
    event.listen(bench.engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    bench.deliver("<new@x>", answers=["<3@x>"])
    bench.deliver("<lost@x>", subject="Re: Question 4")
    bench.deliver("<5@x>", folder="Archive")
    bench.server.move("INBOX", [1, 2], "Archive")
    bench.server.copy("INBOX", [6], "Archive")
    bench.server.add_flags("INBOX", [7, 8], ["urgent"])
    bench.server.delete("INBOX", [9])
    bench.server.mark_deleted("INBOX", [10])
    bench.look()
    bench.dirty()
    with bench.engine.connect() as conn:
        assert not list(threads.pending(conn))
        assert not threads.pending_for(conn, ["nag"])
    queries = [(sql, values) for sql, values in asked if sql.startswith(("SELECT", "UPDATE", "DELETE"))]
    assert len(queries) > 30
    with bench.engine.connect() as conn:
        for sql, values in queries:
            many = isinstance(values, list)
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values[0] if many else values)  # type: ignore[index, arg-type]  # rows of parameters
            steps = [row[3] for row in plan]
            assert not any(re.fullmatch(r"SCAN (copy|message|thread|ref)", step) for step in steps), (
                sql,
                steps,
            )


@pytest.mark.parametrize("what", ["modseq", "uidnext"])
def test_numbers_that_go_down(bench: Bench, what: str) -> None:
    """A server whose MODSEQ or UIDNEXT goes down is read anew, and what changed meanwhile is seen."""
    for number in range(5):
        bench.deliver(f"<{number}@x>")
    bench.look()
    folder = bench.server.folder("INBOX")
    bench.server.add_flags("INBOX", [2], ["urgent"])
    bench.server.delete("INBOX", [4])
    folder.expunged.clear()
    folder.modseq, folder.uidnext = (2, folder.uidnext) if what == "modseq" else (folder.modseq + 1, 4)
    for message in folder.mails.values():
        message.modseq = 1
    if what == "uidnext":
        bench.server.delete("INBOX", [5])
    bench.look()
    assert bench.copy("<1@x>").known.bits == {URGENT}
    assert bench.copy("<3@x>").limbo == bench.cycle


def restored(folder: MemoryFolder, uidnext: int) -> None:
    """What a snapshot of the mail store does to a folder: the UIDs from this one on were never given out."""
    for uid in [uid for uid in folder.mails if uid >= uidnext]:
        del folder.mails[uid]
    folder.expunged.clear()
    folder.uidnext, folder.modseq = uidnext, 2
    for message in folder.mails.values():
        message.modseq = 1


def test_a_folder_that_was_restored_from_a_snapshot(bench: Bench) -> None:
    """UIDs that are given out again are other mails: none is taken for the one that had its UID, and no label for removed."""
    for number in range(5):
        bench.deliver(f"<{number}@x>", flags=["docs"] if number < 3 else ())
    bench.look()
    folder = bench.server.folder("INBOX")
    bench.server.delete("INBOX", [4, 5])
    bench.server.remove_flags("INBOX", [1], ["docs"])
    folder.expunged.clear()
    folder.uidnext, folder.modseq = 4, 2
    for message in folder.mails.values():
        message.modseq = 1
    bench.deliver("<new@x>", subject="Another question")
    assert bench.look().new == 1
    assert bench.copy("<new@x>").limbo is None
    assert bench.copy("<4@x>").limbo == bench.cycle
    assert not bench.copy("<0@x>").known.touches


def test_flags_that_a_snapshot_takes_back(bench: Bench) -> None:
    """Labels that went with a snapshot, in which no mail was lost, were removed by nobody; what a human had just done stays his."""
    for number in range(3):
        bench.deliver(f"<{number}@x>", flags=["docs"] if number else ())
    bench.look()
    bench.server.add_flags("INBOX", [3], ["urgent"])
    bench.look()
    if bench.tier is Tier.PLAIN:
        return  # it has no way to tell
    folder = bench.server.folder("INBOX")
    bench.server.remove_flags("INBOX", [2], ["docs"])
    restored(folder, uidnext=4)
    assert bench.look().holds == ()
    assert not bench.copy("<1@x>").known.touches
    assert bench.copy("<1@x>").known.bits == bench.copy("<1@x>").known.base == frozenset()
    assert bench.copy("<2@x>").known.touches.keys() == {URGENT}


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("guids", [True, False])
@pytest.mark.parametrize("grown", [0, 1, 3])
def test_a_snapshot_that_has_grown_past_what_it_was(
    tmp_path: Path, tier: Tier, *, guids: bool, grown: int
) -> None:
    """Where a restored folder has as many UIDs as before or more, its new mails are not taken for those that are lost."""
    bench = Bench(tmp_path, tier, guids=guids)
    for number in range(5):
        bench.deliver(f"<{number}@x>", subject=f"Question {number}", flags=["docs"] if number < 3 else ())
    bench.look()
    folder = bench.server.folder("INBOX")
    restored(folder, uidnext=4)
    bench.server.remove_flags("INBOX", [1], ["docs"])
    for number in range(2 + grown):
        bench.deliver(f"<new{number}@x>", subject=f"Another question {number}")
    folder.modseq += 20
    bench.mailbox = bench.connect()
    assert bench.look().new == 2 + grown
    assert bench.copy("<new0@x>").uid == 4
    assert bench.copy("<3@x>").limbo == bench.copy("<4@x>").limbo == bench.cycle
    assert not bench.copy("<0@x>").known.touches
    bench.look()
    assert {"<new0@x>"} in bench.groups()
    assert not bench.held("<3@x>")
    bench.close()


def test_looking_whether_mails_are_the_same_costs_a_command(bench: Bench) -> None:
    """Whether what we know is still there under its UIDs is asked once in a folder that has new mail, and not in others."""
    for number in range(20):
        bench.deliver(f"<{number}@x>", folder="Archive" if number % 2 else "INBOX")
    bench.look()
    asked: list[str] = []
    bench.mailbox = bench.connect(asked.append)
    for act in (lambda: bench.deliver("<new@x>"), lambda: bench.server.add_flags("INBOX", [1], ["urgent"])):
        bench.look()
        del asked[:]
        act()
        bench.look()
        assert asked.count("IDENTITY") == ("FETCH" in asked)


def test_a_sparse_folder(bench: Bench) -> None:
    """A folder of three mails whose UIDs are far apart is read in a few commands, at first and whenever it is new."""
    for name in ("INBOX", "Archive/2025"):
        folder = bench.server.folder(name) if name == "INBOX" else bench.server.create(name)
        for number in range(3):
            folder.uidnext += 1_000_000
            bench.deliver(f"<{name}{number}@x>", subject=f"Question {number}", folder=name)
        before = bench.mailbox.commands
        assert bench.look().new == 3
        assert bench.mailbox.commands - before < 25


def test_vanished_is_believed_only_of_what_is_known(tmp_path: Path) -> None:
    """A server that says that a whole range vanished loses only the mails that are not there."""
    bench = Bench(tmp_path, Tier.QRESYNC)
    for number in range(5):
        bench.deliver(f"<{number}@x>")
    bench.look()
    folder = bench.server.folder("INBOX")
    folder.modseq += 1
    folder.expunged += [(folder.modseq, uid) for uid in range(100, 2000)]
    assert not bench.look().more
    bench.close()


def test_flags_in_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without MODSEQ a change on an old mail is seen in its turn, with the stamp of the turn before."""
    monkeypatch.setattr(delta, "NEWEST", 2)
    monkeypatch.setattr(delta, "SLICE", 3)
    bench = Bench(tmp_path, Tier.PLAIN)
    for number in range(10):
        bench.deliver(f"<{number}@x>")
    looks: list[Stamp] = []
    while len(looks) < 9:
        bench.look()
        looks.append(bench.stamp)
    bench.server.add_flags("INBOX", [1], ["urgent"])
    while not (touches := bench.copy("<0@x>").known.touches):
        bench.look()
    assert bench.cycle - 9 <= 4
    assert touches == {URGENT: looks[-1]}
    bench.close()


def test_a_plan_is_read_back_without_modseq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without MODSEQ a human's change on a mail that we write to is seen at once, wherever the rotation stands."""
    monkeypatch.setattr(delta, "NEWEST", 2)
    monkeypatch.setattr(delta, "SLICE", 2)
    bench = Bench(tmp_path, Tier.PLAIN)
    for number in range(20):
        bench.deliver(f"<{number}@x>")
    bench.look()
    one = CopyPlan(bench.copy("<8@x>").key, add=frozenset({WAITING}))
    with bench.engine.begin() as conn:
        copies.apply_plan(conn, bench.board.dialect, [one])
    bench.server.add_flags("INBOX", [9], ["waiting", "urgent"])
    bench.look()
    known = bench.copy("<8@x>").known
    assert (known.base, known.planned, known.touches) == (only(WAITING), None, {URGENT: bench.stamp})
    bench.close()


def test_server_without_ids(tmp_path: Path) -> None:
    """Without server ids a mail is known by its header, and a move is a move."""
    bench = Bench(tmp_path, Tier.QRESYNC, guids=False)
    bench.deliver("<a@x>")
    bench.look()
    bench.server.move("INBOX", [1], "Archive")
    observed = bench.look()
    assert (observed.new, observed.gone) == (0, 0)
    assert bench.copy("<a@x>").known.touches == {PLACE: bench.stamp}
    bench.close()
