"""`helpdesk report`: a site's week from the database of a board."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpdesk import app
from helpdesk.reports import pictures
from helpdesk.robots.record import Record, TestKind
from helpdesk.robots.world import rough
from helpdesk.robotscheck import robot_findings
from helpdesk.store import db, migrations, records, verdicts
from helpdesk.store.verdicts import Change
from tests import months
from tests.desk import Desk, memory_desk
from tests.weeks import BAD, GOOD, MONDAY, WEEK, jobs

NOW = f"{MONDAY:%Y-%m-%dT%H:%MZ}"
SITES = (
    '[[people]]\nname = "Dieter Dahl"\naddresses = ["dieter@desy.example.org"]\nroles = ["contact"]\n'
    + "".join(
        f'[[site]]\nname = "{name}"\ntier = {tier}\ntimezone = "Europe/Berlin"\n'
        f'contacts = ["Dieter Dahl"]\n[[site.queue]]\nexperiment = "atlas"\nqueue = "{name}"\n'
        for name, tier in (("DESY-HH", 2), ("RAL", 1), ("A", 2), ("B", 2), ("C", 2))
    )
)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = memory_desk(tmp_path, monkeypatch)
    desk.write_config(more=SITES)
    migrations.upgrade(f"sqlite:///{desk.database}")
    return desk


def fill(desk: Desk) -> None:
    """A bad week at DESY-HH, a good one at its three peers, and one at a site of another tier."""
    engine = db.open_engine(f"sqlite:///{desk.database}")
    bad = jobs(BAD, 30, node="wn-117", raw={"log": "cannot open\x1b[31m the file"})
    stress = jobs(BAD, 50, every=timedelta(minutes=1), test_kind=TestKind.STRESS, node="s")
    foreign = [replace(one, job=f"import-{one.job}") for one in jobs(BAD, 4, node="f")]
    others = [one for name in ("A", "B", "C") for one in _at(name, jobs(GOOD, 100))]
    start = WEEK.start + timedelta(hours=20)
    with engine.begin() as conn:
        records.add(conn, [*jobs(GOOD, 300), *bad, *stress, *foreign, *others, *_at("RAL", jobs(BAD, 50))])
        out = Change(
            start,
            "atlas",
            "DESY-HH",
            "exclude",
            "7 failed; evidence 12",
            "v1",
            evidence={"cause": "evidence"},
        )
        back = Change(
            start + timedelta(hours=5),
            "atlas",
            "DESY-HH",
            "include",
            "well again",
            "v1",
            evidence={"cause": "proof"},
        )
        verdicts.add(conn, [out, back])
    engine.dispose()


def _at(site: str, found: list[Record]) -> list[Record]:
    return [replace(one, site=site, job=f"{site}{one.job}") for one in found]


def test_a_week(desk: Desk) -> None:
    """A week is told with what to fix, the peers of the same tier, and neither load tests nor what others measured."""
    fill(desk)
    said = desk.say("report", "site", "DESY-HH", "--now", NOW)
    assert (said.code, said.err) == (0, "")
    for words in (
        "stage-in, pilot 1099: 30 of 30 failures, all on wn-117.",
        " success                  90.9 % (87-94)      -         100.0 %",
        "5h00 yours",
        "3 peers",
        "4 measured by others",
        "cannot open",
    ):
        assert words in said.out
    assert "\x1b" not in said.out


def test_no_site(desk: Desk) -> None:
    """A board without sites says so, and does not end in silence."""
    desk.write_config()
    assert "No site is in the configuration" in desk.say("report", "site").out
    assert desk.say("site", "build", str(desk.folder / "pages")).out.endswith(": 1 page\n")


def test_json(desk: Desk) -> None:
    """JSON has the same, in figures, and the mail's own words."""
    fill(desk)
    [told] = desk.read("report", "site", "DESY-HH", "--now", NOW)
    assert (told["week"], told["start"], told["green"]) == ("2026-W24", "2026-06-07T22:00:00Z", False)
    assert told["subject"] == "DESY-HH week 24: 1 to fix (stage-in, 1 node)"
    [row] = told["experiments"]
    assert row["this"] == {
        "good": 300,
        "failed": 30,
        "central": 0,
        "down": 0,
        "others": 0,
        "cancelled": 0,
        "success": pytest.approx(0.9091, abs=1e-4),
        "interval": [pytest.approx(0.873, abs=1e-3), pytest.approx(0.936, abs=1e-3)],
    }
    assert (row["hours_out"], row["peers"]["number"]) == ({"yours": 5.0}, 3)
    assert row["events_per_core_second"] == pytest.approx(20)
    assert told["to_fix"][0]["nodes"]["names"] == ["wn-117"]


def test_every_site(desk: Desk) -> None:
    """Without a name every site is told, also one that nobody tested."""
    told = desk.read("report", "site", "--now", NOW)
    assert [(one["site"], one["untested"]) for one in told] == [
        (name, True) for name in ("DESY-HH", "RAL", "A", "B", "C")
    ]
    assert "nobody looked" in told[0]["subject"]


