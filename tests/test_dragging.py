"""Where labels are folders: whose change of folder is it? (docs/decisions.md section 13)."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.bits import PLACE, READ, STAR, Known
from helpdesk.mailbox.dragging import copied_between, dragged, unlabelled
from helpdesk.model import ESCALATED, FIXED, URGENT, WAITING, Place, Stamp

NOW = Stamp(7, datetime(2026, 6, 9, tzinfo=UTC))
FOLDERS = st.sampled_from(
    [frozenset[str](), frozenset({WAITING}), frozenset({ESCALATED, "GGUS"}), frozenset({URGENT})]
)


def lies(labels: frozenset[str], planned: frozenset[str] | None = None, place: Place | None = None) -> Known:
    """A copy that lies in the folder of its labels, with a plan or none."""
    return Known(labels, labels, planned, Place.INBOX, Place.INBOX, place, {})


def seen_in(known: Known, labels: frozenset[str], *, moved: bool = True) -> Known:
    """The same copy, seen in another folder of open mail."""
    now = Known(
        labels, known.base, known.planned, Place.INBOX, Place.INBOX, known.planned_place, known.touches
    )
    return dragged(known, now, NOW, moved=moved)


@given(FOLDERS, FOLDERS, FOLDERS)
def test_every_other_folder_than_ours_is_a_humans(
    was: frozenset[str], ours: frozenset[str], now: frozenset[str]
) -> None:
    """A copy that was to go to a folder and lies in a third was put there by a human, whatever labels the three share."""
    known = lies(was, ours if ours != was else None)
    labels = set(seen_in(known, now).touches)
    if now == ours:
        assert labels == set()
    else:
        assert labels == now | (was - now) | (ours - now)


def test_back_where_it_was() -> None:
    """A copy that is in its former folder again under a new UID, while we had moved it, was brought back: what we wanted is undone."""
    back = seen_in(lies(frozenset({WAITING}), frozenset({URGENT})), frozenset({WAITING}))
    assert (set(back.base), set(back.touches)) == ({URGENT}, {WAITING, URGENT})
    same = lies(frozenset({WAITING}))
    assert seen_in(same, frozenset({WAITING})).touches == {}


def test_a_flag_is_no_drag() -> None:
    """A copy under the same UID was dragged nowhere."""
    held = lies(frozenset({WAITING}), frozenset({URGENT}))
    assert seen_in(held, frozenset({WAITING}), moved=False).touches == {}


def test_read_is_forgotten_with_the_folder() -> None:
    """When a mail was read is of use only where its reader found it."""
    held = Known(frozenset(), frozenset(), None, Place.INBOX, Place.INBOX, None, {READ: NOW, STAR: NOW})
    assert seen_in(held, frozenset(), moved=False).touches == {READ: NOW, STAR: NOW}
    assert READ not in seen_in(held, frozenset({WAITING})).touches


def test_the_archive_has_no_labels() -> None:
    """What is filed away keeps its star and its place, and nothing of labels."""
    touches = {WAITING: NOW, PLACE: NOW, STAR: NOW}
    known = Known(
        frozenset(), frozenset({FIXED, STAR}), frozenset({STAR}), Place.ARCHIVE, Place.INBOX, None, touches
    )
    filed = unlabelled(known)
    assert (filed.base, filed.planned) == (frozenset({STAR}), frozenset({STAR}))
    assert dict(filed.touches) == {PLACE: NOW, STAR: NOW}
    assert unlabelled(lies(frozenset({WAITING}))).planned is None


def test_a_copy_only_adds() -> None:
    """A COPY while its source lives sets the labels of its folder and removes none; one that our plan made is ours."""
    source = lies(frozenset({WAITING}))
    added = copied_between(source, frozenset({URGENT}), Place.INBOX, NOW)
    assert (added.base, dict(added.touches)) == (frozenset(), {URGENT: NOW})
    ours = copied_between(lies(frozenset(), frozenset({WAITING})), frozenset({WAITING}), Place.INBOX, NOW)
    assert (ours.base, dict(ours.touches)) == (frozenset({WAITING}), {})
