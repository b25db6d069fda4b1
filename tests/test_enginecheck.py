"""`helpdesk check` asks every engine that a queue uses, and says what it found."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk import config
from helpdesk.enginecheck import engine_findings
from helpdesk.findings import Finding
from tests.desk import Desk, memory_desk
from tests.servers import arex

SITE = """
[[site]]
name = "DESY-HH"
[[site.queue]]
experiment = "atlas"
engine = "{engine}"
queue = "desy"
[robots]
{robots}
"""


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port that is taken, and where nobody listens."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        yield port.getsockname()[1]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return memory_desk(tmp_path, monkeypatch)


def check(desk: Desk, engine: str, robots: str) -> list[Finding]:
    desk.write_config(more=SITE.format(engine=engine, robots=robots))
    return [*engine_findings(config.load(desk.config), lambda _said: None)]


def program(folder: Path, answer: str) -> str:
    """A bridge that answers everything with one line."""
    (folder / "bridge.py").write_text(f"print({answer!r})\n")
    words = ", ".join(
        f'{verb} = ["{sys.executable}", "{folder}/bridge.py"]'
        for verb in ("describe", "submit", "poll", "fetch", "cancel", "reconcile")
    )
    return f"command = {{ {words} }}"


def test_an_engine_is_named(desk: Desk, tmp_path: Path) -> None:
    """What an engine says of itself is shown; one that lacks a queue which a site names is wrong."""
    [fine] = check(desk, "command", program(tmp_path, '{"version": "3.1", "queues": ["desy", "ral"]}'))
    assert (fine.name, fine.ok, fine.what) == ("engine command", True, "3.1, queues desy, ral")
    [wrong] = check(desk, "command", program(tmp_path, '{"version": "3.1", "queues": ["ral"]}'))
    assert not wrong.ok
    assert wrong.what == "has no queue desy: 3.1, queues ral"


def test_an_engine_that_is_down(desk: Desk, nobody: int) -> None:
    """A pool that cannot be reached is said to be so, in its own words, and may be there later."""
    told = f"""htcondor.pool = "127.0.0.1:{nobody}"
htcondor.schedd = "s1.example.org"
htcondor.config_file = "/dev/null"
htcondor.queues = {{ desy = "true" }}"""
    [one] = check(desk, "htcondor", told)
    assert (one.name, one.ok, one.unreachable) == ("engine htcondor", False, True)
    assert one.what.startswith("HTCondor: ")


def test_each_computing_element_is_an_engine(desk: Desk, tmp_path: Path) -> None:
    """A computing element says what it is to who comes with a token, and one that is down concerns nobody else."""
    (tmp_path / "token").write_text(arex.TOKEN)
    (tmp_path / "token").chmod(0o600)
    with arex.computing_element() as element:
        told = f"""arc.queues = {{ desy = "{element.url}#grid", ral = "https://127.0.0.1:1/arex" }}
arc.token_file = "{tmp_path}/token"
arc.ca_path = "{arex.trusted(element, tmp_path)}"
[[site]]
name = "RAL"
[[site.queue]]
experiment = "lhcb"
engine = "arc"
queue = "ral"
"""
        fine, down = check(desk, "arc", told)
        (tmp_path / "token").chmod(0o644)
        open_to_all, _ = check(desk, "arc", told)
    assert (fine.name, fine.ok) == ("engine arc:desy", True)
    assert fine.what.startswith("6.17.0, queues desy; https://localhost:")
    assert (down.name, down.ok, down.unreachable) == ("engine arc:ral", False, True)
    assert "chmod 600" in open_to_all.what
    assert not open_to_all.unreachable


def test_nothing_is_asked_of_this_machine(desk: Desk) -> None:
    """The engine local is not asked, because it would make its folder: a check writes nothing."""
    assert check(desk, "local", "") == []
    assert not (desk.folder / "robots").exists()


def test_an_engine_without_its_section(desk: Desk) -> None:
    """An engine whose section is missing is named with the section."""
    [one] = check(desk, "command", "")
    assert not one.ok
    assert "[robots] command" in one.what
