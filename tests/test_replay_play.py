"""One thread of an archive, played: the same as on a board, and who is taken for whom."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpdesk.actions import Kind
from helpdesk.model import ESCALATED, HUMAN_NATURES, URGENT, WAITING, Nature, Place, Role
from helpdesk.replay import terms
from helpdesk.replay.archive import RawMail
from helpdesk.replay.clock import read_clock
from helpdesk.replay.desk import ROOM, Desk
from helpdesk.replay.grouping import groups
from helpdesk.replay.play import WAITS_FOR_THE_USER, Player, Story
from helpdesk.rules.attention import state_name
from helpdesk.rules.facts import Hit, MessageFacts
from tests.archives import AIDEN, ANN, BOB, DAY, HOUR, LIST, NOW, START, mail, reader
from tests.simulated import Simulated
from tests.threads import AUTHORS, GGUS, POLICY

MINUTE = timedelta(minutes=1)
AT_ONCE = replace(POLICY, settle=timedelta(0))


@dataclass(frozen=True, slots=True)
class Coming:
    """A mail to come, so long after the one before."""

    gap: timedelta
    role: Role
    nature: Nature = Nature.HUMAN
    hits: tuple[Hit, ...] = ()
    trusted: bool = True

    def waits(self, asked: bool) -> bool:
        return asked and self.nature in HUMAN_NATURES and self.role in WAITS_FOR_THE_USER

    @property
    def asks(self) -> bool:
        return self.nature in HUMAN_NATURES and self.role is Role.USER


COMINGS = st.lists(
    st.builds(
        Coming,
        st.sampled_from([2 * MINUTE, HOUR, 3 * HOUR, 2 * DAY, 7 * DAY, 8 * DAY, 30 * DAY]),
        st.sampled_from([Role.USER, Role.USER, Role.SHIFTER, Role.SHIFTER, Role.EXPERT, Role.ADMIN]),
        st.sampled_from([*[Nature.HUMAN] * 6, Nature.UNSURE, Nature.AUTOMATIC, Nature.BOUNCE, Nature.SOLVED]),
        st.sampled_from(
            [
                *[()] * 8,
                (Hit("urgent", add=(URGENT,)),),
                (Hit("to them", add=(GGUS, ESCALATED)),),
                (Hit("calm", remove=(URGENT, GGUS)),),
                (Hit("star", star=True),),
            ]
        ),
        st.booleans(),
    ),
    min_size=1,
    max_size=14,
)

Past = tuple[list[tuple[datetime, bool]], list[tuple[datetime, str, tuple[str, ...]]], str]


def on_a_board(comings: Sequence[Coming]) -> Past:
    """What the simulated board of the tests makes of it: observations, plans, writes and read-backs."""
    world, asked = Simulated(now=START), False
    turns: list[tuple[datetime, bool]] = []
    mails: list[tuple[datetime, str, tuple[str, ...]]] = []

    def look() -> None:
        was, sent = world.open, len(world.mails)
        world.run()
        if was is not None and world.open is not None and world.open is not was:
            turns.append((world.now, world.open))
        mails.extend((world.now, one.rule, one.recipients) for one in world.mails[sent:])

    def wait_until(end: datetime) -> None:
        while world.decision is not None and (due := world.decision.due) is not None and due < end:
            world.now = due
            look()
        world.now = end

    for coming in comings:
        wait_until(world.now + coming.gap)
        labels = (WAITING,) if coming.waits(asked) else ()
        world.mail(*labels, role=coming.role, nature=coming.nature, hits=coming.hits, trusted=coming.trusted)
        asked = asked or coming.asks
        look()
    wait_until(world.now + 100 * DAY)
    return turns, mails, state_name(world.facts())


def on_a_desk(comings: Sequence[Coming], *, remembered: int) -> Past:
    """What a replay makes of the same mails."""
    desk, now, asked = Desk(AT_ONCE, "7kq2m", remembered), START, False
    for key, coming in enumerate(comings, 1):
        now += coming.gap
        facts = MessageFacts(
            key,
            f"<{key}@mail.example>",
            AUTHORS[coming.role],
            coming.role,
            coming.trusted,
            coming.nature,
            now,
            now,
            key * ROOM,
            hits=coming.hits,
            of_ours=coming.nature is Nature.BOUNCE,
        )
        desk.receive(facts, Place.INBOX, waiting=coming.waits(asked))
        asked = asked or coming.asks
    desk.pass_until(now + 100 * DAY, still=False)
    sent = [(act.at, act.rule, act.recipients) for act in desk.acts if act.kind is Kind.SEND_MAIL]
    return [(turn.at, turn.is_open) for turn in desk.turns], sent, desk.state


@given(COMINGS)
@settings(max_examples=100, deadline=None)
def test_a_desk_does_what_a_board_does(comings: list[Coming]) -> None:
    """Closed, reopened and mailed is the same at the same time, although a replay skips every look that shows nothing."""
    assert on_a_desk(comings, remembered=100) == on_a_board(comings)


ASKED = Coming(HOUR, Role.USER)
ANSWERED = Coming(HOUR, Role.SHIFTER)
MACHINE = Coming(HOUR, Role.USER, Nature.AUTOMATIC)
URGENTLY = replace(ASKED, hits=(Hit("urgent", add=(URGENT,)),))


@given(COMINGS)
@example([ASKED, ANSWERED, Coming(2 * DAY, Role.EXPERT, trusted=False), MACHINE, MACHINE])
@example([URGENTLY, replace(ANSWERED, gap=2 * MINUTE), replace(MACHINE, gap=2 * MINUTE)])
@example([ASKED, ANSWERED, Coming(HOUR, Role.USER, Nature.BOUNCE), MACHINE, MACHINE])
@example([replace(ASKED, hits=(Hit("star", star=True),)), ANSWERED, ASKED, ANSWERED])
@settings(max_examples=100, deadline=None)
def test_what_is_forgotten_does_not_matter(comings: list[Coming]) -> None:
    """A long thread ends the same, whether all of its mails are remembered or only those that can still matter."""
    assert on_a_desk(comings, remembered=1) == on_a_desk(comings, remembered=100)


# -- who is who ----------------------------------------------------------------------------------------------------


def played(*mails: bytes, waiting: bool = True) -> list[Story]:
    """What became of the threads of these mails, without a configuration; the archive ends a year later."""
    board = terms.assumed(waiting=waiting)
    book = reader(mails, board).book
    times = read_clock(book, NOW).times
    player = Player(book, times, book.ids.texts(), book.people.texts(), replace(board, policy=AT_ONCE), NOW)
    return [player.play(group) for group in groups(book, times, {})]


def only(*mails: bytes, waiting: bool = True) -> Story:
    (story,) = played(*mails, waiting=waiting)
    return story


ASKS = mail("<a@x>")
ANSWERS = mail("<b@x>", AIDEN, "Re: All jobs fail", at=2 * HOUR, answers=["<a@x>"])


def test_silence_after_an_answer_closes_and_a_late_reply_reopens() -> None:
    """Seven days after the team's answer the thread is closed; when the user writes again it is back, and waits no more."""
    late = mail("<c@x>", at=20 * DAY, answers=["<b@x>"])
    story = only(ASKS, ANSWERS, late)
    assert [(turn.at - START, turn.is_open, turn.rule, turn.by) for turn in story.turns] == [
        (7 * DAY + 2 * HOUR, False, "auto_close", None),
        (20 * DAY, True, "reopen", Role.USER),
    ]
    assert story.state == "open"


