"""A first configuration: the example with this board's names in it, and without the example's people and rules."""

import os
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from helpdesk.config import settings_of
from helpdesk.errors import UsageError
from helpdesk.settings.keys import toml

_COMMENT_COLUMN = 48
_LINE = re.compile(r'(?P<key>[a-z0-9_]+) = (?P<value>"[^"#]*"|[^"#]*?) *(?P<comment>#.*)?')
_SAMPLES = ("[[", "[rule.when]", "[auth]")
"""Tables whose contents are another board's: they are written as comments."""


def example() -> str:
    """Return the complete commented example."""
    return files("helpdesk").joinpath("example.toml").read_text(encoding="utf-8")


def write_config(path: Path, *, name: str, list_address: str, host: str, mailbox: str | None = None) -> None:
    """Write a first configuration (mode 0600), which observes and does not act; a file that exists stays as it is.

    `mailbox` is the address of the mailbox itself, which is also its login name; a guess is written without it.
    """
    address = mailbox or f"{name}-board@{_domain(host, list_address)}"
    text = filled_in(
        {
            ("[board]", "name"): name,
            ("[board]", "list_address"): list_address,
            ("[imap]", "host"): host,
            ("[imap]", "username"): address,
            ("[smtp]", "host"): host,
            ("[smtp]", "username"): address,
            ("[smtp]", "sender"): address,
        }
    )
    settings_of(path, text)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{path}: exists already and was left as it is; name another file with --config"
        ) from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error


def _domain(host: str, list_address: str) -> str:
    """Of imap.example.org it is example.org; a server without such a name is probably in the list's domain."""
    above = host.partition(".")[2]
    named = "." in above and host.rpartition(".")[2].isalpha()
    return above if named else list_address.rpartition("@")[2]


def filled_in(answers: Mapping[tuple[str, str], str]) -> str:
    """Return the example with the answers in their places and the samples as comments."""
    lines = []
    table = ""
    for line in example().splitlines():
        if line.startswith("["):
            table = line.partition("#")[0].strip()
        lines.append(_filled_line(table, line, answers))
    return "\n".join(lines) + "\n"


def _filled_line(table: str, line: str, answers: Mapping[tuple[str, str], str]) -> str:
    if table.startswith(_SAMPLES) and line and not line.startswith(("#", " ", "[auth]")):
        return f"#{line}"
    found = _LINE.fullmatch(line)
    if found is None or (table, found["key"]) not in answers:
        return line
    written = f"{found['key']} = {toml(answers[table, found['key']])}"
    return f"{written:<{_COMMENT_COLUMN - 1}} {found['comment'] or ''}".rstrip()
