"""What people ask for: undo, release, resume, and what becomes of a mail that waits.

Nothing is done here: a request is a row that the next cycle carries out, whoever runs it (`helpdesk.wishes`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from helpdesk import outbox
from helpdesk.actions import Kind
from helpdesk.errors import UsageError
from helpdesk.mailbox.dialects import Dialect
from helpdesk.model import FIXED, Stamp
from helpdesk.outbox import OutboxRow, State
from helpdesk.report import Hold
from helpdesk.rules.facts import Policy, Release
from helpdesk.rules.project import COVER
from helpdesk.rules.releases import why_not_asked
from helpdesk.settings import Settings
from helpdesk.store import holds, journal, lookups, meta, names, requests, threads
from helpdesk.store import outbox as rows
from helpdesk.store.journal import Entry
from helpdesk.text import safe_text

UNDOABLE = frozenset({"planned", "done"})
UNSENT = frozenset({State.PLANNED, State.HELD, State.FAILED, State.DROPPED})
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Undone:
    """One action that is taken back; `mail` is the row of the outbox that was dropped, if the action was a mail."""

    action: str
    kind: str
    thread: str
    what: str
    mail: int | None = None


def undo_action(conn: Connection, text: str, at: datetime) -> Undone:
    """Ask to reverse one action of the bot; `text` is its id or a unique beginning of it."""
    prefix = text.strip().lower()
    found = journal.find(conn, prefix) if prefix else ()
    if not found:
        raise UsageError(
            f"no action {text!r} in the journal: `helpdesk show THREAD` lists a thread's actions"
        )
    if len(found) > 1:
        raise UsageError(f"{text!r} means more than one action: give more characters")
    return _undo(conn, found[0], at)


def undo_thread(
    conn: Connection, board: str, text: str, at: datetime, *, until: datetime | None = None
) -> Sequence[Undone]:
    """Ask to reverse what the bot did last to a thread: everything of the latest run in which it did anything.

    Said again, it goes one run further back.  Mails that have left cannot be taken back and are passed over; so is, if
    there is anything else, that a label was only carried over to more messages: taking that back would take it from all.
    """
    story = [one for one in journal.of_thread(conn, names.find(conn, text, board)) if one.rule != "undo"]
    story = [one for one in story if one.rule != COVER] or story
    if until is not None:  # said by mail: mails stay, and so does what was done after it was said
        story = [one for one in story if one.at <= until and one.kind != Kind.SEND_MAIL]
    mine = [one for one in story if one.status in UNDOABLE and not _has_left(conn, one)]
    if not mine:
        raise UsageError(f"nothing that the bot did to {text!r} is left to undo")
    latest = max(one.at for one in mine)
    return [_undo(conn, one, at) for one in mine if one.at == latest]


def _undo(conn: Connection, entry: Entry, at: datetime) -> Undone:
    if entry.status not in UNDOABLE:
        words = {
            "undone": "was undone already",
            "observed": "was only planned: the board observes",
            "cancelled": "was given up by the bot itself",
        }
        raise UsageError(f"action {entry.id} {words.get(entry.status, f'is {entry.status}')}")
    done = Undone(entry.id, entry.kind, entry.code, entry.what.removeprefix("\\"))
    if entry.kind == Kind.SEND_MAIL:
        return replace(done, mail=_unsend(conn, entry))
    if entry.thread is None:
        raise UsageError(f"action {entry.id} belongs to a thread that does not exist any more")
    waiting = {str(request.args["action"]) for request in requests.open_requests(conn, "undo")}
    if entry.id not in waiting:
        args = {"thread": entry.thread, "action": entry.id, "kind": entry.kind, "what": entry.what}
        requests.ask(conn, "undo", args, at)
    return done


def _mail_of(conn: Connection, entry: Entry) -> OutboxRow | None:
    occasion = str(entry.evidence.get("occasion", ""))
    return None if entry.thread is None else rows.of_reason(conn, entry.thread, entry.rule, occasion)


def _has_left(conn: Connection, entry: Entry) -> bool:
    if entry.kind != Kind.SEND_MAIL:
        return False
    row = _mail_of(conn, entry)
    return row is None or row.state not in UNSENT


def _unsend(conn: Connection, entry: Entry) -> int:
    row = _mail_of(conn, entry)
    if row is None or row.state not in UNSENT:
        state = "is not in the outbox" if row is None else f"is {row.state}"
        raise UsageError(
            f"action {entry.id} is a mail, and the mail {state}: what may have left cannot be undone"
        )
    rows.save(conn, replace(outbox.dropped(row), last_answer="undone by a person"))
    requests.ring(conn)
    journal.mark(conn, [entry.id], "undone")
    return row.id


@dataclass(frozen=True, slots=True)
class Released:
    """A release that was said; `known` is whether any label or component has its name."""

    name: str
    version: str
    known: bool
    stamp: Stamp  # the cycle that will carry it out


def release(conn: Connection, settings: Settings, name: str, version: str, at: datetime) -> Released:
    """Say that NAME VERSION is out; it counts from now, for what was FIXED until now."""
    for word in (name, version):
        if not word.strip() or word != safe_text(word, limit=LONGEST_NAME) or ":" in word:
            raise UsageError(
                f"{word!r} is no name of a release: one line, no colon, as in `helpdesk release Ganga 5.2`"
            )
    last = meta.last_cycle(conn)
    cycle = 1 if last is None else last.cycle + 1  # the one that will carry it out
    requests.ask(conn, "release", {"name": name, "version": version, "cycle": cycle}, at)
    known = name.casefold() in {one.casefold() for one in _products(settings)}
    return Released(name, version, known, Stamp(cycle, at))


@dataclass(frozen=True, slots=True)
class NotAsked:
    """An open thread that stays FIXED, and why its user was not asked."""

    thread: str
    why: str


def not_asked(
    conn: Connection, dialect: Dialect, policy: Policy, board: str, said: Released
) -> Sequence[NotAsked]:
    """The open threads that are FIXED and wait for another release, or for something else."""
    found = threads.load(conn, sorted(lookups.open_with(conn, FIXED)), dialect)
    release = Release(said.name, said.version, said.stamp)
    left = [NotAsked(f"{board}-{one.code}", why_not_asked(one, policy, release)) for one in found]
    return sorted(left, key=lambda one: one.thread)


def _products(settings: Settings) -> Iterable[str]:
    """What a release can be of: destinations, what they release, and labels."""
    for destination in settings.destination:
        yield destination.label
        yield from destination.components
    yield from (label.name for label in settings.label)


def held(conn: Connection) -> Sequence[Hold]:
    """What waits for a person's approval."""
    return holds.current(conn)


