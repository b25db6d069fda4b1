"""What people asked for since the last cycle: undo, release and resume by command, orders by mail."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from helpdesk.model import FIXED, Stamp
from helpdesk.rules.facts import Order, Release, ThreadFacts, Undo
from helpdesk.store import holds, lookups, requests
from helpdesk.store.requests import Request


@dataclass(frozen=True, slots=True)
class Wishes:
    """Undo by thread, every release that was ever said, and whether the shown plan is approved."""

    undo: dict[int, list[Undo]] = field(default_factory=dict)
    releases: tuple[Release, ...] = ()
    fresh_release: bool = False
    approved: AbstractSet[str] = frozenset()  # what was shown to who said resume
    requests: tuple[Request, ...] = ()
    orders: Mapping[int, Sequence[Order]] = field(default_factory=dict)  # by thread: commands by mail

    @property
    def undone(self) -> list[str]:
        """The actions that are taken back."""
        return [wish.action for wishes in self.undo.values() for wish in wishes]

    def threads(self, conn: Connection) -> set[int]:
        """The threads that must be decided because of them."""
        found = set(self.undo) | set(self.orders)
        if self.fresh_release:
            found |= lookups.open_with(conn, FIXED)
        return found

    def granted(self, kept_back: AbstractSet[int]) -> "Wishes":
        """What was carried out: all but the undo of threads that a brake keeps as they were."""
        waiting = {thread for thread in self.undo if thread in kept_back}
        return replace(
            self,
            undo={thread: wishes for thread, wishes in self.undo.items() if thread not in waiting},
            requests=tuple(
                r for r in self.requests if r.kind != "undo" or int(r.args["thread"]) not in waiting
            ),
        )

    def attach(self, facts: ThreadFacts) -> ThreadFacts:
        """The facts of a thread with what is wished of it."""
        undo, orders = tuple(self.undo.get(facts.key, ())), tuple(self.orders.get(facts.key, ()))
        if not (undo or orders or self.releases):
            return facts  # as the store loads them
        return replace(facts, undo=undo, releases=self.releases, orders=orders)


def read_wishes(conn: Connection, now: datetime) -> Wishes:
    """Read what is asked and not done; a release counts from when it was said, whoever carries it out."""
    undo: dict[int, list[Undo]] = defaultdict(list)
    undone = requests.open_requests(conn, "undo")
    for request in undone:
        undo[int(request.args["thread"])].append(
            Undo(str(request.args["action"]), str(request.args["kind"]), str(request.args["what"]))
        )
    fresh = requests.open_requests(conn, "release")
    resumed = requests.open_requests(conn, "resume")
    held = [hold.what for hold in holds.current(conn)] if resumed else []
    approved = frozenset(
        what for r in resumed for what in r.args.get("shown", held)
    )  # an older helpdesk did not say
    releases = tuple(
        Release(str(r.args["name"]), str(r.args["version"]), Stamp(int(r.args["cycle"]), r.at))
        for r in requests.all_requests(conn, "release")
        if r.at <= now
    )
    return Wishes(dict(undo), releases, bool(fresh), approved, (*undone, *fresh, *resumed))
