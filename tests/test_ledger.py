"""The comparison behind `helpdesk ledger`, on plain values."""

import pytest

from helpdesk.ledger import Entry, Known, Residue, There, Unreadable, compare, still

INBOX = Known(
    7,
    10,
    {1: Entry(11, 5, correspondence=False), 2: Entry(12, 0, correspondence=True)},
    {3: Unreadable("g3", "no header")},
)


def test_every_way_to_be_accounted_for() -> None:
    """In a thread, board correspondence and quarantine leave no residue."""
    found = compare({"INBOX": There(7, {1, 2, 3})}, {"INBOX": INBOX}, {5})
    assert (found.messages, found.copies) == (3, 3)
    assert (found.threaded, found.correspondence, found.quarantined, found.residue) == (1, 1, 1, ())
    assert found.unreadable == (Residue("INBOX", 3, "no header"),)


def test_copies_of_one_message_are_one_message() -> None:
    """A message in two folders counts once, its copies twice."""
    archive = Known(8, 2, {1: Entry(11, 5, correspondence=False)}, {1000: Unreadable("g3", "no header")})
    there = {"INBOX": There(7, {1, 3}), "Archive": There(8, {1, 1000})}
    found = compare(there, {"INBOX": INBOX, "Archive": archive}, {5})
    assert (found.messages, found.copies, found.threaded, found.quarantined) == (2, 4, 1, 1)


@pytest.mark.parametrize(
    ("there", "known", "why"),
    [
        (There(7, {1}), None, "not been read"),
        (There(8, {1}), INBOX, "UIDVALIDITY"),
        (There(7, {10}), INBOX, "after the last cycle"),
        (There(7, {9}), INBOX, "does not know"),
        (There(7, {4}), Known(7, 10, {4: Entry(1, 0, correspondence=False)}, {}), "in no thread"),
        (There(7, {4}), Known(7, 10, {4: Entry(1, 99, correspondence=False)}, {}), "does not exist"),
    ],
)
def test_residue_says_why(there: There, known: Known | None, why: str) -> None:
    """Each way to be left behind is residue with a reason."""
    found = compare({"INBOX": there}, {"INBOX": known} if known else {}, {5})
    assert found.messages == len(found.residue) == 1
    assert why in found.residue[0].why


def test_only_what_stays_behind_is_residue() -> None:
    """What a second look finds for the first time was being worked on, and is not counted."""
    first = compare({"INBOX": There(7, {1, 9})}, {"INBOX": INBOX}, {5})
    second = compare({"INBOX": There(7, {1, 8, 9})}, {"INBOX": INBOX}, {5})
    found = still(first, second)
    assert [one.uid for one in found.residue] == [9]
    assert (found.messages, found.copies) == (2, 2)
