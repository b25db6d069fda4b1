"""Robots work beside the daemon's mail: jobs that a command asks for run, and their records come home."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk.robots import datasets
from helpdesk.store import db, records
from tests.conftest import Login
from tests.desk import process
from tests.servers.daemon import Daemon, Setting, eventually
from tests.servers.smtp_sink import SmtpSink

SITES = """
[[site]]
name = "DESY-HH"
[[site.queue]]
experiment = "atlas"
queue = "desy"
[[dataset]]
name = "zmumu"
inputs = ["zmumu.root"]
[[template]]
name = "dimuon"
experiment = "atlas"
payload = "dimuon"
dataset = "zmumu"
[robots]
blacklist_file = "blacklist.json"
"""


@pytest.fixture
def setting(tmp_path: Path, login: Callable[[str], Login]) -> Iterator[Setting]:
    with SmtpSink() as sink:
        yield Setting(tmp_path, login("dovecot-mdbox"), sink, more=SITES)


def test_a_command_asks_a_running_daemon(setting: Setting) -> None:
    """While a daemon runs, `robots run` leaves the jobs to it; each runs once, its record is kept, the blacklist is there."""
    datasets.make("zmumu", 1000, setting.folder / "zmumu.root")
    with Daemon(setting):
        engine = db.open_engine(setting.url)
        said = process(
            setting.folder, "robots", "run", "--count", "2", MAILBOX_PASSWORD=setting.imap.password
        )
        assert (said.code, said.out) == (0, "")
        assert "it sends the jobs" in said.err

        def ended() -> list[str]:
            with db.reading(engine) as conn:
                return [one.state.value for one in records.read(conn)]

        eventually(lambda: len(ended()) == 2, "two jobs have ended", 90)
        assert ended() == ["success", "success"]
        assert (setting.folder / "blacklist.json").exists()
        engine.dispose()
