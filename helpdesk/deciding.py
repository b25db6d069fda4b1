"""The stage `decide`: every thread where something happened, a batch at a time, under brakes that see the whole plan.

Two passes, because a plan may be about a hundred thousand threads and a brake must see all of it before any of it
counts.  The first decides everything, stores what no brake can ever keep back, and keeps of the rest only its shape.
The second decides again those that may go (the same facts give the same decision).  It is one transaction, committed
before the first command.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from helpdesk import posting
from helpdesk.actions import Action
from helpdesk.board import Board
from helpdesk.foretelling import Asked, Foretold, Here, asked, decisions, foretell
from helpdesk.model import Stamp
from helpdesk.obeying import Obeying, begin
from helpdesk.report import Done, Note, Report
from helpdesk.rules.brakes import AUTO_CLOSE, MAILS, Braked, Budget, Shape, brake, shape
from helpdesk.rules.decide import Decision
from helpdesk.rules.facts import Policy, Told
from helpdesk.shifts import noted
from helpdesk.shifts.duty import Shifts
from helpdesk.store import boardmails, commands, copies, holds, journal, meta, outbox, requests, threads
from helpdesk.wishes import Wishes, read_wishes

MANY = 1000
"""With fewer threads it is done before a helper would have helped much."""

SHIFTED = ("auto_close", "urgent")
"""The rules that look at the rota."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the whole stage works with."""

    board: Board
    conn: Connection
    stamp: Stamp
    wishes: Wishes
    report: Report
    policy: Policy  # the board's, with the shifts as they are known now
    told: list[Told] = field(default_factory=list)  # what became of orders


def decide_all(
    board: Board,
    conn: Connection,
    stamp: Stamp,
    allowed: Budget,
    observed: Iterable[tuple[str, str]],
    report: Report,
) -> None:
    """Decide what is due and store it, with what the observation holds; `report` takes what is done and held."""
    wishes = read_wishes(conn, stamp.at)
    report.held += holds.update(conn, observed, stamp.at, approval=wishes.approved)
    obeying = _obey(board, conn, stamp, report)
    if obeying is not None:
        wishes = replace(read_wishes(conn, stamp.at), orders=obeying.orders())
    known = board.duty.known
    stage = Stage(board, conn, stamp, wishes, report, replace(board.policy, rota=known.rota))
    _notice_new_policy(stage)
    _notice_new_rota(stage, known)
    keys = sorted({*threads.due(conn, stamp.at), *wishes.threads(conn)})
    if keys and board.act:
        boardmails.due(conn)
    held = holds.held_rules(conn)
    few = len(keys) < MANY
    if few or obeying is not None or wishes.threads(conn) or outbox.any_about_threads(conn):
        board.hands.close()  # what this transaction knows of threads, or has written, a helper does not see
    if holds.board_is_held(report.held):
        requests.done(conn, [one for one in wishes.requests if one.kind == "resume"], stamp.at)
        for batch in _decisions(stage, keys, held):
            _tell(stage, batch)
    else:
        _granted(stage, _carry_out(stage, keys, held, allowed))
        if obeying is not None:
            mails = [m for m in obeying.finish(stage.told) if not posting.is_known(board, conn, m)]
            _enter(stage, mails)
            report.actions += [done(board, mail) for mail in mails]
    board.hands.close()  # nothing is as much again


def _obey(board: Board, conn: Connection, stamp: Stamp, report: Report) -> Obeying | None:
    """The command mails that wait; none while the board, or its mails, are held: their answers could not leave."""
    if holds.board_is_held(report.held) or any(hold.what == MAILS for hold in report.held):
        return None
    return begin(board, conn, stamp) if commands.any_wait(conn) else None


def _notice_new_policy(stage: Stage) -> None:
    """Other labels, destinations or delays concern every thread; `act` too, because observe mode leaves plans undone."""
    conn, board = stage.conn, stage.board
    known, policy = (
        meta.get(conn, meta.POLICY),
        hashlib.sha256(repr((board.policy, board.act)).encode()).hexdigest(),
    )
    if known == policy:
        return
    meta.put(conn, meta.POLICY, policy)
    if known is not None:
        threads.mark_all_dirty(conn)


def _notice_new_rota(stage: Stage, known: Shifts) -> None:
    """Other shifts concern the threads that wait for one; that the next day is known is nothing new."""
    before = meta.get(stage.conn, meta.ROTA) or ""
    if before == known.noted:
        return
    meta.put(stage.conn, meta.ROTA, known.noted)
    if noted.differ(before, known.noted):
        threads.mark_dirty(stage.conn, threads.pending_for(stage.conn, SHIFTED))


