"""The tables: what mail itself cannot hold.

The mailbox is the truth; every row here can be lost and costs clocks, never mail (docs/decisions.md section 9).
Times are aware UTC datetimes; `helpdesk.store.times` converts at this border, because SQLite knows no zones.
Sets of bits (labels and `star`) are newline-joined text: label names contain no newline, and most sets are empty.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from helpdesk.store.times import UtcTime


class MetaRow(SQLModel, table=True):
    """One fact about the whole board: the last cycle, whether time is simulated, what holds it."""

    __tablename__ = "meta"
    key: str = Field(primary_key=True)
    value: str = Field(sa_column=Column(Text, nullable=False))


class FolderRow(SQLModel, table=True):
    """A watched folder and how far it was read (RFC 7162 section 6)."""

    __tablename__ = "folder"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    place: str
    uidvalidity: int = Field(sa_column=Column(BigInteger, nullable=False))
    uidnext: int = Field(sa_column=Column(BigInteger, nullable=False))
    messages: int
    modseq: int | None = Field(default=None, sa_column=Column(BigInteger))
    # tier plain: the UID up to which this pass over the flags has come
    rotation: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    passes: str = ""  # tier plain: the stamps at which this pass and the one before it began, as JSON


class MessageRow(SQLModel, table=True):
    """One mail, wherever its copies lie."""

    __tablename__ = "message"
    __table_args__ = (
        Index(
            "message_token", "token", sqlite_where=text("token <> ''"), postgresql_where=text("token <> ''")
        ),
        Index(
            "message_correspondence",
            "id",
            sqlite_where=text("correspondence = 1"),
            postgresql_where=text("correspondence"),
        ),
        Index(
            "message_ticket",
            "ticket",
            sqlite_where=text("ticket <> ''"),
            postgresql_where=text("ticket <> ''"),
        ),
    )
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    message_id: str = Field(index=True)  # made up from its hash when the mail has none
    refs: str = ""  # space-joined, References then In-Reply-To
    parents: str = ""  # space-joined, In-Reply-To alone
    subject: str = ""
    subject_key: str = Field(default="", index=True)  # normalised, "" when too short to mean anything
    link: str = ""  # an id found otherwise: by the subject rule, by our outbox, in a bounce
    people: str = ""  # space-joined addresses for the subject rule
    author: str = ""
    author_name: str = ""
    role: str
    via: str
    trusted: bool = True
    nature: str
    why: str = ""  # why it counts as automatic
    date: datetime | None = Field(default=None, sa_type=UtcTime)  # the Date header: forgeable
    time: datetime = Field(sa_type=UtcTime)  # min(INTERNALDATE, first seen): the time that counts
    cycle: int  # first seen in
    adopted: bool = False
    hits: str = ""  # JSON: what the team rules matched
    size: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    thread: int = Field(index=True)  # 0: in none (yet)
    token: str = ""  # of our own mails: what proves whose they are, whatever a relay did to the Message-ID
    of_ours: bool = False  # a bounce that returns a mail of ours
    word_of: str = ""  # newline-joined: the destinations whose word it is
    tickets: str = ""  # newline-joined: the ticket numbers that its subject names, as spelled
    ticket: str = (
        ""  # the first of them, folded, where the author is of a destination's domain: it may find its thread
    )
    audience: str = ""  # space-joined: whom it was addressed to (helpdesk.rules.facts)
    correspondence: bool = False  # commands, confirmations, digests: in no thread
    spoken: bool = False  # correspondence because of what it says, wherever its copies lie


_IN_LIMBO = text("limbo IS NOT NULL")
_IN_FLIGHT = text("planned IS NOT NULL OR planned_place IS NOT NULL")


class CopyRow(SQLModel, table=True):
    """One message in one folder; docs/decisions.md section 1 explains every column."""

    __tablename__ = "copy"
    __table_args__ = (
        Index("copy_location", "folder", "uid", unique=True),
        Index("copy_guid", "guid"),
        Index("copy_message", "message"),
        Index("copy_limbo", "id", sqlite_where=_IN_LIMBO, postgresql_where=_IN_LIMBO),
        Index("copy_in_flight", "id", sqlite_where=_IN_FLIGHT, postgresql_where=_IN_FLIGHT),
    )
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    message: int
    folder: int
    uid: int = Field(sa_column=Column(BigInteger, nullable=False))
    guid: str
    flags: str = ""  # space-joined, as the server spells them, sorted
    base: str = ""  # bits
    planned: str | None = None  # bits, NULL when nothing is in flight
    base_place: str
    planned_place: str | None = None
    touches: str = ""  # JSON {bit: [cycle, time]}
    arrived_cycle: int
    arrived_at: datetime = Field(sa_type=UtcTime)
    limbo: int | None = None  # the cycle in which its UID vanished
    left: bool = False
    attempts: int = 0  # writes that the server answered OK and that did not happen


class RefRow(SQLModel, table=True):
    """An id that a message has or names: the present and the ghosts."""

    __tablename__ = "ref"
    __table_args__ = ({"sqlite_with_rowid": False},)  # the id is the row: long ids are stored once
    id: str = Field(primary_key=True)
    code: str = Field(index=True)  # the thread code that is derived from it: every id is an alias
    component: int = Field(index=True)
    thread: int


_WAS_CLOSED = text("closed_at IS NOT NULL")


class ThreadRow(SQLModel, table=True):
    """A thread: its public code, what was decided, and when it must be looked at again."""

    __tablename__ = "thread"
    __table_args__ = (
        Index("thread_closed_at", "closed_at", sqlite_where=_WAS_CLOSED, postgresql_where=_WAS_CLOSED),
    )
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    code: str = Field(index=True)
    component: int = Field(index=True)
    state: str = ""  # JSON of helpdesk.rules.state.ThreadState
    open: bool = Field(default=False, index=True)
    dirty: bool = Field(default=True, index=True)
    due: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    pending: str = ""  # JSON [[rule, time]]: what will be done if nothing happens before
    notes: str = ""  # what only a human can settle, a sentence a line
    opened_at: datetime = Field(sa_type=UtcTime)
    last_activity_at: datetime = Field(sa_type=UtcTime)
    closed_at: datetime | None = Field(
        default=None, sa_type=UtcTime
    )  # of a closed one that was seen to be closed


class ActionRow(SQLModel, table=True):
    """The journal: each action with its rule, the guideline, the evidence and the time."""

    __tablename__ = "action"
    id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime, index=True)
    cycle: int
    thread: int | None = Field(default=None, index=True)
    code: str = ""
    kind: str
    what: str = ""
    rule: str
    guideline: str = ""
    reason: str
    evidence: str = ""  # JSON
    status: str = "planned"  # planned, done, cancelled, undone, observed


class OutboxTable(SQLModel, table=True):
    """A mail of ours: the row exists before the first byte."""

    __tablename__ = "outbox"
    id: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(unique=True)
    thread: int | None = Field(default=None, index=True)
    code: str = ""
    rule: str
    occasion: str
    kind: str
    recipients: str  # space-joined
    context: str = ""  # JSON: what the template needs
    planned_at: datetime = Field(sa_type=UtcTime, index=True)
    state: str = Field(index=True)
    attempts: int = 0
    first_unknown_at: datetime | None = Field(default=None, sa_type=UtcTime)
    next_try_at: datetime | None = Field(default=None, sa_type=UtcTime)
    left_at: datetime | None = Field(default=None, sa_type=UtcTime)  # when somebody had it
    last_answer: str = ""
    content: bytes | None = None
    served: str = ""  # space-joined, as are the next two: who has it
    refused: str = ""  # who never gets it
    trying: str = ""  # who may have got it
    repeats: int = 0
    proven_at: datetime | None = Field(default=None, sa_type=UtcTime)


class RequestRow(SQLModel, table=True):
    """What a person asked for by command: the next cycle does it, whoever runs it."""

    __tablename__ = "request"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcTime)
    kind: str
    args: str  # JSON
    done_at: datetime | None = Field(default=None, sa_type=UtcTime)
    answer: str = ""


class QuarantineRow(SQLModel, table=True):
    """A mail that could not be read: kept in sight, never in the way."""

    __tablename__ = "quarantine"
    __table_args__ = (Index("quarantine_location", "folder", "uid", unique=True),)
    id: int | None = Field(default=None, primary_key=True)
    folder: int
    uid: int = Field(sa_column=Column(BigInteger, nullable=False))
    guid: str = ""
    why: str
    seen_at: datetime = Field(sa_type=UtcTime)
    strikes: int = 0  # connections that ended whenever it was fetched; 0: it came, and was no mail
    again_at: datetime | None = Field(default=None, sa_type=UtcTime)  # when it is tried again; None: never


class SuspectRow(SQLModel, table=True):
    """UIDs among which a mail may be that ends the connection (docs/decisions.md section 12)."""

    __tablename__ = "suspect"
    folder: str = Field(primary_key=True)  # its name: a folder that was never read has no key yet
    uidvalidity: int = Field(sa_column=Column(BigInteger, primary_key=True))
    first: int = Field(sa_column=Column(BigInteger, primary_key=True))
    last: int = Field(sa_column=Column(BigInteger, nullable=False))
    strikes: int


class HiddenRow(SQLModel, table=True):
    r"""A \\Deleted message: invisible to the board, but its UID is counted."""

    __tablename__ = "hidden"
    folder: int = Field(primary_key=True)
    uid: int = Field(sa_column=Column(BigInteger, primary_key=True))


class HandoverRow(SQLModel, table=True):
    """What a shifter wants the next one to know; `digest` is the mail of ours that opens with it."""

    __tablename__ = "handover"
    id: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(unique=True)
    author: str
    at: datetime = Field(sa_type=UtcTime)
    words: str
    verified: bool
    digest: str = ""


class WrongRow(SQLModel, table=True):
    """A plan of observe mode's report that somebody calls wrong."""

    __tablename__ = "wrong"
    id: int | None = Field(default=None, primary_key=True)
    report: str
    number: int
    author: str
    at: datetime = Field(sa_type=UtcTime)
    words: str
    actions: str  # space-joined ids of the journal


class CommandRow(SQLModel, table=True):
    """A mail that asks the board for something (docs/mail.md section 4): what was read, and what became of it."""

    __tablename__ = "command"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    message_id: str
    author: str  # an address, as far as From or the list can be believed
    person: str = ""  # the first configured address of who claims to have written it
    items: str  # JSON [[line, [words]]]
    refs: str = ""  # space-joined ids: the first that is in a thread says which one is meant
    ours: str = ""  # space-joined tokens of the mails of ours that it answers
    authentic: bool = False
    stale: bool = False  # it lay somewhere for a day before it was seen
    cycle: int
    at: datetime = Field(sa_type=UtcTime)  # of the cycle that saw it
    mailed: datetime = Field(sa_type=UtcTime)  # when it came
    state: str = Field(index=True)
    unproven_at: datetime | None = Field(
        default=None, sa_type=UtcTime
    )  # when a mail was caused without proof
    told: str = ""  # JSON {place: [done, says]}
