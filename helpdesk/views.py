"""What the reading commands show: threads, one thread's story, the labels in use (docs/json.md)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from helpdesk import blaming
from helpdesk.mailbox.dialects import Dialect
from helpdesk.model import WAITING, Nature, Place
from helpdesk.report import utc
from helpdesk.rules.attention import labels, reasons, state_name
from helpdesk.rules.facts import Policy, ThreadFacts
from helpdesk.rules.state import ThreadState
from helpdesk.rules.talks import EXPERT_NEWS, to_tell
from helpdesk.store import copies, journal, meta, names, threads, wrongs
from helpdesk.store.copies import Held
from helpdesk.store.core import MESSAGE, THREAD, chunks
from helpdesk.text import safe_text

MACHINE = frozenset({Nature.AUTOMATIC, Nature.BOUNCE, Nature.RECEIPT, Nature.OWN, *EXPERT_NEWS})


def list_threads(
    conn: Connection, dialect: Dialect, policy: Policy, board: str, state: str | None = None
) -> Iterator[Mapping[str, Any]]:
    """Every thread, the latest activity first; `state` keeps those in one state."""
    query = select(THREAD.c.id).order_by(THREAD.c.last_activity_at.desc(), THREAD.c.id.desc())
    if state is not None:
        query = query.where(THREAD.c.open.is_(state != "closed"))
    for batch in chunks(conn.execute(query).scalars().all(), 200):
        for document in _documents(conn, dialect, policy, board, batch):
            if state is None or document["state"] == state:
                yield document


def one_thread(conn: Connection, dialect: Dialect, policy: Policy, board: str, key: int) -> Mapping[str, Any]:
    """One thread with its whole story: what was decided about its labels, and what was done and why."""
    document = dict(next(iter(_documents(conn, dialect, policy, board, [key]))))
    facts = next(iter(threads.load(conn, [key], dialect)))
    document["registers"] = [
        {
            "label": name,
            "present": register.present,
            "since": utc(register.stamp.at),
            "by": "human" if register.human else register.rule,
            "reason": register.reason,
        }
        for name, register in sorted(facts.state.registers.items())
    ]
    last = meta.last_cycle(conn)
    fault = {} if last is None else blaming.told(conn, [key], last.at, UTC)
    document["fault"] = [safe_text(line) for line in fault.get(key, ())]
    document["decided"] = {"open": facts.state.open, "rule": facts.state.rule, "reason": facts.state.reason}
    story = journal.of_thread(conn, key)
    said = wrongs.about(conn, [entry.id for entry in story])
    document["story"] = [
        {
            "id": entry.id,
            "at": utc(entry.at),
            "kind": entry.kind,
            "what": entry.what.removeprefix("\\"),
            "rule": entry.rule,
            "guideline": entry.guideline,
            "reason": entry.reason,
            "status": entry.status,
            "evidence": entry.evidence,
            "wrong": [
                {"by": mark.by, "at": utc(mark.at), "words": mark.words} for mark in said.get(entry.id, ())
            ],
        }
        for entry in story
    ]
    return document


def _documents(
    conn: Connection, dialect: Dialect, policy: Policy, board: str, keys: Sequence[int]
) -> Iterator[Mapping[str, Any]]:
    rows = {row.id: row for row in conn.execute(select(THREAD).where(THREAD.c.id.in_(keys)))}
    mails: dict[int, list[Any]] = defaultdict(list)
    query = select(MESSAGE).where(MESSAGE.c.thread.in_(keys)).order_by(MESSAGE.c.time, MESSAGE.c.id)
    for row in conn.execute(query):
        mails[row.thread].append(row)
    held: dict[int, list[Held]] = defaultdict(list)
    for copy in copies.of_threads(conn, dialect, keys):
        held[copy.message].append(copy)
    for facts in threads.load(conn, keys, dialect):
        yield _document(conn, facts, rows[facts.key], mails[facts.key], held, (policy, board))


def _document(
    conn: Connection,
    facts: ThreadFacts,
    row: Any,
    mails: Sequence[Any],
    held: Mapping[int, Sequence[Held]],
    settings: tuple[Policy, str],
) -> Mapping[str, Any]:
    policy, board = settings
    why = reasons(facts, policy)
    waiting = facts.state.registers.get(WAITING)
    since = waiting.stamp.at if waiting is not None and waiting.present else None
    return {
        "id": f"{board}-{facts.code}",
        "aliases": [f"{board}-{code}" for code in names.aliases(conn, facts.key, facts.code)],
        "subject": safe_text(mails[0].subject) if mails else "",
        "state": state_name(facts),
        "labels": list(labels(facts)),
        "attention": bool(why),
        "reasons": list(why),
        "notes": row.notes.splitlines(),
        "talks": talks(facts.state),
        "opened_at": utc(row.opened_at),
        "last_activity_at": utc(row.last_activity_at),
        "waiting_since": _time(since),
        "messages": [
            _message(mail, held.get(mail.id, ()), is_open=facts.state.open is True) for mail in mails
        ],
    }


def talks(state: ThreadState) -> Sequence[Mapping[str, Any]]:
    """What was said with each destination that the thread is or was with."""
    untold = to_tell(state)
    return [
        {
            "where": where,
            "tickets": [safe_text(one) for one in talk.tickets],
            "heard_at": _time(None if talk.heard is None else talk.heard.at),
            "solved": talk.solved,
            "to_tell": where in untold,
            "reminders": talk.nags,
            "reminded_at": _time(None if talk.nagged is None else talk.nagged.at),
        }
        for where, talk in sorted(state.talks.items())
    ]


def _message(mail: Any, held: Sequence[Held], *, is_open: bool) -> Mapping[str, Any]:
    copy = best_copy(held, is_open=is_open)
    return {
        "message_id": mail.message_id,
        "folder": copy.folder_name if copy else None,
        "uid": copy.uid if copy else None,
        "role": mail.role,
        "author": safe_text(mail.author),
        "automatic": Nature(mail.nature) in MACHINE,
        "flags": sorted(copy.flags) if copy else [],
        "date": _time(mail.date or mail.time),
        "copies": [{"folder": one.folder_name, "uid": one.uid} for one in held if one.limbo is None],
    }


def best_copy(held: Iterable[Held], *, is_open: bool) -> Held | None:
    """The copy that stands for a message: where its thread belongs, then the newest."""
    home = Place.INBOX if is_open else Place.ARCHIVE
    there = [copy for copy in held if copy.limbo is None]
    return max(there, key=lambda c: (c.known.place is home, not c.left, c.arrived, c.uid), default=None)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else utc(moment)
