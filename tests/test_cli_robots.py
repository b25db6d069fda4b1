"""`helpdesk robots` on a board whose sites are this machine: real jobs, from a data set that a command made."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from helpdesk import app, config
from helpdesk.cli import robots_run, screen
from helpdesk.robots import turn
from helpdesk.robots.engines.command import VERBS
from helpdesk.robots.exchange import COLUMNS
from helpdesk.robots.service import LAST
from helpdesk.store import meta, requests
from tests.desk import Desk, memory_desk

MORE = """
[[site]]
name = "DESY-HH"
[[site.queue]]
experiment = "atlas"
queue = "desy"
[[site]]
name = "RAL"
[[site.queue]]
experiment = "lhcb"
queue = "ral"
[[dataset]]
name = "zmumu"
inputs = ["zmumu.root"]
[[dataset]]
name = "bhh"
inputs = ["bhh.root"]
[[template]]
name = "dimuon"
experiment = "atlas"
payload = "dimuon"
dataset = "zmumu"
[[template]]
name = "two hadrons"
experiment = "lhcb"
payload = "b-to-hh"
dataset = "popular"
[robots]
folder = "robots"
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = memory_desk(tmp_path, monkeypatch)
    desk.write_config(more=MORE)
    return desk


def make(desk: Desk, name: str = "zmumu", events: int = 2000) -> None:
    told = desk.read(
        "robots", "data", name, "--events", str(events), "--to", str(desk.folder / f"{name}.root")
    )
    assert told["events"] == events


@pytest.mark.parametrize(
    ("name", "file", "instead"), [("zpairs", "x.root", "x.csv"), ("zmumu", "x.csv", "x.root")]
)
def test_a_data_set_of_another_format(desk: Desk, name: str, file: str, instead: str) -> None:
    """A data set is not written into a file whose ending says another format; the right ending is named."""
    said = desk.say("robots", "data", name, "--to", str(desk.folder / file), columns=200)
    assert (said.code, instead in said.err, list(desk.folder.glob("x.*"))) == (2, True, [])


def test_a_first_job(desk: Desk) -> None:
    """Data are made, a job is sent, its record is shown; who asks for more sees the same in JSON and in files."""
    make(desk)
    said = desk.say("robots", "run", "--site", "DESY-HH", columns=160)
    assert said.code == 0, said
    assert "success" in said.out
    [record] = desk.read("robots", "records")
    assert (record["site"], record["state"], record["events_processed"]) == ("DESY-HH", "success", 2000)
    [atlas, lhcb] = desk.read("robots", "status")["sites"]
    assert (atlas["last_24h"], atlas["excluded"], atlas["on_the_way"]) == ({"success": 1}, False, 0)
    assert lhcb["last_24h"] == {}
    for ending in ("jsonl", "csv", "parquet"):
        assert desk.say("robots", "export", str(desk.folder / f"r.{ending}")).code == 0
    [line] = (desk.folder / "r.jsonl").read_text().splitlines()
    assert json.loads(line) == record
    [row] = csv.DictReader((desk.folder / "r.csv").read_text().splitlines())
    [cell] = pq.read_table(desk.folder / "r.parquet").to_pylist()
    assert list(row) == list(cell) == list(COLUMNS)
    assert row["job"] == cell["job"] == record["job"]


def test_popular_data(desk: Desk) -> None:
    """A template that reads what is popular reads a set that it can analyse."""
    make(desk)
    make(desk, "bhh")
    [record] = desk.read("robots", "run", "--site", "RAL")
    assert (record["dataset"], record["state"]) == ("bhh", "success")


def test_a_failing_job(desk: Desk) -> None:
    """A job that fails is shown with its phase and reason, and the command says so by its exit code."""
    said = desk.say("robots", "run", "--site", "DESY-HH", columns=160)
    assert said.code == 1
    assert "stage-in" in said.out
    assert "No such file" in said.out
    assert desk.read("robots", "records", "--failed")[0]["blame"] == "site"


@pytest.mark.parametrize(("option", "value"), [("--site", "DESY"), ("--template", "dimoun")])
def test_unknown(desk: Desk, option: str, value: str) -> None:
    """A site or a template that is not there is refused with the names of those that are."""
    said = desk.say("robots", "run", option, value)
    assert said.code == 2
    assert "there are" in said.err


