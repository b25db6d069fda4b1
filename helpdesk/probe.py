"""What only writing tells: a canary in the folder helpdesk-probe shows what the server really keeps.

Only that folder is written to, and only the canary is removed from it.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from helpdesk.errors import MailboxRefusedError
from helpdesk.findings import Finding
from helpdesk.mailbox.folders import PROBE_FOLDER
from helpdesk.ports import FlagRow, Folder, Mailbox, Tier
from helpdesk.settings import Settings, vocabulary
from helpdesk.uidset import UidSet

STAR = "\\Flagged"
_OTHER = (
    "see the server's documentation; the board writes again what was not kept, and holds after some tries"
)


@dataclass(slots=True)
class Canary:
    """One mail of ours, where it lies now."""

    mailbox: Mailbox
    folder: Folder
    message_id: str
    uid: int = 0

    def found(self) -> UidSet:
        """Where it lies, by its Message-ID: nothing else in the folder is touched."""
        mails = self.mailbox.mails(self.folder, self.mailbox.uids(self.folder), ("Message-ID",))
        return UidSet.of(mail.uid for mail in mails if self.message_id.encode() in mail.header)

    def row(self) -> FlagRow:
        """Its flags, read back; gone is refused."""
        rows = self.mailbox.flags(self.folder, UidSet.of([self.uid]))
        if not rows:
            raise MailboxRefusedError("the canary has gone")
        return rows[0]

    def flags(self) -> frozenset[str]:
        """Its flags, in lower case."""
        return frozenset(flag.lower() for flag in self.row().flags)

    def store(self, change: str, *flags: str, unchanged_since: int | None = None) -> UidSet:
        """Change flags; who was first elsewhere."""
        stored = self.mailbox.store(self.folder, UidSet.of([self.uid]), change, flags, unchanged_since)
        return stored.modified


def probe_findings(settings: Settings, mailbox: Mailbox) -> Iterator[Finding]:
    """Write, read back, clean up."""
    if PROBE_FOLDER not in {info.name for info in mailbox.folders()}:
        mailbox.create(PROBE_FOLDER)
    canary = _appended(settings, mailbox)
    try:
        if settings.imap.dialect != "folders":
            yield from _keywords(settings, canary)
        yield _star(canary)
        yield _conditional(canary)
        yield _moved(settings, canary)
    finally:
        mailbox.expunge(canary.folder, canary.found())


def _appended(settings: Settings, mailbox: Mailbox) -> Canary:
    message_id = f"<helpdesk.probe.{secrets.token_hex(8)}@helpdesk.invalid>"
    mail = (
        f"From: {settings.smtp.sender}\r\nSubject: helpdesk probe\r\nMessage-ID: {message_id}\r\n"
        "Auto-Submitted: auto-generated\r\n\r\nWritten by `helpdesk check --probe`, and removed by it.\r\n"
    )
    mailbox.append(PROBE_FOLDER, mail.encode(), ["\\Seen"])
    canary = Canary(mailbox, mailbox.select(PROBE_FOLDER), message_id)
    canary.uid = max(canary.found(), default=0)
    return canary


def _keywords(settings: Settings, canary: Canary) -> Iterator[Finding]:
    kept, lost = [], []
    for label in vocabulary(settings):
        try:
            canary.store("+", label.keyword)
        except MailboxRefusedError:
            lost.append(label.name)
    flags = canary.flags()
    for label in vocabulary(settings):
        if label.keyword in flags:
            kept.append(label.name)
        elif label.name not in lost:
            lost.append(label.name)
    if lost:
        yield Finding(
            "probe keywords",
            ok=False,
            what=f"the server does not keep: {', '.join(lost)}",
            todo='fewer labels, or dialect = "folders" in [imap]: then a label is a folder below the inbox',
        )
    else:
        yield Finding("probe keywords", ok=True, what=f"all {len(kept)} labels were kept")


def _star(canary: Canary) -> Finding:
    canary.store("+", STAR)
    on = STAR.lower() in canary.flags()
    canary.store("-", STAR)
    off = STAR.lower() not in canary.flags()
    if on and off:
        return Finding("probe star", ok=True, what="set and cleared")
    return Finding("probe star", ok=False, what="the star is not kept, or not cleared", todo=_OTHER)


def _conditional(canary: Canary) -> Finding:
    """A human is first: our conditional store must change nothing (RFC 7162 section 3.1.3)."""
    before = canary.row().modseq
    if canary.mailbox.tier is Tier.PLAIN or before is None:
        return Finding(
            "probe conditional store",
            ok=True,
            what="the server has none: between our look and our write a human may be overruled for a moment",
        )
    canary.store("+", STAR)
    modified = canary.store("+", "\\Answered", unchanged_since=before)
    if canary.uid in modified and "\\answered" not in canary.flags():
        return Finding("probe conditional store", ok=True, what="whoever is first wins")
    return Finding("probe conditional store", ok=False, what="the server ignores UNCHANGEDSINCE", todo=_OTHER)


def _moved(settings: Settings, canary: Canary) -> Finding:
    """Move it to where it lies: it gets a new UID and keeps what is on it."""
    before = canary.flags()
    try:
        canary.mailbox.move(canary.folder, UidSet.of([canary.uid]), PROBE_FOLDER)
    except MailboxRefusedError as error:
        return Finding("probe move", ok=True, what=f"not tried, a move within a folder is refused: {error}")
    canary.uid = max(canary.found(), default=0)
    words = {label.keyword for label in vocabulary(settings)}
    if before & words == canary.flags() & words:
        return Finding("probe move", ok=True, what="the labels went along")
    return Finding("probe move", ok=False, what="labels are lost by a move", todo=_OTHER)
