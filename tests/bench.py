"""A mailbox, a database and nothing that decides: for tests of observing and storing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import Engine, select

from helpdesk.actions import CopyPlan
from helpdesk.labels import BUILTIN, Label, Vocabulary
from helpdesk.mailbox.authors import AuthorPolicy
from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.dialects.keywords import Keywords
from helpdesk.mailbox.sync import Observed, observe
from helpdesk.model import LabelKind, Role, Stamp
from helpdesk.ports import Mailbox, Tier
from helpdesk.rules.facts import CopyFacts, Policy, ThreadFacts
from helpdesk.rules.join import join
from helpdesk.store import copies, db, threads
from helpdesk.store.copies import Held
from helpdesk.store.core import COPY, MESSAGE, THREAD
from tests.databases import Database, SqliteFile
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer

START = datetime(2026, 6, 8, 6, 0, tzinfo=UTC)
ANN, BOB, AIDEN = "ann@users.example.com", "bob@users.example.com", "aiden@example.org"
GGUS = "ggus@tracker.example.net"
OWN = "<helpdesk.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbb@example.org>"  # what `Bench` takes for ours

VOCABULARY = Vocabulary(
    (*BUILTIN, Label("GGUS", LabelKind.WHERE, "ggus"), Label("docs", LabelKind.INFO, "docs"))
)
POLICY = Policy({label.name: label.kind for label in VOCABULARY})


def only(*bits: str) -> frozenset[str]:
    """A set of bits."""
    return frozenset(bits)


def context() -> BoardContext:
    """A board with one shifter and one destination."""
    return BoardContext(
        dialect=Keywords(VOCABULARY),
        authors=AuthorPolicy(
            list_address="dast@lists.example.org",
            list_ids=frozenset({"dast.lists.example.org"}),
            people={AIDEN: Role.SHIFTER},
            destinations={GGUS: ("GGUS",)},
        ),
        join=partial(join, policy=POLICY),
        own=lambda text: "helpdesk.aaaaaaaaaaaaaaaa." in text,
        shared=frozenset({AIDEN, "dast@lists.example.org"}),
    )


def mail(
    message_id: str,
    sender: str = ANN,
    subject: str = "All jobs fail",
    *,
    answers: Sequence[str] = (),
    date: datetime = START,
    headers: Mapping[str, str] = MappingProxyType({}),
    body: str = "All my jobs fail since this morning.",
) -> bytes:
    """A small mail."""
    lines = {
        "From": sender,
        "To": "dast@lists.example.org",
        "Subject": subject,
        "Date": f"{date:%a, %d %b %Y %H:%M:%S} +0000",
        "Message-ID": message_id,
        "In-Reply-To": answers[-1] if answers else "",
        "References": " ".join(answers),
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"{head}\r\n{body}\r\n".encode()


@dataclass
class Bench:
    """One mailbox under observation, a minute a cycle."""

    folder: Path
    tier: Tier
    guids: bool = True
    board: BoardContext = field(default_factory=context)
    server: MemoryServer = field(default_factory=MemoryServer)
    cycle: int = 0
    database: Database | None = None  # None: a SQLite file in the folder

    def __post_init__(self) -> None:
        kept = self.database or SqliteFile(self.folder)
        kept.make()
        self.url = kept.url
        self.engine: Engine = db.open_engine(self.url)
        self.mailbox = self.connect()

    def connect(self, before: Callable[[str], None] = lambda _command: None) -> MemoryMailbox:
        """A connection of the daemon's."""
        return MemoryMailbox(self.server, self.tier, before=before, guids=self.guids)

    @property
    def stamp(self) -> Stamp:
        """The stamp of the last cycle."""
        return Stamp(self.cycle, START + timedelta(minutes=self.cycle))

    def look(self, mailbox: Mailbox | None = None) -> Observed:
        """One observation."""
        self.cycle += 1
        try:
            return observe(mailbox or self.mailbox, self.engine, self.board, self.stamp)
        except BaseException:
            self.cycle -= 1
            raise

    def deliver(self, message_id: str, sender: str = ANN, folder: str = "INBOX", **more: object) -> int:
        """A mail arrives."""
        flags = more.pop("flags", ())
        when = more.pop("when", self.stamp.at)
        assert isinstance(flags, Iterable)
        assert isinstance(when, datetime)
        octets = mail(message_id, sender, **more)  # type: ignore[arg-type]  # the keywords of `mail`
        return self.server.deliver(folder, octets, when, list(flags))

    def held(self, message_id: str = "") -> list[Held]:
        """The copies of a message, or all, by key."""
        condition = MESSAGE.c.message_id == message_id if message_id else COPY.c.id > 0
        with db.reading(self.engine) as conn:
            return list(copies.select_held(conn, self.board.dialect, condition))

    def copy(self, message_id: str) -> Held:
        """The only copy of a message."""
        (only,) = self.held(message_id)
        return only

    def threads(self) -> list[ThreadFacts]:
        """All threads."""
        with db.reading(self.engine) as conn:
            keys = conn.execute(select(THREAD.c.id).order_by(THREAD.c.id)).scalars().all()
            return list(threads.load(conn, keys, self.board.dialect))

    def groups(self) -> list[set[str]]:
        """The Message-IDs of each thread."""
        return [{m.message_id for m in thread.messages} for thread in self.threads()]

    def thread(self, message_id: str) -> ThreadFacts:
        """The thread of a message."""
        (found,) = [t for t in self.threads() if any(m.message_id == message_id for m in t.messages)]
        return found

    def facts(self, message_id: str) -> CopyFacts:
        """What the rules know of the only copy of a message."""
        return self.copy(message_id).facts()

    def dirty(self) -> set[int]:
        """The threads that must be decided; from now on none is."""
        with self.engine.begin() as conn:
            keys = set(threads.due(conn, self.stamp.at))
            for facts in threads.load(conn, sorted(keys), self.board.dialect):
                threads.save(conn, [threads.Decided(facts.key, replace(facts.state, decided=self.cycle))])
        return keys

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def settled(
        self, message_id: str = "<a@x>", sender: str = ANN, folder: str = "INBOX", **more: object
    ) -> None:
        """A mail that was seen in a cycle of its own."""
        self.deliver(message_id, sender, folder, **more)
        self.look()

    def plan(self, message_id: str, **what: object) -> None:
        """Commit a plan for the only copy of a message."""
        one = CopyPlan(self.copy(message_id).key, **what)  # type: ignore[arg-type]  # the fields of a plan
        with self.engine.begin() as conn:
            copies.apply_plan(conn, self.board.dialect, [one])
