"""The outbox as it is stored and sent, under crashes, clocks, proofs, restored backups and servers that answer as they like."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import insert, update

from helpdesk import asking, outbox, sending
from helpdesk.errors import UsageError
from helpdesk.mailids import Reason, loop_token, message_id
from helpdesk.model import Stamp
from helpdesk.outbox import PROOF, STALE, OutboxRow, State
from helpdesk.ports import Delivery, Letter, Outcome, Told
from helpdesk.store import outbox as rows
from helpdesk.store.core import MESSAGE, OUTBOX
from tests.faults import Crash
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import World

COPY = "dast-board@example.org"
OUTCOMES = {250: Outcome.ACCEPTED, 450: Outcome.TEMPORARY, 550: Outcome.PERMANENT, 0: Outcome.UNKNOWN}
ADMINS = ("aiden@example.org", "sergey@example.org")


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens to one letter: the answer to each recipient in turn, then to the text, and when the power goes out."""

    answers: tuple[int, ...] = ()  # 250, 450 or 550; 250 for those beyond
    text: int = 250  # 0: no answer comes
    taken: bool = True  # with 0: whether the server has it
    crash: str = ""  # "", "before" a byte, or after the "text"


@dataclass
class Post:
    """A `Mailer` that does as it is told, and remembers what got through."""

    turns: list[Turn] = field(default_factory=list)
    got: Counter[tuple[str, str]] = field(default_factory=Counter)  # (Message-ID, address)
    octets: dict[str, set[bytes]] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)  # Message-IDs that lie with the board

    def send(self, letters: Iterable[Letter], told: Told | None = None) -> Iterator[tuple[Letter, Delivery]]:
        """One transaction after the other."""
        for letter in letters:
            turn = self.turns.pop(0) if self.turns else Turn()
            if turn.crash == "before":
                raise Crash
            yield letter, self._one(letter, turn, told)

    def _one(self, letter: Letter, turn: Turn, told: Told | None) -> Delivery:
        answers = dict(zip(letter.recipients, (*turn.answers, *[250] * len(letter.recipients)), strict=False))
        refused = tuple(to for to, code in answers.items() if code == 550)
        deferred = tuple(to for to, code in answers.items() if code == 450)
        good = [to for to, code in answers.items() if code == 250]
        if not good:
            outcome = Outcome.TEMPORARY if deferred else Outcome.PERMANENT
            return Delivery(outcome, "nobody", refused, deferred)
        if told is not None and len(good) < len(answers):
            told(letter, Delivery(Outcome.TEMPORARY, "some", refused, deferred))
        if turn.text == 250 or (turn.text == 0 and turn.taken):
            self._arrive(letter, good)
        if turn.crash:
            raise Crash
        return Delivery(OUTCOMES[turn.text], f"text {turn.text}", refused, deferred)

    def _arrive(self, letter: Letter, good: list[str]) -> None:
        self.got.update((letter.message_id, to) for to in good)
        self.octets.setdefault(letter.message_id, set()).add(letter.content)
        if COPY in good:
            self.copies.append(letter.message_id)


codes = st.sampled_from([250, 250, 250, 450, 550])
turns = st.builds(
    Turn,
    answers=st.lists(codes, max_size=3).map(tuple),
    text=st.sampled_from([250, 250, 250, 450, 550, 0]),
    taken=st.booleans(),
    crash=st.sampled_from(["", "", "", "before", "text"]),
)


