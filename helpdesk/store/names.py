"""What people call a thread: any unique prefix of a code, with or without the board's name (design section 1)."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, select

from helpdesk.errors import UsageError
from helpdesk.store.core import REF, THREAD, chunks

SHORTEST = 5
LONGEST = 10


def short(conn: Connection, code: str) -> str:
    """The shortest prefix of at least five characters that no other thread's code shares."""
    for length in range(SHORTEST, LONGEST):
        prefix = code[:length]
        query = select(func.count()).select_from(THREAD).where(*_between(THREAD.c.code, prefix))
        if conn.execute(query).scalar_one() <= 1:
            return prefix
    return code


def find(conn: Connection, text: str, board: str) -> int:
    """The thread that `text` means: the prefix of its code, or of a code derived from any of its members.

    Raises UsageError when it means none or several.
    """
    prefix = text.strip().lower().removeprefix(f"{board.lower()}-")
    if not prefix or not prefix.isalnum():
        raise UsageError(
            f"{text!r} is no thread id: give the first five characters or more, as in `helpdesk threads`"
        )
    direct = _keys(conn, prefix)
    if len(direct) == 1:
        return direct[0]
    query = select(REF.c.thread).where(*_between(REF.c.code, prefix)).distinct().limit(2)
    found = set(conn.execute(query).scalars()) | set(direct)
    if len(found) == 1:
        return found.pop()
    if found:
        raise UsageError(f"{text!r} means more than one thread: give more characters")
    raise UsageError(f"no thread {text!r} on this board: `helpdesk threads` lists them")


def codes(conn: Connection, threads: Iterable[int]) -> Sequence[str]:
    """The codes of these threads."""
    found: list[str] = []
    for chunk in chunks(threads):
        found += conn.execute(select(THREAD.c.code).where(THREAD.c.id.in_(chunk))).scalars()
    return found


def aliases(conn: Connection, thread: int, code: str) -> Sequence[str]:
    """The other codes that mean this thread: one for each id that it has or names."""
    query = select(REF.c.code).where(REF.c.thread == thread, REF.c.code != code).order_by(REF.c.code)
    return list(conn.execute(query).scalars())


def _keys(conn: Connection, prefix: str) -> list[int]:
    return list(conn.execute(select(THREAD.c.id).where(*_between(THREAD.c.code, prefix)).limit(2)).scalars())


def _between(column: Column[Any], prefix: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """A range, not LIKE: the index serves it on every database."""
    return column >= prefix, column < prefix + "\x7f"
