"""A right configuration with nothing in it that has a default, and what is wrong with changed ones."""

from pathlib import Path

import pytest

from helpdesk.config import settings_of
from helpdesk.errors import ConfigError
from helpdesk.settings import Settings

MINIMAL = """\
[board]
name = "dast"
list_address = "dast@lists.example.org"
[imap]
host = "imap.example.org"
username = "dast"
password_file = "imap-password"
[smtp]
host = "smtp.example.org"
sender = "board@example.org"
"""
HERE = Path("/etc/helpdesk/helpdesk.toml")


def minimal(more: str = "") -> Settings:
    return settings_of(HERE, MINIMAL + more)


def problems(text: str) -> list[str]:
    """What is wrong with a configuration, without the name of its folder."""
    with pytest.raises(ConfigError) as caught:
        settings_of(Path("helpdesk.toml"), text)
    return list(caught.value.problems)
