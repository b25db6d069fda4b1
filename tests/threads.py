"""Threads in a few words: facts for the rules, without a mailbox and without a database.

`thread(msg().by_user().in_inbox(WAITING))` is a thread of one user's mail that lies in the inbox with one label.  Times
count from `START`, which is cycle 1.  What moves through cycles is in `tests.simulated`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Self, TypedDict, Unpack

from helpdesk.bits import PLACE, Known
from helpdesk.model import (
    ESCALATED,
    FIXED,
    TAKEN,
    URGENT,
    WAITING,
    LabelKind,
    Nature,
    Place,
    Role,
    Stamp,
)
from helpdesk.rules.decide import Decision, decide
from helpdesk.rules.facts import (
    CopyFacts,
    Destination,
    Hit,
    MessageFacts,
    Outgoing,
    Policy,
    Release,
    ThreadFacts,
    Undo,
)
from helpdesk.rules.state import Moving, Register, Talk, ThreadState

START = datetime(2026, 6, 9, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

GGUS = "GGUS"  # escalations to it are mails
SAVANNAH = "DQ2 Savannah"  # escalations to it are tickets: nothing is sent
MC08 = "mc08 dataset problem"
VIP = "vip"

KINDS = {
    WAITING: LabelKind.STATE,
    URGENT: LabelKind.STATE,
    ESCALATED: LabelKind.STATE,
    FIXED: LabelKind.STATE,
    GGUS: LabelKind.WHERE,
    SAVANNAH: LabelKind.WHERE,
    MC08: LabelKind.TEMPORARY,
    VIP: LabelKind.INFO,
    TAKEN: LabelKind.INFO,
}
POLICY = Policy(
    kinds=KINDS,
    destinations={
        GGUS: Destination(GGUS, "help@ggus.example", mails=True),
        SAVANNAH: Destination(SAVANNAH, "", mails=False),
    },
    shifters=("aiden@team.example",),
    oncall=("sergey@team.example",),
)
AUTHORS = {
    Role.USER: "ann@user.example",
    Role.SHIFTER: "aiden@team.example",
    Role.EXPERT: "help@ggus.example",
    Role.ADMIN: "root@team.example",
    Role.BOT: "helpdesk@team.example",
}


def stamp(cycle: int = 1, after: timedelta = timedelta()) -> Stamp:
    """A cycle and how long after `START` it ran."""
    return Stamp(cycle, START + after)


class Strange(TypedDict, total=False):
    """What a copy rarely has."""

    touches: dict[str, Stamp]
    left: bool
    unknown: frozenset[str]
    limbo: bool
    stuck: bool
    was: Place  # where it was last left
    unseen: frozenset[str]  # labels that nobody was seen to set


@dataclass(frozen=True, slots=True)
class Lying:
    """One copy of a message to be."""

    place: Place
    bits: frozenset[str]
    read: bool = True
    touches: dict[str, Stamp] = field(default_factory=dict)
    left: bool = False
    unknown: frozenset[str] = frozenset()
    limbo: bool = False
    stuck: bool = False
    was: Place | None = None
    unseen: frozenset[str] = frozenset()

    def facts(self, key: int, message: int, arrived: Stamp) -> CopyFacts:
        """The copy, with what humans touched taken back in its base."""
        base = (self.bits ^ (self.touches.keys() - {PLACE})) - self.unseen
        known = Known(self.bits, base, None, self.place, self.was or self.place, None, self.touches)
        return CopyFacts(
            key,
            message,
            known,
            arrived,
            seen=self.read,
            left=self.left,
            limbo=self.limbo,
            stuck=self.stuck,
            unknown=self.unknown,
        )


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to be, and its copies."""

    role: Role = Role.USER
    nature: Nature = Nature.HUMAN
    seen: Stamp = field(default_factory=stamp)
    date: datetime | None = None
    trusted: bool = True
    adopted: bool = False
    of_ours: bool = False
    hits: tuple[Hit, ...] = ()
    author: str | None = None
    of: tuple[str, ...] = ()
    tickets: tuple[str, ...] = ()
    audience: frozenset[str] = frozenset()
    copies: tuple[Lying, ...] = ()

    def by_user(self) -> Self:
        return replace(self, role=Role.USER)

    def by_shifter(self) -> Self:
        return replace(self, role=Role.SHIFTER)

    def by_expert(self) -> Self:
        return replace(self, role=Role.EXPERT)

    def by(self, nature: Nature, *, of_ours: bool = False) -> Self:
        """Say what wrote it."""
        return replace(self, nature=nature, of_ours=of_ours)

    def from_address(self, author: str) -> Self:
        return replace(self, author=author)

    def word_of(self, where: str, *tickets: str) -> Self:
        """It is a destination's word, and names these tickets."""
        return replace(self, role=Role.EXPERT, of=(where,), tickets=tickets)

    def to(self, *audience: str) -> Self:
        """Whom it is addressed to."""
        return replace(self, audience=frozenset(audience))

    def untrusted(self) -> Self:
        """Configured authentication is missing."""
        return replace(self, trusted=False)

    def after(self, delay: timedelta, cycle: int = 1) -> Self:
        """When it came, and the cycle that first saw it."""
        return replace(self, seen=stamp(cycle, delay))

    def dated(self, after: timedelta) -> Self:
        """What its Date header says."""
        return replace(self, date=START + after)

    def old(self) -> Self:
        """It was there before the board."""
        return replace(self, adopted=True)

    def hit(self, *hits: Hit) -> Self:
        return replace(self, hits=hits)

    def in_inbox(self, *labels: str, read: bool = True, **strange: Unpack[Strange]) -> Self:
        return self._lying(Lying(Place.INBOX, frozenset(labels), read, **strange))

    def in_archive(self, *labels: str, read: bool = True, **strange: Unpack[Strange]) -> Self:
        return self._lying(Lying(Place.ARCHIVE, frozenset(labels), read, **strange))

    def in_sent(self, *labels: str, **strange: Unpack[Strange]) -> Self:
        return self._lying(Lying(Place.SENT, frozenset(labels), **strange))

    def _lying(self, copy: Lying) -> Self:
        return replace(self, copies=(*self.copies, copy))


