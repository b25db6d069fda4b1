"""All that is special about PostgreSQL (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS).

It behaves here as SQLite does: transactions that may write take turns, so that none can overtake what another has read;
those that only read see one state of the database and wait for nobody; texts are compared by their bytes.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.types import String

from helpdesk.errors import UnreachableError, UsageError

WAIT_SECONDS = 15
"""As long as SQLite's busy_timeout: so long may another writer take."""

READING = {
    "helpdesk_reading": True,
    "isolation_level": "REPEATABLE READ",
    "postgresql_readonly": True,
}
"""The execution options of connections that only read."""

LOCKS = 0x68656C70
"""The first half of our advisory locks' keys: "help"."""

_TURN = 1

_CONNECTING = {
    "connect_timeout": "10",
    "client_encoding": "utf8",
    "keepalives_idle": "30",  # a server that is gone is noticed within a minute
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""What libpq should do unless the URL says otherwise."""

_SESSION = {
    "lock_timeout": f"{WAIT_SECONDS}s",
    "idle_in_transaction_session_timeout": "0",  # a look at a large mailbox reads for long
    "idle_session_timeout": "0",  # the session with the instance lock is idle all the time
    "tcp_keepalives_idle": "30",  # a client that is gone holds neither turn nor lock for long
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "jit": "off",  # compiling takes longer than any of our queries
}
"""Settings of every session, as far as the server knows them."""

_SETTINGS = (
    "SELECT set_config(name, value, false) FROM (VALUES "
    + ", ".join(f"('{name}', '{value}')" for name, value in _SESSION.items())
    + ") AS wanted (name, value) JOIN pg_settings USING (name) UNION ALL "
    # what is committed is on the disk, whatever the server's default; stronger promises are kept
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
).replace("(name, value) JOIN", "(name, value) JOIN")

_BUSY = "55P03"
_DENIED = "42501"
_GONE = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05", "53300"})
"""SQLSTATE of a server that ends, starts, or has no room for us."""


def open_engine(url: URL, password: Callable[[], str] | None) -> Engine:
    """Connect as often as needed; a password that is not in the URL is asked for at every login."""
    try:
        engine = create_engine(
            url,
            pool_pre_ping=True,  # after a restart of the server the next transaction connects anew
            hide_parameters=True,
            connect_args={
                "application_name": f"helpdesk: process {os.getpid()} on {socket.gethostname()}"[:63],
                **{name: value for name, value in _CONNECTING.items() if name not in url.query},
            },
        )
    except ModuleNotFoundError as error:
        raise UsageError(
            "a database on PostgreSQL needs psycopg: install helpdesk with [postgresql]"
        ) from error
    if password is not None:
        event.listen(
            engine, "do_connect", lambda _dialect, _record, _args, how: how.update(password=password())
        )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "handle_error", _on_error)
    return engine
