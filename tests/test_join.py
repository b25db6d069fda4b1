"""A late parent joins threads (docs/decisions.md section 11): what makes people see more wins, and no mail goes out."""

from dataclasses import replace
from itertools import permutations

import pytest

from helpdesk.model import ESCALATED, URGENT, WAITING, Place
from helpdesk.rules.join import JoinPart, join
from helpdesk.rules.state import Moving, Register, Talk, ThreadState
from tests.threads import (
    DAY,
    GGUS,
    HOUR,
    KINDS,
    MC08,
    MINUTE,
    POLICY,
    VIP,
    closed,
    decided,
    labels_of,
    msg,
    on,
    opened,
    rules_of,
    stamp,
    thread,
)

EARLY, LATE = stamp(3, HOUR), stamp(5, DAY)


def part(state: ThreadState, archived: int = 0, newest: int = 1) -> JoinPart:
    """One of the threads."""
    return JoinPart(state, archived, newest)


def joined(*states: ThreadState) -> ThreadState:
    """The threads as one, all in the place where they belong."""
    parts = [part(s, archived=int(s.open is False), newest=n) for n, s in enumerate(states, 1)]
    return join(parts, POLICY)


def closing(*labels: str) -> ThreadState:
    """A close of a thread with these labels that is not finished."""
    saved = on(*labels, since=EARLY)
    gone = {name: replace(r, present=False, stamp=LATE, human=False) for name, r in saved.items()}
    moving = Moving(False, LATE, "close", True, "a human archived it", saved)
    return closed(since=LATE, registers=gone, moving=moving)


class TestTalks:
    """What was said with the destinations is united, and nothing is taken for solved that is not."""

    def test_the_later_word_and_the_larger_count(self) -> None:
        """Tickets are united, the later word counts, and the larger number of reminders."""
        one = Talk(EARLY, tickets=("[Ticket#7]",), nags=2, nagged=LATE, patience=LATE.at)
        other = Talk(LATE, tickets=("Ticket #7", "DDM-1"), nags=1, nagged=EARLY)
        both = joined(opened(GGUS, talks={GGUS: one}), opened(GGUS, talks={GGUS: other}))
        assert both.talks == {
            GGUS: Talk(LATE, tickets=("[Ticket#7]", "DDM-1"), nags=2, nagged=LATE, patience=LATE.at)
        }

    def test_solved_only_if_all_say_so(self) -> None:
        """A part that is with the destination and was not solved keeps the reminders going; one that never was does not count."""
        solved = opened(GGUS, talks={GGUS: Talk(solved=True, untold=EARLY)})
        assert joined(solved, solved).talks == {GGUS: Talk(solved=True, untold=EARLY)}
        assert joined(solved, opened()).talks == {GGUS: Talk(solved=True, untold=EARLY)}
        assert joined(solved, opened(GGUS)).talks == {GGUS: Talk()}


class TestOpen:
    """Open if any is."""

    @pytest.mark.parametrize(
        ("states", "is_open"),
        [
            ((opened(), opened()), True),
            ((opened(), closed()), True),
            ((closed(), opened()), True),
            ((closed(), closed()), False),
            ((closed(), ThreadState()), False),
            ((opened(), ThreadState()), True),
            ((ThreadState(), ThreadState()), None),
        ],
    )
    def test_open_if_any_is(self, states: tuple[ThreadState, ...], is_open: bool | None) -> None:
        """One open part opens all; a part that is only in Sent has no say."""
        assert joined(*states).open is is_open

    def test_the_open_part_says_since_when(self) -> None:
        """The joined thread is open since, and because of, what opened its latest open part."""
        reopened = replace(opened(since=EARLY), rule="reopen", reason="a user wrote")
        state = joined(closed(since=LATE), opened(), reopened)
        assert (state.since, state.rule, state.reason) == (EARLY, "reopen", "a user wrote")

    def test_the_archived_part_comes_back_because_of_the_join(self) -> None:
        """The move of the closed part is the join's, and a brake may hold it."""
        state = joined(opened(VIP), closed())
        facts = thread(msg().in_inbox(VIP), msg().in_archive(), state=state)
        decision = decided(facts, stamp(9, DAY))
        assert rules_of(decision) == [
            ("add_label", VIP, "labels_cover_the_thread"),
            ("move", "inbox", "join"),
        ]
        assert not decision.actions[1].human

    def test_parts_that_lie_right_move_nothing(self) -> None:
        """Two open threads become one without a move, and so do two closed ones."""
        assert joined(opened(), opened()).moving is None
        assert joined(closed(), closed()).moving is None