def msg() -> Mail:
    """A human mail from a user, seen in cycle 1."""
    return Mail()


def thread(
    *mails: Mail,
    state: ThreadState | None = None,
    undo: Iterable[Undo] = (),
    releases: Iterable[Release] = (),
    sent: Iterable[Outgoing] = (),
) -> ThreadFacts:
    """The facts of a thread of these mails; messages and copies are numbered from 1."""
    messages = tuple(_message(key, mail) for key, mail in enumerate(mails, 1))
    lying = [(message, mail.seen, copy) for message, mail in enumerate(mails, 1) for copy in mail.copies]
    copies = tuple(copy.facts(key, message, seen) for key, (message, seen, copy) in enumerate(lying, 1))
    return ThreadFacts(
        1,
        "7kq2m",
        state or ThreadState(),
        messages,
        copies,
        tuple(undo),
        tuple(releases),
        mails=tuple(sent),
    )


def _message(key: int, mail: Mail) -> MessageFacts:
    return MessageFacts(
        key=key,
        message_id=f"<{key}@mail.example>",
        author=AUTHORS[mail.role] if mail.author is None else mail.author,
        role=mail.role,
        trusted=mail.trusted,
        nature=mail.nature,
        time=mail.seen.at,
        date=mail.seen.at if mail.date is None else mail.date,
        cycle=mail.seen.cycle,
        adopted=mail.adopted,
        hits=mail.hits,
        of_ours=mail.of_ours,
        of=mail.of,
        tickets=mail.tickets,
        audience=mail.audience,
    )


def on(*labels: str, since: Stamp | None = None, human: bool = True, by: str = "") -> dict[str, Register]:
    """Registers of labels that are present."""
    rule = "labels_cover_the_thread" if human else "new"
    return {label: Register(True, since or stamp(), human, rule, "because", by) for label in labels}


class More(TypedDict, total=False):
    """What a thread's state rarely has."""

    rule: str
    moving: Moving
    lies: bool
    reopened: Stamp
    expert_comment: Stamp
    bounce: Stamp
    touched: Stamp
    interrupted: Stamp
    closed_escalated: bool
    bot_star: int
    star_refused: bool
    refused: frozenset[str]
    mailed: frozenset[str]
    registers: dict[str, Register]
    episodes: dict[str, int]
    decided: int
    talks: dict[str, Talk]


def opened(*labels: str, since: Stamp | None = None, **more: Unpack[More]) -> ThreadState:
    """The state of an open thread with these labels, which people set."""
    return replace(_decided(True, labels, since or stamp()), **more)


def closed(*labels: str, since: Stamp | None = None, **more: Unpack[More]) -> ThreadState:
    """The state of a closed thread with these labels."""
    return replace(_decided(False, labels, since or stamp()), **more)


def _decided(is_open: bool, labels: Iterable[str], since: Stamp) -> ThreadState:
    counted = [label for label in labels if label == URGENT or KINDS[label] is LabelKind.WHERE]
    return ThreadState(
        open=is_open,
        since=since,
        rule="new" if is_open else "close",
        reason="because",
        registers=on(*labels, since=since),
        episodes=dict.fromkeys(counted, 1),
        decided=since.cycle,
    )


def labels_of(state: ThreadState) -> frozenset[str]:
    """The labels that a thread has."""
    return frozenset(label for label, register in state.registers.items() if register.present)


def rules_of(decision: Decision) -> list[tuple[str, str, str]]:
    """What is done and by which rule, in short."""
    return [(action.kind.value, action.what, action.rule) for action in decision.actions]


def decided(facts: ThreadFacts, now: Stamp, policy: Policy = POLICY, held: Iterable[str] = ()) -> Decision:
    """Decide under the policy of these tests."""
    return decide(facts, policy, now, frozenset(held))
