"""What mails name and what the robots knew, as the database gives it back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from helpdesk.blame.facts import About, Failure, Mention
from helpdesk.config import settings_of
from helpdesk.errors import DeadlyMailError, MailboxRefusedError, UidValidityChangedError
from helpdesk.mailbox.naming import named
from helpdesk.model import Author, Header, Nature, Role, Stamp
from helpdesk.ports import Tier
from helpdesk.robots.record import Blame, JobState, Phase, Record, TestKind
from helpdesk.robots.service import LAST
from helpdesk.rules.facts import Fault
from helpdesk.store import incidents, mentions, meta, records, troubles, verdicts
from helpdesk.store.core import THREAD
from helpdesk.store.incidents import Part, Scope
from helpdesk.store.verdicts import Change
from helpdesk.wiring import known_names
from tests.bench import Bench
from tests.databases import Database
from tests.world import CONFIG

T0 = datetime(2026, 6, 8, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOSTILE = ("", "e\u0301 \u202e \U0001f4a5", "x" * 200, "a\nb\tc", "' OR 1=1; --", "%_\\")


@pytest.fixture
def conn(tmp_path: Path, database: Database) -> Iterator[Connection]:
    """A database with two threads: a user's question and its answer, and another question."""
    made = Bench(tmp_path, Tier.QRESYNC, database=database)
    made.deliver("<a@x>")
    made.deliver("<b@x>", answers=["<a@x>"])
    made.deliver("<c@x>", subject="Other")
    made.look()
    with made.engine.begin() as found:
        yield found
    made.close()


def record(number: int, at: datetime, state: JobState = JobState.FAILED, **more: object) -> Record:
    """A test job at DESY-HH that failed at stage-in."""
    one = Record(
        f"j{number}", "atlas", "DESY-HH", "dimuon", "1", TestKind.FUNCTIONAL, "routine", 1, "local", "q",
        t_scheduled=at, t_final=at, t_observed=at, state=state, phase=Phase.STAGE_IN,
        error_class="stage_in", native_code="pilot:1099", native_text=f"no {number}", blame=Blame.SITE,
    )  # fmt: skip
    return replace(one, **more)  # type: ignore[arg-type]  # fields of Record


def change(at: datetime, action: str, experiment: str = "atlas", **evidence: object) -> Change:
    return Change(at, experiment, "DESY-HH", action, f"{action}d", "1", evidence=evidence)


def test_what_is_named_comes_back(conn: Connection) -> None:
    """Mentions survive the database exactly, in their order, and belong to their mail."""
    said = [Mention(about, name, name[::-1]) for about in About for name in HOSTILE]
    mentions.add(conn, {1: said, 3: []})
    (found,) = mentions.after(conn, 0)
    assert found.mentions == tuple(said)
    assert found.message == 1
    assert [one.mentions for one in mentions.of_threads(conn, [found.thread, 99])[found.thread]] == [
        tuple(said)
    ]
    assert mentions.after(conn, mentions.newest(conn)) == []
    assert mentions.newest(conn) == len(said)


def test_evidence_is_frozen(conn: Connection) -> None:
    """Evidence comes back with the thread of its mail; what is there already keeps its words and its time."""
    mentions.add_faults(conn, {1: ("DESY-HH", HOSTILE[1]), 2: ("RAL", "b")}, Stamp(4, T0))
    mentions.add_faults(conn, {1: ("DESY-HH", "other words"), 3: ("RAL", "c")}, Stamp(5, T0 + HOUR))
    mentions.add_faults(conn, {1: ("CERN", "d")}, Stamp(6, T0 + HOUR))
    found = mentions.faults(conn, conn.execute(select(THREAD.c.id)).scalars().all())
    assert sorted(found.values(), key=len) == [
        [Fault("RAL", "c", Stamp(5, T0 + HOUR))],
        [
            Fault("DESY-HH", HOSTILE[1], Stamp(4, T0)),
            Fault("RAL", "b", Stamp(4, T0)),
            Fault("CERN", "d", Stamp(6, T0 + HOUR)),
        ],
    ]


