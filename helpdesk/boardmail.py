r"""The folder `Board` holds one mail, the digest as it is now, for phones and clients that show no keywords (docs/mail.md section 5).

A new one is appended when its words are others, ages apart; its octets are stored before the first byte, so that a crash appends the
same ones.  Then what else of ours lies there is removed by UID: only mail whose Message-ID proves that it was made for this folder.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from helpdesk import gathering, keepsake, letters
from helpdesk.board import Board
from helpdesk.digest.build import digest
from helpdesk.digest.mail import DigestMail
from helpdesk.errors import MailboxRefusedError
from helpdesk.keepsake import Keepsake
from helpdesk.mailids import board_message_id, loop_token
from helpdesk.ports import Mailbox
from helpdesk.report import Hold, utc
from helpdesk.shifts.rota import Rota
from helpdesk.store import boardmails, figures, meta
from helpdesk.store.boardmails import Lying
from helpdesk.uidset import UidSet

FOLDER: Final = "Board"
_KEY: Final = "board_mail"
_OCTETS: Final = "board_mail_octets"

MANY: Final = 500
PATIENCE: Final = timedelta(minutes=10)
"""A board with more open threads than `MANY` is looked at this seldom: that reads them all."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the folder holds, as far as we have come."""

    words: str = ""  # a hash of what the mail says, without ages
    message_id: str = ""
    looked: str = ""  # when we looked last
    appended: bool = False
    going: tuple[int, ...] = ()  # UIDs of ours that are being removed
    uidvalidity: int = 0  # of these
    done: bool = True


def keep(board: Board, mailbox: Mailbox, now: datetime) -> tuple[bool, list[Hold]]:
    """Look whether the mail still says what is true, if there is a reason to; tells whether anything was written."""
    try:
        _recall(board, mailbox, now)
    except (
        MailboxRefusedError
    ) as error:  # what lies there may be all that is left of it: it is not replaced unread
        return False, [Hold("server", f"the folder {FOLDER} cannot be read: {error}")]
    with board.engine.begin() as conn:
        kept = _look(board, conn, _read(conn), now)
        if kept.done:
            return False, []
        lying = boardmails.lying(conn)
        octets = b64decode(meta.get(conn, _OCTETS) or "")
    try:
        return _write(board, mailbox, kept, lying, octets, now), []
    except MailboxRefusedError as error:
        _save(board, replace(kept, done=True))
        return True, [Hold("server", f"the folder {FOLDER} cannot be kept: {error}")]


def _recall(board: Board, mailbox: Mailbox, now: datetime) -> None:
    """Take in what a mail of ours keeps that this database does not know: it is empty, or older than the mail."""
    with board.engine.connect() as conn:
        if not board.sites_telling.lanes or meta.get(conn, boardmails.CAME) is None:
            return
        kept, lying = _read(conn), boardmails.lying(conn)
    found = _kept_by(board, mailbox, [one for one in lying if one.token != loop_token(kept.message_id)])
    newest = max(found, key=lambda one: one.at, default=None)
    with board.engine.begin() as conn:
        meta.drop(conn, boardmails.CAME)
        if newest is not None and (not kept.looked or newest.at > datetime.fromisoformat(kept.looked)):
            keepsake.enter(conn, newest, now)
            boardmails.due(conn)


def _kept_by(board: Board, mailbox: Mailbox, strangers: list[Lying]) -> list[Keepsake]:
    """What these mails keep."""
    if not strangers:
        return []
    folder = mailbox.select(strangers[0].folder, readonly=True)
    uids = UidSet.of(one.uid for one in strangers if one.uidvalidity == folder.uidvalidity)
    mails = list(mailbox.mails(folder, uids, ("Message-ID", keepsake.FIELD)))
    if not all(mail.header for mail in mails):
        raise MailboxRefusedError("the server cannot say what stands in a mail there")
    return [one for mail in mails if (one := keepsake.read(board, mail.header)) is not None]


