"""Mails that end the connection (docs/decisions.md section 12), on the memory server and on a scripted peer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from helpdesk.errors import DeadlyMailError, MailboxUnreachableError
from helpdesk.mailbox import inquest
from helpdesk.mailbox.connect import connect
from helpdesk.mailbox.lifeline import Lifeline
from helpdesk.mailbox.sync import Observed
from helpdesk.ports import Tier
from helpdesk.store.core import QUARANTINE, SUSPECT
from helpdesk.store.suspects import again_after
from helpdesk.uidset import UidSet
from tests.bench import ANN, GGUS, Bench
from tests.databases import Database
from tests.mortal import MortalMailbox, Peril
from tests.servers.scripted import ScriptedPeer, Turn, logged_in
from tests.test_wire_traps import FETCH_MAILS, HEADER, INBOX, account, examined, ok, row


@dataclass
class Ward:
    """A bench whose server may lose connections; every look is a new process."""

    bench: Bench
    peril: Peril = field(default_factory=Peril)

    def lifeline(self) -> Lifeline:
        return Lifeline(
            lambda: MortalMailbox(self.bench.server, self.peril, self.bench.tier), self.bench.engine
        )

    def look(self) -> Observed:
        return self.bench.look(self.lifeline())

    def fails(self) -> None:
        with pytest.raises(MailboxUnreachableError):
            self.look()

    def deliver(self, count: int, prefix: str = "m", sender: str = ANN, flags: tuple[str, ...] = ()) -> None:
        for number in range(count):
            self.bench.deliver(f"<{prefix}{number}@x>", sender, flags=flags)

    def quarantined(self) -> dict[int, int]:
        """UIDs, and how many connections each has ended."""
        with self.bench.engine.connect() as conn:
            rows = conn.execute(select(QUARANTINE.c.uid, QUARANTINE.c.strikes)).all()
            return {row.uid: row.strikes for row in rows}

    def suspects(self) -> set[tuple[int, int, int]]:
        with self.bench.engine.connect() as conn:
            rows = conn.execute(select(SUSPECT.c.first, SUSPECT.c.last, SUSPECT.c.strikes)).all()
            return {(first, last, strikes) for first, last, strikes in rows}

    def known(self) -> set[int]:
        return {held.uid for held in self.bench.held()}


@pytest.fixture(params=Tier)
def ward(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ward]:
    bench = Bench(tmp_path, request.param)
    yield Ward(bench)
    bench.close()


def test_a_known_mail_that_became_deadly_stops_no_new_one(ward: Ward) -> None:
    """Where even asking who a known mail is ends the connection, new mail is served all the same, for two connections."""
    ward.deliver(3)
    ward.look()
    ward.peril.identities = {2}
    ward.deliver(1, "new")
    assert ward.look().new == 1
    assert ward.peril.deaths == 2
    assert ward.known() == {1, 2, 3, 4}
    ward.peril.retry_after = 60.0
    ward.deliver(1, "later")
    ward.fails()


def test_one_deadly_mail_costs_a_few_connections_and_nobody_else(ward: Ward) -> None:
    """Of a hundred new mails one ends the connection: it is in quarantine and the others are served, in one look."""
    ward.look()
    ward.deliver(100)
    ward.peril.headers = {37}
    assert ward.look().new == 99
    assert ward.quarantined() == {37: 3}
    assert ward.known() == set(range(1, 101)) - {37}
    assert ward.peril.deaths <= 7 + 3
    assert ward.suspects() == set()
    before = ward.peril.deaths
    assert ward.look().changed == 0
    assert ward.peril.deaths == before


def test_a_deadly_mail_in_the_first_look(ward: Ward) -> None:
    """The first look at a mailbox survives deadly mails, too, and adopts the rest."""
    ward.deliver(30)
    ward.peril.headers = {1, 30}
    assert ward.look().new == 28
    assert set(ward.quarantined()) == {1, 30}


def test_the_search_on_either_database(tmp_path: Path, database: Database) -> None:
    """Suspects are committed beside the reading of a look on SQLite and on PostgreSQL."""
    bench = Bench(tmp_path, Tier.QRESYNC, database=database)
    ward = Ward(bench)
    ward.look()
    ward.deliver(20)
    ward.peril.headers = {7}
    assert (ward.look().new, ward.quarantined()) == (19, {7: 3})
    ward.peril.headers = set()
    bench.cycle += 5
    assert (ward.look().new, ward.quarantined(), ward.suspects()) == (1, {}, set())
    bench.close()


def test_a_body_that_ends_the_connection(ward: Ward) -> None:
    """A tracker's mail whose text is deadly is in quarantine; what came with it is served."""
    ward.look()
    ward.deliver(3, sender=GGUS)
    ward.peril.bodies = {2}
    assert ward.look().new == 2
    assert ward.quarantined() == {2: 3}
    assert ward.peril.deaths == 3
    assert ward.suspects() == set()