def test_nothing_to_send(desk: Desk) -> None:
    """Where no queue fits a template that is said, instead of nothing."""
    said = desk.say("robots", "run", "--site", "RAL", "--template", "dimuon")
    assert said.code == 2
    assert "no common experiment" in said.err


def test_a_site_without_queues(desk: Desk) -> None:
    """A site that no job can reach is refused by name, and named below the table of `status`."""
    desk.write_config(more=MORE.replace("[[dataset]]", '[[site]]\nname = "LYON"\n[[dataset]]', 1))
    desk.say("db", "upgrade")
    said = desk.say("robots", "run", "--site", "LYON")
    assert said.code == 2
    assert "LYON has no [[site.queue]]" in said.err
    assert "LYON: has no [[site.queue]]" in desk.say("robots", "status", columns=160).out


def test_whether_anybody_looks(desk: Desk) -> None:
    """`status` says when robots looked last, so that a board whose daemon stands still is not taken for a quiet one."""
    desk.say("db", "upgrade")
    assert "have not worked on this board yet" in desk.say("robots", "status").out
    now = app.clock()
    with app.opened(config.load(desk.config), writing=True) as engine:
        for minutes, silent in ((30, False), (1, True)):
            with engine.begin() as conn:
                meta.put(conn, LAST, (now - timedelta(minutes=minutes)).isoformat())
            assert ("helpdesk run" not in desk.say("robots", "status").out) is silent
    assert desk.read("robots", "status")["looked"] is not None


def test_the_time_of_a_simulated_board(desk: Desk) -> None:
    """On a simulated board the robots are shown, and a site is pinned, by the time of the last cycle: the real one says nothing there."""
    desk.run("2009-06-10T12:00:00Z")
    told = desk.read("robots", "pin", "DESY-HH", "out", "--until", "3 days")
    assert told["until"] == "2009-06-13T12:00:00Z"
    shown = desk.read("robots", "status")
    assert (shown["now"], shown["sites"][0]["orders"][0]["since"]) == ("2009-06-10T12:00:00Z",) * 2
    assert desk.read("robots", "verdicts", "DESY-HH")[0]["orders"] == shown["sites"][0]["orders"]
    assert desk.say("robots", "unpin", "DESY-HH").code == 0


FOREIGN = """\
{"site": "RAL", "status": "ok", "t_final": 1780000000}
rubbish
{"site": "RAL", "status": "critical", "t_final": "2026-06-08T12:00Z", "phase": "stage-in", "node": "wn\\u202e1", "wall_s": "NaN", "bytes_read": -4}
{"site": "", "status": "ok"}
{"site": "RAL", "status": "perhaps"}
{"site": "RAL", "status": "ok", "t_final": 99999999999}
[1, 2]
"""


def test_foreign_records(desk: Desk) -> None:
    """What others measured is taken in once, with its weight; rows that make no sense are named and left out."""
    desk.say("db", "upgrade")
    (desk.folder / "sam.jsonl").write_text(FOREIGN)
    words = ("robots", "import", str(desk.folder / "sam.jsonl"), "--campaign", "sam", "--weight", "0.25")
    told = desk.read(*words, code=1)
    assert told["new"] == 2
    assert [one["row"] for one in told["odd"]] == [2, 4, 5, 6, 7]
    assert desk.read(*words, code=1)["new"] == 0
    good, bad = desk.read("robots", "records")
    assert (good["state"], bad["state"], bad["phase"]) == ("success", "failed", "stage-in")
    assert (bad["weight"], bad["campaign_id"], bad["wall_s"], bad["bytes_read"]) == (0.25, "sam", None, None)
    assert "\u202e" not in bad["node"]


