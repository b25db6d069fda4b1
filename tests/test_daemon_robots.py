"""Robots work beside the daemon's mail: jobs that a command asks for run, records come home, and a contact is told and obeyed."""

import email
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from helpdesk.occasions import speaking_since
from helpdesk.reports import weeks
from helpdesk.robots import datasets
from helpdesk.robots.record import JobState, Record
from helpdesk.store import boardmails, db, meta, migrations, records, site_orders
from helpdesk.store.site_orders import SiteOrder
from tests.conftest import Login
from tests.desk import process
from tests.human import ImapHuman
from tests.servers.daemon import Daemon, Setting, eventually
from tests.servers.smtp_sink import SmtpSink
from tests.test_robots_records import FAILED

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


DIETER = "dieter@desy.example.org"
PLACES = tuple(f"S{number}" for number in range(6))
GRID = f"""
[auth]
authserv_ids = ["mx.example.org"]
[[people]]
name = "Dieter Dahl"
addresses = ["{DIETER}"]
roles = ["contact"]
{
    "".join(
        f'''[[site]]
name = "{name}"
{'contacts = ["Dieter Dahl"]' if name == "S0" else ""}
[[site.queue]]
experiment = "atlas"
queue = "{name}"
'''
        for name in PLACES
    )
}
[[dataset]]
name = "zmumu"
inputs = ["there is none.root"]
[[template]]
name = "dimuon"
experiment = "atlas"
payload = "dimuon"
dataset = "zmumu"
[robots]
blacklist_file = "blacklist.json"
mail_after_minutes = 0
mail_from_hour = 0
mail_until_hour = 24
"""


def two_hours(now: datetime) -> Iterator[Record]:
    """Every site has a job every ten minutes, and those of S0 fail."""
    for place in PLACES:
        for number in range(1, 13):
            at = now - timedelta(minutes=10 * number)
            more = (
                {}
                if place == "S0"
                else {"state": JobState.SUCCESS, "phase": None, "error_class": "", "native_code": ""}
            )
            times = {"t_scheduled": at, "t_submitted": at, "t_final": at, "t_observed": at}
            yield replace(FAILED, job=f"{place}-{number}", site=place, **times, **more)  # type: ignore[arg-type]  # any of its fields


def reply(letter: bytes, words: str) -> bytes:
    """What a contact's client sends, and his mail server vouches for."""
    answered = email.message_from_bytes(letter, policy=SMTP)
    message = EmailMessage()
    message["Authentication-Results"] = "mx.example.org; dmarc=pass header.from=desy.example.org"
    message["From"], message["To"] = DIETER, str(answered["Reply-To"])
    message["Subject"], message["Message-ID"] = f"Re: {answered['Subject']}", "<answer@desy.example.org>"
    message["Date"] = datetime.now(UTC)
    message["In-Reply-To"] = message["References"] = str(answered["Message-ID"])
    message.set_content(words)
    return message.as_bytes()


def test_a_contact_is_told_and_obeyed(
    tmp_path: Path, login: Callable[[str], Login], human_on: Callable[[Login], ImapHuman]
) -> None:
    """A site goes out, its contact hears, answers `out until tomorrow` and hears again; the blacklist names him until `unpin`."""
    with SmtpSink() as sink:
        setting = Setting(tmp_path, login("dovecot-mdbox"), sink, more=GRID)
        migrations.upgrade(setting.url)
        engine = db.open_engine(setting.url)
        with engine.begin() as conn:
            records.add(conn, two_hours(datetime.now(UTC)))

        def listed() -> dict[str, Any]:
            path = setting.folder / "blacklist.json"
            found = json.loads(path.read_text())["excluded"].get("atlas", {}) if path.exists() else {}
            return dict(found.get("S0", {}))

        with Daemon(setting):
            human = human_on(setting.imap)
            told = eventually(lambda: sink.received, "the contact is told", 60)[0]
            assert DIETER in told.recipients
            assert listed()["cause"] == "evidence"
            human.deliver("INBOX", reply(told.content, "helpdesk: out until tomorrow\n\nNew disks."))
            answer = eventually(lambda: sink.received[1:], "an answer", 60)[0]
            assert DIETER in answer.recipients
            assert b"S0 gets no jobs of atlas from now" in answer.content
            eventually(lambda: listed()["by"] == "Dieter Dahl", "the blacklist names him", 60)
            assert (listed()["cause"], listed()["until"] > f"{datetime.now(UTC):%Y-%m-%d}") == ("pin", True)
            said = process(setting.folder, "robots", "unpin", "S0", MAILBOX_PASSWORD=setting.imap.password)
            assert "Ended: pinned out" in said.out
            eventually(lambda: listed()["by"] == "robot", "the robots decide again", 60)

            def tested() -> list[str]:
                with db.reading(engine) as conn:
                    return [one.site for one in records.read(conn) if one.campaign_id == "retest"]

            assert eventually(tested, "it was tested", 90) == ["S0"]
        engine.dispose()