class TestLabels:
    """United; WAITING only if all open parts had it; the later clock."""

    def test_labels_are_united(self) -> None:
        """Every label of an open part is on the whole, with the later stamp where both had it."""
        state = joined(opened(URGENT, VIP, since=EARLY), opened(MC08, VIP, since=LATE))
        assert labels_of(state) == {URGENT, VIP, MC08}
        assert state.registers[VIP].stamp == LATE
        assert state.registers[URGENT].stamp == EARLY

    def test_info_labels_of_the_closed_part_are_kept(self) -> None:
        """What a closed part still says counts where the open parts say nothing."""
        assert labels_of(joined(opened(MC08), closed(VIP))) == {MC08, VIP}

    def test_a_label_that_one_open_part_lacks_is_there(self) -> None:
        """Present in one open part and removed in the other, even later: present."""
        off = {VIP: replace(on(VIP, since=LATE)[VIP], present=False)}
        assert labels_of(joined(opened(VIP, since=EARLY), opened(registers=off))) == {VIP}

    @pytest.mark.parametrize(
        ("states", "waits"),
        [
            ((opened(WAITING), opened(WAITING)), True),
            ((opened(WAITING), opened()), False),
            ((opened(WAITING), closed()), True),
            ((opened(WAITING), ThreadState()), True),
            ((opened(), closed()), False),
        ],
    )
    def test_waiting_only_if_all_open_parts_had_it(
        self, states: tuple[ThreadState, ...], waits: bool
    ) -> None:
        """One open part that does not wait is enough to wait for nobody."""
        for order in permutations(states):
            assert (WAITING in labels_of(joined(*order))) is waits

    def test_a_lifted_waiting_is_the_joins(self) -> None:
        """The removal of WAITING says that the join did it."""
        register = joined(opened(WAITING), opened()).registers[WAITING]
        assert register == Register(False, stamp(), False, "join", "an open part did not wait")

    def test_a_waiting_that_was_lifted_later_stays_lifted(self) -> None:
        """A reply in one part is not forgotten because the other part still waits."""
        off = {WAITING: Register(False, LATE, False, "user_replied", "the user replied")}
        assert joined(opened(WAITING, since=EARLY), opened(registers=off)).registers == off

    def test_the_later_clock(self) -> None:
        """Two parts that wait are closed seven days after the later began to."""
        state = joined(opened(WAITING, since=EARLY), opened(WAITING, since=LATE))
        assert state.registers[WAITING].stamp == LATE


class TestMoving:
    """Unfinished business, and too much of it."""

    @pytest.mark.parametrize("order", [0, 1])
    def test_a_pending_close_is_cancelled_by_an_open_part(self, order: int) -> None:
        """What the close had cleared returns, with its stamps, and nothing remembers the close."""
        closes = replace(closing(ESCALATED, GGUS), closed_escalated=True)
        parts = [closes, opened(VIP)]
        state = joined(*(parts if order else reversed(parts)))
        assert state.open
        assert labels_of(state) == {ESCALATED, GGUS, VIP}
        assert state.registers[GGUS].stamp == EARLY
        assert not state.closed_escalated
        assert state.moving is not None
        assert state.moving.to_open

    def test_a_part_that_was_closing_must_wait_too(self) -> None:
        """After the cancel the part is open, and WAITING needs it as any other."""
        assert labels_of(joined(closing(VIP), opened(WAITING))) == {VIP}
        assert labels_of(joined(closing(WAITING), opened(WAITING))) == {WAITING}

    def test_a_reopening_goes_on(self) -> None:
        """A part that is coming back comes back."""
        coming = opened(moving=Moving(True, LATE, "reopen", False, "a user wrote"))
        state = join([part(coming, archived=2), part(opened())], POLICY)
        assert state.moving is not None
        assert state.moving.to_open

    def test_two_pending_closes_stay_closed(self) -> None:
        """Without an open part nothing is cancelled."""
        state = joined(closing(WAITING), closing(URGENT))
        assert state.open is False
        assert labels_of(state) == set()

    @pytest.mark.parametrize(("archived", "stays"), [(50, False), (51, True)])
    def test_more_than_fifty_stay_where_they_lie(self, archived: int, stays: bool) -> None:
        """Fifty archived copies come back; of fifty-one none does, and the newest open message is starred instead."""
        state = join([part(opened(), newest=7), part(closed(), archived, newest=9)], POLICY)
        assert state.lies is stays
        assert state.bot_star == (7 if stays else None)
        assert (state.moving is None) is stays
        assert (state.rule == "join") is stays

    def test_the_star_is_set_by_the_join(self) -> None:
        """The star says that the join set it, and nothing is moved or labelled in the archive."""
        state = replace(opened(VIP), rule="join", lies=True, bot_star=1)
        facts = thread(msg().in_inbox(VIP), msg().in_archive(), state=state)
        assert rules_of(decided(facts, stamp(9, DAY))) == [("star", "\\star", "join")]

    def test_a_refused_star_stays_refused(self) -> None:
        """The bot sets no star in a thread of which a human removed one."""
        state = join([part(opened(star_refused=True)), part(closed(), 51)], POLICY)
        assert state.lies
        assert state.bot_star is None
        assert state.star_refused

    def test_the_star_that_is_there_stays(self) -> None:
        """A part that the bot starred keeps its star, and gets no second one."""
        state = join([part(opened(bot_star=3), newest=4), part(closed(), 51, newest=9)], POLICY)
        assert state.bot_star == 3

    def test_a_part_that_lies_goes_on_lying(self) -> None:
        """An adopted part in two places stays as it lies, and the other part with it."""
        state = joined(opened(lies=True), closed())
        assert state.lies
        assert state.moving is None