def test_what_no_verdict_hears_of(desk: Desk) -> None:
    """Rows about sites, experiments or templates that the configuration does not know are kept, counted and explained."""
    rows = [
        {"site": "DESY-HH", "experiment": "atlas", "template": "dimuon"},
        {"site": "DESY-HH", "experiment": "atlas", "template": "sam"},
        {"site": "DESY-HH", "experiment": "cms", "template": "dimuon"},
        {"site": "NOWHERE", "experiment": "atlas", "template": "dimuon"},
        {"site": "DESY-HH", "metric": "org.sam.CE"},
    ]
    (desk.folder / "sam.jsonl").write_text(
        "".join(json.dumps({**one, "status": "ok"}) + "\n" for one in rows)
    )
    told = desk.read("robots", "import", str(desk.folder / "sam.jsonl"))
    assert told["new"] == 5
    assert told["no_evidence"] == {
        "no [[template]] 'sam' for the experiment 'atlas'": 1,
        "DESY-HH has no queue for the experiment 'cms'": 1,
        "no [[site]] 'NOWHERE' with a queue": 1,
        "no experiment is named": 1,
    }


def test_import_beside_a_daemon(desk: Desk) -> None:
    """Whoever holds the board, records can be imported; the daemon is asked to read them."""
    row = {"site": "DESY-HH", "experiment": "atlas", "template": "dimuon", "status": "ok"}
    (desk.folder / "sam.jsonl").write_text(json.dumps(row))
    with app.opened(config.load(desk.config), writing=True) as engine:
        said = desk.say("robots", "import", str(desk.folder / "sam.jsonl"))
        assert said.code == 0, said
        assert "takes them into its verdicts" in said.out
        with engine.connect() as conn:
            assert len(requests.open_requests(conn, requests.RECORDS)) == 1


def test_a_format_that_cannot_be_imported(desk: Desk) -> None:
    """A file of another kind is refused with the formats that can be read, instead of a thousand odd rows."""
    (desk.folder / "r.parquet").write_bytes(b"PAR1")
    said = desk.say("robots", "import", str(desk.folder / "r.parquet"))
    assert said.code == 2
    assert ".jsonl or .csv" in said.err


def test_foreign_csv(desk: Desk) -> None:
    """The same as CSV, in whatever order of columns."""
    desk.say("db", "upgrade")
    (desk.folder / "sam.csv").write_text(
        "status,extra,site,events_processed\nfinished,1,RAL,7\n,,,\nfailed,2,DESY-HH,\n"
    )
    told = desk.read("robots", "import", str(desk.folder / "sam.csv"), code=1)
    assert (told["new"], told["odd_rows"]) == (2, 1)
    assert {one["site"]: one["events_processed"] for one in desk.read("robots", "records")} == {
        "RAL": 7,
        "DESY-HH": None,
    }


