"""Whatever humans do between observations, the store ends up with what is in the mailbox."""

import os
import random
from pathlib import Path

import pytest
from sqlalchemy import select

from helpdesk.errors import MailboxRefusedError
from helpdesk.mailbox.threads import Node, components, partition, thread_code
from helpdesk.ports import Tier
from helpdesk.store.core import COPY, FOLDER, HIDDEN, MESSAGE, QUARANTINE, REF, THREAD
from tests.bench import ANN, BOB, Bench

HOMES = ("INBOX", "Archive", "Archive/2026", "Sent")
SEED = int(os.environ.get("HELPDESK_SEED", "0"))
KEYWORDS = ("waiting", "urgent", "docs", "\\Flagged", "\\Seen", "mystery")


def stored(bench: Bench) -> set[tuple[str, int, frozenset[str]]]:
    """Every UID that the store knows, with its flags."""
    with bench.engine.connect() as conn:
        names = {row.id: row.name for row in conn.execute(select(FOLDER))}
        rows = conn.execute(select(COPY).where(COPY.c.limbo.is_(None)))
        found = {(names[r.folder], r.uid, frozenset(r.flags.split())) for r in rows}
        aside = [(r.folder, r.uid) for t in (HIDDEN, QUARANTINE) for r in conn.execute(select(t))]
    found |= {(names[f], uid, bench.server.folder(names[f]).mails[uid].flags) for f, uid in aside}
    return told(bench, found)


def there(bench: Bench) -> set[tuple[str, int, frozenset[str]]]:
    """Every UID of the watched folders, with its flags."""
    found = {
        (name, mail.uid, mail.flags)
        for name in bench.server.folders()
        if name in HOMES
        for mail in bench.server.folder(name).mails.values()
    }
    return told(bench, found)


def told(bench: Bench, found: set[tuple[str, int, frozenset[str]]]) -> set[tuple[str, int, frozenset[str]]]:
    """What can be known: without MODSEQ nobody looks at flags in Sent."""
    if bench.tier is not Tier.PLAIN:
        return found
    return {(folder, uid, frozenset() if folder == "Sent" else flags) for folder, uid, flags in found}


class Crowd:
    """Several people who do anything at all."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench = bench
        self.random = random.Random(seed)  # noqa: S311 - a test
        self.born = 0

    def act(self) -> None:
        """One thing."""
        dice, server = self.random, self.bench.server
        folder = dice.choice([name for name in HOMES if name in server.tree])
        uids = [mail.uid for mail in server.folder(folder).mails.values()]
        some = dice.sample(uids, min(len(uids), dice.randint(1, 3)))
        match dice.randrange(11):
            case 0 | 1:
                self.born += 1
                answers = [
                    f"<{dice.randint(1, self.born + 3)}@x>" for _ in range(dice.choice((0, 1, 1, 2, 3)))
                ]
                self.bench.deliver(f"<{self.born}@x>", dice.choice((ANN, BOB)), folder, answers=answers)
            case 2 | 3:
                server.move(folder, some, dice.choice(HOMES[:3]))
            case 4:
                server.copy(folder, some, dice.choice(HOMES[:3]))
            case 5:
                server.add_flags(folder, some, [dice.choice(KEYWORDS)])
            case 6:
                server.remove_flags(folder, some, [dice.choice(KEYWORDS)])
            case 7:
                dice.choice((server.mark_deleted, server.delete))(folder, some)
            case 8:
                server.remove_flags(folder, uids, ["\\Deleted"])
            case 9:
                server.expunge(folder)
            case 10 if dice.random() < 0.3:
                server.change_uidvalidity(folder)
            case _:
                server.deliver(folder, b"\r\nno header at all\r\n")


@pytest.mark.parametrize("guids", [True, False], ids=["guid", "hash"])
@pytest.mark.parametrize("tier", Tier)
def test_the_store_follows_the_mailbox(tier: Tier, guids: bool, tmp_path: Path) -> None:
    """After every observation the store knows each UID and its flags, and a silent cycle later nothing is in limbo."""
    bench = Bench(tmp_path, tier, guids=guids)
    bench.server.create("Archive/2026")
    crowd = Crowd(bench, seed=SEED + sum(map(ord, tier)) + guids)
    for _ in range(25):
        for _ in range(crowd.random.randint(0, 4)):
            crowd.act()
        bench.look()
        assert stored(bench) == there(bench)
        assert_threaded(bench)
    while bench.look().more:
        assert bench.cycle < 60
    assert stored(bench) == there(bench)
    assert all(held.limbo is None for held in bench.held())
    bench.close()


@pytest.mark.parametrize("guids", [True, False], ids=["guid", "hash"])
@pytest.mark.parametrize("tier", Tier)
def test_humans_act_between_two_commands(tier: Tier, guids: bool, tmp_path: Path) -> None:
    """What changes while it is read is seen by the next observation, in every tier."""
    bench = Bench(tmp_path, tier, guids=guids)
    bench.server.create("Archive/2026")
    crowd = Crowd(bench, seed=SEED + 7 + sum(map(ord, tier)) + guids)

    def meddle(command: str) -> None:
        if crowd.random.random() < 0.3 and command != "FETCH":
            crowd.act()

    busy = bench.connect(meddle)
    for _ in range(20):
        try:
            bench.look(busy)
        except MailboxRefusedError:
            busy = bench.connect(meddle)
    while bench.look().more:
        assert bench.cycle < 60
    assert stored(bench) == there(bench)
    assert_threaded(bench)
    bench.close()


def assert_threaded(bench: Bench) -> None:
    """Each message is in exactly one thread, and it is the one that the whole set of messages says."""
    with bench.engine.connect() as conn:
        rows = list(conn.execute(select(MESSAGE).where(~MESSAGE.c.correspondence)))
        ids = {row.id: (row.thread, row.component) for row in conn.execute(select(REF))}
        codes = {row.id: row.code for row in conn.execute(select(THREAD))}
    nodes = [
        Node(r.time, r.message_id, r.id, tuple(r.refs.split()), tuple(r.parents.split()), r.link or None)
        for r in rows
    ]
    groups = partition(nodes)
    found: dict[int, set[int]] = {}
    for row in rows:
        found.setdefault(row.thread, set()).add(row.id)
    assert sorted(map(sorted, found.values())) == sorted(sorted(group.members) for group in groups)
    assert found.keys() == codes.keys()
    for group in groups:
        threads = {row.thread for row in rows if row.id in group.members} | {ids[one][0] for one in group.ids}
        assert [codes[key] for key in threads] == [thread_code(group.root)]
    parts = [{ids[one][1] for one in part.ids} for part in components(nodes)]
    assert all(len(part) == 1 for part in parts)
    assert len(set().union(*parts)) == len(parts)
    assert sum(len(part.ids) for part in components(nodes)) == len(ids)
