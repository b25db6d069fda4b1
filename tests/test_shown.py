"""Where labels are folders: which labels of a thread its folder shows, and what may be written (docs/decisions.md section 13)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from helpdesk.actions import CopyPlan
from helpdesk.bits import PLACE, READ
from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, Nature, Place
from helpdesk.rules.draft import Draft
from helpdesk.rules.facts import Policy, Undo
from helpdesk.rules.shown import calls, in_the_way, shown
from tests.threads import (
    DAY,
    GGUS,
    MC08,
    POLICY,
    SAVANNAH,
    VIP,
    closed,
    decided,
    labels_of,
    msg,
    on,
    opened,
    stamp,
    thread,
)

FOLDERS: Policy = replace(POLICY, labels_in_folders=True)


def draft(*labels: str) -> Draft:
    """An open thread with these labels."""
    facts = thread(msg().in_inbox(), state=opened(*labels))
    return Draft(facts, FOLDERS, stamp(2), frozenset(), facts.state)


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ((), set()),
        ((VIP, TAKEN), set()),
        ((URGENT, ESCALATED, GGUS, WAITING), {URGENT}),
        ((ESCALATED, GGUS, SAVANNAH, WAITING), {ESCALATED, SAVANNAH}),
        ((ESCALATED, WAITING), {ESCALATED}),
        ((WAITING, FIXED, MC08), {WAITING}),
        ((FIXED, MC08), {FIXED}),
        ((MC08, VIP), {MC08}),
        ((GGUS, WAITING), None),
    ],
)
def test_one_state_is_shown(labels: tuple[str, ...], wanted: set[str] | None) -> None:
    """URGENT before ESCALATED with its first where, WAITING, FIXED and a common issue; a where alone waits for its repair."""
    assert shown(draft(*labels)) == wanted


@pytest.mark.parametrize(
    ("labels", "dragged_to", "going"),
    [
        ((URGENT, WAITING), {WAITING}, [URGENT]),
        ((ESCALATED, GGUS, WAITING), {WAITING}, [ESCALATED, GGUS]),
        ((ESCALATED, GGUS, SAVANNAH), {ESCALATED, SAVANNAH}, []),
        ((URGENT, WAITING), {URGENT}, []),
        ((MC08, "other"), {"other"}, [MC08]),
        ((VIP, MC08), {MC08}, []),
        ((VIP, MC08), set(), [MC08]),
    ],
)
def test_what_would_hide_it_goes(labels: tuple[str, ...], dragged_to: set[str], going: list[str]) -> None:
    """A human sees a mail where he dragged it: whatever is shown before that goes, and nothing else."""
    state = draft(*(label for label in labels if label != "other"))
    state.state = replace(state.state, registers={**state.state.registers, **on(*{*labels} & {"other"})})
    kinds = {**FOLDERS.kinds, "other": FOLDERS.kinds[MC08]}
    state.policy = replace(FOLDERS, kinds=kinds)
    assert in_the_way(state, dragged_to) == going


def test_both_labels_of_a_destination_are_one_move() -> None:
    """A copy gets all that is shown, and loses all that is not, at once."""
    state = opened(ESCALATED, GGUS, WAITING)
    facts = thread(msg().by_shifter().in_inbox(WAITING), state=state)
    plan = CopyPlan(1, add=frozenset({ESCALATED, GGUS}), remove=frozenset({WAITING}))
    decision = decided(facts, stamp(2), FOLDERS)
    assert decision.plans == (plan,)
    assert [action.what for action in decision.actions if action.kind == "remove_label"] == []


def test_a_waiting_that_comes_to_light_waits_from_then() -> None:
    """WAITING that URGENT had hidden for weeks begins to wait when URGENT is taken off by a command, and closes nothing at once."""
    facts = thread(
        msg().in_inbox(URGENT), state=opened(URGENT, WAITING), undo=[Undo("a1", "add_label", URGENT)]
    )
    decision = decided(facts, stamp(2, 20 * DAY), FOLDERS)
    assert decision.state.open
    assert decision.state.registers[WAITING].stamp == stamp(2, 20 * DAY)
    keywords = decided(facts, stamp(2, 20 * DAY), POLICY)
    assert keywords.state.registers[WAITING].stamp == stamp()


def test_a_mail_that_is_being_read_stays() -> None:
    """A user's mail stays in the inbox until a minute after it was read, and the thread is looked at again then."""
    state = opened(MC08)
    for read, seconds, moves in ((False, 0, False), (True, 30, False), (True, 60, True)):
        held = {READ: stamp(2)} if read else {}
        facts = thread(
            msg().in_inbox(read=read, touches=held), msg().in_inbox(read=read, touches=held), state=state
        )
        decision = decided(facts, stamp(3, timedelta(seconds=seconds)), FOLDERS)
        assert bool(decision.plans) is moves
        due = [one.due for one in decision.pending if one.rule == "labels_cover_the_thread"]
        assert due == ([stamp(2, timedelta(minutes=1)).at] if read and not moves else [])
    ignored = replace(FOLDERS, ignore_unread=True)
    assert decided(thread(msg().in_inbox(read=False), state=state), stamp(3), ignored).plans