class TestMemory:
    """Counts, occasions, refusals, markers, and no mail."""

    def test_it_is_the_larger_the_union_or_the_later(self) -> None:
        """Nothing that was decided in one part is forgotten."""
        one = opened(
            reopened=EARLY,
            bounce=EARLY,
            touched=LATE,
            interrupted=EARLY,
            episodes={URGENT: 3, GGUS: 1},
            refused=frozenset({"a\tr"}),
        )
        two = opened(
            expert_comment=LATE,
            bounce=LATE,
            touched=EARLY,
            episodes={URGENT: 1},
            refused=frozenset({"b\tr"}),
            decided=8,
        )
        state = joined(one, two)
        assert (state.reopened, state.expert_comment, state.bounce) == (EARLY, LATE, LATE)
        assert (state.touched, state.interrupted) == (LATE, EARLY)
        assert state.episodes == {URGENT: 3, GGUS: 1}
        assert state.refused == {"a\tr", "b\tr"}
        assert state.decided == 8

    def test_what_one_part_was_mailed_about_counts_as_mailed(self) -> None:
        """URGENT and an escalation that were mailed for one part cause no mail because of the join, now or later."""
        told = frozenset({"urgent\t1", "urgent\t1:oncall", f"escalate\t{GGUS}:1"})
        one = opened(URGENT, ESCALATED, GGUS, mailed=told)
        two = opened(
            URGENT, ESCALATED, GGUS, episodes={URGENT: 2, GGUS: 2}, mailed=frozenset({"fixed\tGGUS:2"})
        )
        state = joined(one, two)
        assert {"urgent\t2", "urgent\t2:oncall", f"escalate\t{GGUS}:2", "fixed\tGGUS:2"} <= state.mailed
        facts = thread(msg().in_inbox(URGENT, ESCALATED, GGUS), state=state)
        assert decided(facts, stamp(9, DAY)).actions == ()

    def test_an_escalation_in_its_grace_period_is_still_mailed(self) -> None:
        """What a human set a moment before the join, and nobody was told about, is mailed when its time has come."""
        before = opened(episodes={GGUS: 1}, mailed=frozenset({f"escalate\t{GGUS}:1"}))
        for other in (opened(), before):
            state = joined(opened(ESCALATED, GGUS), other)
            facts = thread(msg().in_inbox(ESCALATED, GGUS), state=state)
            assert [rule for _, _, rule in rules_of(decided(facts, stamp(9, DAY)))] == ["escalate"]

    def test_news_that_a_brake_kept_stays_news(self) -> None:
        """A user's reply in a part that a brake held reopens the joined thread, though the other part was decided later."""
        held = JoinPart(closed(since=stamp(2), decided=3), 2, 2, {1: 1, 2: 4})
        later = JoinPart(closed(since=stamp(3), decided=6), 1, 3, {3: 5})
        state = join([held, later], POLICY)
        assert state.undecided == {2}
        mails = (msg().in_archive(), msg().after(DAY, 4).in_inbox(), msg().after(HOUR, 5).in_archive())
        decision = decided(thread(*mails, state=state), stamp(7, 2 * DAY))
        assert decision.state.open is True
        assert decision.state.undecided == frozenset()

    def test_a_where_that_nobody_configures_any_more(self) -> None:
        """A count of a label that has left the configuration marks nothing else as mailed."""
        assert joined(opened(episodes={"Old": 4}), opened()).mailed == frozenset()

    @pytest.mark.parametrize("escalated", [True, False])
    def test_closed_while_escalated_is_kept_for_closed_threads(self, escalated: bool) -> None:
        """Two closed threads of which one was closed while ESCALATED remember it."""
        assert joined(closed(closed_escalated=escalated), closed()).closed_escalated is escalated

    def test_the_order_does_not_matter(self) -> None:
        """Whichever part comes first, the joined thread is the same."""
        states = [
            opened(WAITING, VIP, since=EARLY),
            closed(MC08, since=LATE),
            closing(URGENT, GGUS),
            ThreadState(),
            opened(WAITING, ESCALATED, since=stamp(4, 2 * HOUR)),
        ]
        assert len({repr(_sorted(joined(*order))) for order in permutations(states)}) == 1

    def test_a_joined_thread_is_consistent(self) -> None:
        """What a join leaves is put right in one plan."""
        state = joined(opened(ESCALATED, GGUS), closing(WAITING, MC08))
        facts = thread(msg().in_inbox(ESCALATED, GGUS), msg().in_archive(), state=state)
        (one, two) = decided(facts, stamp(9, MINUTE)).plans
        assert one.add == {MC08}
        assert two.add == {ESCALATED, GGUS, MC08}
        assert two.place is Place.INBOX
        assert labels_of(state) <= KINDS.keys()


def _sorted(state: ThreadState) -> ThreadState:
    """The same state whatever order it was made in, for comparison as text."""
    registers = dict(sorted(state.registers.items()))
    episodes = dict(sorted(state.episodes.items()))
    return replace(state, registers=registers, episodes=episodes, refused=frozenset(), mailed=frozenset())
