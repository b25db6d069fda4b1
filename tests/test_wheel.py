"""What a site gets: a wheel and a source archive with everything that is needed in them, and nothing else."""

import json
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Sequence
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.servers.installed import PROJECT, build, install
from tests.servers.process import free_port
from tests.world import mail

RENDER = """
import helpdesk.render, helpdesk.mails, helpdesk.runbook, pathlib
templates = helpdesk.render.Templates()
print(pathlib.Path(helpdesk.render.__file__).parent)
print(helpdesk.runbook.paragraph("outbox").split()[0])
"""

COMMANDS = """
import json, sys
from typer.testing import CliRunner
from helpdesk.cli import commands
told = []
for line in json.load(sys.stdin):
    said = CliRunner().invoke(commands, line)
    told.append([said.exit_code, said.stdout, said.stderr])
print(json.dumps(told))
"""
"""Several commands in one process: to import everything takes longer than to do it."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment in which only the wheel is installed."""
    return install(wheel, tmp_path_factory.mktemp("site") / "venv")


def say(programs: Path, folder: Path, *lines: str) -> list[tuple[int, str]]:
    """Exit code and output of commands of the installed package, started in a folder that is no checkout."""
    asked = json.dumps([line.split() for line in lines])
    told = json.loads(run(folder, [programs / "python", "-I", "-c", COMMANDS], asked))
    assert [words for _, _, words in told] == [""] * len(lines)
    return [(code, words) for code, words, _ in told]


def run(folder: Path, command: Sequence[str | Path], typed: str = "") -> str:
    """What a program prints that ends well."""
    environment = {**os.environ, "COLUMNS": "80", "TERM": "dumb", "MAILBOX_PASSWORD": "secret"}
    done = subprocess.run(
        command, cwd=folder, env=environment, input=typed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def in_checkout(pattern: str, *, below: str) -> set[str]:
    """Files of the checkout, as their paths in the wheel."""
    return {str(path.relative_to(PROJECT)) for path in (PROJECT / below).rglob(pattern) if path.is_file()}


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Code, types, example, runbook, migrations and templates are in the wheel; tests, deploy and docs are not."""
    found = {name for name in names(wheel) if ".dist-info/" not in name}
    wanted = in_checkout("*.py", below="helpdesk") | {
        f"helpdesk/{one}" for one in in_checkout("*", below="templates")
    }
    wanted |= {
        "helpdesk/py.typed",
        "helpdesk/example.toml",
        "helpdesk/runbook.md",
        "helpdesk/demo/gallery.html.j2",
    }
    assert wanted <= found
    assert any("migrations/versions/v0001" in name for name in found)
    assert {name.partition("/")[0] for name in found} == {"helpdesk"}
    assert not any(name.endswith((".pyc", ".db", ".secret", ".j2.orig")) for name in found)


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """Name, licence, Python, libraries and the command are in its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        told = message_from_bytes(archive.read(metadata))
        entries = archive.read(metadata.replace("METADATA", "entry_points.txt")).decode()
        assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
    assert (told["Name"], told["License-Expression"], told["Requires-Python"]) == (
        "helpdesk",
        "Apache-2.0",
        ">=3.11",
    )
    required = told.get_all("Requires-Dist", [])
    assert any(one.startswith("imapclient") for one in required)
    assert "helpdesk = helpdesk.start:main" in entries


def test_a_wheel_from_the_source_archive_is_the_same(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    """The source archive holds what the wheel is made of, and what a developer and a server need besides."""
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(tmp_path, filter="data")
    [source] = (path for path in tmp_path.iterdir() if path.is_dir())
    made = build("wheel", tmp_path / "again", source)
    assert sorted(names(made)) == sorted(names(wheel))
    wanted = {
        "LICENSE",
        "README.md",
        "Makefile",
        "requirements.lock",
        "pyproject.toml",
        "tests/test_wheel.py",
    }
    assert wanted | in_checkout("*", below="deploy") | in_checkout("*.md", below="docs") <= inside
    assert not any(name.startswith((".venv", ".git/", "dist/")) or "__pycache__" in name for name in inside)


def test_the_installed_package_works_alone(programs: Path, tmp_path: Path) -> None:
    """Outside the checkout: init, help, explain-rules, the tables and a check that finds no server, each with its exit code."""
    init = "init --name dast --list-address dast@lists.example.org --host 127.0.0.1"
    assert "helpdesk.toml is written" in run(tmp_path, [programs / "helpdesk", *init.split()])
    config = tmp_path / "helpdesk.toml"
    text = config.read_text()
    for server in ("imap", "smtp"):
        text = text.replace(f'password_file = "{server}-password"', 'password_env = "MAILBOX_PASSWORD"')
    config.write_text(text.replace('security = "tls"', f'security = "none"\nport = {free_port()}'))
    (tmp_path / "mail.eml").write_bytes(mail("ann@users.example", "Jobs fail", "<a@x>"))
    lines = ("--help", "explain-rules mail.eml --json", "check --json", "db upgrade --json")
    helped, explained, checked, upgraded = say(programs, tmp_path, *lines)
    assert (helped[0], "explain-rules" in helped[1]) == (0, True)
    told = json.loads(explained[1])
    assert (explained[0], told["role"], told["nature"]) == (0, "user", "human")
    found = json.loads(checked[1])["checks"]
    assert (checked[0], [one["name"] for one in found if not one["ok"]]) == (3, ["smtp", "imap"])
    assert (upgraded[0], json.loads(upgraded[1])["changed"]) == (0, True)


def test_the_installed_package_finds_its_templates(programs: Path, tmp_path: Path) -> None:
    """All templates and the runbook are read from the installed package, not from a checkout."""
    told = python(programs, tmp_path, RENDER)
    assert told[0].startswith(str(programs.parent))
    assert told[1] != "Look"  # what is said when there is no paragraph


def test_its_types_are_known(programs: Path, tmp_path: Path) -> None:
    """`py.typed` lies where type checkers look for it (PEP 561)."""
    [where] = python(programs, tmp_path, "import helpdesk; print(helpdesk.__path__[0])")
    assert Path(where, "py.typed").is_file()


def python(programs: Path, folder: Path, program: str) -> Sequence[str]:
    """The words that a program prints, run by the installed package's interpreter."""
    return run(folder, [programs / "python", "-I", "-c", program]).split()
