"""Whatever people, mail and crashes do to a thread: it converges, then the board is silent, and the last word stands."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, URGENT, WAITING, Nature, Place, Role
from helpdesk.rules.facts import LIVING, OPEN_KINDS, Hit
from tests.simulated import Crash, Simulated, troubles
from tests.threads import DAY, GGUS, HOUR, KINDS, MC08, MINUTE, POLICY, SECOND, VIP

WORD = "bobs-own-word"
LABELS = st.sampled_from([*KINDS, STAR, WORD])
FEW = st.lists(st.sampled_from([WAITING, URGENT, GGUS, MC08, VIP, STAR]), max_size=2)
HITS = st.lists(
    st.builds(
        Hit,
        st.sampled_from(["first", "second"]),
        st.sampled_from([(), (MC08,), (GGUS,), (WAITING,), (URGENT,)]),
        st.sampled_from([(), (MC08,), (ESCALATED,), (WAITING,)]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=2,
)
WAITS = st.sampled_from([59 * SECOND, MINUTE, 2 * MINUTE, 20 * MINUTE, 5 * HOUR, DAY, 8 * DAY])
NATURES = st.sampled_from([Nature.HUMAN, Nature.HUMAN, *Nature])
ROLES = st.sampled_from([Role.USER, Role.USER, Role.SHIFTER, Role.EXPERT])
PLACES = st.sampled_from([*[Place.INBOX] * 5, Place.ARCHIVE, Place.SENT])
MORE = st.tuples(PLACES, st.booleans(), st.booleans())
ENDS = st.sampled_from([Place.INBOX, Place.ARCHIVE])


def there(life: "Life") -> bool:
    """Some mail lies in the mailbox."""
    return bool(life.world.real)


class Life(RuleBasedStateMachine):
    """One thread's life."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Simulated()
        self.stars: set[int] = set()  # set by humans beyond doubt

    @initialize(
        adopted=st.booleans(),
        labels=FEW,
        place=st.sampled_from(Place),
        acting=st.sampled_from([True, True, True, False]),
        conditional=st.booleans(),
        patient=st.booleans(),
    )
    def begin(
        self, adopted: bool, labels: list[str], place: Place, acting: bool, conditional: bool, patient: bool
    ) -> None:
        policy = POLICY if patient else replace(POLICY, settle=timedelta())
        self.world = Simulated(policy=policy, acting=acting, conditional=conditional)
        self.world.mail(*labels, adopted=adopted, place=place)

    # Mail

    @rule(role=ROLES, nature=NATURES, labels=FEW, hits=HITS, more=MORE)
    def mail(
        self, role: Role, nature: Nature, labels: list[str], hits: list[Hit], more: tuple[Place, bool, bool]
    ) -> None:
        place, trusted, late = more
        self.world.mail(
            *labels,
            role=role,
            nature=nature,
            hits=tuple(hits),
            place=place,
            trusted=trusted,
            date=self.world.now - (timedelta() if late else DAY),
        )

    @precondition(there)
    @rule(data=st.data(), place=PLACES)
    def twin(self, data: st.DataObject, place: Place) -> None:
        self.world.twin(self.any_copy(data), place)

    @precondition(there)
    @rule(data=st.data(), role=ROLES)
    def better_copy(self, data: st.DataObject, role: Role) -> None:
        self.world.better_copy(self.any_copy(data), role)

    # People

    @precondition(there)
    @rule(data=st.data(), labels=st.lists(LABELS, min_size=1, max_size=2))
    def label(self, data: st.DataObject, labels: list[str]) -> None:
        copy = self.any_copy(data)
        if STAR in labels and not self.world.starred(copy) and self.world.state.bot_star is None:
            self.stars.add(copy)
        self.world.label(copy, *labels)

    @precondition(there)
    @rule(data=st.data(), labels=st.lists(LABELS, min_size=1, max_size=2))
    def unlabel(self, data: st.DataObject, labels: list[str]) -> None:
        copy = self.any_copy(data)
        self.stars -= {copy} if STAR in labels else set()
        self.world.unlabel(copy, *labels)

    @precondition(there)
    @rule(data=st.data(), away=st.booleans(), place=ENDS)
    def drag(self, data: st.DataObject, away: bool, place: Place) -> None:
        self.dragging(place)(self.any_copy(data), away=away)

    @precondition(there)
    @rule(place=ENDS)
    def drag_all(self, place: Place) -> None:
        self.dragging(place)(*self.world.real)

    @precondition(there)
    @rule(data=st.data(), place=ENDS)
    def copy(self, data: st.DataObject, place: Place) -> None:
        copying = self.world.copy_to_inbox if place is Place.INBOX else self.world.archive_by_copy
        copying(self.any_copy(data))

    @precondition(there)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        copy = self.any_copy(data)
        self.stars.discard(copy)
        self.world.remove(copy)

    @rule(data=st.data(), labels=FEW)
    def bring_back(self, data: st.DataObject, labels: list[str]) -> None:
        gone = {m.key for m in self.world.messages} - {r.message for r in self.world.real.values()}
        if gone:
            self.world.bring_back(data.draw(st.sampled_from(sorted(gone))), *labels)

    @precondition(lambda self: self.world.journal)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        self.world.take_back(data.draw(st.sampled_from(list(self.world.journal.values()))))

    @rule(name=st.sampled_from([GGUS, MC08]))
    def release(self, name: str) -> None:
        self.world.release(name, "1.0")

    # Time

    @rule(delay=WAITS)
    def wait(self, delay: timedelta) -> None:
        self.world.wait(delay)

    @rule(crash=st.sampled_from([None, None, *Crash]))
    def cycle(self, crash: Crash | None) -> None:
        self.world.cycle(crash)

    @precondition(there)
    @rule(
        data=st.data(),
        label=st.sampled_from([*KINDS, WORD]),
        how=st.sampled_from(["label", "unlabel", "drag"]),
        place=ENDS,
    )
    def race(self, data: st.DataObject, label: str, how: str, place: Place) -> None:
        copy, world = self.any_copy(data), self.world
        acts: dict[str, Callable[[], None]] = {
            "label": lambda: world.label(copy, label),
            "unlabel": lambda: world.unlabel(copy, label),
            "drag": lambda: self.dragging(place)(copy),
        }
        world.cycle(meanwhile=acts[how])

    # What holds

    @rule()
    def settle(self) -> None:
        """The thread is consistent, and the next cycle has nothing to say."""
        world = self.world
        world.settle()
        before = world.decision
        assert not world.cycle()
        after = world.decision
        assert before is not None
        assert after is not None
        assert {a.id for a in after.actions} <= {a.id for a in before.actions}
        assert replace(after.state, decided=0) == replace(before.state, decided=0)
        occasions = [(mail.rule, mail.occasion) for mail in world.mails]
        assert len(occasions) == len(set(occasions))
        if world.acting:
            assert troubles(world) == []
            assert not after.actions
            assert all(world.starred(copy) for copy in self.stars & world.real.keys())

    @precondition(lambda self: self.world.acting)
    @rule(labels=FEW)
    def a_user_has_the_last_word(self, labels: list[str]) -> None:
        """After a user's mail the thread is open and waits for nobody, unless it asks about a release."""
        self.settle()
        self.world.mail(*set(labels) - {WAITING, STAR})
        self.settle()
        assert self.world.open
        assert WAITING not in self.world.labels or self.world.state.registers[WAITING].rule == "fixed"

    @precondition(lambda self: self.world.acting)
    @rule(data=st.data(), label=st.sampled_from(sorted(KINDS)))
    def a_label_is_the_last_word(self, data: st.DataObject, label: str) -> None:
        """A label that a human set is there, and so is the thread if the label is for open ones."""
        self.settle()
        if copy := self.one_of_ours(data, lambda copy: label not in self.world.on(copy)):
            self.world.label(copy, label)
            self.settle()
            assert label in self.world.labels & self.world.on(copy)
            assert self.world.open or KINDS[label] not in OPEN_KINDS

    @precondition(lambda self: self.world.acting)
    @rule(data=st.data(), label=st.sampled_from(sorted(KINDS)))
    def a_removal_is_the_last_word(self, data: st.DataObject, label: str) -> None:
        """A label that a human removed has gone."""
        self.settle()
        if copy := self.one_of_ours(data, lambda copy: label in self.world.on(copy)):
            self.world.unlabel(copy, label)
            self.settle()
            assert label not in self.world.labels

    @precondition(lambda self: self.world.acting)
    @rule(data=st.data(), place=ENDS)
    def a_move_is_the_last_word(self, data: st.DataObject, place: Place) -> None:
        """A message that a human moved is where the human put it, and the thread with it."""
        self.settle()
        self.world.wait(SECOND)
        if copy := self.one_of_ours(data, lambda copy: self.world.place(copy) is not place):
            self.dragging(place)(copy)
            self.settle()
            assert self.world.place(copy) is place
            assert self.world.open is (place is Place.INBOX)

    def teardown(self) -> None:
        """In the end the board may act, and everything is put right."""
        self.world.acting = self.world.dirty = True
        if self.world.messages:
            self.settle()

    # Small words

    def any_copy(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.world.real)))

    def one_of_ours(self, data: st.DataObject, fits: Callable[[int], bool]) -> int | None:
        """A copy that the board keeps true."""
        world = self.world
        found = [
            copy
            for copy, row in world.rows.items()
            if row.known.place in LIVING and not row.left and fits(copy)
        ]
        return data.draw(st.sampled_from(found)) if found else None

    def dragging(self, place: Place) -> Callable[..., None]:
        return self.world.fetch_back if place is Place.INBOX else self.world.archive


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=300, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
