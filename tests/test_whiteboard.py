"""Whatever people, mail and crashes do: the board converges, then is silent, and the last word stands."""

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, Nature, Place, Role
from helpdesk.rules.facts import Hit
from tests.simulated import Crash, Simulated, troubles
from tests.threads import DAY, GGUS, HOUR, KINDS, MC08, MINUTE, SAVANNAH, VIP

WORD = "bobs-own-word"
LABELS = st.sampled_from([*KINDS, STAR, WORD])
FEW = st.lists(st.sampled_from([WAITING, URGENT, GGUS, MC08, VIP]), max_size=2)
HITS = st.lists(
    st.builds(
        Hit,
        st.sampled_from(["r1", "r2"]),
        st.sampled_from([(), (MC08,), (GGUS,), (WAITING,), (URGENT,)]),
        st.sampled_from([(), (MC08,), (ESCALATED,), (WAITING,)]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=2,
).map(tuple)
WAITS = st.sampled_from(
    [timedelta(), timedelta(seconds=59), MINUTE, 2 * MINUTE, 20 * MINUTE, 5 * HOUR, DAY, 8 * DAY]
)
NATURES = st.sampled_from(
    [
        Nature.HUMAN,
        Nature.HUMAN,
        Nature.UNSURE,
        Nature.AUTOMATIC,
        Nature.BOUNCE,
        Nature.RECEIPT,
        Nature.COMMENT,
        Nature.SOLVED,
        Nature.OWN,
    ]
)
ROLES = st.sampled_from([Role.USER, Role.USER, Role.SHIFTER, Role.EXPERT])


class Life(RuleBasedStateMachine):
    """One thread's life."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Simulated()

    @initialize(
        adopted=st.booleans(),
        labels=FEW,
        place=st.sampled_from(Place),
        acting=st.sampled_from([True, True, True, False]),
        conditional=st.booleans(),
    )
    def begin(self, adopted, labels, place, acting, conditional):
        self.world.acting = acting
        self.world.conditional = conditional
        self.world.mail(*labels, adopted=adopted, place=place)

    def pick(self, data) -> int:
        return data.draw(st.sampled_from(sorted(self.world.real)))

    @rule(
        role=ROLES,
        nature=NATURES,
        labels=FEW,
        hits=HITS,
        place=st.sampled_from([Place.INBOX] * 5 + [Place.ARCHIVE, Place.SENT]),
        trusted=st.booleans(),
        old=st.booleans(),
    )
    def mail(self, role, nature, labels, hits, place, trusted, old):
        self.world.mail(
            *labels,
            role=role,
            nature=nature,
            hits=hits,
            place=place,
            trusted=trusted,
            date=self.world.now - DAY if old else None,
        )

    @precondition(lambda self: self.world.real)
    @rule(data=st.data(), label=LABELS, more=LABELS)
    def label(self, data, label, more):
        self.world.label(self.pick(data), label, more)

    @precondition(lambda self: self.world.real)
    @rule(data=st.data(), label=LABELS, more=LABELS)
    def unlabel(self, data, label, more):
        self.world.unlabel(self.pick(data), label, more)

    @precondition(lambda self: self.world.real)
    @rule(data=st.data(), away=st.booleans(), place=st.sampled_from([Place.INBOX, Place.ARCHIVE]))
    def drag(self, data, away, place):
        copy = self.pick(data)
        (self.world.archive if place is Place.ARCHIVE else self.world.fetch_back)(copy, away=away)

    @precondition(lambda self: self.world.real)
    @rule(place=st.sampled_from([Place.INBOX, Place.ARCHIVE]))
    def drag_all(self, place):
        (self.world.archive if place is Place.ARCHIVE else self.world.fetch_back)(*self.world.real)

    @precondition(lambda self: self.world.real)
    @rule(data=st.data(), inbox=st.booleans())
    def copy(self, data, inbox):
        copy = self.pick(data)
        (self.world.copy_to_inbox if inbox else self.world.archive_by_copy)(copy)

    @precondition(lambda self: self.world.real)
    @rule(data=st.data(), place=st.sampled_from([Place.INBOX, Place.ARCHIVE, Place.SENT]))
    def twin(self, data, place):
        self.world.twin(self.pick(data), place)

    @precondition(lambda self: self.world.real)
    @rule(data=st.data())
    def remove(self, data):
        self.world.remove(self.pick(data))

    @rule(data=st.data(), labels=FEW)
    def bring_back(self, data, labels):
        gone = {m.key for m in self.world.messages} - {r.message for r in self.world.real.values()}
        if gone:
            self.world.bring_back(data.draw(st.sampled_from(sorted(gone))), *labels)

    @precondition(lambda self: self.world.journal)
    @rule(data=st.data())
    def undo(self, data):
        self.world.take_back(data.draw(st.sampled_from(list(self.world.journal.values()))))

    @rule(name=st.sampled_from([GGUS, MC08]))
    def release(self, name):
        self.world.release(name, "1.0")

    @rule(wait=WAITS)
    def wait(self, wait):
        self.world.wait(wait)

    @rule(crash=st.sampled_from([None, None, *Crash]))
    def cycle(self, crash):
        self.world.cycle(crash)

    @precondition(lambda self: self.world.real)
    @rule(data=st.data(), label=LABELS, how=st.sampled_from(["label", "unlabel", "archive", "fetch_back"]))
    def race(self, data, label, how):
        copy = self.pick(data)
        act = getattr(self.world, how)
        self.world.cycle(meanwhile=lambda: act(copy, label) if "label" in how else act(copy))

    @rule()
    def settle(self):
        if self.world.acting:
            self.check()

    def check(self) -> None:
        world = self.world
        world.settle()
        assert troubles(world) == []
        before = world.state
        assert not world.cycle()
        assert world.decision is not None and not world.decision.actions, world.decision.actions
        occasions = [(m.rule, m.occasion) for m in world.mails]
        assert len(occasions) == len(set(occasions))

    def teardown(self) -> None:
        self.world.acting = True
        if self.world.messages:
            self.check()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=2000, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