def test_a_site_as_it_was_known(conn: Connection) -> None:
    """At each moment only what was known by then: out, failing, back; until when is told from now."""
    records.add(conn, [record(n, T0 + n * timedelta(minutes=10)) for n in range(4)])
    late = record(9, T0, t_observed=T0 + 5 * HOUR)
    stress = record(10, T0, test_kind=TestKind.STRESS)
    records.add(
        conn,
        [
            late,
            stress,
            record(11, T0, blame=Blame.USER),
            record(12, T0, JobState.CANCELLED),
            record(13, T0, JobState.SUCCESS, phase=None, error_class="", native_code="", blame=None),
        ],
    )
    verdicts.add(conn, [change(T0 + HOUR, "exclude", cause="evidence"), change(T0 + 4 * HOUR, "include")])
    early = troubles.of_site(conn, "DESY-HH", T0 + timedelta(minutes=15), T0 + 9 * HOUR)
    assert (early.out, early.failed, early.ended, early.in_trouble) == (None, 2, 3, False)
    out = troubles.of_site(conn, "DESY-HH", T0 + 2 * HOUR, T0 + 9 * HOUR)
    assert out.out is not None
    assert (out.out.since, out.out.until, out.out.cause) == (T0 + HOUR, T0 + 4 * HOUR, "evidence")
    assert out.failures == (Failure("stage-in", "stage_in", "pilot:1099", "no 3", 4),)
    assert (out.since, out.failed, out.ended) == (T0, 4, 5)
    still = troubles.of_site(conn, "DESY-HH", T0 + 2 * HOUR, T0 + 3 * HOUR)
    assert still.out is not None
    assert still.out.until is None
    assert not troubles.of_site(conn, "DESY-HH", T0 + 5 * HOUR, T0 + 9 * HOUR).in_trouble
    assert not troubles.of_site(conn, "RAL", T0 + 2 * HOUR, T0 + 9 * HOUR).in_trouble


def test_of_several_experiments_the_first(conn: Connection) -> None:
    """A site is out since the first experiment put it out, and for as long as one has it out; without records the verdict says of what."""
    verdicts.add(
        conn,
        [
            change(T0, "exclude", "cms", cause="downtime"),
            change(T0 + HOUR, "exclude", "atlas", classes={"stage_in_timeout": 1, "node": 7, "stage_in": 5}),
            change(T0 + 2 * HOUR, "include", "cms"),
            replace(change(T0 + 3 * HOUR, "exclude", "lhcb"), by="Aiden"),
        ],
    )
    first = troubles.of_site(conn, "DESY-HH", T0 + HOUR, T0 + 9 * HOUR)
    assert first.out is not None
    assert (first.out.since, first.out.cause) == (T0, "downtime")
    then = troubles.of_site(conn, "DESY-HH", T0 + 4 * HOUR, T0 + 9 * HOUR)
    assert then.out is not None
    assert (then.out.since, then.out.cause) == (T0 + HOUR, "evidence")
    assert [(one.error_class, one.phase, one.count) for one in then.failures] == [
        ("node", "", 7),  # in several phases
        ("stage_in", "stage-in", 5),
        ("stage_in_timeout", "stage-in", 1),
    ]
    verdicts.add(conn, [change(T0 + 5 * HOUR, "include", "atlas")])
    pinned = troubles.of_site(conn, "DESY-HH", T0 + 6 * HOUR, T0 + 9 * HOUR)
    assert pinned.out is not None
    assert (pinned.out.cause, pinned.failures) == ("pin", ())


