"""A private PgBouncer before a private PostgreSQL."""

import shutil
import subprocess
import time
from typing import Final, Literal, Self

import psycopg

from tests.servers.postgres import Postgres, owner
from tests.servers.process import free_port, kill_group, leash, short_directory

BINARY: Final = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")

_CONFIG: Final = """\
[databases]
* = host=127.0.0.1 port={server} user=helpdesk
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
"""


class PgBouncer:
    """Lends sessions of a server for as long as `mode` says; use it as a context manager."""

    def __init__(self, server: Postgres, mode: Literal["session", "transaction"]) -> None:
        self._folder = short_directory()
        self._port = free_port()
        (self._folder / "bouncer.ini").write_text(
            _CONFIG.format(server=server.port, port=self._port, mode=mode)
        )

    def __enter__(self) -> Self:
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*leash(), str(BINARY), str(self._folder / "bouncer.ini")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **owner(),
            )  # fmt: skip
        end = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < end:
            try:
                psycopg.connect(host="127.0.0.1", port=self._port, user="x", dbname="postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return self
        said = (self._folder / "log").read_text()
        self.__exit__()
        raise RuntimeError(f"PgBouncer does not answer: {said}")

    def __exit__(self, *_: object) -> None:
        kill_group(self._process, self._folder)

    def url(self, database: str) -> str:
        """The address of a database behind it."""
        return f"postgresql+psycopg://helpdesk@127.0.0.1:{self._port}/{database}"
