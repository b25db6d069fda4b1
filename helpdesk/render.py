"""Mails on the wire: what `templating` says becomes a complete letter (RFC 5322), as text and as HTML."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from functools import lru_cache
from pathlib import Path

from helpdesk.errors import HelpdeskError
from helpdesk.mailids import loop_token
from helpdesk.mails import Mail
from helpdesk.pages import inline, part_name
from helpdesk.ports import Letter
from helpdesk.references import bounded, usable_ids
from helpdesk.reports.mail import SiteReportMail
from helpdesk.templating import Wording, Words
from helpdesk.text import safe_text

MAX_SUBJECT = 160

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
    """The words of all kinds of mail, and how they leave."""

    def __init__(self, override: Path | None = None, archive_link: str = "") -> None:
        self._wording = Wording(override, archive_link)

    def words(self, mail: Mail, board: str, reply: str) -> Words:
        """What the mail says, without its envelope; `reply` is the address that an answer goes to."""
        return self._wording.words(mail, board, reply)

    def compose(self, mail: Mail, envelope: Envelope) -> Letter:
        """Write the letter that says this mail; the same arguments give the same octets."""
        words = self._wording.words(mail, envelope.board, envelope.reply_to or envelope.sender)
        shown = [ascii_domain(one) for one in (envelope.sender, *envelope.to, envelope.reply_to)]
        message = EmailMessage(policy=_POLICY.clone(utf8=not "".join(shown).isascii()))  # RFC 6532
        message["Subject"] = _unencoded(words.subject)
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
        _fill(message, words)
        _illustrate(message, mail)
        return Letter(
            message_id=envelope.message_id,
            sender=ascii_domain(envelope.return_path),
            recipients=_everybody(envelope),
            content=message.as_bytes(),
        )


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


def ascii_domain(address: str) -> str:
    """Write the address with its domain in ASCII (RFC 5890), where that is possible."""
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return address


@lru_cache(maxsize=4)
def templates(override: Path | None = None, archive_link: str = "") -> Templates:
    """The templates, compiled once a process."""
    return Templates(override, archive_link)


def _fill(message: EmailMessage, words: Words) -> None:
    """The text first, the page as its alternative; the boundary can stand in neither (RFC 2045 section 6.7)."""
    message.set_content(words.text, charset="utf-8")
    message.add_alternative(words.html, subtype="html", charset="utf-8", cte="quoted-printable")
    message.set_boundary(_boundary(message, ""))


def _boundary(message: EmailMessage, what: str) -> str:
    made = hashlib.sha256(f"{what}{message['Message-ID']}".encode()).hexdigest()
    return f"=_{made[:32]}"


def _illustrate(message: EmailMessage, mail: Mail) -> None:
    """The pictures of a page lie beside it (RFC 2387), so that nothing is loaded to show them."""
    pictures = mail.pictures if isinstance(mail, SiteReportMail) else ()
    if not pictures:
        return
    page = message.get_body(("html",))
    assert isinstance(page, EmailMessage)
    for one in pictures:
        page.add_related(
            one.png,
            "image",
            "png",
            cid=f"<{inline(one).removeprefix('cid:')}>",
            disposition="inline",
            filename=f"{part_name(one)}.png",
        )
    page.set_boundary(_boundary(message, "pictures"))


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