def test_as_it_was_known(desk: Desk) -> None:
    """A report of a past moment knows what was known then: the same again, whatever came later."""
    engine = db.open_engine(f"sqlite:///{desk.database}")
    late = jobs(GOOD, 40, t_observed=MONDAY + timedelta(days=1))
    with engine.begin() as conn:
        records.add(conn, [*jobs(GOOD, 30, node="x"), *late])
    engine.dispose()
    [early] = desk.read("report", "site", "DESY-HH", "--now", NOW)
    [later] = desk.read("report", "site", "DESY-HH", "--week", "24", "--now", "2026-06-18T00:00Z")
    assert (early["experiments"][0]["this"]["good"], later["experiments"][0]["this"]["good"]) == (30, 70)


@pytest.mark.parametrize(
    ("args", "words"),
    [(("DESY",), "there are DESY-HH, RAL"), (("RAL", "--week", "99"), "for example 2026-W24")],
)
def test_what_is_not_there(desk: Desk, args: tuple[str, ...], words: str) -> None:
    """A site or a week that is not there is refused with those that are."""
    said = desk.say("report", "site", *args, "--now", NOW, columns=200)
    assert said.code == 2
    assert words in " ".join(said.err.split())


def test_a_month_of_a_rough_world(desk: Desk) -> None:
    """Every week of every site of a rough world is told in lines of 72 columns, and its jobs add up."""
    world = rough(205, 16, 12)
    desk.write_config(more=months.configured(world, "America/Chicago"))
    engine = db.open_engine(f"sqlite:///{desk.database}")
    with engine.begin() as conn:
        number = months.play(world, conn)
    engine.dispose()
    now = datetime(2026, 1, 17, tzinfo=UTC)
    told = [
        one
        for week in ("1", "2", "3")
        for one in desk.read("report", "site", "--week", week, "--now", f"{now:%Y-%m-%d}")
    ]
    kinds = ("good", "failed", "central", "down", "others", "cancelled")
    assert sum(row["this"][kind] for one in told for row in one["experiments"] for kind in kinds) == number
    assert any(one["to_fix"] for one in told)
    assert any(one["green"] for one in told)
    assert max(len(line) for one in told for line in one["text"].splitlines()) <= 72


def test_a_page(desk: Desk) -> None:
    """The page of a report stands alone: a browser shows it, pictures included, without loading anything."""
    fill(desk)
    file = desk.folder / "week.html"
    said = desk.say("report", "site", "DESY-HH", "--now", NOW, "--html", str(file))
    assert (said.code, said.out, said.err) == (0, "", "")
    page = file.read_text()
    assert page.count('src="data:image/png;base64,') == 3
    assert "cid:" not in page
    assert "1 to fix (stage-in, 1 node)" in page


def test_a_page_without_matplotlib(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib the page has all words, and the command says how to get pictures."""
    fill(desk)
    monkeypatch.setattr(pictures, "available", lambda: False)
    file = desk.folder / "week.html"
    said = desk.say("report", "site", "DESY-HH", "--now", NOW, "--html", str(file))
    assert said.code == 0
    assert "pip install '.[reports]'" in said.err
    assert "<img" not in file.read_text()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--html", "x.html"), "name it"),
        (("--send",), "name it"),
        (("DESY-HH", "--send", "--html", "x.html"), "leave out"),
        (("X", "--send"), "there are DESY-HH"),
        (("NOBODY", "--send"), "has no contacts"),
    ],
)
def test_one_site(desk: Desk, args: tuple[str, ...], words: str) -> None:
    """A page and a mail are of one site that has contacts, and are refused otherwise."""
    desk.write_config(more=f'{SITES}[[site]]\nname = "NOBODY"\n')
    said = desk.say("report", "site", *args, columns=200)
    assert said.code == 2
    assert words in " ".join(said.err.split())


def test_send(desk: Desk) -> None:
    """--send plans one mail more to the site's contacts, about the week that was asked for."""
    said = desk.read("report", "site", "DESY-HH", "--week", "23", "--send", "--now", NOW)
    assert said["asked"] == "2026-W23"
    [mail] = [one for one in desk.read("outbox", "list") if one["rule"] == "site_report"]
    assert mail["recipients"] == ["dieter@desy.example.org"]
    assert mail["occasion"].endswith("DESY-HH:2026-W23")


@pytest.mark.parametrize(
    ("drawn", "contacts", "words"),
    [
        (True, '"Dieter Dahl"', "weekly, with pictures"),
        (False, '"Dieter Dahl"', "matplotlib is not installed"),
        (True, "", "nobody gets its weekly report"),
    ],
)
def test_check(desk: Desk, monkeypatch: pytest.MonkeyPatch, drawn: bool, contacts: str, words: str) -> None:
    """`check` says whether reports have pictures, and who gets none."""
    monkeypatch.setattr(pictures, "available", lambda: drawn)
    more = SITES.replace('contacts = ["Dieter Dahl"]', f"contacts = [{contacts}]", 1)
    desk.write_config(more=f"{more}[reports]\nenabled = true\n")
    [found] = [one for one in robot_findings(app.load(desk.config), MONDAY) if one.name == "reports"]
    assert found.ok
    assert words in found.what
