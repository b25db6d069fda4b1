"""New copies: of a message that is known, or of a new one (docs/decisions.md section 2, the table of new copies)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from helpdesk.bits import Known, pack
from helpdesk.blame.facts import Mention
from helpdesk.mailbox.changes import adopted, arrived, brought, copied
from helpdesk.mailbox.hearing import NOTHING, Said
from helpdesk.mailbox.incoming import Incoming
from helpdesk.mailbox.reunite import Arrival
from helpdesk.model import Place, Stamp
from helpdesk.rules.facts import LIVING
from helpdesk.store import commands, copies, handovers, mentions, messages, threads
from helpdesk.store.copies import Held, NewCopy, pack_flags, pack_touches
from helpdesk.store.flags import Reader
from helpdesk.store.messages import NewMessage, Twin

_TRUST = ("sent", "direct", "list")


@dataclass(slots=True)
class Arrivals:
    """Enters new copies into the store, many at once."""

    conn: Connection
    reader: Reader
    stamp: Stamp
    adopting: bool
    last: Stamp | None = None  # the observation before this one
    in_folders: bool = False  # whether labels are folders
    new: int = 0  # messages
    known: set[int] = field(default_factory=set)  # messages that have a copy more
    strangers: list[Incoming] = field(default_factory=list)  # new mail with our HMAC
    _twins: dict[str, list[Twin]] = field(default_factory=dict)
    _older: dict[int, list[Held]] = field(default_factory=lambda: defaultdict(list))
    _messages: list[NewMessage] = field(default_factory=list)
    _copies: list[NewCopy] = field(default_factory=list)
    _speakers: list[NewMessage] = field(default_factory=list)
    _left: dict[int, Held] = field(default_factory=dict)
    _said: list[Said] = field(default_factory=list)
    _named: dict[int, tuple[Mention, ...]] = field(default_factory=dict)

    def run(self, arrivals: Sequence[Arrival]) -> None:
        """Enter all of them."""
        if not arrivals:
            return
        self._look_up(arrivals)
        message, copy = messages.next_key(self.conn), copies.next_key(self.conn)
        for key, arrival in enumerate(arrivals, copy):
            message = self._enter(arrival, key, message)
        messages.add(self.conn, self._messages)
        mentions.add(self.conn, self._named)
        copies.add(self.conn, self._copies)
        copies.save(self.conn, self._left.values())
        messages.speak_for(self.conn, self._speakers)
        commands.enter(self.conn, [one.command for one in self._said if one.command], self.stamp, self.last)
        for one in self._said:
            if one.handover is not None:
                handovers.add(self.conn, one.handover)
        self._mark()

    def _look_up(self, arrivals: Sequence[Arrival]) -> None:
        ids = {a.mail.new.message_id for a in arrivals if a.mail.new is not None}
        for twin in messages.with_ids(self.conn, ids):
            self._twins.setdefault(twin.message_id, []).append(twin)
        if self.adopting:
            return
        keys = {a.mail.message for a in arrivals if a.mail.message is not None}
        keys |= {twin.key for twins in self._twins.values() for twin in twins}
        for held in copies.of_messages(self.conn, self.reader, keys):
            self._older[held.message].append(held)

    def _enter(self, arrival: Arrival, key: int, next_message: int) -> int:
        """One copy; returns the key for the next new message."""
        mail, place = arrival.mail, arrival.read.delta.after.place
        message = mail.message
        self._said += [mail.said] if mail.said is not NOTHING else []
        if mail.new is not None:
            twin = self._twin(mail.new)
            if twin is None:
                self._add_message(mail, mail.new, next_message)
                self._add_copy(arrival, key, next_message, self._first(mail, place))
                return next_message + 1
            self._speak(twin, mail.new)
            message = twin.key
        assert message is not None  # every arrival is known or was read
        self.known.add(message)
        self._add_copy(arrival, key, message, self._another(arrival, message))
        return next_message

    def _twin(self, new: NewMessage) -> Twin | None:
        """The message that this is: the same id and Date, and nobody else's; a reused id is another message."""
        for twin in self._twins.get(new.message_id, ()):
            same_author = twin.author == new.author or not (twin.author and new.author)
            if twin.date == new.date and (same_author or "list" in {twin.via, new.via}):
                return twin
        return None

    def _speak(self, twin: Twin, new: NewMessage) -> None:
        """Of several copies the most trusted says who wrote it; if that is somebody else, it is news."""
        if _TRUST.index(new.via) >= _TRUST.index(twin.via):
            return
        news = (new.role, new.nature) != (twin.role, twin.nature)
        new.id, new.cycle = twin.key, self.stamp.cycle if news else twin.cycle
        self._speakers.append(new)
        others = self._twins[twin.message_id]
        others[others.index(twin)] = _as_twin(new, twin.thread)

    def _first(self, mail: Incoming, place: Place) -> Known:
        if self.adopting or mail.adopted:
            return adopted(mail.seen.bits, place)
        return arrived(mail.seen, place, self.stamp)

    def _another(self, arrival: Arrival, message: int) -> Known:
        """A copy more of a known message."""
        mail, folder, place = arrival.mail, arrival.read.delta.after.key, arrival.read.delta.after.place
        others = self._older[message]
        sources = [held for held in others if held.guid == mail.guid and held.known.place in LIVING]
        if self.adopting:
            return adopted(mail.seen.bits, place)
        if sources and place in LIVING:
            source = max(sources, key=lambda held: (held.arrived, held.key))
            elsewhere = self.in_folders and source.folder != folder
            if elsewhere and place is Place.INBOX and mail.seen.unknown:
                return adopted(mail.seen.bits, place)  # somebody's own copy, which says nothing
            for held in sources:
                if held.known.place is not place or (
                    place is Place.INBOX and self.in_folders and held.folder != folder
                ):
                    held.left = True
                    self._left[held.key] = held
            return copied(mail.seen, place, source.known, self.stamp, in_folders=elsewhere)
        known = self._first(mail, place)
        return brought(known, self.stamp) if not others and place is Place.INBOX else known

    def _add_message(self, mail: Incoming, new: NewMessage, key: int) -> None:
        new.id = key
        self._messages.append(new)
        self._named[key] = mail.named
        self.new += 1
        if mail.own:
            self.strangers.append(mail)
        self._twins.setdefault(new.message_id, []).append(_as_twin(new, 0))

    def _add_copy(self, arrival: Arrival, key: int, message: int, known: Known) -> None:
        mail, stamp = arrival.mail, self.stamp
        self._copies.append(
            NewCopy(
                key,
                message,
                arrival.read.delta.after.key,
                mail.uid,
                mail.guid,
                pack_flags(mail.flags),
                pack(known.base),
                known.base_place.value,
                pack_touches(known.touches),
                stamp.cycle,
                stamp.at,
            )
        )

    def _mark(self) -> None:
        if self.known and not self.adopting:
            twins = messages.with_keys(self.conn, self.known)
            threads.mark_dirty(self.conn, {twin.thread for twin in twins} - {0})


def _as_twin(new: NewMessage, thread: int) -> Twin:
    return Twin(
        new.id, new.message_id, new.date, new.author, new.via, new.role, new.nature, new.cycle, thread
    )