def test_what_would_hide_a_drag_goes() -> None:
    """Who drags a mail out of URGENT does not see WAITING behind it, which goes too; who drags one to WAITING takes off URGENT."""
    now = stamp(3, DAY)
    out = thread(msg().in_inbox(touches={URGENT: stamp(2)}), state=opened(URGENT, WAITING))
    assert labels_of(decided(out, now, FOLDERS).state) == set()
    assert labels_of(decided(out, now, POLICY).state) == {WAITING}
    to = thread(msg().in_inbox(WAITING, touches={WAITING: stamp(2)}), state=opened(URGENT))
    assert labels_of(decided(to, now, FOLDERS).state) == {WAITING}
    assert labels_of(decided(to, now, POLICY).state) == {URGENT, WAITING}


def test_where_a_superseded_copy_is_at_home() -> None:
    """A copy that was left behind is an ordinary one again in the folder of its thread's label, and in no other."""
    for state, at_home in ((opened(URGENT), False), (opened(), True)):
        old, new = msg().in_inbox(left=True).copies, msg().in_inbox(*labels_of(state)).copies
        facts = thread(replace(msg(), copies=(*old, *new)), state=state)
        assert any(plan.unleave for plan in decided(facts, stamp(3, DAY), FOLDERS).plans) is at_home


def test_what_is_not_written() -> None:
    """A copy in somebody's own folder, one that is being dragged, and one in the archive of an open thread stay where they are."""
    strange = msg().by_shifter().in_inbox(unknown=frozenset({"ask Paul"}))
    dragged = msg().by_shifter().in_inbox(URGENT, touches={URGENT: stamp(3)})
    apart = msg().by_shifter().in_archive(touches={PLACE: stamp(3)}, was=Place.INBOX)
    facts = thread(strange, dragged, apart, state=opened(MC08))
    assert decided(facts, stamp(3), FOLDERS).plans == ()
    unrepaired = thread(msg().by_shifter().in_inbox(), state=opened(GGUS))
    held = decided(unrepaired, stamp(3), FOLDERS, held=["repair"])
    assert held.plans == ()


def test_a_closing_thread_takes_all_along() -> None:
    """A thread that closes leaves its label's folder for the archive in one move, unread mail too."""
    facts = thread(msg().in_inbox(WAITING, read=False), msg().in_inbox(read=False), state=closed())
    plans = [(set(plan.remove), plan.place) for plan in decided(facts, stamp(2), FOLDERS).plans]
    assert plans == [({WAITING}, Place.ARCHIVE), (set(), Place.ARCHIVE)]


@pytest.mark.parametrize("nature", list(Nature))
def test_what_calls_for_somebody(nature: Nature) -> None:
    """Mail of users and destinations, and bounces of ours, stay in the inbox until they are read; what machines write does not."""
    message = replace(thread(msg().in_inbox()).messages[0], nature=nature)
    wanted = nature in {Nature.HUMAN, Nature.UNSURE, Nature.COMMENT, Nature.SOLVED, Nature.UNSOLVED}
    assert calls(message) is wanted
    assert calls(replace(message, of_ours=True)) is (wanted or nature is Nature.BOUNCE)
