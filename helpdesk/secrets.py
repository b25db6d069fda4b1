"""Secrets come from files that only we can read, the environment, or systemd; never from argv, never into a log."""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import SecretBytes, SecretStr

from helpdesk.errors import ConfigError
from helpdesk.settings import PasswordPlace, Settings

MAX_OCTETS = 65_536
BOARD_SECRET_OCTETS = 32
_MIN_BOARD_SECRET_OCTETS = 16
_SHARED = stat.S_IRWXG | stat.S_IRWXO


def password(login: PasswordPlace, environment: Mapping[str, str] = os.environ) -> SecretStr | None:
    """Read the password of a server; None where the settings name none (OAuth 2.0, or no login)."""
    if login.password_file is not None:
        return secret_from(login.password_file)
    if login.password_env is not None:
        return _from_environment(login.password_env, environment)
    if login.password_credential is not None:
        return _from_systemd(login.password_credential, environment)
    return None


def secret_from(path: Path) -> SecretStr:
    """Read a password or a token from a file of mode 0600; one line end at the end is no part of it."""
    return _one_line(_octets(path, private=True), str(path))


def board_secret(settings: Settings, *, create: bool) -> SecretBytes:
    """Read the secret that proves which mail is ours; with `create` a missing one is made.

    Without `create` (commands that change nothing) a missing one is replaced by one for this process alone: no mail
    can be ours yet, and so none is taken for ours.
    """
    path = settings.secret_path
    if path is None:
        raise ConfigError(
            ("[board] secret_file: missing; a database in memory has no file to put a secret beside",)
        )
    if create:
        _create(path)
    elif not path.exists():
        return SecretBytes(os.urandom(BOARD_SECRET_OCTETS))
    secret = _octets(path, private=True)
    if len(secret) < _MIN_BOARD_SECRET_OCTETS:
        raise ConfigError(
            (f"{path}: holds less than {_MIN_BOARD_SECRET_OCTETS} octets, too few for a secret",)
        )
    return SecretBytes(secret)


def _create(path: Path) -> None:
    """Make a secret that is complete or absent, whoever else does the same now and whatever crashes meanwhile."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        try:
            _write_new(draft, os.urandom(BOARD_SECRET_OCTETS))
            with suppress(FileExistsError):  # another process was first: its secret is as good
                path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise ConfigError((f"{path}: the board's secret cannot be made ({error.strerror})",)) from error


def _write_new(path: Path, octets: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _octets(path: Path, *, private: bool) -> bytes:
    """Read a regular file; the checks are on the open file, so that nobody can exchange it in between."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not block us
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError((f"{path}: is not a regular file, and no secret can be read from it",))
            if private and status.st_mode & _SHARED:
                raise ConfigError((f"{path}: others than its owner may use this secret; chmod 600 {path}",))
            octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise ConfigError((f"{path}: the secret cannot be read ({error.strerror})",)) from error
    if len(octets) > MAX_OCTETS:
        raise ConfigError((f"{path}: is too long for a secret (more than {MAX_OCTETS} octets)",))
    return octets


def _from_environment(name: str, environment: Mapping[str, str]) -> SecretStr:
    value = environment.get(name)
    if value is None:
        raise ConfigError(
            (f"the environment variable {name} is not set, and the configuration names it as a secret",)
        )
    return _one_line(os.fsencode(value), f"environment variable {name}")


def _from_systemd(name: str, environment: Mapping[str, str]) -> SecretStr:
    """systemd.exec(5), CREDENTIALS: the folder is ours alone, though an ACL may show in the mode of the files."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        raise ConfigError(
            (f"there is no systemd credential {name}: add LoadCredential={name}:FILE to the unit",)
        )
    path = Path(folder) / name
    return _one_line(_octets(path, private=False), str(path))


def _one_line(octets: bytes, source: str) -> SecretStr:
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(
            (f"{source}: the secret is not UTF-8 text",)
        ) from None  # the error quotes the secret
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise ConfigError((f"{source}: the secret is empty",))
    if any(character in secret for character in "\r\n\0"):
        raise ConfigError((f"{source}: the secret has more than one line",))
    return SecretStr(secret)