def resume(conn: Connection, at: datetime) -> Sequence[Hold]:
    """Approve what is held; nothing is asked when nothing is."""
    shown = held(conn)
    asked = [r.args.get("shown") for r in requests.open_requests(conn, "resume")]
    whats = [hold.what for hold in shown]
    if shown and whats not in asked:
        requests.ask(conn, "resume", {"shown": whats}, at)
    return shown


def retry(conn: Connection, key: int, at: datetime) -> OutboxRow:
    """Plan a mail anew that was held or refused, under the same Message-ID."""
    row = mail(conn, key)
    again = outbox.retried(row, at)
    if again == row:
        raise UsageError(f"mail {key} is {row.state}: only what is held or failed can be tried again")
    rows.save(conn, again)
    requests.ring(conn)
    return again


def drop(conn: Connection, key: int) -> OutboxRow:
    """Decide against a mail."""
    row = mail(conn, key)
    dropped = outbox.dropped(row)
    if dropped.state is not State.DROPPED:
        raise UsageError(f"mail {key} is {row.state}: what has left, or is leaving, cannot be dropped")
    rows.save(conn, dropped)
    requests.ring(conn)
    return dropped


def mail(conn: Connection, key: int) -> OutboxRow:
    """One mail of the outbox."""
    row = rows.get(conn, key)
    if row is None:
        raise UsageError(f"no mail {key} in the outbox: `helpdesk outbox list --all` lists them")
    return row