def test_a_deadly_mail_is_tried_again_less_and_less(ward: Ward) -> None:
    """After 5 minutes, 20 more, 80 more it costs one connection each, and none in between."""
    ward.look()
    ward.deliver(2)
    ward.peril.headers = {2}
    ward.look()
    began, costs = ward.bench.cycle, []
    for _ in range(110):
        before = ward.peril.deaths
        ward.look()
        if ward.peril.deaths > before:
            costs.append((ward.bench.cycle - began, ward.peril.deaths - before))
    assert costs == [(5, 1), (25, 1), (105, 1)]
    assert ward.quarantined() == {2: 6}
    assert [again_after(n) for n in (3, 8, 500)] == [timedelta(minutes=5), *[timedelta(days=1)] * 2]


@pytest.mark.parametrize("what", ["headers", "bodies"])
def test_a_mail_that_is_deadly_no_more_is_served(ward: Ward, what: str) -> None:
    """Once the server is mended the mail is an ordinary new mail, and nothing is left of the verdict."""
    ward.look()
    ward.deliver(3, sender=GGUS)
    setattr(ward.peril, what, {2})
    ward.look()
    setattr(ward.peril, what, set())
    ward.bench.cycle += 5
    assert ward.look().new == 1
    assert ward.quarantined() == {}
    assert ward.known() == {1, 2, 3}
    assert ward.suspects() == set()


@pytest.mark.parametrize("asked", [1, 2, 3, 8])
def test_an_outage_condemns_nobody(ward: Ward, asked: int) -> None:
    """A server that cannot be reached, or gives not even mails that it gave before, is an outage: no mail is suspected."""
    ward.deliver(2, "old")
    ward.look()
    ward.deliver(4)
    ward.peril.fetches = 2 * asked  # the fetch, and the witness
    for _ in range(asked):
        ward.fails()
        assert ward.suspects() == set()
    assert ward.look().new == 4
    assert ward.quarantined() == {}


def test_a_connection_that_breaks_by_chance_is_made_anew(ward: Ward) -> None:
    """One connection lost in the middle of a fetch costs another one and no look."""
    ward.look()
    ward.deliver(10)
    ward.peril.fetches = 1
    assert ward.look().new == 10
    assert ward.quarantined() == {}
    assert ward.suspects() == set()


def test_a_server_that_has_gone_is_an_outage(ward: Ward) -> None:
    """When the server cannot be reached after a connection was lost, the look fails and no mail is suspected."""
    ward.look()
    ward.deliver(10)
    ward.peril.fetches = 1
    lifeline = ward.lifeline()
    ward.peril.gone = True
    with pytest.raises(MailboxUnreachableError, match="does not answer"):
        ward.bench.look(lifeline)
    ward.peril.gone = False
    assert ward.suspects() == set()
    assert ward.look().new == 10