def test_failures_of_many_sites(conn: Connection) -> None:
    """Each part says what a mail can say of it; what goes on does so as long as the robots are heard."""
    parts = [
        Part("atlas", "class network", T0, 9, Scope(error_class="network")),
        Part("atlas", "template dimuon", T0, 9, Scope(template="dimuon")),
        Part("atlas", "version 2 of template read", T0, 9, Scope(template="read", version="2")),
        Part("atlas", "region DE", T0, 9, Scope(sites=("DESY-HH",))),
        Part("atlas", "everything", T0, 9),
    ]
    records.add(
        conn,
        [record(1, T0, dataset="zmumu"), record(2, T0 - HOUR, dataset="old"), record(3, T0, dataset="zmumu")],
    )
    incidents.keep(conn, parts, T0 + HOUR)
    assert [one.until for one in troubles.of_many(conn, T0 + HOUR)] == [T0 + HOUR] * 5
    meta.put(conn, troubles.TURN, (T0 + HOUR).isoformat())
    found = troubles.of_many(conn, T0 + HOUR)
    assert [(one.kind, one.what, one.datasets, one.until) for one in found] == [
        ("class", "network", (), None),
        ("template", "dimuon", ("zmumu",), None),
        ("version", "read", (), None),
        ("region", "", (), None),
        ("all", "", (), None),
    ]
    assert [one.words for one in found] == [one.what for one in parts]
    assert {one.until for one in troubles.of_many(conn, T0 + 3 * HOUR)} == {T0 + HOUR}
    incidents.keep(conn, parts[:1], T0 + 2 * HOUR)
    assert found[0].goes_on(T0 + HOUR)
    assert not found[0].goes_on(T0 - HOUR)
    over = troubles.of_many(conn, T0 + HOUR)[1]
    assert (over.until, over.goes_on(T0 + 3 * HOUR)) == (T0 + 2 * HOUR, False)
    assert troubles.of_many(conn, T0 + timedelta(days=9))[1:] != []  # a part of it goes on
    assert troubles.TURN == LAST


SITES = """
[[site]]
name = "DESY-HH"
aliases = ["Hamburg"]
se = "dcache-1"
[[site.queue]]
experiment = "atlas"
queue = "desy-atlas"
[[site.queue]]
experiment = "cms"
queue = "grid-short"
[[site]]
name = "DESY-ZN"
se = "dcache-1"
[[site.queue]]
experiment = "atlas"
queue = "grid-short"
[[site]]
name = "RAL"
se = "castor"
[[site.queue]]
experiment = "atlas"
queue = "analysis"
"""


def test_names_of_the_configuration(tmp_path: Path) -> None:
    """A site is found by its name, aliases, storage element and own queues; by no plain word, and by no queue of two sites."""
    names = known_names(settings_of(tmp_path / "helpdesk.toml", CONFIG + SITES))
    assert names is not None
    found = {
        text: [one.target for one in names.sites.find(text)]
        for text in (
            "desy-hh",
            "Hamburg",
            "dcache-1",
            "desy-atlas",
            "grid-short",
            "RAL",
            "castor",
            "analysis",
        )
    }
    assert found == {
        "desy-hh": ["DESY-HH"],
        "Hamburg": ["DESY-HH"],
        "dcache-1": ["DESY-HH", "DESY-ZN"],
        "desy-atlas": ["DESY-HH"],
        "grid-short": [],
        "RAL": ["RAL"],
        "castor": [],
        "analysis": [],
    }
    assert known_names(settings_of(tmp_path / "helpdesk.toml", CONFIG)) is None


def test_a_text_that_does_not_come(tmp_path: Path) -> None:
    """A server that refuses a text costs the names in it; a mail that kills connections, or another folder, is not our business."""
    names = known_names(settings_of(tmp_path / "helpdesk.toml", CONFIG + SITES))
    header = Header("<a@x>", (), (), "ann@x.org", "Ann", (), "", (), "RAL", None, "")
    who = Author("ann@x.org", Role.USER, "direct", trusted=True)

    def refuse(error: Exception) -> str:
        raise error

    assert named(header, who, Nature.HUMAN, names, lambda: refuse(MailboxRefusedError("NO"))) == ()
    for error in (DeadlyMailError(3), UidValidityChangedError("other")):
        with pytest.raises(type(error)):
            named(header, who, Nature.HUMAN, names, lambda error=error: refuse(error))  # type: ignore[misc]  # bound at once
    assert named(header, who, Nature.AUTOMATIC, names, lambda: refuse(ValueError("not read"))) == ()
    assert [one.name for one in named(header, who, Nature.HUMAN, names, lambda: "x\ud800\0")] == ["RAL"]
