"""What changed in one folder since it was last read, in as few commands as the server's tier allows.

The HIGHESTMODSEQ that is kept is the one that STATUS told before anything was fetched: what changes meanwhile is told
again next time.  Mail is read up to the UIDNEXT of that STATUS, for the same reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from helpdesk.errors import UidValidityChangedError
from helpdesk.mailbox.identities import are_others
from helpdesk.model import Place, Stamp
from helpdesk.ports import FlagRow, Folder, FolderStatus, Mailbox, Tier
from helpdesk.store import aside, folders
from helpdesk.store.folders import FolderState
from helpdesk.uidset import UidSet

SURE = 5  # of the newest mails that we know, in every cycle that brings new ones: whether they are still the same
NEWEST = 500  # tier plain: flags that are looked at in every cycle
SPARSE = 1000  # UIDs that do not exist and are asked for all the same
SLICE = 500  # and as many of the older ones, in rotation

_LABELLED = frozenset({Place.INBOX, Place.ARCHIVE})


@dataclass(slots=True)
class Delta:
    """The difference between a folder and what we know of it."""

    before: FolderState  # as stored
    after: FolderState  # as stored once this delta is applied
    folder: Folder
    reset: bool = False  # made anew or restored from a snapshot: nothing that was known of UIDs is true
    back: bool = (
        False  # MODSEQ went down: a snapshot, or an index made anew; flags that differ are nobody's touch
    )
    fresh: UidSet = field(default_factory=UidSet)  # to be read: new, or visible again
    flags: dict[int, frozenset[str]] = field(default_factory=dict)  # of copies, those in limbo included
    older: Mapping[int, Stamp | None] = field(
        default_factory=dict
    )  # UIDs read in rotation: the last time, at the latest
    vanished: UidSet = field(default_factory=UidSet)  # known or not
    hidden: set[int] = field(default_factory=set)  # unknown until now, and \Deleted


def is_quiet(state: FolderState, status: FolderStatus, tier: Tier) -> bool:
    """Nothing can have changed that the board cares for."""
    if _progress(state) != (status.uidvalidity, status.uidnext, status.messages, status.modseq):
        return False
    tells_flags = status.modseq is not None and tier is not Tier.PLAIN
    return tells_flags or state.place not in _LABELLED or status.messages == 0


def read(
    mailbox: Mailbox, conn: Connection, state: FolderState, status: FolderStatus, stamp: Stamp, *, anew: bool
) -> Delta:
    """Find what changed in a folder that is not quiet; `compare` follows once the fresh mail was read.

    `anew`: the connection is new, so that anything may have happened to the server.
    """
    reader = _Reader(mailbox, conn, state, status)
    reader.read(stamp, anew=anew)
    return reader.delta


def compare(mailbox: Mailbox, conn: Connection, delta: Delta, arrived: Iterable[int]) -> UidSet:
    """Count: if what we know is not what STATUS told, look at all UIDs.  Returns fresh ones that were missed."""
    if delta.reset:
        return UidSet()
    known = set(arrived) | delta.hidden | delta.flags.keys()
    stored = folders.tracked(conn, delta.before.key) - folders.tracked_within(
        conn, delta.before.key, delta.vanished
    )
    added = len(known) - folders.tracked_within(conn, delta.before.key, UidSet.of(known))
    if stored + added == delta.after.messages:
        return UidSet()
    present = UidSet.of(uid for uid in mailbox.uids(delta.folder) if uid < delta.after.uidnext)
    there = set(present)
    stored_uids = set(folders.tracked_uids(conn, delta.before.key))
    delta.vanished = UidSet.of({*delta.vanished, *((stored_uids | known) - there)})
    missed = there - stored_uids - known
    if not missed:
        return UidSet()
    take(conn, delta, mailbox.flags(delta.folder, UidSet.of(missed)))
    return UidSet.of(uid for uid in delta.fresh if uid in missed)


def take(conn: Connection, delta: Delta, rows: Iterable[FlagRow]) -> None:
    """Sort flags: of copies, of messages that are visible again, of messages that are hidden now."""
    told = {
        row.uid: row.flags for row in rows if row.uid < delta.after.uidnext and row.uid not in delta.fresh
    }
    copies = folders.copies_among(conn, delta.before.key, told)
    unreadable, hidden = aside.among(conn, delta.before.key, told.keys() - copies)
    again: set[int] = set()
    for uid, flags in told.items():
        if uid in copies:
            delta.flags[uid] = flags
        elif uid in unreadable:
            continue
        elif "\\Deleted" not in flags:
            again.add(uid)
        elif uid not in hidden:
            delta.hidden.add(uid)
    if again:
        delta.fresh = UidSet.of({*delta.fresh, *again})


class _Reader:
    """Fills one delta."""

    def __init__(self, mailbox: Mailbox, conn: Connection, state: FolderState, status: FolderStatus) -> None:
        self._mailbox = mailbox
        self._conn = conn
        self._status = status
        after = replace(
            state,
            uidvalidity=status.uidvalidity,
            uidnext=status.uidnext,
            messages=status.messages,
            modseq=status.modseq,
        )
        self.delta = Delta(state, after, mailbox.select(status.name, readonly=True))

    def read(self, stamp: Stamp, *, anew: bool) -> None:
        """Choose the way that the tier and the state of the folder allow."""
        delta, state, status = self.delta, self.delta.before, self._status
        if delta.folder.uidvalidity != status.uidvalidity:
            raise UidValidityChangedError(f"the folder {status.name!r} was replaced while it was read")
        delta.reset = state.uidvalidity != status.uidvalidity or self._restored(anew=anew)
        delta.fresh = self._new(1 if delta.reset else state.uidnext)
        if delta.reset or state.uidnext <= 1:
            return
        if status.modseq is None or self._mailbox.tier is Tier.PLAIN:
            self._newest_flags(stamp)
        elif state.modseq is None or status.modseq < state.modseq:
            delta.back = state.modseq is not None
            self._all_flags()
        else:
            self._changes(state.modseq)

    def _restored(self, *, anew: bool) -> bool:
        """Whether its UIDs are given out again: it went back to a snapshot, and may have grown past what it was.

        The newest mails that we know are asked for where that can have happened unseen.
        """
        state, status = self.delta.before, self._status
        if status.uidnext < state.uidnext:
            return True
        back = (
            state.modseq is not None and status.modseq is not None and status.modseq < state.modseq
        )  # see `Delta`
        if not (anew or back or status.uidnext > state.uidnext):
            return False
        return are_others(self._mailbox, self.delta.folder, folders.newest_names(self._conn, state.key, SURE))

    def _new(self, first: int) -> UidSet:
        """The UIDs from `first` on; where most of them do not exist any more, the server says which do."""
        span = UidSet.span(first, self._status.uidnext - 1)
        if len(span) <= self._status.messages + SPARSE:
            return span
        return UidSet.of(uid for uid in self._mailbox.uids(self.delta.folder) if uid in span)

    def _changes(self, since: int) -> None:
        """RFC 7162: the changes since a MODSEQ, and who vanished where the server can say."""
        changes = self._mailbox.changes(self.delta.folder, since)
        take(self._conn, self.delta, changes.rows)
        if changes.vanished is not None:
            self.delta.vanished = changes.vanished

    def _all_flags(self) -> None:
        """MODSEQ went down or is not known: the repair pass."""
        self._ask(folders.tracked_uids(self._conn, self.delta.before.key))

    def _newest_flags(self, stamp: Stamp) -> None:
        """No MODSEQ: the newest, the next ones in rotation, and whatever we wrote to."""
        state = self.delta.before
        if state.place not in _LABELLED:
            return
        newest = folders.newest_uids(self._conn, state.key, NEWEST)
        turn = folders.uids_after(self._conn, state.key, state.rotation, SLICE)
        planned = folders.planned_uids(self._conn, state.key)
        passes = state.passes if state.rotation else (stamp, *state.passes[:1])
        rotation = turn[-1] if len(turn) == SLICE else 0
        self.delta.after = replace(self.delta.after, rotation=rotation, passes=passes)
        before = passes[1] if len(passes) > 1 else None
        self.delta.older = dict.fromkeys(set(turn).difference(newest, planned), before)
        self._ask({*newest, *turn, *planned, *aside.hidden_uids(self._conn, state.key)})

    def _ask(self, uids: Iterable[int]) -> None:
        """Who is asked for and not told has gone."""
        asked = UidSet.of(uids)
        rows = self._mailbox.flags(self.delta.folder, asked)
        take(self._conn, self.delta, rows)
        told = {row.uid for row in rows}
        self.delta.vanished = UidSet.of(uid for uid in asked if uid not in told)


def _progress(state: FolderState) -> tuple[int, int, int, int | None]:
    return state.uidvalidity, state.uidnext, state.messages, state.modseq
