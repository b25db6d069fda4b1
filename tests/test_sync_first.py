"""The first sync, folders that come and go, and servers that tell little or nonsense."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from helpdesk.actions import CopyPlan
from helpdesk.bits import PLACE
from helpdesk.mailbox import delta, first
from helpdesk.model import URGENT, WAITING, Place, Stamp
from helpdesk.ports import Tier
from helpdesk.store import copies, folders
from tests.bench import OWN, START, Bench, only
from tests.faults import Crash


@pytest.fixture(params=Tier)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, request.param)
    yield made
    made.close()


def dies_at(command: str, count: int) -> Callable[[str], None]:
    """A human side that pulls the plug before the n-th command of a name."""
    seen = 0

    def before(name: str) -> None:
        nonlocal seen
        seen += name == command
        if seen == count and name == command:
            raise Crash

    return before


def test_a_first_sync_goes_on_where_it_stopped(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash in the middle costs one batch, and what humans did meanwhile is adopted like everything else."""
    monkeypatch.setattr(first, "BATCH", 10)
    for number in range(50):
        bench.deliver(f"<{number}@x>", answers=[f"<{number - 1}@x>"] if number % 5 else [])
    with pytest.raises(Crash):
        bench.look(bench.connect(dies_at("FETCH", 4)))
    assert len(bench.held()) == 30
    assert bench.threads() == []
    bench.server.add_flags("INBOX", [1], ["urgent"])
    bench.server.move("INBOX", [2], "Archive")
    bench.server.delete("INBOX", [3])
    mailbox = bench.connect()
    observed = bench.look(mailbox)
    assert (observed.adopting, observed.new) == (True, 20)
    assert mailbox.bytes < bench.mailbox.bytes + 60 * 400
    assert len(bench.threads()) == 10
    assert all(m.adopted for t in bench.threads() for m in t.messages)
    assert all(held.known.base == held.known.bits and held.known.touches == {} for held in bench.held())
    assert (bench.copy("<0@x>").known.base, bench.copy("<1@x>").known.base_place) == (
        only(URGENT),
        Place.ARCHIVE,
    )
    assert (bench.held("<2@x>"), observed.more) == ([], False)


def test_a_crash_in_a_later_cycle_leaves_the_last_one(bench: Bench) -> None:
    """When the connection dies while a cycle reads, the store is as before, and the next cycle sees it all."""
    bench.deliver("<a@x>")
    bench.look()
    bench.deliver("<b@x>", folder="Archive")
    bench.server.add_flags("INBOX", [1], ["urgent"])
    before = bench.held()
    with pytest.raises(Crash):
        bench.look(bench.connect(dies_at("FETCH", 1)))
    assert bench.held() == before
    assert bench.look().new == 1
    assert bench.copy("<a@x>").known.touches == {URGENT: bench.stamp}


def test_adoption_is_no_brake(bench: Bench) -> None:
    """Our own mail without a row is nothing strange in an empty database."""
    bench.deliver(OWN, "dast-board@example.org")
    assert bench.look().holds == ()


def test_a_new_uidvalidity_is_no_event(bench: Bench) -> None:
    """Under a new UIDVALIDITY the copies are matched again: base and touches stay, what changed is nobody's touch."""
    bench.deliver("<a@x>", flags=["waiting"])
    bench.deliver("<b@x>", subject="Other")
    bench.look()
    bench.server.add_flags("INBOX", [2], ["urgent"])
    bench.look()
    before = {held.key: held.known for held in bench.held()}
    bench.server.change_uidvalidity("INBOX")
    bench.server.add_flags("INBOX", [1], ["docs"])
    bench.server.delete("INBOX", [2])
    content = bench.server.deliver("INBOX", b"From: x@x\r\nMessage-ID: <c@x>\r\n\r\n", START)
    observed = bench.look()
    assert (observed.new, observed.holds, observed.more, content) == (1, (), True, 3)
    same, vanished = bench.copy("<a@x>"), bench.copy("<b@x>")
    assert (same.known.base, same.known.touches) == (only(WAITING, "docs"), {})
    assert (vanished.limbo, vanished.known) == (bench.cycle, before[vanished.key])


