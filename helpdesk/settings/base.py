"""The types that the sections of a configuration are made of."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from helpdesk.settings.patterns import compile_pattern
from helpdesk.settings.times import known_zone

YEAR_DAYS = 366


class Section(BaseModel):
    """One table of the configuration: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, validate_by_name=True, hide_input_in_errors=True
    )


def anchored(path: Path, info: ValidationInfo) -> Path:
    """Make a relative path relative to the configuration file, whose folder is the context's `folder`."""
    folder = (info.context or {}).get("folder")
    return path if folder is None else Path(folder) / path.expanduser()


def _address(text: str) -> str:
    if len(text) > 254 or not re.fullmatch(
        r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*", text.lower()
    ):
        raise ValueError("is not an e-mail address")
    return text.lower()


def _domain(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", text.lower()):
        raise ValueError("is not a domain name")
    return text.lower()


def _list_id(text: str) -> str:
    """RFC 2919: what stands between the angle brackets of List-Id; an address is fine where a list has no id."""
    folded = text.strip().removeprefix("<").removesuffix(">").lower()
    if not re.fullmatch(r"[!-;=?-~]+", folded):
        raise ValueError("is not a list's id (what stands between < and > in its List-Id header)")
    return folded


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be one line of text and not empty")
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+", text):
        raise ValueError("is not a host name or an IP address (the port has a key of its own)")
    return text


def _url(text: str) -> str:
    if not is_url(text):
        raise ValueError("is not an https:// address")
    return text


def is_url(text: str) -> bool:
    """Tell whether this is an https URL without a password in it; http will do where it stays on this machine."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    local = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    return (
        (local or parts.scheme == "https")
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and text.isprintable()
    )


def _archive_link(text: str) -> str:
    """An https URL with the place of a Message-ID after its host."""
    host, _, rest = text.removeprefix("https://").partition("/")
    if not (
        text.startswith("https://")
        and is_url(text.replace("{message_id}", "id"))
        and re.fullmatch(r"[!-~]+", text)
    ):
        raise ValueError("is not an https:// address")
    if rest.count("{message_id}") != 1 or re.search(r"[{}]", host + rest.replace("{message_id}", "")):
        raise ValueError("must have {message_id} once, after the host, and no other braces")
    return text


def _pattern(text: str) -> str:
    compile_pattern(text)
    return text


def _source(text: str, info: ValidationInfo) -> str:
    if "://" in text:
        return _url(text)
    return str(anchored(Path(_one_line(text)), info))


def _matching(expression: str, sentence: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(expression, text):
            raise ValueError(sentence)
        return text

    return check


Text = Annotated[str, AfterValidator(_one_line)]
Address = Annotated[str, AfterValidator(_address)]
Domain = Annotated[str, AfterValidator(_domain)]
ListId = Annotated[str, AfterValidator(_list_id)]
Zone = Annotated[str, AfterValidator(known_zone)]
Host = Annotated[str, AfterValidator(_host)]
Url = Annotated[str, AfterValidator(_url)]
ArchiveLink = Annotated[str, AfterValidator(_archive_link)]
CalendarSource = Annotated[str, AfterValidator(_source)]
"""An https URL, or a file's path (absolute once the configuration is loaded)."""
FilePath = Annotated[Path, AfterValidator(anchored)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Colour = Annotated[str, AfterValidator(_matching(r"#[0-9A-Fa-f]{6}", "is not a colour #rrggbb"))]
Folder = Annotated[str, AfterValidator(_one_line)]
HeaderName = Annotated[str, AfterValidator(_matching(r"[!-9;-~]+", "is not the name of a mail header"))]
EnvironmentName = Annotated[
    str, AfterValidator(_matching(r"[A-Za-z_][A-Za-z0-9_]*", "is not the name of an environment variable"))
]
CredentialName = Annotated[
    str, AfterValidator(_matching(r"(?!\.)[A-Za-z0-9._-]{1,255}", "is not the name of a systemd credential"))
]

Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
Positive = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Fraction = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Seconds = Annotated[float, Field(strict=True, ge=0, le=YEAR_DAYS * 86400, allow_inf_nan=False)]
Minutes = Annotated[float, Field(strict=True, ge=0, le=YEAR_DAYS * 1440, allow_inf_nan=False)]
Hours = Annotated[float, Field(strict=True, gt=0, le=YEAR_DAYS * 24, allow_inf_nan=False)]
Days = Annotated[float, Field(strict=True, gt=0, le=YEAR_DAYS * 10, allow_inf_nan=False)]
WarningDays = Annotated[float, Field(strict=True, ge=0, le=YEAR_DAYS * 10, allow_inf_nan=False)]
Hour = Annotated[int, Field(strict=True, ge=0, le=24)]
