"""Vanished UIDs and new ones: what is only a move, what came back under a new UIDVALIDITY, what is really new."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from helpdesk.mailbox.changes import Changes, Spot
from helpdesk.mailbox.delta import Delta
from helpdesk.mailbox.incoming import Incoming
from helpdesk.model import Place
from helpdesk.store import aside, copies, messages, suspects
from helpdesk.store.aside import Unreadable
from helpdesk.store.copies import Held
from helpdesk.store.core import COPY
from helpdesk.store.flags import Reader
from helpdesk.uidset import UidSet


@dataclass(slots=True)
class Read:
    """A folder's delta, and the mail that was read for it."""

    delta: Delta
    mails: list[Incoming] = field(default_factory=list)

    def spot(self, uid: int, flags: frozenset[str], reader: Reader) -> Spot:
        """A place in this folder."""
        state = self.delta.after
        return Spot(
            state.key, state.name, state.place, uid, flags, reader.read(flags, state.name, state.place)
        )


@dataclass(slots=True)
class Arrival:
    """A mail that is no copy which we knew."""

    read: Read
    mail: Incoming


@dataclass(slots=True)
class Reunion:
    """Brings together what vanished and what is new, over all folders of one observation."""

    conn: Connection
    reader: Reader
    changes: Changes
    doubtful: int = 0  # new mails that two different former copies fit
    vanished: int = 0  # copies that nobody found again
    bereft: Counter[str] = field(
        default_factory=Counter
    )  # of these, the open ones of each folder that has gone
    _pool: dict[str, list[Held]] = field(default_factory=lambda: defaultdict(list))
    _missing: frozenset[int] = frozenset()  # folders that have gone
    _struck: set[int] = field(default_factory=set)  # keys of copies that are marked \\Deleted

    def run(self, reads: Sequence[Read], missing: Sequence[int], *, patient: bool) -> list[Arrival]:
        """Apply the deltas; `missing` folders are there no more; `patient` keeps limbo for as long as it lasts."""
        formers = {id(read): self._reset(read) for read in reads if read.delta.reset}
        for read in reads:
            if not read.delta.reset:
                self._known(read)
        self._missing = frozenset(missing)
        for folder in missing:
            self._take(
                copies.select_held(self.conn, self.reader, COPY.c.folder == folder, COPY.c.limbo.is_(None))
            )
            aside.forget_folder(self.conn, folder)
        known = self.changes.changed.keys() | {held.key for former in formers.values() for held in former}
        old = [held for held in copies.in_limbo(self.conn, self.reader) if held.key not in known]
        self._take(old)
        arrivals = [arrival for read in reads for arrival in self.sort(read, formers.get(id(read)))]
        self._take(held for former in formers.values() for held in former)
        arrivals = [arrival for arrival in arrivals if not self._moved(arrival)]
        self._part(patient=patient)
        return arrivals

    def _known(self, read: Read) -> None:
        """Flags of copies that are where they were, and UIDs that are not."""
        delta = read.delta
        for held in copies.in_folder(self.conn, self.reader, delta.before.key, delta.flags):
            spot = read.spot(held.uid, delta.flags[held.uid], self.reader)
            if spot.seen.deleted:
                delta.hidden.add(held.uid)
                self._struck.add(held.key)
                self._take([held])
            elif delta.back and held.limbo is None:
                if held.flags != spot.flags:
                    self.changes.restore(held, spot)
            else:
                older = delta.older.get(held.uid, self.changes.stamp)
                self.changes.observe(held, spot, held.arrived if older is None else max(older, held.arrived))
        self._take(copies.within(self.conn, self.reader, delta.before.key, delta.vanished))
        aside.forget(self.conn, delta.before.key, delta.vanished)

    def _reset(self, read: Read) -> list[Held]:
        """UIDVALIDITY changed: all that is known of the folder's UIDs goes."""
        folder = read.delta.before.key
        copies.set_aside(self.conn, folder)
        aside.forget_folder(self.conn, folder)
        return list(copies.select_held(self.conn, self.reader, COPY.c.folder == folder))

    def sort(self, read: Read, formers: list[Held] | None = None) -> Iterator[Arrival]:
        """Sort the new mail of a folder: unreadable, hidden, a former copy, or something to look at."""
        folder = read.delta.after.key
        if read.mails:
            aside.forget(self.conn, folder, UidSet.of(mail.uid for mail in read.mails))
            suspects.forget(self.conn, read.delta.folder, read.delta.after.uidnext)
        hidden = {mail.uid for mail in read.mails if mail.seen.deleted}
        aside.hide(self.conn, folder, sorted(hidden | read.delta.hidden))
        left = [mail for mail in read.mails if mail.uid not in hidden]
        if formers is not None:
            left = self._former(read, left, formers)
        for mail in left:
            if mail.why and not self._pool.get(mail.guid):
                now, again = self.changes.stamp.at, mail.again
                later = None if again is None else now + again
                why = Unreadable(folder, mail.uid, mail.guid, mail.why, now, mail.strikes, later)
                aside.quarantine(self.conn, [why])
            else:
                yield Arrival(read, mail)

    def _former(self, read: Read, mails: list[Incoming], formers: list[Held]) -> list[Incoming]:
        """Match by server id, then by message; what is matched leaves both lists."""
        by_guid: dict[str, list[Held]] = defaultdict(list)
        by_message: dict[int, list[Held]] = defaultdict(list)
        for held in formers:
            by_guid[held.guid].append(held)
            by_message[held.message].append(held)
        dates = {mail.new.message_id: mail.new.date for mail in mails if mail.new is not None}
        twins: dict[str, list[int]] = defaultdict(list)
        for twin in messages.with_ids(self.conn, dates):
            if twin.date == dates[twin.message_id]:
                twins[twin.message_id].append(twin.key)
        used: set[int] = set()
        rest: list[Incoming] = []
        for mail in mails:
            found = [h for h in by_guid.get(mail.guid, ()) if h.key not in used]
            if not found and mail.new is not None:
                keys = twins[mail.new.message_id]
                found = [h for key in keys for h in by_message[key] if h.key not in used]
            if not found:
                rest.append(mail)
                continue
            self.doubtful += len({(h.known.base, h.known.planned) for h in found}) > 1
            used.add(found[0].key)
            found[0].guid = mail.guid or found[0].guid
            self.changes.restore(found[0], read.spot(mail.uid, mail.flags, self.reader))
        formers[:] = [held for held in formers if held.key not in used]
        return rest

    def _moved(self, arrival: Arrival) -> bool:
        """A vanished copy with this server id is what came: the same copy, elsewhere."""
        mail = arrival.mail
        found = self._pool.get(mail.guid)
        if not found or not mail.guid:
            return False
        spot = arrival.read.spot(mail.uid, mail.flags, self.reader)
        best = min(found, key=lambda held: _fit(held, spot))
        found.remove(best)
        self.changes.observe(best, spot)
        return True

    def _take(self, held: Iterable[Held]) -> None:
        for copy in held:
            self._pool[copy.guid].append(copy)

    def _part(self, *, patient: bool) -> None:
        """Who was found nowhere: into limbo, out of it, or gone at once, because somebody struck it out."""
        for held in (copy for found in self._pool.values() for copy in found):
            if held.key in self._struck or self.changes.adopting:  # nothing was decided yet: no need to wait
                self.changes.remove(held)
                self.vanished += 1
            elif held.limbo is None:
                self.changes.vanish(held)
                self.vanished += 1
                if held.folder in self._missing and held.known.place is Place.INBOX:
                    self.bereft[held.folder_name] += 1
            elif not patient:
                self.changes.remove(held)


def _fit(held: Held, spot: Spot) -> tuple[bool, bool, bool, int]:
    """Of several former copies the one that was to come here; then one that was not left, and that was to look so."""
    known, bits = held.known, spot.seen.bits
    wanted = known.base if known.planned is None else known.planned
    return known.planned_place is not spot.place, held.left, bits != wanted, held.key
