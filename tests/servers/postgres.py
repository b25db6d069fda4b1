"""A private PostgreSQL: user `helpdesk` without a password, `secretive` with one; as root it runs as an ordinary user.

Text is compared by the rules of a language (ICU) wherever a column does not say otherwise, and nothing reaches the disk.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.servers.process import free_port, leash, memory

PASSWORD: Final = "a-secret-of-the-tests"
_DEBIAN: Final = Path("/usr/lib/postgresql")
_ICU: Final = 15
"""The first version whose clusters compare by ICU."""


def _programs() -> Path | None:
    """The folder of the newest server: Debian keeps each version apart, others have them in PATH."""
    found = sorted(
        _DEBIAN.glob("*/bin/initdb"), key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))]
    )
    usual = shutil.which("initdb")
    return found[-1].parent if found else Path(usual).resolve().parent if usual else None


PROGRAMS: Final = _programs()


@dataclass(slots=True)
class Postgres:
    """A server with its own directory; it can be stopped and started again."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str, user: str = "helpdesk") -> str:
        """The address of a database."""
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection for what only an administrator does."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="helpdesk", dbname=database, autocommit=True
        )

    def do(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Carry out statements; the rows of the last one."""
        rows: list[tuple[Any, ...]] = []
        with self.connect(database) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def certify(self, pem: bytes | None) -> None:
        """Let it speak TLS with this key and certificate from now on, or not any more."""
        if pem is not None:
            file = self.directory / "data" / "server.pem"
            file.write_bytes(pem)
            file.chmod(0o600)
            if os.geteuid() == 0:
                os.chown(file, owner()["user"], -1)
            self.do(
                "ALTER SYSTEM SET ssl_cert_file = 'server.pem'",
                "ALTER SYSTEM SET ssl_key_file = 'server.pem'",
            )
        self.do(f"ALTER SYSTEM SET ssl = {'off' if pem is None else 'on'}", "SELECT pg_reload_conf()")
        wanted = "off" if pem is None else "on"
        while self.do("SHOW ssl") != [(wanted,)]:
            time.sleep(0.02)

    def start(self) -> None:
        """Let it run, and wait until it answers."""
        assert PROGRAMS is not None
        calm = (
            "fsync=off",
            "full_page_writes=off",
            "max_wal_size=4GB",
            "checkpoint_timeout=1h",
            "autovacuum=off",
        )
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*leash(), str(PROGRAMS / "postgres"), "-D", str(self.directory / "data"), "-p", str(self.port),
                 *(word for setting in calm for word in ("-c", setting))],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **owner(),
            )  # fmt: skip
        end = time.monotonic() + 20
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    said = (self.directory / "server.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"PostgreSQL does not start: {said}") from error
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it and everybody's connection, as an administrator who restarts it does."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(20)

    def remove(self) -> None:
        """End it for good."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(20)
        shutil.rmtree(self.directory, ignore_errors=True)


def start() -> Postgres:
    """Make a server."""
    if PROGRAMS is None:
        raise FileNotFoundError("PostgreSQL is not installed")
    directory = Path(tempfile.mkdtemp(prefix="hd", dir=memory()))
    if os.geteuid() == 0:
        os.chown(directory, owner()["user"], -1)
    version = subprocess.run(
        [PROGRAMS / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    major = int(re.findall(r"\d+", version)[0])
    language = ["--locale-provider=icu", "--icu-locale=en-US"] if major >= _ICU else []
    subprocess.run(
        [PROGRAMS / "initdb", "-D", directory / "data", "-U", "helpdesk", "-A", "trust", "-E", "UTF8",
         "--locale=C.UTF-8", *language, "--no-sync"],
        check=True, capture_output=True, cwd=directory, **owner(),
    )  # fmt: skip
    with (directory / "data" / "postgresql.conf").open("a") as settings:
        settings.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")
    (directory / "data" / "pg_hba.conf").write_text(
        "host all secretive 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
    )
    server = Postgres(directory, free_port())
    try:
        server.start()
    except RuntimeError:
        server.remove()
        raise
    server.do(f"CREATE ROLE secretive LOGIN PASSWORD '{PASSWORD}'")
    return server


def owner() -> dict[str, Any]:
    """Who runs it: initdb and postgres refuse root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    who = names.get("postgres") or names["nobody"]
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
