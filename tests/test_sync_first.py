"""The first sync, crashes, and folders that come, go and change."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect

from helpdesk.hands import helping
from helpdesk.mailbox import ahead, first, ingest
from helpdesk.mailbox.parse import parse_header
from helpdesk.model import URGENT, WAITING, Header, Place
from helpdesk.ports import Tier
from helpdesk.store import folders
from helpdesk.store.core import METADATA
from tests.bench import AIDEN, GGUS, OWN, START, Bench, only
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


def _mixed(bench: Bench) -> None:
    """Mail of users and the team, ours, machines', unreadable, without ids, and copies of the same in other folders."""
    for number in range(40):
        bench.deliver(
            f"<{number}@x>",
            answers=[f"<{number - 1}@x>"] if number % 5 else [],
            flags=["docs"] * (number % 2),
        )
    bench.deliver(OWN, "dast-board@example.org")
    bench.deliver("<about@x>", answers=[OWN])
    bench.deliver("<team@x>", AIDEN, "Sent", answers=["<1@x>"])
    bench.deliver("<tracker@x>", GGUS, subject="[Ticket#4711] solved")
    bench.deliver("<bounce@x>", "mailer-daemon@example.org", subject="Undelivered Mail Returned to Sender")
    bench.deliver("", subject="=?utf-8?q?ohne_Namen?=")
    bench.deliver("<struck@x>", flags=["\\Deleted"])
    bench.server.deliver("INBOX", b"\r\nno header at all\r\n", START)
    bench.server.copy("INBOX", [1, 2, 3, 41, 46], "Archive")


def _rows(bench: Bench) -> list[list[tuple[object, ...]]]:
    with bench.engine.connect() as conn:
        return [[tuple(row) for row in conn.execute(table.select())] for table in METADATA.sorted_tables]


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The headers that are read in this process from now on."""
    seen: list[bytes] = []

    def reading(raw: bytes) -> Header:
        seen.append(raw)
        return parse_header(raw)

    monkeypatch.setattr(ingest, "parse_header", reading)
    return seen


def test_helpers_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With helpers a first sync stores what it stores without, row for row: they only read ahead."""
    monkeypatch.setattr(first, "BATCH", 10)
    monkeypatch.setattr(first, "MANY", 0)
    monkeypatch.setattr(ahead, "AT_ONCE", 3)
    found, read = [], []
    for cores in (1, 3):
        folder = tmp_path / str(cores)
        folder.mkdir()
        bench = Bench(folder, Tier.QRESYNC)
        hands = helping(bench.board, cores, threads=1)
        bench.board = replace(bench.board, hands=hands)
        _mixed(bench)
        assert hands.count == cores - 1
        here = _counted(monkeypatch)
        assert bench.look().adopting
        assert hands.count == 0  # nobody needs them any more
        read.append(len(here))
        found.append(_rows(bench))
        bench.close()
    assert found[0] == found[1]
    assert read[1] < read[0]


def test_a_small_first_sync_needs_no_helpers(bench: Bench) -> None:
    """They go at once, and everything is read here."""
    hands = helping(bench.board, 3, threads=1)
    bench.board = replace(bench.board, hands=hands)
    bench.deliver("<a@x>")
    assert bench.look().new == 1
    assert hands.count == 0


def test_a_crash_with_helpers_costs_what_was_read_ahead(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not committed is read again, and no helper stays behind."""
    monkeypatch.setattr(first, "BATCH", 10)
    monkeypatch.setattr(first, "MANY", 0)
    for number in range(50):
        bench.deliver(f"<{number}@x>")
    hands = helping(bench.board, 3, threads=1)
    bench.board = replace(bench.board, hands=hands)
    with pytest.raises(Crash):
        bench.look(bench.connect(dies_at("FETCH", 5)))
    assert hands.count == 0
    assert len(bench.held()) in {0, 10, 20, 30, 40}
    bench.look(bench.connect())
    assert len(bench.held()) == 50


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
    """Two former copies of one mail with different labels and one new mail: a person must look, at a folder made anew or restored."""
    bench.deliver("<a@x>", flags=["waiting"])
    bench.server.copy("INBOX", [1], "INBOX")
    bench.server.set_flags("INBOX", [2], ["urgent"])
    bench.look()
    bench.server.change_uidvalidity("INBOX")
    bench.server.delete("INBOX", [2])
    [(what, why)] = bench.look().holds
    assert (what, "made anew or restored" in why) == ("uidvalidity", True)


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


def test_a_mail_of_the_second_of_the_last_cycle(bench: Bench) -> None:
    """INTERNALDATE has whole seconds, of another clock: what came just then into a folder that is new is no history."""
    bench.look()
    bench.server.create("Archive/2025")
    bench.deliver("<a@x>", folder="Archive/2025", when=bench.stamp.at - timedelta(minutes=1))
    bench.look()
    assert not bench.thread("<a@x>").messages[0].adopted


def test_a_first_sync_reads_each_header_once(bench: Bench) -> None:
    """A first sync fetches no body, not even of a bounce, and asks for no flags that came with the headers."""

    def before(command: str) -> None:
        assert command != "BODY"
        assert command not in {"CHANGES", "FLAGS"} or bench.tier is Tier.PLAIN

    bench.deliver(
        "<a@x>", "MAILER-DAEMON@example.org", headers={"Content-Type": "multipart/report; boundary=x"}
    )
    assert bench.look(bench.connect(before)).new == 1


def _indexes(bench: Bench) -> set[str | None]:
    made = inspect(bench.engine)
    return {index["name"] for table in METADATA.tables for index in made.get_indexes(table)}


@pytest.mark.parametrize("end", ["at once", "later"])
def test_a_first_sync_leaves_every_index(bench: Bench, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """What a large first sync does without is there when it is complete, also when it was interrupted."""
    known = _indexes(bench)
    monkeypatch.setattr(first, "BATCH", 10)
    monkeypatch.setattr(first, "MANY", 0)
    for number in range(30):
        bench.deliver(f"<{number}@x>", answers=[f"<{number - 1}@x>"] if number % 5 else [])
    if end == "later":
        with pytest.raises(Crash):
            bench.look(bench.connect(dies_at("FETCH", 2)))
        assert _indexes(bench) < known
        monkeypatch.setattr(first, "MANY", 4000)
    bench.look(bench.connect())
    assert _indexes(bench) == known
    assert len(bench.threads()) == 6
