"""`helpdesk check` says what is wrong with sites, data sets, downtimes and the blacklist before a job fails of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helpdesk import config
from helpdesk.findings import Finding
from helpdesk.robots import datasets
from helpdesk.robotscheck import robot_findings
from tests.desk import Desk, memory_desk

NOW = datetime(2026, 6, 8, 12, 0, tzinfo=UTC)
MORE = """
[[site]]
name = "DESY-HH"
[[site.queue]]
experiment = "atlas"
queue = "desy"
[[dataset]]
name = "zpairs"
inputs = ["zpairs.csv"]
[[template]]
name = "pairs"
experiment = "atlas"
payload = "pairs"
dataset = "zpairs"
[[cocktail]]
name = "daily"
templates = { pairs = 1 }
[robots]
cocktail = "daily"
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = memory_desk(tmp_path, monkeypatch)
    datasets.make("zpairs", 1000, tmp_path / "zpairs.csv")
    return desk


def check(desk: Desk, more: str = MORE) -> Mapping[str, Finding]:
    desk.write_config(more=more)
    return {one.name: one for one in robot_findings(config.load(desk.config), NOW)}


def test_all_is_well(desk: Desk) -> None:
    """A board whose robots can work is told how much there is."""
    found = check(desk)
    assert all(one.ok and not one.todo for one in found.values())
    assert found["sites"].what == "1 site, 1 queue"
    assert found["data set zpairs"].what == "1,000 events, answers for pairs"


def test_no_sites(desk: Desk) -> None:
    """A board without robots hears nothing of them."""
    assert check(desk, "") == {}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[[dataset]]", '[[site]]\nname = "RAL"\n[[dataset]]', "RAL has no [[site.queue]]"),
        ('experiment = "atlas"\nqueue', 'experiment = "cms"\nqueue', "no [[template]] is for the experiment 'cms'"),
        ('experiment = "atlas"\nqueue', 'experiment = "cms"\nqueue', "of the template 'pairs'"),
        ('cocktail = "daily"\n', "", "[robots] cocktail is not set"),
    ],
)  # fmt: skip
def test_who_gets_nothing(desk: Desk, old: str, new: str, says: str) -> None:
    """A site without queues, an experiment without templates and a board without a cocktail are warnings."""
    one = check(desk, MORE.replace(old, new))["sites"]
    assert one.ok
    assert one.todo
    assert says in one.what


def test_an_experiment_that_the_cocktail_leaves_out(desk: Desk) -> None:
    """An experiment that has templates, of which the cocktail has none, gets no routine jobs: that is said."""
    more = MORE.replace(
        "[[dataset]]",
        '[[site.queue]]\nexperiment = "lhcb"\nqueue = "l"\n[[template]]\nname = "b"\nexperiment = "lhcb"\n'
        'payload = "read"\ndataset = "zpairs"\n[[dataset]]',
    )
    assert "the cocktail 'daily' has nothing for the experiment 'lhcb'" in check(desk, more)["sites"].what


def test_a_data_set_that_is_not_there(desk: Desk) -> None:
    """A file that jobs of this machine cannot read is wrong; where the jobs are elsewhere it is a question."""
    (desk.folder / "zpairs.csv").unlink()
    one = check(desk)["data set zpairs"]
    assert (one.ok, "zpairs.csv cannot be read" in one.what) == (False, True)
    elsewhere = MORE.replace('queue = "desy"', 'engine = "slurm"\nqueue = "desy"')
    one = check(desk, elsewhere)["data set zpairs"]
    assert (one.ok, "do the nodes see it?" in one.what) == (True, True)


def test_a_data_set_without_a_manifest(desk: Desk) -> None:
    """Without right answers jobs run, and the check says what is not checked; garbage instead of a manifest is the same."""
    manifest = desk.folder / "zpairs.csv.json"
    manifest.write_text("{}")
    assert "no right answers are known" in check(desk)["data set zpairs"].what
    manifest.unlink()
    one = check(desk)["data set zpairs"]
    assert one.ok
    assert one.todo == "[[dataset]] manifest says where the manifest lies"


def test_a_data_set_that_is_another(desk: Desk) -> None:
    """A file that is not the one of its manifest is wrong, and so is an analysis that has no right answer in it."""
    one = check(desk, MORE.replace('payload = "pairs"', 'payload = "dimuon"'))["data set zpairs"]
    assert (one.ok, "no right answer for 'dimuon'" in one.what) == (False, True)
    with (desk.folder / "zpairs.csv").open("a") as file:
        file.write("1,2\n")
    one = check(desk)["data set zpairs"]
    assert (one.ok, "its manifest says" in one.what) == (False, True)


def test_a_blacklist_that_cannot_be_written(desk: Desk) -> None:
    """Where the blacklist cannot be written is known before a site is out; nothing is made by the check."""
    (desk.folder / "file").write_text("")
    wrong = check(desk, MORE + 'blacklist_file = "file/blacklist.json"')["blacklist"]
    assert not wrong.ok
    fine = check(desk, MORE + 'blacklist_file = "new/blacklist.json"')["blacklist"]
    assert fine.ok
    assert not (desk.folder / "new").exists()


def test_downtimes(desk: Desk) -> None:
    """A calendar that is not there, is none, or has a bad date is named with its site; a good one is counted."""
    more = MORE.replace('name = "DESY-HH"', 'name = "DESY-HH"\ndowntime = "d.ics"')
    file = desk.folder / "d.ics"
    assert "the downtimes of DESY-HH cannot be read" in check(desk, more)["downtimes"].what
    event = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260601T000000Z\r\n"
        "DTSTART:20260609T100000Z\r\nDTEND:{end}\r\nSUMMARY:power\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    file.write_text(event.format(end="20260609T1X0000Z"), newline="")
    wrong = check(desk, more)["downtimes"]
    assert not wrong.ok
    assert "DTEND that cannot be read" in wrong.what
    file.write_text(event.format(end="20260609T120000Z"), newline="")
    assert check(desk, more)["downtimes"].what == "1 downtime declared"