def test_a_reply_in_time_lifts_waiting() -> None:
    """A user who answers within seven days is waited for no more, and nothing is closed."""
    story = only(ASKS, ANSWERS, mail("<c@x>", at=5 * DAY, answers=["<b@x>"]))
    assert story.turns == []
    assert ("user_replied", Kind.REMOVE_LABEL) in {(act.rule, act.kind) for act in story.acts}


def test_nobody_waits_if_nobody_is_to_wait() -> None:
    """Without the assumption about WAITING nothing is ever closed."""
    assert only(ASKS, ANSWERS, waiting=False).turns == []


def test_a_machine_neither_asks_nor_answers() -> None:
    """An automatic mail is nobody's first answer, lifts nothing and waits for nobody."""
    machine = {"Auto-Submitted": "auto-replied"}
    story = only(ASKS, mail("<r@x>", BOB, at=HOUR, answers=["<a@x>"], headers=machine), ANSWERS)
    assert story.answer is not None
    assert (story.answer.after, story.answer.by) == (2 * HOUR, AIDEN)
    (alone,) = played(mail("<n@x>", headers=machine))
    assert (alone.human, alone.question, alone.answer) == (False, False, None)


def test_the_first_person_is_the_user() -> None:
    """Without a configuration who wrote first asks, also in later mails, and whoever else writes is the team."""
    again = mail("<c@x>", at=HOUR, answers=["<a@x>"])
    assert only(ASKS, again).answer is None
    story = only(ASKS, again, mail("<d@x>", BOB, at=3 * HOUR, answers=["<c@x>"]))
    assert story.answer is not None
    assert story.answer.by == BOB


