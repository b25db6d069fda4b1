"""`ImapMailbox`: the door to a real IMAP server (RFC 9051; RFC 7162 for finding changes).

IMAPClient connects, logs in, knows modified UTF-7 and parses what our one regular expression does not fit; commands
go through `Conversation`, because of the traps B1 to B16 that `tests/test_wire_traps.py` sets one by one.
"""

import builtins
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from helpdesk.errors import MailboxRefusedError
from helpdesk.mailbox import answers
from helpdesk.mailbox.moving import copy_verify_expunge, expunge
from helpdesk.mailbox.session import Session
from helpdesk.mailbox.wire_fetch import UNKNOWN_DATE, FlagReader, IdentityReader, MailReader, PartReader
from helpdesk.ports import (
    FlagChanges,
    FlagRow,
    Folder,
    FolderFlags,
    FolderInfo,
    FolderStatus,
    Identity,
    MailRow,
    Moved,
    Stored,
    Tier,
)
from helpdesk.uidset import UidSet

MAILS_AT_ONCE: Final = 1000
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WILDCARDS: Final = frozenset("*%")


class ImapMailbox:
    """One logged-in connection, for one thread; `helpdesk.mailbox.connect.connect` makes it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def tier(self) -> Tier:
        """How changes are found here (RFC 7162)."""
        return self._session.tier

    @property
    def commands(self) -> int:
        """Commands sent since the set-up."""
        return self._session.commands

    @property
    def bytes(self) -> int:
        """Octets received so far."""
        return self._session.received

    def folders(self) -> Sequence[FolderInfo]:
        """LIST (RFC 9051 section 6.3.9) with SPECIAL-USE (RFC 6154)."""
        wanted = (
            " RETURN (SPECIAL-USE)" if self._offers("SPECIAL-USE") and self._offers("LIST-EXTENDED") else ""
        )
        found = answers.folder_infos(self._session.run(f'LIST "" "*"{wanted}').check().untagged)
        self._session.listed(info.name for info in found)
        return found

    def statuses(self, names: Sequence[str] | None = None) -> Sequence[FolderStatus]:
        """LIST-STATUS in one command (RFC 5819), else STATUS of each (RFC 9051 section 6.3.11)."""
        names = None if names is None else [self._session.there(name) for name in names]
        self._session.leave_if_in(names)
        if self._offers("LIST-STATUS"):
            return self._list_status(names)
        if names is None:
            names = [folder.name for folder in self.folders()]
        return [status for name in names for status in self._status(name)]

    def select(self, name: str, *, readonly: bool = False) -> Folder:
        """SELECT or EXAMINE (RFC 9051 sections 6.3.2 and 6.3.3)."""
        return self._session.select(name, readonly=readonly)

    def folder_flags(self, name: str) -> FolderFlags:
        """SELECT, and what it tells: FLAGS and PERMANENTFLAGS (RFC 9051 sections 7.3.5 and 7.1)."""
        return answers.folder_flags(self._session.open(name, readonly=False)[1])

    def changes(self, folder: Folder, since: int) -> FlagChanges:
        """FETCH CHANGEDSINCE VANISHED (RFC 7162 sections 3.1.4.1 and 3.2.6), and what vanished unasked before."""
        if self.tier is Tier.PLAIN:
            raise MailboxRefusedError("the server has no CONDSTORE: changes cannot be asked for")
        self._session.enter_fresh(folder)
        reader = FlagReader()
        told = " VANISHED" if self.tier is Tier.QRESYNC else ""
        modifier = f"(CHANGEDSINCE {max(since, 1)}{told})"
        items = "(UID FLAGS MODSEQ)" if since < 1 else f"(UID FLAGS) {modifier}"  # a MODSEQ is never 0
        self._session.run(f"UID FETCH 1:* {items}", rows=reader).check()
        _refuse_unreadable(folder, reader)
        vanished = self._session.take_vanished(folder) if told else None
        return FlagChanges(list(reader.rows.values()), vanished)

    def flags(self, folder: Folder, uids: UidSet) -> Sequence[FlagRow]:
        """FETCH FLAGS (RFC 9051 section 6.4.5)."""
        if not uids:
            return []
        self._session.enter_fresh(folder)
        reader = FlagReader()
        items = "(UID FLAGS)" if self.tier is Tier.PLAIN else "(UID FLAGS MODSEQ)"
        for part in uids.slices():
            answer = self._session.run(f"UID FETCH {part} {items}", rows=reader)
            if answer.atom != "EXPUNGEISSUED":
                answer.check()
        _refuse_unreadable(folder, reader)
        asked = set(uids)
        return [row for row in reader.rows.values() if row.uid in asked]

    def uids(self, folder: Folder) -> UidSet:
        """ESEARCH (RFC 4731): a range instead of a line of a megabyte; else SEARCH."""
        self._session.enter_fresh(folder)
        wanted = "UID SEARCH RETURN (ALL) ALL" if self._offers("ESEARCH") else "UID SEARCH ALL"
        return answers.searched(self._session.run(wanted).check().untagged)

    def mails(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Iterator[MailRow]:
        """FETCH header fields as literals, never ENVELOPE, always PEEK (RFC 9051 section 6.4.5.1)."""
        parts = (part for batch in uids.batches(MAILS_AT_ONCE) for part in batch.slices())
        for number, part in enumerate(parts):
            if number:
                self._session.enter(folder)  # whoever got the last row may have gone elsewhere
            else:
                self._session.enter_fresh(folder)
            yield from self._described(folder, part, fields)

    def identities(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Sequence[Identity]:
        """FETCH the server's id (RFC 8474), else the size and header fields (RFC 9051 section 6.4.5)."""
        found: list[Identity] = []
        for part in uids.slices():
            self._session.enter(folder)
            item, reader = self._session.guid_item, IdentityReader()
            if item:
                answer = self._session.run(f"UID FETCH {part} (UID {item} RFC822.SIZE)", rows=reader)
                if answer.status == "BAD" and item == "X-GUID":
                    self._session.guid_item = item = ""  # its ID says Dovecot, but what answers is not
            rows = [] if item else self._described(folder, part, fields)
            found += reader.rows.values()
            found += [Identity(row.uid, "", row.size, row.header) for row in rows if row.header]
        asked = set(uids)
        return [one for one in found if one.uid in asked]

    def body(self, folder: Folder, uid: int, limit: int) -> builtins.bytes:
        """FETCH the beginning of BODY.PEEK[] (RFC 9051 section 6.4.5.1)."""
        self._session.enter_fresh(folder)
        reader = PartReader()
        answer = self._session.run(f"UID FETCH {uid} (UID BODY.PEEK[]<0.{max(limit, 1)}>)", rows=reader)
        if answer.atom != "EXPUNGEISSUED":
            answer.check()
        return reader.found.get(uid, b"")[:limit]

    def store(
        self, folder: Folder, uids: UidSet, change: str, flags: Sequence[str], unchanged_since: int | None
    ) -> Stored:
        """STORE with UNCHANGEDSINCE (RFC 7162 section 3.1.3); messages that have gone are no error."""
        limit = None if self.tier is Tier.PLAIN else unchanged_since
        condition = "" if limit is None else f"(UNCHANGEDSINCE {limit}) "
        what = f"{condition}{change}FLAGS.SILENT {answers.flag_list(flags)}"
        reader = FlagReader(above=limit)
        modified: list[str] = []
        for part in uids.slices():
            self._session.enter(folder, write=True)
            answer = self._session.run(f"UID STORE {part} {what}", rows=reader)
            refused = answers.codes(answer, "MODIFIED")
            if not refused and answer.atom != "EXPUNGEISSUED":
                answer.check()
            modified += refused
        asked = set(uids)
        ours = [modseq for uid, modseq in reader.modseqs.items() if uid in asked]
        return Stored(UidSet.parse(",".join(modified)), max(ours, default=None))

    def move(self, folder: Folder, uids: UidSet, target: str) -> Moved:
        """MOVE (RFC 6851).  A NO after some were moved (quota) tells which; a NO after none is raised."""
        done: dict[int, int] = {}
        uidvalidity = None
        target = self._session.there(target)
        for part in uids.slices():
            self._session.enter(folder, write=True)
            if self._offers("MOVE"):
                answer = self._session.run(f"UID MOVE {part} {answers.encoded(target)}")
                moved = answers.moved(answer)
                if not moved.uids and answer.atom != "EXPUNGEISSUED":
                    answer.check()
            else:
                moved = copy_verify_expunge(self._session, folder, part, target)
            done |= moved.uids
            uidvalidity = moved.uidvalidity or uidvalidity
        return Moved(done, uidvalidity)

    def append(
        self, name: str, mail: builtins.bytes, flags: Sequence[str], when: datetime | None = None
    ) -> int | None:
        """APPEND (RFC 9051 section 6.3.12) with APPENDUID (RFC 4315)."""
        date = f' "{_internal_date(when)}"' if when else ""
        command = f"APPEND {answers.encoded(self._session.there(name))} {answers.flag_list(flags)}{date}"
        told = answers.codes(self._session.run(command, literal=mail).check(), "APPENDUID")
        words = told[-1].split() if told else []
        return int(words[1]) if len(words) == 2 and words[1].isdigit() else None

    def expunge(self, folder: Folder, uids: UidSet) -> None:
        """UID EXPUNGE (RFC 4315 section 2.1)."""
        expunge(self._session, folder, uids)

    def create(self, name: str) -> None:
        """CREATE and SUBSCRIBE (RFC 9051 sections 6.3.4 and 6.3.7): Thunderbird shows subscribed folders only."""
        name = self._session.there(name)
        folder = answers.encoded(name)
        answer = self._session.run(f"CREATE {folder}")
        if not answer.ok and answer.atom != "ALREADYEXISTS" and not self._status(name):
            answer.check()
        self._session.run(f"SUBSCRIBE {folder}").check()

    def close(self) -> None:
        """Log out."""
        self._session.close()

    def _offers(self, capability: str) -> bool:
        return self._session.offers(capability)

    def _list_status(self, names: Sequence[str] | None) -> list[FolderStatus]:
        """Ask for all at once (RFC 5819), in patterns that fit a line (RFC 5258 section 3)."""
        pattern = '"*"'
        if names is not None and not any(_WILDCARDS & set(name) for name in names) and len(names) <= 50:
            pattern = f"({' '.join(answers.encoded(name) for name in names)})"
        if names is not None and not names:
            return []
        untagged = self._session.run(f'LIST "" {pattern} RETURN (STATUS ({self._items}))').check().untagged
        found = {status.name: status for status in answers.folder_statuses(untagged)}
        infos = answers.folder_infos(untagged)
        self._session.listed(info.name for info in infos)
        for folder in infos:
            if folder.name not in found and (names is None or folder.name in names):
                found |= {status.name: status for status in self._status(folder.name)}
        return [status for name, status in found.items() if names is None or name in names]

    def _status(self, name: str) -> list[FolderStatus]:
        """Ask for one folder; none where it does not exist."""
        answer = self._session.run(f"STATUS {answers.encoded(name)} ({self._items})")
        return answers.folder_statuses(answer.untagged) if answer.ok else []

    @property
    def _items(self) -> str:
        plain = "MESSAGES UIDNEXT UIDVALIDITY"
        return plain if self.tier is Tier.PLAIN else f"{plain} HIGHESTMODSEQ"

    def _described(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> list[MailRow]:
        """Fetch one slice; where it fails, cut it in halves until the one bad message stands alone."""
        reader = MailReader()
        guid = self._session.guid_item
        header = f"BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})]"
        answer = self._session.run(f"UID FETCH {uids} ({self._attributes} {header})", rows=reader)
        if answer.status == "BAD" and guid == "X-GUID":
            self._session.guid_item = ""  # its ID says Dovecot, but what answers is not
            return self._described(folder, uids, fields)
        asked = set(uids)
        rows = [row for row in reader.rows.values() if row.uid in asked]
        if answer.ok and not reader.unreadable:
            return rows
        missing = UidSet.of(asked - reader.rows.keys())
        if answer.atom == "EXPUNGEISSUED":
            if rows and missing:
                self._session.run("NOOP").check()
                rows += self._described(folder, missing, fields)
        elif len(asked) > 1:
            for half in missing.batches((len(asked) + 1) // 2):
                rows += self._described(folder, half, fields)
        elif missing:
            rows += self._bare(next(iter(missing)))
        return rows

    @property
    def _attributes(self) -> str:
        modseq = "" if self.tier is Tier.PLAIN else " MODSEQ"
        guid = f" {self._session.guid_item}" if self._session.guid_item else ""
        return f"UID FLAGS{modseq} INTERNALDATE RFC822.SIZE{guid}"

    def _bare(self, uid: int) -> list[MailRow]:
        """Tell what can be told of a message whose header cannot be had; nothing if it is not there."""
        reader = FlagReader()
        self._session.run(f"UID FETCH {uid} (UID FLAGS)", rows=reader).check()
        row = reader.rows.get(uid)
        if row is None and not reader.unreadable:
            return []
        return [MailRow(uid, row.flags if row else frozenset(), None, UNKNOWN_DATE, 0, "", b"")]


def _refuse_unreadable(folder: Folder, reader: FlagReader) -> None:
    if any(uid is None or uid not in reader.rows for uid in reader.unreadable):
        raise MailboxRefusedError(f"the server's flags of a message in {folder.name!r} cannot be read")


def _internal_date(when: datetime) -> str:
    utc = when.astimezone(UTC)
    return f"{utc:%d}-{_MONTHS[utc.month - 1]}-{utc:%Y %H:%M:%S} +0000"