def test_a_doubtful_uidvalidity_holds_the_board(bench: Bench) -> None:
    """Two former copies of one mail with different labels and one new mail: a person must look."""
    bench.deliver("<a@x>", flags=["waiting"])
    bench.server.copy("INBOX", [1], "INBOX")
    bench.server.set_flags("INBOX", [2], ["urgent"])
    bench.look()
    bench.server.change_uidvalidity("INBOX")
    bench.server.delete("INBOX", [2])
    assert [what for what, _ in bench.look().holds] == ["uidvalidity"]


def test_a_renamed_folder_moves_its_mail(bench: Bench) -> None:
    """A folder that is renamed inside the archive loses nothing, and nobody touched anything."""
    bench.server.create("Archive/2025")
    for number in range(8):
        bench.deliver(f"<{number}@x>", folder="Archive/2025")
    bench.look()
    bench.server.rename("Archive/2025", "Archive/old")
    observed = bench.look()
    assert (observed.new, observed.gone, observed.holds, observed.more) == (0, 0, (), False)
    assert {held.folder_name for held in bench.held()} == {"Archive/old"}
    assert all(held.known.touches == {} for held in bench.held())
    with bench.engine.connect() as conn:
        assert "Archive/2025" not in folders.load(conn)


def test_a_folder_that_comes_back(bench: Bench) -> None:
    """A folder that was hidden for a cycle, unchanged, gives back its copies as they were."""
    bench.server.create("Archive/2025")
    bench.deliver("<a@x>", folder="Archive/2025", flags=["docs"])
    bench.look()
    before = bench.copy("<a@x>")
    hidden = bench.server.tree.pop("Archive/2025")
    assert bench.look().more
    bench.server.tree["Archive/2025"] = hidden
    observed = bench.look()
    assert (observed.more, observed.gone, bench.copy("<a@x>")) == (False, 0, replace(before))


def test_a_folder_that_is_read_for_the_first_time(bench: Bench) -> None:
    """Old mail in a folder that is new to the board is history; mail that is younger than the last cycle is news."""
    bench.look()
    bench.server.create("Archive/2025")
    bench.deliver("<old@x>", folder="Archive/2025", flags=["docs"], when=START - timedelta(days=300))
    bench.deliver(
        "<new@x>", subject="Other", folder="Archive/2025", flags=["docs"], when=START + timedelta(hours=1)
    )
    bench.look()
    (old,), (new,) = bench.thread("<old@x>").messages, bench.thread("<new@x>").messages
    assert (old.adopted, new.adopted) == (True, False)
    assert bench.copy("<old@x>").known.touches == {}
    assert bench.copy("<new@x>").known.touches == {"docs": bench.stamp}


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
    """Whatever happens in a cycle, every question about copies, messages, threads and ids is answered by an index."""
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


def test_modseq_that_goes_down(bench: Bench) -> None:
    """A server whose MODSEQ goes down is read anew, and what changed meanwhile is seen."""
    for number in range(5):
        bench.deliver(f"<{number}@x>")
    bench.look()
    folder = bench.server.folder("INBOX")
    bench.server.add_flags("INBOX", [2], ["urgent"])
    bench.server.delete("INBOX", [4])
    folder.expunged.clear()
    folder.modseq = 2
    for message in folder.mails.values():
        message.modseq = 1
    bench.look()
    assert bench.copy("<1@x>").known.bits == {URGENT}
    assert bench.copy("<3@x>").limbo == bench.cycle


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


def test_bodies_are_not_read_at_adoption(bench: Bench) -> None:
    """A first sync fetches no body of a bounce."""

    def before(command: str) -> None:
        assert command != "BODY"

    bench.deliver(
        "<a@x>", "MAILER-DAEMON@example.org", headers={"Content-Type": "multipart/report; boundary=x"}
    )
    assert bench.look(bench.connect(before)).new == 1
