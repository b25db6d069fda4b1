"""Observations that cannot be meant hold the board (docs/decisions.md section 10)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk.actions import CopyPlan
from helpdesk.ports import Tier
from helpdesk.report import Hold
from helpdesk.store import copies, holds
from tests.bench import OWN, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, Tier.QRESYNC)
    yield made
    made.close()


def filled(bench: Bench, count: int, **more: object) -> None:
    """That many threads, adopted."""
    for number in range(count):
        bench.deliver(f"<{number}@x>", subject=f"Question {number}", **more)  # type: ignore[arg-type]  # of `mail`
    bench.look()


def names(found: tuple[tuple[str, str], ...]) -> list[str]:
    """What is held."""
    return [what for what, _ in found]


@pytest.mark.parametrize(
    ("known", "gone", "held"),
    [(100, 21, True), (100, 20, False), (10, 5, True), (10, 4, False), (25, 5, False)],
)
def test_too_much_is_gone(bench: Bench, known: int, gone: int, held: bool) -> None:
    """More than a fifth of the mail, and at least five, gone at once holds the board."""
    filled(bench, known)
    bench.server.delete("INBOX", range(1, gone + 1))
    assert names(bench.look().holds) == ["gone"] * held


def test_moving_is_not_losing(bench: Bench) -> None:
    """A shifter who archives the whole inbox trips no brake."""
    filled(bench, 30)
    bench.server.move("INBOX", range(1, 31), "Archive")
    assert bench.look().holds == ()


def test_a_held_board_waits_for_what_is_gone(bench: Bench) -> None:
    """While the board is held nothing in limbo is forgotten, and mail that comes back was never away."""
    filled(bench, 10)
    lost = dict(bench.server.folder("INBOX").mails)
    uidnext = bench.server.folder("INBOX").uidnext
    bench.server.delete("INBOX", range(1, 9))
    observed = bench.look()
    assert (names(observed.holds), observed.more) == (["gone"], False)
    with bench.engine.begin() as conn:
        holds.update(conn, observed.holds, bench.stamp.at)
    for _ in range(3):
        assert bench.look().gone == 0
    folder = bench.server.folder("INBOX")
    folder.mails, folder.uidnext = lost, uidnext
    folder.modseq += 1
    bench.look()
    assert all(held.limbo is None and held.known.touches == {} for held in bench.held())
    with bench.engine.begin() as conn:
        holds.update(conn, (), bench.stamp.at, approval=["gone"])
    bench.server.delete("INBOX", [1])
    bench.look()
    assert bench.look().gone == 1


@pytest.mark.parametrize(("threads", "held"), [(20, True), (19, False)])
def test_a_label_that_many_threads_lose(bench: Bench, threads: int, held: bool) -> None:
    """Twenty threads that lose one label at once hold the board."""
    filled(bench, 40, flags=["waiting", "docs"])
    bench.server.remove_flags("INBOX", range(1, threads + 1), ["waiting"])
    bench.server.remove_flags("INBOX", range(20, 35), ["docs"])
    assert names(bench.look().holds) == ["label_loss"] * held


def test_labels_that_we_remove_are_no_loss(bench: Bench) -> None:
    """A label that the bot takes off thirty threads trips nothing."""
    filled(bench, 30, flags=["waiting"])
    plans = [CopyPlan(held.key, remove=frozenset({"WAITING"})) for held in bench.held()]
    with bench.engine.begin() as conn:
        copies.apply_plan(conn, bench.board.dialect, plans)
    bench.server.remove_flags("INBOX", range(1, 31), ["waiting"])
    assert bench.look().holds == ()


@pytest.mark.parametrize(
    ("came", "written", "held"),
    [(-60, 60, True), (1, 60, True), (60, 60, False), (60, -1, True)],  # minutes before the last cycle
)
def test_our_own_mail_that_we_do_not_know(bench: Bench, came: int, written: int, held: bool) -> None:
    """Mail with our HMAC and without a row holds the mails, if it is younger than the last cycle by either clock."""
    filled(bench, 3)
    when, date = (bench.stamp.at - timedelta(minutes=one) for one in (came, written))
    bench.deliver(OWN, "dast-board@example.org", when=when, date=date)
    assert names(bench.look().holds) == ["mails"] * held


def test_who_sends_an_old_mail_of_ours_back_holds_nothing(bench: Bench) -> None:
    """A mail of which a copy lay here at adoption is no second instance, under whatever Message-ID it comes again."""
    bench.deliver(OWN, "dast-board@example.org")
    filled(bench, 3)
    token = {"X-Helpdesk-Id": OWN.strip("<>").partition("@")[0]}
    bench.deliver("<again@x>", headers=token, when=bench.stamp.at + timedelta(minutes=1))
    assert bench.look().holds == ()
    assert bench.copy("<again@x>").limbo is None


def test_the_limits_are_the_boards(bench: Bench) -> None:
    """The limits of the configuration count."""
    bench.board = replace(bench.board, max_gone=1.0, max_label_loss=2)
    filled(bench, 10, flags=["docs"])
    bench.server.delete("INBOX", range(1, 9))
    bench.server.remove_flags("INBOX", [9, 10], ["docs"])
    assert names(bench.look().holds) == ["label_loss"]


def test_what_happens_again_is_not_approved(bench: Bench) -> None:
    """A person approves what was shown: 500 mails that vanish before the next look are held under the same name, with their own words."""
    shown, more = ("gone", "50 of 1000 mails"), ("gone", "500 of 950 mails")
    with bench.engine.begin() as conn:
        holds.update(conn, [shown, ("label_loss", "20 threads")], bench.stamp.at)
        left = holds.update(conn, [more], bench.stamp.at, approval=["gone", "label_loss"])
        assert left == holds.current(conn) == [Hold(*more)]
        assert holds.approved(conn, bench.stamp.at) == {"label_loss"}
        assert holds.update(conn, (), bench.stamp.at, approval=["gone"]) == []
        assert holds.approved(conn, bench.stamp.at) == {"gone"}
