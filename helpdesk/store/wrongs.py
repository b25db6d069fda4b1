"""Observe mode's report, judged by people: `wrong 3` says that plan 3 of it was wrong, and why.

A report numbers its plans when it is planned: its row's context names the actions behind each number, so that a number means the
same for ever, whatever was decided since.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from helpdesk.errors import UsageError
from helpdesk.store.core import OUTBOX, WRONG

RULE = "observe_report"
MAX_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody says about one plan; `actions` are the ids in the journal that it consists of."""

    report: str  # the Message-ID of the report
    number: int
    by: str  # a name
    at: datetime
    words: str
    actions: tuple[str, ...] = ()


def mark(conn: Connection, one: Mark) -> Mark:
    """Keep a mark; `report` "" means the newest report.  Said again by the same person it takes the place of the first.

    UsageError, a sentence for the answer: there is no such report, or no such number in it.
    """
    reports = select(OUTBOX.c.message_id, OUTBOX.c.context).where(OUTBOX.c.rule == RULE)
    if one.report:
        reports = reports.where(OUTBOX.c.message_id == one.report)
    row = conn.execute(reports.order_by(OUTBOX.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        raise UsageError("there is no report of what would have been done that this could be about")
    plans = json.loads(row.context)["plans"] if row.context else []
    if not 1 <= one.number <= len(plans):
        last = f"its plans are 1 to {len(plans)}" if plans else "it had no plans"
        raise UsageError(f"the report has no plan {one.number}: {last}")
    kept = Mark(
        row.message_id, one.number, one.by, one.at, one.words[:MAX_WORDS], tuple(plans[one.number - 1])
    )
    mine = (WRONG.c.report == kept.report, WRONG.c.number == kept.number, WRONG.c.author == kept.by)
    conn.execute(delete(WRONG).where(*mine))
    conn.execute(insert(WRONG).values(_values(kept)))
    return kept


def about(conn: Connection, actions: Iterable[str]) -> dict[str, Sequence[Mark]]:
    """The marks on these actions, oldest first, by action."""
    wanted = set(actions)
    marks = list(_marks(conn)) if wanted else []
    found = {action: [one for one in marks if action in one.actions] for action in sorted(wanted)}
    return {action: said for action, said in found.items() if said}


def since(conn: Connection, start: datetime) -> Sequence[Mark]:
    """The marks that were made from a moment on, oldest first."""
    return [one for one in _marks(conn) if one.at >= start]


def _marks(conn: Connection) -> Iterable[Mark]:
    """People make few of them, by hand."""
    for row in conn.execute(select(WRONG).order_by(WRONG.c.at, WRONG.c.id)):
        yield _mark(row)


def _values(one: Mark) -> dict[str, Any]:
    return {
        "report": one.report,
        "number": one.number,
        "author": one.by,
        "at": one.at,
        "words": one.words,
        "actions": " ".join(one.actions),
    }


def _mark(row: Any) -> Mark:
    return Mark(row.report, row.number, row.author, row.at, row.words, tuple(row.actions.split()))
