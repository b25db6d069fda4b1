"""The instance lock on PostgreSQL: an advisory lock of a session that does nothing else, and a name in the database.

The session may be lost: its server restarts, an administrator ends it, a wire breaks.  The lock is free then.  So each
transaction that may write looks, while it has its turn, whether the session still holds the lock and whether the name in
the database is still ours.  Who takes the lock writes its name before anything else, in a turn of its own: from then on
the one before it writes nothing.  A session that was lost while nobody came in between is replaced.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event, text

from helpdesk.errors import HeldError, UsageError
from helpdesk.store import meta
from helpdesk.store.db import Address, open_engine
from helpdesk.store.postgresql import LOCKS, NAMED, is_pooled, may_write

NAME = "instance"
"""The fact about the board that says who may write."""

_LOCK = {"locks": LOCKS, "instance": 2}
_TAKE = text("SELECT pg_backend_pid(), pg_try_advisory_lock(:locks, :instance)")
_HOLDER = text(
    "SELECT pid FROM pg_locks"
    " WHERE locktype = 'advisory' AND granted AND classid = :locks AND objid = :instance AND objsubid = 2"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_NAMED = text("SELECT application_name FROM pg_stat_activity WHERE pid = :pid")


@contextmanager
def held(address: Address) -> Iterator["SessionLock"]:
    """Hold the lock of a database, or say who does (HeldError)."""
    engine = open_engine(address)
    lock = SessionLock(engine)
    try:
        _refuse_pools(engine)
        lock.take()
        yield lock
    finally:
        lock.free()
        engine.dispose()


def try_out(address: Address) -> None:
    """Say why the lock could not be held here (UsageError), without taking it."""
    engine = open_engine(address)
    try:
        _refuse_pools(engine)
    finally:
        engine.dispose()


def _refuse_pools(engine: Engine) -> None:
    """Behind a pooler that lends sessions for a transaction each, the lock would be anybody's."""
    if is_pooled(engine):
        raise UsageError(
            "[store] url: what answers there lends a session for one transaction (PgBouncer with pool_mode = transaction),"
            " and nobody can hold the lock of the board: connect to PostgreSQL directly, or with pool_mode = session"
        )


class SessionLock:
    """A session that holds the lock; any thread may ask about it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._session: Connection | None = None
        self._pid = 0  # of the server's process
        self._name = os.urandom(8).hex()
        self._mutex = threading.Lock()

    def take(self) -> None:
        """Begin a session that holds the lock."""
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        pid, mine = session.execute(_TAKE, _LOCK).one()
        if mine:
            self._session, self._pid = session, pid
            return
        holder = session.execute(_HOLDER, _LOCK).scalar()
        who = str(session.execute(_NAMED, {"pid": holder}).scalar() or "somebody").removeprefix(NAMED)
        session.close()
        raise HeldError(f"another helpdesk works on this board: {who} holds the lock of its database")

    def free(self) -> None:
        """End the session, in whatever state it is."""
        session, self._session = self._session, None
        if session is not None:
            session.invalidate()
            session.close()

    def guard(self, engine: Engine) -> None:
        """Write our name, and let every transaction that may write ask first."""
        with engine.begin() as conn:
            self._renew(conn)
            meta.put(conn, NAME, self._name)
        event.listen(engine, "begin", self._check)

    def _check(self, conn: Connection) -> None:
        """Asked by each transaction that has its turn."""
        if may_write(conn):
            self._renew(conn)
            if meta.get(conn, NAME) != self._name:
                raise HeldError("another helpdesk has worked on this board meanwhile, so this one stops")

    def _renew(self, conn: Connection) -> None:
        with self._mutex:
            if conn.execute(_HOLDER, _LOCK).scalar() != self._pid:
                self.free()
                self.take()