def test_a_server_that_wants_to_be_left_alone_is(ward: Ward) -> None:
    """A connection that ends with a wish for patience is no strike."""
    ward.look()
    ward.deliver(1)
    ward.peril.headers, ward.peril.retry_after = {1}, 60.0
    ward.fails()
    assert (ward.peril.deaths, ward.suspects()) == (1, set())


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_the_search_survives_the_process(ward: Ward, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that may lose only a few connections fails, and the next ones find the deadly mail all the same."""
    monkeypatch.setattr(inquest, "MAX_CONNECTIONS", limit)
    ward.look()
    ward.deliver(64)
    ward.peril.headers = {40}
    looks = 0
    while not ward.quarantined():
        looks += 1
        assert looks <= 12
        try:
            ward.look()
        except MailboxUnreachableError:
            assert ward.suspects()
    assert ward.known() == set(range(1, 65)) - {40}
    assert ward.peril.deaths <= 6 + 3 + looks


def test_a_verdict_survives_the_process(ward: Ward) -> None:
    """When the process dies after the verdict and before its look is committed, the next look asks no more."""
    ward.look()
    ward.deliver(3)
    ward.peril.headers = {2}
    lifeline = ward.lifeline()
    folder = lifeline.select("INBOX")
    assert [row.strikes for row in lifeline.mails(folder, UidSet.span(1, 3), ["Subject"])] == [0, 3, 0]
    assert ward.suspects() == {(2, 2, 3)}
    before = ward.peril.deaths
    assert ward.look().new == 2
    assert (ward.peril.deaths, ward.quarantined(), ward.suspects()) == (before, {2: 3}, set())


def test_a_verdict_on_a_mail_that_has_gone_is_forgotten(ward: Ward) -> None:
    """A condemned mail that somebody deletes before the look is committed leaves nothing behind."""
    ward.look()
    ward.deliver(3)
    ward.peril.headers = {2}
    lifeline = ward.lifeline()
    list(lifeline.mails(lifeline.select("INBOX"), UidSet.span(1, 3), ["Subject"]))
    ward.bench.server.delete("INBOX", [2])
    assert ward.look().new == 2
    assert (ward.quarantined(), ward.suspects()) == ({}, set())


def test_a_server_that_loses_every_fetch_is_no_matter_of_mails(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond twenty condemned mails the look fails; when the server is mended, all of them come by themselves."""
    monkeypatch.setattr(inquest, "MAX_CONNECTIONS", 1000)
    ward.look()
    ward.deliver(30)
    ward.peril.headers = set(range(1, 31))
    with pytest.raises(MailboxUnreachableError, match="more than 20 mails"):
        ward.look()
    assert ward.quarantined() == {}
    ward.fails()
    ward.peril.headers = set()
    ward.look()
    assert len(ward.quarantined()) <= 20
    ward.bench.cycle += 5
    ward.look()
    assert ward.known() == set(range(1, 31))


def test_a_full_quarantine_is_still_tried_again(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty mails that wait are tried again one by one without being too many."""
    monkeypatch.setattr(inquest, "MAX_CONNECTIONS", 1000)
    ward.look()
    ward.deliver(25)
    ward.peril.headers = set(range(1, 21))
    assert ward.look().new == 5
    ward.bench.cycle += 5
    ward.look()
    assert ward.quarantined() == dict.fromkeys(range(1, 21), 4)


@pytest.mark.parametrize("dead", [True, False])
def test_what_is_struck_out_is_hidden(ward: Ward, dead: bool) -> None:
    r"""A deadly mail that is marked \Deleted is hidden like any other, if its flags can be had."""
    ward.look()
    ward.deliver(2, flags=("\\Deleted",))
    ward.peril.headers, ward.peril.flags = {1}, {1} if dead else set()
    ward.look()
    assert set(ward.quarantined()) == ({1} if dead else set())


def test_a_deadly_mail_that_is_deleted_is_forgotten(ward: Ward) -> None:
    """A person who deletes the mail ends the matter."""
    ward.look()
    ward.deliver(2)
    ward.peril.headers = {1}
    ward.look()
    ward.bench.server.delete("INBOX", [1])
    ward.look()
    assert (ward.quarantined(), ward.known()) == ({}, {2})


def test_a_new_uidvalidity_ends_every_suspicion(ward: Ward) -> None:
    """UIDs of a folder that was replaced mean nothing any more."""
    ward.look()
    ward.deliver(4)
    ward.peril.headers = {3}
    ward.look()
    ward.peril.headers = set()
    ward.bench.server.change_uidvalidity("INBOX")
    ward.look()
    assert ward.quarantined() == {}
    assert len(ward.known()) == 4


def test_counting_goes_on_over_connections(ward: Ward) -> None:
    """Commands and octets are those of all connections of a look."""
    ward.look()
    ward.deliver(50)
    lifeline = ward.lifeline()
    ward.peril.headers = {20}
    ward.bench.look(lifeline)
    assert lifeline.commands > 2 * lifeline.inner.commands
    assert lifeline.bytes > lifeline.inner.bytes


def test_a_server_that_offers_less_now(ward: Ward) -> None:
    """A new connection on which changes are found otherwise ends the look: the next one begins with it."""
    ward.look()
    ward.deliver(1)
    ward.peril.fetches = 1
    lifeline = ward.lifeline()
    ward.bench.tier = Tier.PLAIN if ward.bench.tier is not Tier.PLAIN else Tier.QRESYNC
    with pytest.raises(MailboxUnreachableError, match="now"):
        ward.bench.look(lifeline)


def test_a_known_mail_whose_text_became_deadly(ward: Ward) -> None:
    """Who asks for the text of a mail that was read before gets an error that says so, and a good connection."""
    ward.deliver(2)
    ward.look()
    ward.peril.bodies = {2}
    lifeline = ward.lifeline()
    folder = lifeline.select("INBOX")
    with pytest.raises(DeadlyMailError, match="3 times"):
        lifeline.body(folder, 2, 100)
    assert lifeline.body(folder, 1, 100)
    with pytest.raises(DeadlyMailError, match="4 times"):
        lifeline.body(folder, 2, 100)
    assert ward.peril.deaths == 4


def test_a_text_that_the_server_refuses_stops_nobody(ward: Ward) -> None:
    """A mail whose text is answered with NO lies in quarantine for a day, and costs no connection."""
    ward.look()
    ward.deliver(3, sender=GGUS)
    ward.peril.refused = {2}
    assert ward.look().new == 2
    assert ward.quarantined() == {2: 0}
    ward.bench.cycle += 60
    ward.peril.refused = set()
    assert ward.look().new == 0
    ward.bench.cycle += 24 * 60
    assert ward.look().new == 1
    assert (ward.quarantined(), ward.peril.deaths) == ({}, 0)


@pytest.mark.parametrize("end", ["close", "hang"])
def test_a_real_connection_is_made_anew(tmp_path: Path, end: str) -> None:
    """On the wire: whether the server hangs up or falls silent, the deadly mail is found and the other two are read."""
    bench = Bench(tmp_path, Tier.QRESYNC)
    vouch = Turn(
        'LIST "" ("INBOX") RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))',
        ok(b'LIST () "/" "INBOX"', b'STATUS "INBOX" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 7 HIGHESTMODSEQ 9)'),
    )
    dies = [
        Turn(FETCH_MAILS.format(uids), b"* 1 FETCH (UID", then=end) for uids in ("1:3", "1:2", "2", "2", "2")
    ]
    lives = Turn(FETCH_MAILS.format("1"), ok(row(1)))
    flags = Turn("UID FETCH 2 (UID FLAGS MODSEQ)", ok(b"2 FETCH (UID 2 FLAGS (urgent) MODSEQ (5))"))
    again = [*logged_in(), vouch, examined()]
    dialogues = [
        [*logged_in(), examined(), dies[0]],
        [*again, dies[1]],
        [*again, lives, Turn("NOOP"), dies[2]],
        [*again, dies[3]],
        [*again, dies[4]],
        [*again, flags, Turn("NOOP"), Turn(FETCH_MAILS.format("3"), ok(row(3)))],
    ]
    with ScriptedPeer(*dialogues) as peer:
        lifeline = Lifeline(lambda: connect(account(peer.port, 0.5)), bench.engine)
        rows = {r.uid: r for r in lifeline.mails(INBOX, UidSet.span(1, 3), ["Subject"])}
        lifeline.close()
    assert {uid: (r.header, r.strikes) for uid, r in rows.items()} == {
        1: (HEADER, 0),
        2: (b"", 3),
        3: (HEADER, 0),
    }
    assert rows[2].flags == {"urgent"}
    bench.close()