def _look(board: Board, conn: Connection, kept: _Kept, now: datetime) -> _Kept:
    """Plan another mail if the words are others; nothing is read where nothing was decided and no shift began or ended."""
    if meta.get(conn, boardmails.DIRTY) is None and not _edge(board.duty.known.rota, kept, now):
        return kept
    patient = bool(kept.looked) and now < datetime.fromisoformat(kept.looked) + PATIENCE
    if patient and figures.count(conn).open_threads > MANY:
        return kept
    meta.drop(conn, boardmails.DIRTY)
    mail = digest(gathering.gather(board, conn, now, gathering.handed_over(board, conn, now)))
    told = keepsake.words(board, conn, now)
    words = _words(mail, told)
    kept = replace(kept, looked=now.isoformat())
    if words != kept.words:
        occasion = f"{utc(now)} {words}"
        message_id = board_message_id(board.name, occasion, board.sending.sender, board.sending.secret)
        octets = keepsake.header(board, told, now) + letters.for_the_board(board, mail, message_id, now)
        meta.put(conn, _OCTETS, b64encode(octets).decode())
        kept = replace(kept, words=words, message_id=message_id, appended=False, done=False)
    meta.put(conn, _KEY, json.dumps(asdict(kept)))
    return kept


def _edge(rota: Rota | None, kept: _Kept, now: datetime) -> bool:
    """Whether a shift has begun or ended since we looked."""
    if rota is None or not kept.looked:
        return rota is not None
    edge = rota.next_edge(datetime.fromisoformat(kept.looked))
    return edge is not None and edge <= now


def _words(mail: DigestMail, kept: str) -> str:
    """What a mail says, and keeps, without what only time changes."""
    parts = [
        [
            part.number,
            part.more,
            [[row.thread, row.mark.rpartition(" ")[0], row.who, row.says, row.note] for row in part.rows],
        ]
        for part in mail.parts
    ]
    handed = [[one.author, one.verified, one.words] for one in mail.handovers]
    rest = [mail.resting, mail.news, mail.sites, mail.site_lines, mail.hints]
    said = [mail.counts, mail.duty, mail.awake, handed, parts, *rest, *([kept] if kept else [])]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _write(
    board: Board, mailbox: Mailbox, kept: _Kept, lying: list[Lying], octets: bytes, now: datetime
) -> bool:
    """Append the mail if it does not lie there, then remove what else of ours does."""
    token = loop_token(kept.message_id)
    mine = sorted(one.uid for one in lying if one.token == token)
    folder = boardmails.folder_of(lying) or FOLDER
    if not mine and not kept.appended:
        if not lying:
            with board.engine.connect() as conn:
                known = boardmails.known_folder(conn)
            folder = known or FOLDER
            if known is None:
                mailbox.create(folder)
        mailbox.append(folder, octets, ["\\Seen"], now)
        kept = _save(board, replace(kept, appended=True))
    gone = [one for one in lying if one.token != token or one.uid != max(mine, default=one.uid)]
    uidvalidity = lying[0].uidvalidity if lying else kept.uidvalidity
    before = kept.going if kept.uidvalidity == uidvalidity else ()
    going = tuple(sorted({*before, *(one.uid for one in gone)}))
    if going:
        kept = _save(board, replace(kept, going=going, uidvalidity=uidvalidity))
        _remove(mailbox, folder, uidvalidity, going)
    _save(board, replace(kept, appended=True, going=(), done=True))
    return True


def _remove(mailbox: Mailbox, name: str, uidvalidity: int, uids: tuple[int, ...]) -> None:
    r"""Remove our own former mails; without UIDPLUS they are only marked, for whoever compacts the folder."""
    folder = mailbox.select(name)
    if folder.uidvalidity != uidvalidity:
        return
    try:
        mailbox.expunge(folder, UidSet.of(uids))
    except MailboxRefusedError:
        mailbox.store(folder, UidSet.of(uids), "+", ["\\Deleted"], None)


def _read(conn: Connection) -> _Kept:
    text = meta.get(conn, _KEY)
    if text is None:
        return _Kept()
    known = json.loads(text)
    return _Kept(**{**known, "going": tuple(known["going"])})


def _save(board: Board, kept: _Kept) -> _Kept:
    with board.engine.begin() as conn:
        meta.put(conn, _KEY, json.dumps(asdict(kept)))
    return kept
