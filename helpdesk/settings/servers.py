"""The sections about the board itself and the servers around it."""

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from helpdesk.settings.base import (
    Address,
    ArchiveLink,
    FilePath,
    Flag,
    Folder,
    Host,
    ListId,
    Port,
    Seconds,
    Section,
    Text,
    Zone,
    anchored,
)
from helpdesk.settings.login import Login, PasswordPlace

Security = Literal["tls", "starttls", "none"]


class Board(Section):
    """Which mailbox this is, and whether the daemon may act."""

    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$",
        description="short name of the board: letters, digits, - and _; every thread's id begins with it",
        examples=["dast"],
    )
    list_address: Address = Field(
        description="address of the mailing list that feeds the mailbox; Reply-To of all mail to users",
        examples=["dast@lists.example.org"],
    )
    list_ids: tuple[ListId, ...] = Field(
        default_factory=lambda data: (str(data.get("list_address", "")).replace("@", "."),),
        description="List-Id values of the board's own list; default: list_address with a dot for the @",
        examples=[["dast.lists.example.org"]],
    )
    timezone: Zone = Field(default="UTC", description="IANA time zone for dates and hours that people read")
    secret_file: FilePath | None = Field(
        default=None,
        description="file (mode 0600) with at least 16 octets that prove which mail is ours; default: made beside the"
        " database, which must then be SQLite",
        examples=["helpdesk.secret"],
    )
    templates: FilePath | None = Field(
        default=None,
        description="folder with templates of your own (KIND.txt.j2, KIND.html.j2) that take the place of ours; default: none",
        examples=["templates"],
    )
    archive_link: ArchiveLink | None = Field(
        default=None,
        description="address of a mail in the list's web archive, with {message_id} in it; mails then link to it; default:"
        " none",
        examples=["https://lists.example.org/archives/dast/message/{message_id}"],
    )
    act: Literal["act", "observe"] = Field(
        default="act",
        description="act: change the mailbox and send mail; observe: change nothing and report what would be done"
        " (what `helpdesk init` writes)",
    )


def _port(tls: int, starttls: int, plain: int) -> Any:
    ports = {"tls": tls, "starttls": starttls, "none": plain}
    return lambda data: ports.get(data.get("security"), tls)


class Imap(Login):
    """The shared mailbox."""

    host: Host = Field(description="name of the IMAP server", examples=["imap.example.org"])
    security: Security = Field(
        default="tls",
        description="tls: from the first octet; starttls: after STARTTLS; none: for tests on one machine",
    )
    port: Port = Field(
        default_factory=_port(993, 143, 143),
        description="TCP port; default: 993 for tls, else 143",
        examples=[993],
    )
    tls_verify: Flag = Field(default=True, description="verify the server's certificate and name")
    ca_file: FilePath | None = Field(
        default=None,
        description="PEM file with the authorities to trust instead of the system's",
        examples=["ca.pem"],
    )
    username: Text = Field(description="login name of the mailbox", examples=["dast"])
    inbox: Folder = Field(default="INBOX", description="folder of the open threads")
    archive: Folder = Field(
        default="Archive", description="folder of the closed threads; its subfolders count too"
    )
    archive_aliases: tuple[Folder, ...] = Field(
        default=(),
        description="more folders that clients archive into",
        examples=[["Archives", "INBOX/Archive"]],
    )
    sent: Folder = Field(
        default="Sent", description="folder of the team's own mail; nothing in it is ever moved"
    )
    junk: Folder = Field(default="Junk", description="folder of junk: a message moved there is gone")
    dialect: Literal["auto", "keywords", "folders", "gmail"] = Field(
        default="auto",
        description="how labels are shown in this mailbox; folders: one folder below the inbox for each, for servers that keep"
        " no keywords; auto: keywords; gmail is not built yet",
    )
    not_labels: tuple[Folder, ...] = Field(
        default=(),
        description="where labels are folders: those below the inbox that are people's own and no labels, with all that is below"
        " them",
        examples=[["INBOX/Papers"]],
    )
    unread: Literal["shared", "ignore"] = Field(
        default="shared",
        description="shared: unread mail means that nobody of the team has read it; ignore: the server keeps"
        " read marks for each person, so they mean nothing",
    )

    @model_validator(mode="after")
    def _distinct_folders(self) -> Self:
        if not self.has_secret:
            raise ValueError("needs a password_file, password_env, password_credential or oauth2")
        folders = [self.inbox, self.archive, *self.archive_aliases, self.sent, self.junk]
        twice = {name for name in folders if folders.count(name) > 1}
        if twice:
            raise ValueError(f"names the folder {min(twice)} for two purposes")
        return self