class Outbox(RuleBasedStateMachine):
    """Mails to two admins each; what a person or a lost backup makes possible is counted as allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        server = MemoryServer()
        self.world = World(server, lambda: MemoryMailbox(server), Path(self.folder.name))
        self.post = Post()
        self.board = replace(
            self.world.board, sending=replace(self.world.board.sending, mailer=self.post, admins=ADMINS)
        )
        self.planned = 0
        self.allowed: Counter[str] = Counter()  # repeats that a person asked for, by Message-ID

    @initialize()
    def begin(self) -> None:
        self.plan()

    @precondition(lambda self: self.planned < 4)
    @rule()
    def plan(self) -> None:
        self.planned += 1
        occasion = f"outbox:{self.planned}"
        own = message_id(Reason("dast", "", "alarm", occasion), "example.org", self.board.sending.secret)
        row = OutboxRow(0, own, "", "alarm", occasion, "alarm", ADMINS, self.world.now)
        with self.world.engine.begin() as conn:
            rows.add(conn, row, None)
            words = f"Message-ID: {own}\r\n\r\nwords\r\n".encode()
            conn.execute(update(OUTBOX).where(OUTBOX.c.message_id == own).values(content=words))

    @rule(minutes=st.integers(0, 400), script=st.lists(turns, max_size=4))
    def send(self, minutes: int, script: list[Turn]) -> None:
        self.world.now += timedelta(minutes=minutes)
        self.post.turns = list(script)
        with suppress(Crash):
            sending.post(self.board, None, self.world.now, hold_mails=False)

    @rule(pick=st.integers(0, 20), seen=st.booleans())
    def a_copy_comes_home(self, pick: int, seen: bool) -> None:
        """The cycle that sees it takes the proof in, or dies before."""
        if self.post.copies:
            self._home(self.post.copies[pick % len(self.post.copies)])
            if seen:
                with self.world.engine.begin() as conn:
                    sending.prove(self.board, conn, 1, Stamp(1, self.world.now))

    @rule(pick=st.integers(0, 3))
    def a_person_retries(self, pick: int) -> None:
        found = list(self._rows().values())
        row = found[pick % len(found)]
        try:
            with self.world.engine.begin() as conn:
                asking.retry(conn, row.id, self.world.now)
        except UsageError:
            return
        self.allowed[row.message_id] += 1

    @rule(pick=st.integers(0, 3))
    def a_person_drops(self, pick: int) -> None:
        found = list(self._rows().values())
        row = found[pick % len(found)]
        with self.world.engine.begin() as conn:
            rows.save(conn, outbox.dropped(row))

    @invariant()
    def everybody_has_a_mail_once(self) -> None:
        assert all(len(octets) == 1 for octets in self.post.octets.values())
        for row in self._rows().values():
            got = {to: self.post.got[row.message_id, to] for to in (*ADMINS, COPY)}
            assert max(got.values()) <= 1 + row.repeats, row  # a second one needs a doubt, or a person
            assert row.repeats <= (len(ADMINS) + 1) * (1 + 2 * self.allowed[row.message_id]), row
            assert all(got[to] for to in row.served), row
            if row.state in {State.SENT, State.OBSERVED}:
                assert not row.left, row
            if row.state is State.FAILED:
                assert set(row.refused) & set(ADMINS), row
            if row.state is State.UNKNOWN and row.first_unknown_at is not None:
                assert row.next_try_at is not None
                assert row.next_try_at >= row.first_unknown_at + PROOF

    def teardown(self) -> None:
        """On a good day everything ends, without anybody's help."""
        for _ in range(3):
            self.world.now += STALE / 2
            self.post.turns = []
            sending.post(self.board, None, self.world.now, hold_mails=False)
        live = {State.PLANNED, State.SENDING, State.UNKNOWN}
        assert not [row for row in self._rows().values() if row.state in live]
        self.world.mailbox.close()
        self.world.engine.dispose()
        self.folder.cleanup()

    def _rows(self) -> dict[int, OutboxRow]:
        with self.world.engine.connect() as conn:
            return {row.id: row for row in rows.rows(conn, State)}

    def _home(self, own: str) -> None:
        with self.world.engine.begin() as conn:
            row = {
                "message_id": own,
                "role": "bot",
                "via": "direct",
                "nature": "own",
                "time": self.world.now,
                "cycle": 1,
                "thread": 0,
                "token": loop_token(own),
                "size": len(own),
            }
            conn.execute(insert(MESSAGE).values(**row))


Outbox.TestCase.settings = settings(
    max_examples=150, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestOutbox = Outbox.TestCase
