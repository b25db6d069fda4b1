"""Mails in words: a template and its context become a complete letter (RFC 5322).

A template's first line is `Subject: ...`, the text follows an empty line; `[board]` is put before the subject here.
A template in the override folder takes the place of ours with the same name.

Whatever an expression in a template prints is cleaned by `safe_text`, also in an overriding template: text of several
lines leaves a template only through the filters `wrapped` and `quoted`, which clean it line by line.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, select_autoescape

from helpdesk.errors import ConfigError, HelpdeskError
from helpdesk.mailids import loop_token
from helpdesk.mails import KINDS, Mail
from helpdesk.ports import Letter
from helpdesk.text import safe_block, safe_text

WIDTH = 72
MAX_SUBJECT = 160
MAX_LINE = 600
MAX_LINES = 40
MAX_REFERENCES = 20
MAX_ID = 250

_ID = re.compile(r"<[!-;=?-~]+>")
_ID_FIELDS = frozenset({"message-id", "in-reply-to", "references", "x-helpdesk-id"})
_ADDRESS = re.compile(r"[^\s<>@\"(),:;\\\[\]]+@[^\s<>@\"(),:;\\\[\]]+")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a mail carries around its words."""

    board: str
    sender: str  # From
    return_path: str  # the envelope sender, with its token
    to: tuple[str, ...]
    message_id: str
    now: datetime
    copy_to: str = ""  # in the same transaction, in no header
    reply_to: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()


