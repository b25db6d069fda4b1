"""What an observation cannot mean: it holds the board until a person has looked (docs/decisions.md section 10)."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.incoming import Incoming
from helpdesk.mailids import BOARD_MARK
from helpdesk.model import Stamp
from helpdesk.store import copies, lookups, messages

FEWEST_GONE = 5

# INTERNALDATE has whole seconds (RFC 9051 section 2.3.3), and it is the mail server's clock that tells them.
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one observation found."""

    vanished: int  # copies that nobody found again
    doubtful: int  # new mails that two different former copies fit
    lost: Mapping[str, AbstractSet[int]]  # label -> threads that lost it
    own: Sequence[Incoming]  # new mail with our HMAC
    bereft: Mapping[str, int] = field(
        default_factory=dict
    )  # folders that went -> open mails that went with them


def implausible(
    conn: Connection, board: BoardContext, last: Stamp | None, evidence: Evidence
) -> tuple[tuple[str, str], ...]:
    """Every brake that this observation trips: its name and a sentence."""
    return (
        *_gone(conn, board, evidence),
        *_doubtful(evidence.doubtful),
        *_labels(board, evidence.lost),
        *_strangers(conn, last, evidence.own),
    )


def _gone(conn: Connection, board: BoardContext, evidence: Evidence) -> Iterator[tuple[str, str]]:
    vanished = evidence.vanished
    if evidence.bereft:
        told = ", ".join(
            f"{name} and {count} open mails in it" for name, count in sorted(evidence.bereft.items())
        )
        yield "gone", f"a folder of open mail has gone: {told}"
    elif vanished >= FEWEST_GONE:
        known = copies.living(conn) + vanished
        if vanished > board.max_gone * known:
            yield (
                "gone",
                f"{vanished} of {known} known mails are gone at once; brakes.max_gone allows {board.max_gone:g} of all",
            )


def _doubtful(doubtful: int) -> Iterator[tuple[str, str]]:
    if doubtful:
        yield (
            "uidvalidity",
            f"a folder was made anew or restored, and for {doubtful} of its mails it is not certain which ones they were",
        )


def _labels(board: BoardContext, lost: Mapping[str, AbstractSet[int]]) -> Iterator[tuple[str, str]]:
    for label in sorted(lost):
        if len(lost[label]) >= board.max_label_loss:
            yield (
                "label_loss",
                f"{len(lost[label])} threads lost {label.lstrip(chr(92))} at once; brakes.max_label_loss is {board.max_label_loss}",
            )


def _strangers(conn: Connection, last: Stamp | None, own: Sequence[Incoming]) -> Iterator[tuple[str, str]]:
    """Mail that only we can have sent and that we do not know of: a restored backup, or a second instance.

    Whoever got a mail of ours before the database was lost can send it back; a copy of it came home then.  When it was written
    is told by the clock of a machine of ours, too, in its Date: the mail server's may be slow.
    """
    sent = [mail for mail in own if not mail.own[0].startswith(BOARD_MARK)]
    new = [mail for mail in sent if last is None or _is_new(mail, last.at - CLOCKS_DIFFER)]
    tokens = {token for mail in new for token in mail.own}
    seen = set() if last is None else lookups.seen_until(conn, tokens, last.cycle)
    known = messages.sent_for(conn, tokens).keys() | seen
    unknown = sum(known.isdisjoint(mail.own) for mail in new)
    if unknown:
        yield (
            "mails",
            f"{unknown} mails of ours are not in the outbox: another instance runs, or the database is an old backup",
        )


def _is_new(mail: Incoming, since: datetime) -> bool:
    date = None if mail.new is None else mail.new.date
    return mail.when is None or mail.when > since or (date is not None and date > since)