def test_the_same_records_in_two_formats(desk: Desk) -> None:
    """Records that were exported as JSON and as CSV are imported once; rows that differ in whatever column are two."""
    make(desk)
    assert desk.say("robots", "run", "--site", "DESY-HH", "--count", "2").code == 0
    files = [desk.folder / f"ours.{kind}" for kind in ("jsonl", "csv")]
    for file in files:
        assert desk.say("robots", "export", str(file)).code == 0
    assert [desk.read("robots", "import", str(file))["new"] for file in files] == [2, 0]
    rows = [
        {"site": "RAL", "status": "ok", "t_final": 1780000000, "metric": one} for one in (1, "CE", 2.5, None)
    ]
    (desk.folder / "sam.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    lines = [f"ok,{metric},RAL,1780000000\n" for metric in ("1", "CE", "2.5", "")]
    (desk.folder / "sam.csv").write_text("".join(["status,metric,site,t_final\n", *lines]))
    assert [
        desk.read("robots", "import", str(desk.folder / one))["new"] for one in ("sam.jsonl", "sam.csv")
    ] == [4, 0]
    assert {one["t_final"] for one in desk.read("robots", "records", "--site", "RAL")} == {
        "2026-05-28T20:26:40Z"
    }


def test_unknown_format(desk: Desk) -> None:
    """A file whose ending says no format is refused with the endings that do, and nothing is left of it."""
    desk.say("db", "upgrade")
    said = desk.say("robots", "export", str(desk.folder / "r.xlsx"))
    assert said.code == 2
    assert ".parquet" in said.err
    assert not list(desk.folder.glob("*r.xlsx*"))


def test_verdicts(desk: Desk) -> None:
    """Every site's verdict is told in words from its records; a site that is not there is refused."""
    make(desk)
    assert desk.say("robots", "run", "--site", "DESY-HH").code == 0
    told = desk.read("robots", "verdicts")
    assert [(one["site"], one["excluded"]) for one in told] == [("RAL", False), ("DESY-HH", False)] or len(
        told
    ) == 2
    assert all(one["account"] and one["policy"] for one in told)
    [desy] = [one for one in told if one["site"] == "DESY-HH"]
    assert "0 bad of the last 1 results" in desy["account"]  # it ended a moment ago
    assert desk.say("robots", "verdicts", "DESY").code == 2


def test_pins(desk: Desk) -> None:
    """A site is pinned out with a date and a reason, shown wherever one looks, and given back; it takes no daemon to say so."""
    told = desk.read("robots", "pin", "DESY-HH", "out", "--until", "3 days", "--why", "new\x1b[31m storage")
    assert (told["site"], told["pinned"]) == ("DESY-HH", "out")
    [atlas, lhcb] = desk.read("robots", "status")["sites"]
    [order] = atlas["orders"]
    assert (order["kind"], order["until"], order["why"]) == ("out", told["until"], "new storage")
    assert lhcb["orders"] == []
    assert "pinned out until" in desk.say("robots", "status", columns=300).out
    assert "A person decided: pinned out until" in desk.say("robots", "verdicts", "DESY-HH", columns=200).out
    assert desk.read("robots", "verdicts", "DESY-HH")[0]["orders"] == [order]
    said = desk.say("robots", "unpin", "DESY-HH", columns=200)
    assert (said.code, "Ended: pinned out" in said.out) == (0, True)
    assert desk.read("robots", "status")["sites"][0]["orders"] == []
    again = desk.say("robots", "pin", "DESY-HH", "out", columns=300)
    assert (again.code, "`helpdesk robots unpin DESY-HH` ends it sooner" in again.out) == (0, True)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("pin", "DESY", "out"), "there are DESY-HH, RAL"),
        (("pin", "DESY-HH", "out", "--until", "junk"), "is no date"),
        (("pin", "DESY-HH", "out", "--until", "2020-01-01"), "is past"),
        (("pin", "DESY-HH", "out", "--until", "2099-01-01"), "more than 180 days away"),
        (("pin", "DESY-HH", "sideways"), "sideways"),
        (("unpin", "RAL"), "neither paused nor pinned"),
    ],
)
def test_no_pin(desk: Desk, args: tuple[str, ...], why: str) -> None:
    """What cannot be meant is refused with why, and nothing is decided."""
    assert desk.say("db", "upgrade").code == 0
    said = desk.say("robots", *args, columns=200)
    assert said.code == 2
    assert why in said.err
    assert [one["orders"] for one in desk.read("robots", "status")["sites"]] == [[], []]


def test_how_much_an_evaluation_stands_on(desk: Desk) -> None:
    """Each kind of outage is shown with how many there were: the median of one outage is no median."""
    words = ("robots", "evaluate", "--days", "3", "--sites", "8", "--seeds", "101,102,103")
    counted = desk.read(*words)["policies"]["oracle"]["outages"]
    said = desk.say(*words, columns=160)
    for kind, told in counted.items():
        assert f"{kind.replace('_', ' ')} ({told['outages']}): out" in said.out


def test_an_engine_that_keeps_people_waiting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for jobs hears of an engine that has not answered for long, instead of watching a bar that stands still."""
    monkeypatch.setattr(robots_run, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(turn, "SLOW", timedelta(seconds=1))
    config = desk.config.read_text()
    programs = "".join(f'{verb} = ["/bin/sh", "-c", "sleep 4; exit 1"]\n' for verb in VERBS)
    engine = config.replace('queue = "desy"', 'queue = "desy"\nengine = "command"')
    desk.config.write_text(f"{engine}\n[robots.command]\n{programs}")
    assert "command" in engine
    make(desk)

    heard: list[str] = []

    def enough(words: str) -> None:
        heard.append(words)
        raise KeyboardInterrupt

    monkeypatch.setattr(screen, "complain", enough)
    desk.say("robots", "run", "--site", "DESY-HH", "--template", "dimuon")
    assert "has not answered yet" in heard[0]