class Smtp(Login):
    """The way out."""

    host: Host = Field(description="name of the SMTP server", examples=["smtp.example.org"])
    security: Security = Field(
        default="tls",
        description="tls: from the first octet; starttls: after STARTTLS; none: for a relay on this machine",
    )
    port: Port = Field(
        default_factory=_port(465, 587, 25),
        description="TCP port; default: 465 for tls, 587 for starttls, 25 for none",
        examples=[465],
    )
    tls_verify: Flag = Field(default=True, description="verify the server's certificate and name")
    ca_file: FilePath | None = Field(
        default=None,
        description="PEM file with the authorities to trust instead of the system's",
        examples=["ca.pem"],
    )
    username: Text | None = Field(
        default=None, description="login name; without one nobody logs in", examples=["dast"]
    )
    sender: Address = Field(
        description="address of the mailbox itself: From of the board's mail, and (with a token after a +) its envelope"
        " sender, so that bounces come home",
        examples=["dast-board@example.org"],
    )
    copy_to: Address = Field(
        default_factory=lambda data: str(data.get("sender", "")),
        description="address that brings a copy of each mail into the mailbox, as proof that it went out; default:"
        " sender; never the list",
        examples=["dast-board@example.org"],
    )
    plus_addresses: Flag = Field(
        default=True,
        description="mail to sender with +anything before the @ comes into the mailbox too (RFC 5233): then Reply-To of"
        " escalations and of mail to the team carries a token, and an answer is known whatever its references;"
        " false: Reply-To is sender alone",
    )

    @model_validator(mode="after")
    def _login(self) -> Self:
        if self.username is None and self.has_secret:
            raise ValueError("has a secret and no username")
        if self.username is not None and not self.has_secret:
            raise ValueError(
                "has a username and needs a password_file, password_env, password_credential or oauth2"
            )
        return self


class Auth(Section):
    """Who may speak for an author; without both, From is believed for the board's rules and never for commands."""

    authserv_ids: tuple[Text, ...] = Field(
        default=(),
        description="names of our own mail servers in Authentication-Results (RFC 8601): those that look at every mail,"
        " and take out what a sender wrote in their name; without any, each command by mail is asked about",
        examples=[["mx.example.org"]],
    )
    trusted_lists: tuple[ListId, ...] = Field(
        default=(),
        description="List-Ids, besides the board's own, that may rewrite From and name the author elsewhere",
        examples=[["atlas-users.lists.example.org"]],
    )


_POSTGRESQL = re.compile(
    r"postgresql\+psycopg://"
    r"([^:@/?#\s]+(:(?P<password>[^:@/?#\s]*))?@)?"
    r"([^:@/?#\s\[\]]*|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?"
    r"/[^/?#\s]+(\?(?P<options>[^#\s]*))?"
)
"""Whatever has a meaning in a URL is written with % inside of names and passwords: what is read is what was meant."""

_HIDDEN = re.compile(r"(^|&)(ssl)?password=", re.IGNORECASE)


class Store(PasswordPlace):
    """Where the daemon keeps what mail cannot hold."""

    url: SecretStr = Field(
        default=SecretStr("sqlite:///helpdesk.db"),
        description="database: sqlite:///FILE (a relative FILE is beside this configuration) or"
        " postgresql+psycopg://USER@HOST/NAME; its password has keys of its own",
        examples=["sqlite:///helpdesk.db"],
    )

    @field_validator("url")
    @classmethod
    def _known_database(cls, url: SecretStr, info: ValidationInfo) -> SecretStr:
        text = url.get_secret_value()
        found = _POSTGRESQL.fullmatch(text)
        if found is not None and text.isprintable():
            if _HIDDEN.search(found["options"] or ""):
                raise ValueError("has a password behind the ?, which is no place for it; write password_file")
            return url
        if re.fullmatch(r"sqlite://(/[^?#]*)?", text) is None or not text.isprintable():
            raise ValueError("is neither sqlite:///FILE nor postgresql+psycopg://USER@HOST/NAME")
        name = text.removeprefix("sqlite:///").removeprefix("sqlite://")
        if name in ("", ":memory:"):
            return url
        return SecretStr(f"sqlite:///{anchored(Path(name), info)}")

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if len(self.places) + self.has_password > 1:
            raise ValueError(
                "has more than one of password_file, password_env, password_credential and a password in url"
            )
        if self.has_secret and self.url.get_secret_value().startswith("sqlite:"):
            raise ValueError("has a password, and SQLite asks for none")
        return self

    @property
    def has_password(self) -> bool:
        """Whether the address itself holds a password."""
        found = _POSTGRESQL.fullmatch(self.url.get_secret_value())
        return found is not None and found["password"] is not None

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for PostgreSQL and for a database in memory."""
        name = self.url.get_secret_value().removeprefix("sqlite://").removeprefix("/")
        is_file = self.url.get_secret_value().startswith("sqlite:///") and name not in ("", ":memory:")
        return Path(name) if is_file else None


class Daemon(Section):
    """The running process."""

    poll_seconds: Seconds = Field(
        default=60,
        gt=0,
        description="seconds between two looks at the mailbox when nothing wakes the daemon earlier",
    )
    http_port: Port | None = Field(
        default=None,
        description="TCP port on 127.0.0.1 for /healthz and /metrics (Prometheus); default: none",
        examples=[9155],
    )