def _carry_out(stage: Stage, keys: Sequence[int], held: AbstractSet[str], allowed: Budget) -> frozenset[int]:
    """Store everything that may go; the threads that a held rule keeps as they were, with all their events."""
    risky: list[Shape] = []
    for told in _foretold(stage, keys, held):
        shapes = {d.key: found for d in told.decisions if (found := shape(d)) is not None}
        risky += shapes.values()
        threads.save_rows(stage.conn, told.rows)
        _commit(stage, [d for d in told.decisions if d.key not in shapes])
    if not risky:
        return frozenset()
    braked = _brake(stage, risky, allowed)
    now_held = holds.held_rules(stage.conn)
    kept = frozenset(s.key for s in risky if s.key in braked.held or s.blocked(now_held))
    waiting = braked.waiting - kept
    going = [s.key for s in risky if s.key not in kept | waiting]
    for batch in _decisions(stage, going, held):
        _commit(stage, batch)
    for batch in _decisions(stage, sorted(waiting), held | {AUTO_CLOSE}):
        _commit(stage, batch)
    threads.mark_dirty(stage.conn, kept)
    return kept


def _brake(stage: Stage, risky: Sequence[Shape], allowed: Budget) -> Braked:
    """A plan that a person has seen and approved has no limit: a rule's, or all where the board or its mails were held."""
    approved = holds.approved(stage.conn, stage.stamp.at)
    if approved & {*holds.BOARD, MAILS}:
        approved = frozenset(rule for one in risky for rule in (*one.moves, *one.mails))
    braked = brake(risky, allowed, approved)
    stage.report.held += holds.hold_rules(stage.conn, braked.why)
    return braked


def _granted(stage: Stage, kept: frozenset[int]) -> None:
    """What was wished for a thread that is kept back stays a wish."""
    conn, wishes = stage.conn, stage.wishes.granted(kept)
    requests.done(conn, wishes.requests, stage.stamp.at)
    journal.mark(conn, wishes.undone, "undone")


def _asked(stage: Stage, held: AbstractSet[str]) -> Asked:
    return Asked((), stage.stamp, stage.policy, stage.wishes, held, stage.board.observes)


def _decisions(stage: Stage, keys: Sequence[int], held: AbstractSet[str]) -> Iterator[Sequence[Decision]]:
    for batch in asked(keys, _asked(stage, held)):
        yield decisions(stage.conn, stage.board.dialect, batch)


def _foretold(stage: Stage, keys: Sequence[int], held: AbstractSet[str]) -> Iterator[Foretold]:
    """The same, with helpers where there are any: in a first cycle."""
    here = Here(stage.conn, stage.board.dialect)
    questions = asked(keys, _asked(stage, held))
    for _, told in stage.board.hands.answers(foretell, here, questions):
        yield told


def _commit(stage: Stage, decisions: Sequence[Decision]) -> None:
    board, conn, _stamp = stage.board, stage.conn, stage.stamp
    copies.apply_plan(conn, board.dialect, [p for d in decisions for p in d.plans], writing=board.act)
    threads.save(conn, (threads.decided(d, again=_busy(d)) for d in decisions))
    _enter(stage, [action for decision in decisions for action in decision.actions])
    stage.told.extend(told for decision in decisions for told in decision.told)
    _tell(stage, decisions)


def _enter(stage: Stage, actions: Sequence[Action]) -> None:
    """Actions go into the journal, mails into the outbox."""
    status = "planned" if stage.board.act else "observed"
    journal.write(stage.conn, actions, stage.stamp, status)
    stage.report.held += posting.plan(stage.board, stage.conn, actions, stage.stamp)


def _busy(decision: Decision) -> bool:
    return any(p.add or p.remove or p.place for p in decision.plans)


def _tell(stage: Stage, decisions: Iterable[Decision]) -> None:
    board, report = stage.board, stage.report
    for decision in decisions:
        report.actions += [done(board, action) for action in decision.actions]
        report.notes += [Note(board.thread_id(decision.code), note) for note in decision.notes]


def done(board: Board, action: Action) -> Done:
    """An action as the report tells it."""
    what = action.what.removeprefix("\\")
    return Done(action.id, action.kind.value, board.thread_id(action.code), action.rule, action.reason, what)
