"""How many mails may be planned at most: what ends a loop that nothing else ends (promise 4).  Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from helpdesk.outbox import OutboxRow, State


class Caps(Protocol):
    """The `[caps]` of the configuration."""

    @property
    def user_per_day(self) -> int:
        """Mails to one user in 24 hours."""

    @property
    def thread_per_day(self) -> int:
        """Mails about one thread in 24 hours."""

    @property
    def board_per_hour(self) -> int:
        """Mails of the whole board in an hour."""


TO_USERS = frozenset({"release", "warning", "notice", "note"})
"""The kinds that go to a user."""


UNCAPPED = frozenset({"alarm"})
"""An alarm happens once a day and kind, and it is what says that a cap tripped."""

_COUNTED = frozenset({State.PLANNED, State.SENDING, State.SENT, State.UNKNOWN, State.OBSERVED})


def capped(row: OutboxRow, recent: Sequence[OutboxRow], caps: Caps, now: datetime) -> str | None:
    """Why this mail must not be planned, or None; `recent` are the rows of the last 24 hours."""
    if row.kind in UNCAPPED or unproven(row):
        return None
    others = [
        one for one in recent if one.message_id != row.message_id and _counts(one) and not unproven(one)
    ]
    today = [one for one in others if one.planned_at > now - timedelta(hours=24)]
    return (
        _too_many_to_a_user(row, today, caps)
        or _too_many_about_the_thread(row, today, caps)
        or _too_many_in_all(others, caps, now)
    )


def unproven(row: OutboxRow) -> bool:
    """Whether nobody has proven to have asked for this mail: it uses up nothing of the board's (`obeying.proof` bounds it)."""
    return row.kind == "confirmation" or (row.kind == "answer" and '"proven": false' in row.context)


def _counts(row: OutboxRow) -> bool:
    return row.state in _COUNTED or bool(row.served)


def _too_many_to_a_user(row: OutboxRow, today: Iterable[OutboxRow], caps: Caps) -> str | None:
    if row.kind not in TO_USERS:
        return None
    mailed = [to.lower() for one in today if one.kind in TO_USERS for to in one.recipients]
    for address in row.recipients:
        count = mailed.count(address.lower())
        if count >= caps.user_per_day:
            return f"{address} got {count} mails in 24 hours ([caps] user_per_day = {caps.user_per_day})"
    return None


def _too_many_about_the_thread(row: OutboxRow, today: Iterable[OutboxRow], caps: Caps) -> str | None:
    count = sum(one.thread == row.thread for one in today) if row.thread else 0
    if count < caps.thread_per_day or not row.thread:
        return None
    return f"{count} mails about {row.thread} in 24 hours ([caps] thread_per_day = {caps.thread_per_day})"


def _too_many_in_all(others: Iterable[OutboxRow], caps: Caps, now: datetime) -> str | None:
    count = sum(one.planned_at > now - timedelta(hours=1) for one in others)
    if count < caps.board_per_hour:
        return None
    return f"{count} mails in an hour ([caps] board_per_hour = {caps.board_per_hour})"
