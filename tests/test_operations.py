"""docs/operations.md says what is true: its commands exist, its files are there, its tables are complete."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from helpdesk.cli import commands
from tests.servers.installed import PROJECT
from tests.test_monitoring import alerts, field

TEXT = (PROJECT / "docs" / "operations.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
LINES = [line.partition("#")[0].split() for block in BLOCKS for line in block.splitlines()]


def known(words: list[str]) -> bool:
    """Whether these words begin with a command of ours."""
    found: Any = get_command(commands)
    for word in words:
        if not hasattr(found, "commands"):
            break
        if word not in found.commands:
            return False
        found = found.commands[word]
    return not hasattr(found, "commands")


@pytest.mark.parametrize("words", [line for line in LINES if line[:1] == ["helpdeskctl"]], ids=" ".join)
def test_every_command_exists(words: list[str]) -> None:
    """What the page tells people to type is a board and a command of today."""
    assert words[1] == "dast"
    assert known(words[2:])


def test_every_command_in_the_text_exists() -> None:
    """Commands in the sentences exist too."""
    said = re.findall(r"`helpdesk(?:ctl dast)? ([a-z][a-z -]*)", TEXT)
    assert said
    assert [one for one in said if not known(one.split())] == []


def test_every_file_is_there() -> None:
    """Whatever the page names in this repository is there."""
    named = set(re.findall(r"deploy/[\w./*@-]*[\w*]", TEXT)) | {"helpdesk/runbook.md"}
    assert [one for one in named if not list(PROJECT.glob(f"{one}*" if one.endswith("@") else one))] == []


def test_every_alert_is_explained() -> None:
    """The table has each alert of Prometheus with its severity, and no other."""
    rows = re.findall(r"^\| (Helpdesk\w+) \| .+ \| (critical|warning) \|$", TEXT, flags=re.MULTILINE)
    wanted = {name: re.findall(r"severity: (\w+)", text)[0] for name, text in alerts().items()}
    assert dict(rows) == wanted
    assert all(field(text, "runbook") for text in alerts().values())


def test_the_places_are_those_of_the_unit() -> None:
    """Folders and files of the page are those of unit, tmpfiles and example."""
    unit = (PROJECT / "deploy/systemd/helpdesk@.service").read_text()
    for name in ("imap-password", "smtp-password", "database-password"):
        assert f"LoadCredential={name}:/etc/helpdesk/%i.{name}" in unit
        assert f".{name}" in TEXT
    tmpfiles = (PROJECT / "deploy/systemd/helpdesk.tmpfiles").read_text()
    for folder in ("/etc/helpdesk", "/var/lib/helpdesk", "/var/backups/helpdesk"):
        assert f"d {folder} " in tmpfiles
        assert Path(folder).name
        assert folder in TEXT