class Templates:
    """The templates of all kinds, read and compiled once."""

    def __init__(self, override: Path | None = None) -> None:
        folders = [_own_folder()] if override is None else [override, _own_folder()]
        environment = Environment(
            loader=FileSystemLoader(folders),
            undefined=StrictUndefined,
            autoescape=select_autoescape(("html", "html.j2"), default=False),
            finalize=_clean,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters.update(wrapped=wrapped, quoted=quoted, when=when)
        self._texts = _compiled(environment)

    def compose(self, mail: Mail, envelope: Envelope) -> Letter:
        """Write the letter that says this mail; the same arguments give the same octets."""
        subject, body = self._words(mail, envelope)
        shown = [ascii_domain(one) for one in (envelope.sender, *envelope.to, envelope.reply_to)]
        message = EmailMessage(policy=_POLICY.clone(utf8=not "".join(shown).isascii()))  # RFC 6532
        message["Subject"] = _unencoded(f"[{envelope.board}] {subject}")
        message["From"] = _address(envelope.sender, f"{envelope.board} helpdesk")
        message["To"] = tuple(_address(to) for to in envelope.to)
        if envelope.reply_to:
            message["Reply-To"] = _address(envelope.reply_to)
        message["Date"] = envelope.now.astimezone(UTC)
        message["Message-ID"] = envelope.message_id
        if parents := usable_ids([envelope.in_reply_to]):
            message["In-Reply-To"] = parents[0]
        if references := bounded(usable_ids(envelope.references)):
            message["References"] = " ".join(references)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5
        message["X-Helpdesk-Id"] = loop_token(envelope.message_id)
        message.set_content(body, charset="utf-8")
        return Letter(
            message_id=envelope.message_id,
            sender=ascii_domain(envelope.return_path),
            recipients=_everybody(envelope),
            content=message.as_bytes(),
        )

    def _words(self, mail: Mail, envelope: Envelope) -> tuple[str, str]:
        try:
            text = self._texts[mail.kind].render(mail=mail, board=envelope.board)
        except TemplateError as error:
            raise ConfigError((f"Template {mail.kind}.txt.j2: {safe_text(str(error))}",)) from error
        head, _, body = text.partition("\n")
        return head.removeprefix("Subject:").strip(), re.sub(r"\n{3,}", "\n\n", body.strip("\n")) + "\n"


class _Block(str):
    """Text of several lines that a filter of ours has cleaned."""

    __slots__ = ()


class _Policy(EmailPolicy):
    """RFC 5322 on the wire, in 7 bits, where Python's own folding does not do: subjects and ids."""

    def fold_binary(self, name: str, value: str) -> bytes:
        """Fold a field: ids one to a line and never encoded (RFC 2047 section 5), a subject from its first word on."""
        if name.lower() in _ID_FIELDS:
            text = f"{self.linesep} ".join(str(value).split())
        elif name.lower() == "subject":
            charset = "us-ascii" if str(value).isascii() else "utf-8"
            text = Header(str(value), charset, header_name=name).encode(linesep=self.linesep)
        else:
            return super().fold_binary(name, value)
        return f"{name}: {text}{self.linesep}".encode("ascii")


_POLICY = _Policy(linesep="\r\n", cte_type="7bit", raise_on_defect=False)


def wrapped(text: str, indent: int = 0) -> str:
    """Paragraphs in lines of 72 columns, the last line ended: for blocks and for whole texts."""
    margin = " " * indent
    paragraphs = re.split(r"\n[ \t]*\n", safe_block(text).strip())
    filled = (_folded(" ".join(paragraph.split()), WIDTH - indent) for paragraph in paragraphs)
    return _Block("\n\n".join("\n".join(f"{margin}{line}" for line in lines) for lines in filled) + "\n")


def quoted(lines: Iterable[str], prefix: str = "> ") -> str:
    """Somebody's own lines, each behind a prefix; long ones are wrapped, too many are cut."""
    clean = [part for line in lines for part in safe_block(line, limit=MAX_LINE).split("\n")]
    shown = [part for line in clean[:MAX_LINES] for part in _folded(line, WIDTH - len(prefix))]
    if len(clean) > MAX_LINES:
        shown.append(f"[... {len(clean) - MAX_LINES} more lines]")
    return _Block("\n".join(f"{prefix}{line}".rstrip() for line in shown))


def when(moment: datetime) -> str:
    """Write a time for people, in UTC."""
    utc = moment.astimezone(UTC)
    return f"{utc:%a} {utc.day} {utc:%b %Y %H:%M} UTC"


def usable_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Those ids that may stand in a header: ASCII, in brackets, not long, and no encoded word in disguise."""
    return tuple(one for one in ids if _ID.fullmatch(one) and len(one) <= MAX_ID and "=?" not in one)


def bounded(ids: Sequence[str]) -> tuple[str, ...]:
    """Keep the root and the newest ids, which are what clients thread by (RFC 5322 section 3.6.4)."""
    return tuple(ids) if len(ids) <= MAX_REFERENCES else (ids[0], *ids[1 - MAX_REFERENCES :])


def ascii_domain(address: str) -> str:
    """Write the address with its domain in ASCII (RFC 5890), where that is possible."""
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return address


@lru_cache(maxsize=4)
def templates(override: Path | None = None) -> Templates:
    """The templates, compiled once a process."""
    return Templates(override)


def _own_folder() -> Path:
    """In the wheel beside this file, in a checkout at the top."""
    here = Path(__file__).resolve().parent
    inside = here / "templates"
    return inside if inside.is_dir() else here.parent / "templates"


def _compiled(environment: Environment) -> dict[str, Template]:
    texts: dict[str, Template] = {}
    problems: list[str] = []
    for kind in KINDS:
        name = f"{kind}.txt.j2"
        try:
            texts[kind] = environment.get_template(name)
        except (TemplateError, OSError, UnicodeDecodeError) as error:
            problems.append(f"Template {name}: {error}")
    if problems:
        raise ConfigError(tuple(problems))
    return texts


def _clean(value: object) -> object:
    """Let an expression of a template print what our filters made, else one clean line."""
    return value if isinstance(value, _Block) else _line(str(value))


def _line(text: str) -> str:
    return safe_text(text, limit=MAX_LINE)


def _folded(line: str, width: int) -> list[str]:
    """One line in several, all with its margin; words and names that are longer stay whole."""
    margin = line[: min(len(line) - len(line.lstrip()), width // 2)]
    return textwrap.wrap(
        line.strip(),
        width,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _unencoded(text: str) -> str:
    """Break encoded words in a subject: EmailMessage would decode them, CR and LF included (RFC 2047)."""
    cut = text if len(text) <= MAX_SUBJECT else text[: MAX_SUBJECT - 3].rstrip() + "..."
    return safe_text(cut).replace("=?", "= ?")


def _address(address: str, name: str = "") -> Address:
    address = ascii_domain(address)
    if not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise HelpdeskError(f"{safe_text(address)!r} is no address that mail can be sent to.")
    local, _, domain = address.rpartition("@")
    return Address(display_name=_unencoded(name), username=local, domain=domain)


def _everybody(envelope: Envelope) -> tuple[str, ...]:
    """All recipients of the transaction, each once, the board's own copy last."""
    wanted = [ascii_domain(to) for to in (*envelope.to, envelope.copy_to) if to]
    return tuple({address.lower(): address for address in wanted}.values())
