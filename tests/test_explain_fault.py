"""What `explain-rules` says of whose fault it is, and how the label is listed for clients."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpdesk.store import db, verdicts
from helpdesk.store.verdicts import Change
from tests.desk import T0, Desk, memory_desk
from tests.world import mail

SITE = '\n[[site]]\nname = "DESY-HH"\n[[dataset]]\nname = "mc08-x"\ninputs = ["x.root"]\n'
BODY = "All jobs on mc08-x at DESY-HH fail:\n\nended with payload:12\nError: something is odd here\n"


@pytest.fixture(name="desk")
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return memory_desk(tmp_path, monkeypatch)


def explained(
    desk: Desk, sender: str = "ann@users.example.com", body: str = BODY, **more: Any
) -> Mapping[str, Any]:
    (desk.folder / "mail.eml").write_bytes(mail(sender, "Jobs", "<m@x>", body=body, **more))
    said: Mapping[str, Any] = json.loads(
        desk.say("explain-rules", str(desk.folder / "mail.eml"), "--json").out
    )
    return said


def test_it_says_what_a_mail_names(desk: Desk) -> None:
    """Sites, data sets, errors with what they mean, and whether the label would be set, and why."""
    desk.write_config(more=SITE)
    fault = explained(desk)["fault"]
    assert (fault["sites"], fault["datasets"], fault["label"]) == (["DESY-HH"], ["mc08-x"], None)
    assert [(one["code"], one["means"]) for one in fault["errors"]] == [
        ("", "unknown"),
        ("payload:12", "stage_in_checksum in stage-in, most likely site"),
    ]
    shown = desk.say("explain-rules", str(desk.folder / "mail.eml"), columns=160).out
    assert "no database" in shown
    desk.run(T0)
    assert explained(desk)["fault"]["label"] is False
    assert "would not be set" in desk.say("explain-rules", str(desk.folder / "mail.eml"), columns=160).out
    engine = db.open_engine(f"sqlite:///{desk.database}")
    evidence = {"cause": "evidence", "classes": {"stage_in_checksum": 5}}
    with engine.begin() as conn:
        at = datetime.fromisoformat(T0).astimezone(UTC)
        verdicts.add(conn, [Change(at, "atlas", "DESY-HH", "exclude", "x", "1", evidence=evidence)])
    engine.dispose()
    fault = explained(desk)["fault"]
    assert fault["label"] is True
    assert fault["why"].startswith("DESY-HH is out since")
    assert (
        "would be set: DESY-HH" in desk.say("explain-rules", str(desk.folder / "mail.eml"), columns=160).out
    )


@pytest.mark.parametrize(
    ("body", "label"),
    [
        ("Jobs at DESY-HH fail, at BNL-1 they run fine:\n\nended with payload:12\n", True),
        ("Jobs at BNL-1 fail, unlike those at DESY-HH:\n\nended with payload:12\n", False),
        ("Jobs at DESY-HH and BNL-1 fail:\n\nended with payload:12\n", False),
    ],
)
def test_a_site_that_works_is_neither_meant_nor_a_doubt(desk: Desk, body: str, label: bool) -> None:
    """A site that is out has the label if it is what fails, whatever site works; not if the author says that it works itself."""
    desk.write_config(more=f'{SITE}\n[[site]]\nname = "BNL-1"\n')
    desk.run(T0)
    engine = db.open_engine(f"sqlite:///{desk.database}")
    evidence = {"cause": "evidence", "classes": {"stage_in_checksum": 5}}
    with engine.begin() as conn:
        at = datetime.fromisoformat(T0).astimezone(UTC)
        verdicts.add(conn, [Change(at, "atlas", "DESY-HH", "exclude", "x", "1", evidence=evidence)])
    engine.dispose()
    fault = explained(desk, body=body)["fault"]
    assert sorted(fault["sites"]) == ["BNL-1", "DESY-HH"]
    assert fault["label"] is label


def test_it_is_not_asked_of_others(desk: Desk) -> None:
    """Of machines, the team, and on a board without sites nothing is said."""
    assert explained(desk)["fault"] is None
    desk.write_config(more=SITE)
    assert explained(desk, headers={"Auto-Submitted": "auto-replied"})["fault"] is None
    assert explained(desk, "ann@example.org")["fault"] is None
    desk.write_config(more=SITE + "[robots]\nsite_trouble = false\n")
    assert explained(desk)["fault"] is None


def test_it_is_a_label_like_others(desk: Desk) -> None:
    """`labels` and `clients` know it on a board with sites, and on no other."""
    assert "site_trouble" not in desk.say("labels", "--json").out
    desk.write_config(more=SITE)
    (label,) = [
        one for one in json.loads(desk.say("labels", "--json").out)["labels"] if one["name"] == "site_trouble"
    ]
    assert (label["kind"], label["builtin"], label["keyword"]) == ("info", True, "site_trouble")
    for client in ("thunderbird", "neomutt", "roundcube"):  # aerc shows no label at all
        assert "site_trouble" in desk.say("clients", client).out
