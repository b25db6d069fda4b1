"""What a digest is made from, read from the store: every open thread, the shifts, what waits for a person."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from helpdesk import blaming
from helpdesk.board import Board
from helpdesk.digest.build import listed
from helpdesk.digest.facts import Case, Now, Told
from helpdesk.model import HUMAN_NATURES, TEAM, LabelKind
from helpdesk.observing import Judged, ObservedMail, Planned, plan, report
from helpdesk.outbox import OutboxRow, State
from helpdesk.report import utc
from helpdesk.reviewing import ReviewMail, review
from helpdesk.rules.facts import ThreadFacts
from helpdesk.shifts.rota import Rota
from helpdesk.standings import standings
from helpdesk.store import (
    census,
    digests,
    figures,
    handovers,
    holds,
    journal,
    lookups,
    names,
    threads,
    wrongs,
)
from helpdesk.store import outbox as rows
from helpdesk.store.handovers import Handover
from helpdesk.store.wrongs import Mark

WITHOUT_SHIFTS = timedelta(hours=24)
LONGEST = timedelta(days=7)
"""How far back a digest looks, whenever the shift before it was."""


def gather(board: Board, conn: Connection, now: datetime, told: Iterable[Handover]) -> Now:
    """The board as it stands; what its mails say is nobody's here to read (`helpdesk.letters` adds that)."""
    known, since = board.duty.known, before(board.duty.known.rota, now)
    waiting = rows.rows(conn, (State.HELD, State.FAILED))
    keys = digests.wanted(conn, since, {row.id: row for row in waiting})
    cases = tuple(_cases(board, conn, keys, waiting))
    facts = Now(
        now=now,
        since=since,
        zone=board.telling.timezone,
        policy=board.policy,
        rota=known.rota,
        problems=known.problems or ((f"it was never read ({known.trouble})",) if known.trouble else ()),
        cases=cases,
        older=digests.older(conn),
        new=digests.opened_since(conn, since),
        closed=digests.closed_since(conn, since),
        handovers=tuple(Told(one.author, one.at, one.verified, one.words) for one in told),
        board=tuple(_about_the_board(conn, cases, waiting)),
        sites=standings(board, conn, since, now),
        first_reply=board.telling.first_reply,
        tag=board.name,
    )
    shown = listed(facts)
    zone = ZoneInfo(board.telling.timezone)
    fault = blaming.told(conn, [case.facts.key for case in shown], now, zone)
    return replace(
        facts,
        names={case.facts.code: names.short(conn, case.facts.code) for case in shown},
        cases=tuple(replace(case, fault=fault.get(case.facts.key, ())) for case in cases),
    )


def handed_over(board: Board, conn: Connection, now: datetime) -> Sequence[Handover]:
    """What a digest opens with that is shown now: what waits, and what the running shift was told."""
    running = () if board.duty.known.rota is None else board.duty.known.rota.current(now)
    return handovers.shown(conn, [utc(one.start) for one in running])


def before(rota: Rota | None, now: datetime) -> datetime:
    """When the shift before the running one began: what happened since is news."""
    previous = () if rota is None else rota.previous(now)
    start = previous[0].start if previous else now - WITHOUT_SHIFTS
    return max(start, now - LONGEST)


def _cases(
    board: Board, conn: Connection, keys: Sequence[int], waiting: Iterable[OutboxRow]
) -> Iterator[Case]:
    held: dict[str, list[str]] = defaultdict(list)
    for row in waiting:
        held[row.thread].append(_held(row))
    said, notes = digests.sayings(conn, keys), journal.notes(conn, keys)
    for facts in threads.load(conn, keys, board.dialect):
        mine = said[facts.key]
        asker = next((m.key for m in facts.messages if m.nature in HUMAN_NATURES and m.role not in TEAM), 0)
        ends = [facts.messages[0].key, facts.messages[-1].key] if facts.messages else [0, 0]
        texts = digests.Words()
        yield Case(
            facts,
            subject=mine.words.get(ends[0], texts).subject,
            user=mine.words.get(asker, texts).author,
            notes=mine.notes,
            closes=mine.closes,
            mails=tuple(held[board.thread_id(facts.code)]),
            said=notes.get(facts.key, ""),
            link=mine.words.get(ends[1], texts).message_id,
        )


def _held(row: OutboxRow) -> str:
    return f"mail {row.id} ({row.kind}) is {row.state}: {row.last_answer}"


def _about_the_board(conn: Connection, cases: Sequence[Case], waiting: Iterable[OutboxRow]) -> Iterator[str]:
    """What is held, what cannot be read, and which labels nobody explained."""
    for hold in holds.current(conn):
        yield f"{hold.what} is held: {hold.why}"
    yield from (_held(row) for row in waiting if not row.thread)
    if unreadable := digests.quarantined(conn):
        mails = "1 mail" if unreadable == 1 else f"{unreadable} mails"
        yield f"{mails} cannot be read: see helpdesk ledger"
    for label, number in sorted(unexplained([case.facts for case in cases]).items()):
        thread = "1 thread" if number == 1 else f"{number} threads"
        yield f'label "{label}" on {thread}: nobody explained it'


def unexplained(facts: Iterable[ThreadFacts]) -> Mapping[str, int]:
    """The keywords that humans set on open threads and nobody configured, and on how many threads each is."""
    return Counter(
        keyword
        for one in facts
        if one.state.open
        for keyword in {word.lower() for copy in one.copies for word in copy.unknown}
    )


def label_review(board: Board, conn: Connection) -> ReviewMail | None:
    """What is to be said about labels as the week ends."""
    facts = threads.load(conn, figures.open_threads(conn), board.dialect)
    carried = census.open_by_label(conn)
    temporary = [name for name, kind in board.policy.kinds.items() if kind is LabelKind.TEMPORARY]
    used = {name: carried.get(name, 0) for name in temporary if lookups.ever_had(conn, name)}
    return review(board.telling.meanings, used, unexplained(facts))


def observation(board: Board, conn: Connection, row: OutboxRow, now: datetime) -> ObservedMail:
    """The report of observe mode that this row numbers the plans of."""
    kept = json.loads(row.context)
    since, zone = datetime.fromisoformat(kept["since"]), ZoneInfo(board.telling.timezone)
    known = journal.with_ids(conn, (one for ids in kept["plans"] for one in ids))
    said = digests.sayings(conn, {one.thread for one in known.values() if one.thread})
    plans = []
    for number, ids in enumerate(kept["plans"], 1):
        entries = [known[one] for one in ids if one in known]
        if entries:
            mine = said[entries[0].thread or 0]
            words = mine.words.get(min(mine.words, default=0), digests.Words())
            about = f"{words.author}: {words.subject}" if words.author else words.subject
            found = [Planned(e.id, e.at, e.code, e.kind, e.what, e.rule, e.reason) for e in entries]
            name = names.short(conn, entries[0].code) if entries[0].code else ""
            plans.append(plan(number, found, name, about, zone, words.message_id))
    judged = [
        Judged(one.number, _thread_of(conn, one), one.by, one.words) for one in wrongs.since(conn, since)
    ]
    return report(now, since, zone, plans, int(kept["more"]), judged)


def _thread_of(conn: Connection, mark: Mark) -> str:
    codes = [one.code for one in journal.with_ids(conn, mark.actions).values() if one.code]
    return names.short(conn, codes[0]) if codes else ""
