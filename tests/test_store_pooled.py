"""A pooler between the board and PostgreSQL: what keeps the lock of the board is allowed, what would lose it is refused."""

from pathlib import Path

import pytest

from helpdesk.errors import HeldError, UsageError
from helpdesk.store import db, meta, migrations
from helpdesk.store.lock import instance_lock
from tests.databases import OnServer
from tests.desk import T0, memory_desk
from tests.servers.pgbouncer import BINARY, PgBouncer
from tests.test_cli_postgresql import write_config

pytestmark = pytest.mark.skipif(BINARY is None, reason="PgBouncer is not installed")


def test_a_pooler_that_lends_transactions_is_refused(
    on_postgresql: OnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no session is one's own, `check` says so, `run` ends with 2 before it does anything, and nothing is broken by it."""
    desk = memory_desk(tmp_path, monkeypatch)
    with PgBouncer(on_postgresql.server, "transaction") as bouncer:
        write_config(desk, bouncer.url(on_postgresql.name))
        refused = desk.say("run", "--once", "--now", T0)
        assert (refused.code, refused.out) == (2, "")
        assert "pool_mode = session" in refused.err
        assert "pool_mode = session" in " ".join(desk.say("check").out.split())
        with pytest.raises(UsageError, match="pool_mode"), instance_lock(bouncer.url(on_postgresql.name)):
            pass
    with instance_lock(on_postgresql.url):
        assert migrations.check(on_postgresql.url) == []


def test_a_pooler_that_lends_sessions_is_as_good_as_none(on_postgresql: OnServer) -> None:
    """With sessions of its own an instance holds the lock through a pooler, and leaves it behind for the next."""
    with PgBouncer(on_postgresql.server, "session") as bouncer:
        url = bouncer.url(on_postgresql.name)
        for value in ("first", "second"):
            engine = db.open_engine(url)
            with instance_lock(url) as lock:
                lock.guard(engine)
                with engine.begin() as conn:
                    meta.put(conn, "key", value)
                with (
                    pytest.raises(HeldError, match="another helpdesk works"),
                    instance_lock(on_postgresql.url),
                ):
                    pass
            engine.dispose()