def test_authors_behind_a_list_are_told_apart() -> None:
    """Where a list wrote itself into From, the author is in Reply-To, else the name tells people apart."""
    listed = {"List-Id": "<dast.lists.example>", "List-Post": f"<mailto:{LIST}>"}
    ann = mail("<a@x>", f"Ann via DAST <{LIST}>", headers={**listed, "Reply-To": ANN})
    bob = mail("<b@x>", f"Bob via DAST <{LIST}>", at=HOUR, answers=["<a@x>"], headers=listed)
    story = only(ann, mail("<c@x>", ANN, at=MINUTE, answers=["<a@x>"], headers=listed), bob)
    assert story.answer is not None
    assert (story.answer.after, story.answer.by) == (HOUR, "bob via dast")


def test_an_answer_comes_after_its_question_whatever_its_clock_says() -> None:
    """A reply that is dated before what it answers came no earlier: the asker stays the asker."""
    wrong = mail("<b@x>", AIDEN, at=-3 * HOUR, answers=["<a@x>"])
    further = mail("<c@x>", BOB, at=-2 * HOUR, answers=["<a@x>", "<b@x>"])
    story = only(ASKS, wrong, further)
    assert story.answer is not None
    assert (story.answer.after, story.answer.by, story.raised) == (timedelta(), AIDEN, 2)
    assert all(one <= other for one, other in pairwise(story.times))


def test_first_answers_of_the_team_are_those_of_the_configured_people() -> None:
    """With known people another user's mail is an answer, and not the team's."""
    board = terms.assumed(waiting=True)
    book = reader([ASKS, mail("<b@x>", BOB, at=HOUR, answers=["<a@x>"]), ANSWERS], board).book
    book.role[2] = list(Role).index(Role.SHIFTER)
    times = read_clock(book, NOW).times
    player = Player(book, times, book.ids.texts(), book.people.texts(), replace(board, team_known=True), NOW)
    (story,) = (player.play(group) for group in groups(book, times, {}))
    assert story.answer is not None
    assert story.team_answer is not None
    assert (story.answer.after, story.team_answer.after) == (HOUR, 2 * HOUR)


def test_an_answer_in_sent_waits_as_well() -> None:
    """The team's own mail lies in Sent, where no label is: the shifter sets WAITING on the mail that was answered."""
    sent = RawMail("Sent/1", mail("<b@x>", "box@example.org", at=HOUR, answers=["<a@x>"]), 100, sent=True)
    board = terms.assumed(waiting=True)
    book = reader([ASKS, sent], board).book
    times = read_clock(book, NOW).times
    player = Player(book, times, book.ids.texts(), book.people.texts(), board, NOW)
    (story,) = (player.play(group) for group in groups(book, times, {}))
    assert [(turn.at - START, turn.rule) for turn in story.turns] == [(7 * DAY + HOUR, "auto_close")]


def test_a_thread_of_thousands_of_mails_is_played_in_no_time() -> None:
    """Each mail of a very long thread costs as much as one of a short one."""
    mails = [
        mail(f"<{n}@x>", BOB if n % 2 else ANN, at=n * MINUTE, answers=["<0@x>"][:n]) for n in range(2000)
    ]
    begun = time.process_time()
    assert len(only(*mails).rows) == 2000
    assert time.process_time() - begun < 8