def reporting(moment: datetime) -> str:
    """Reports fall due at this moment of the week, for a site in UTC."""
    return f"""
[[people]]
name = "Dieter Dahl"
addresses = ["{DIETER}"]
roles = ["contact"]
[[site]]
name = "S0"
timezone = "UTC"
contacts = ["Dieter Dahl"]
[[site.queue]]
experiment = "atlas"
queue = "S0"
[reports]
enabled = true
weekly = "{moment:%A %H:%M}"
"""


def test_a_report_falls_due(tmp_path: Path, login: Callable[[str], Login]) -> None:
    """A daemon that begins an hour after a report fell due sends it, the week's failures in it; killed and begun again it sends no other."""
    now = datetime.now(UTC)
    with SmtpSink() as sink:
        setting = Setting(tmp_path, login("dovecot-mdbox"), sink, more=reporting(now - timedelta(hours=1)))
        migrations.upgrade(setting.url)
        engine = db.open_engine(setting.url)
        bad = replace(FAILED, site="S0", native_text="cannot open the file", native_code="pilot:1099")
        with engine.begin() as conn:
            meta.put(conn, speaking_since.KEY, (now - timedelta(hours=2)).isoformat())
            ends = weeks.complete(now - timedelta(hours=1), "UTC").end - timedelta(hours=5)
            records.add(conn, [replace(bad, job=f"b{n}", t_final=ends, t_observed=ends) for n in range(12)])

        def cycles() -> int:
            with db.reading(engine) as conn:
                last = meta.last_cycle(conn)
                return 0 if last is None else last.cycle

        with Daemon(setting):
            [told] = eventually(lambda: sink.received, "the report comes", 90)
            assert DIETER in told.recipients
            assert b"S0 week" in told.content
            assert b"pilot 1099: 12 of 12 failures" in told.content
        before = cycles()
        with Daemon(setting):
            eventually(lambda: cycles() > before, "it has looked again", 90)
        engine.dispose()
    assert len(sink.received) == 1


def test_a_lost_disk_takes_no_decision_with_it(tmp_path: Path, login: Callable[[str], Login]) -> None:
    """A site is pinned out, the daemon is killed and its database goes; the next one knows who put the site out, and until when."""
    with SmtpSink() as sink:
        setting = Setting(tmp_path, login("dovecot-mdbox"), sink, more=GRID)
        migrations.upgrade(setting.url)

        def decided() -> list[SiteOrder]:
            engine = db.open_engine(setting.url)
            with engine.connect() as conn:
                found = [replace(one, id=0) for one in site_orders.in_force(conn, datetime.now(UTC))]
            engine.dispose()
            return found

        def kept() -> bool:
            engine = db.open_engine(setting.url)
            with engine.connect() as conn:
                due, mail = meta.get(conn, boardmails.DIRTY), json.loads(meta.get(conn, "board_mail") or "{}")
            engine.dispose()
            return due is None and bool(mail.get("done"))

        with Daemon(setting) as first:
            first.until("looked")
            args = ("robots", "pin", "S1", "out", "--until", "3 days", "--why", "disks")
            assert process(setting.folder, *args, MAILBOX_PASSWORD=setting.imap.password).code == 0
            eventually(kept, "the mail in Board says so", 60)
            before = decided()
            assert [(one.site, one.why) for one in before] == [("S1", "disks")]
        for file in setting.folder.glob("helpdesk.db*"):
            file.unlink()
        with Daemon(setting) as second:
            second.until("looked")
            assert eventually(decided, "the decision is known", 25) == before

            def out() -> set[str]:
                told = json.loads((setting.folder / "blacklist.json").read_text())
                return set(told["excluded"].get("atlas", {}))

            eventually(lambda: out() == {"S1"}, "the blacklist says so", 60)
            assert second.stop() == 0
