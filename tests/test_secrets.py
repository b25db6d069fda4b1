"""Where secrets come from, and where they must not be."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from helpdesk.errors import ConfigError
from helpdesk.secrets import board_secret, password, secret_from
from helpdesk.settings import Login, Settings


def written(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def board(folder: Path, **more: Any) -> Settings:
    document = {
        "board": {"name": "dast", "list_address": "dast@lists.example.org"},
        "imap": {"host": "imap.example.org", "username": "dast", "password_file": "imap-password"},
        "smtp": {"host": "smtp.example.org", "sender": "board@example.org"},
        **more,
    }
    return Settings.model_validate(document, context={"folder": folder})


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b" s3 cret ", " s3 cret "),
        ("ö".encode(), "ö"),
    ],
)
def test_one_line_end_is_no_part_of_a_secret(tmp_path: Path, content: bytes, secret: str) -> None:
    """A secret is the file's text without the line end that editors add, spaces included."""
    assert secret_from(written(tmp_path / "pw", content)).get_secret_value() == secret


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a\nb\n", "more than one line"),
        (b"a\0", "more than one line"),
        (b"\xff", "not UTF-8"),
        (b"x" * 70_000, "too long"),
    ],
)
def test_what_is_no_secret_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    """An empty, broken or huge secret is refused with its file's name and without a word of its content."""
    path = written(tmp_path / "pw", content)
    with pytest.raises(ConfigError, match=says) as caught:
        secret_from(path)
    assert str(path) in str(caught.value)
    assert "xxx" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_secret_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """A secret file that is open to others is refused, and the command that repairs it is said."""
    path = written(tmp_path / "pw", b"x", mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {path}"):
        secret_from(path)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_of_the_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    """Both modes that shut others out are good."""
    assert secret_from(written(tmp_path / "pw", b"x", mode)).get_secret_value() == "x"


@pytest.mark.parametrize("kind", ["folder", "pipe", "nothing", "loop"])
def test_a_secret_is_a_regular_file(tmp_path: Path, kind: str) -> None:
    """What is no file is refused at once: a pipe does not block the daemon."""
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path, 0o600)
    elif kind == "loop":
        path.symlink_to(path)
    with pytest.raises(ConfigError, match=kind):
        secret_from(path)


def test_a_password_comes_from_the_place_that_is_named(tmp_path: Path) -> None:
    """File, environment and systemd credential each give the password, and nothing named gives none."""
    path = written(tmp_path / "pw", b"from file\n")
    written(tmp_path / "cred", b"from systemd\n", 0o440)  # an ACL shows as a group's right
    environment = {"PW": "from environment", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    found = [
        password(login, environment)
        for login in (
            Login(password_file=path),
            Login(password_env="PW"),
            Login(password_credential="cred"),
            Login(),
        )
    ]
    assert [secret.get_secret_value() if secret else None for secret in found] == [
        "from file",
        "from environment",
        "from systemd",
        None,
    ]


@pytest.mark.parametrize(
    ("login", "says"),
    [
        (Login(password_env="NOT_SET"), "NOT_SET is not set"),
        (Login(password_credential="pw"), "LoadCredential=pw"),
        (Login(password_file=Path("missing")), "missing: .*No such file"),
    ],
)
def test_a_missing_secret_says_what_to_do(login: Login, says: str) -> None:
    """A secret that is not where the configuration says is an error that names the place."""
    with pytest.raises(ConfigError, match=says):
        password(login, {})


def test_a_secret_shows_nowhere(tmp_path: Path) -> None:
    """Neither a secret nor the settings that lead to it print it."""
    secret = secret_from(written(tmp_path / "pw", b"s3cret"))
    settings = board(
        tmp_path,
        board={"name": "dast", "list_address": "dast@lists.example.org", "secret_file": "s"},
        store={"url": "postgresql+psycopg://dast:s3cret@db.example.org/dast"},
    )
    assert "s3cret" not in f"{secret} {secret!r} {settings} {settings!r}"


def test_the_boards_secret_is_made_once_beside_the_database(tmp_path: Path) -> None:
    """The first command that acts makes 32 octets for the owner alone, and later ones read the same."""
    settings = board(tmp_path)
    first = board_secret(settings, create=True)
    path = tmp_path / "helpdesk.secret"
    assert len(first.get_secret_value()) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert board_secret(settings, create=True) == first
    assert board_secret(settings, create=False) == first
    assert [item.name for item in tmp_path.iterdir()] == ["helpdesk.secret"]


def test_a_command_that_only_reads_makes_no_secret(tmp_path: Path) -> None:
    """Without a secret a reading command works with one of its own, writes nothing, and recognises no mail."""
    settings = board(tmp_path)
    secrets = {board_secret(settings, create=False).get_secret_value() for _ in range(2)}
    assert len(secrets) == 2
    assert list(tmp_path.iterdir()) == []


def test_many_that_make_the_secret_at_once_agree(tmp_path: Path) -> None:
    """However many start at the same moment, there is one secret and no rubbish beside it."""
    settings = board(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: board_secret(settings, create=True).get_secret_value(), range(32)))
    assert len(found) == 1
    assert [item.name for item in tmp_path.iterdir()] == ["helpdesk.secret"]


def test_a_poor_secret_of_the_board_is_refused(tmp_path: Path) -> None:
    """A secret that others may read, or that is too short to be one, is no proof of anything."""
    settings = board(tmp_path)
    written(tmp_path / "helpdesk.secret", b"x" * 32, 0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        board_secret(settings, create=True)
    written(tmp_path / "helpdesk.secret", b"x" * 15)
    with pytest.raises(ConfigError, match="too few"):
        board_secret(settings, create=True)


def test_a_secret_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    """A folder that does not exist is said in one sentence."""
    settings = board(tmp_path, store={"url": "sqlite:///nowhere/helpdesk.db"})
    with pytest.raises(ConfigError, match=r"nowhere/helpdesk\.secret: .*cannot be made"):
        board_secret(settings, create=True)


def test_a_database_in_memory_has_no_place_for_a_secret(tmp_path: Path) -> None:
    """Without a file to put it beside, the board's secret must be named."""
    with pytest.raises(ConfigError, match="secret_file"):
        board_secret(board(tmp_path, store={"url": "sqlite://"}), create=False)
