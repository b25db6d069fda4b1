"""A month among autoresponders, bounces, trackers, echoes and another board: the number of mails is what the caps announce."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from helpdesk.caps import TO_USERS, UNCAPPED, unproven
from helpdesk.obeying.proof import UNPROVEN_PER_DAY
from helpdesk.outbox import OutboxRow, State
from helpdesk.store import outbox as rows
from helpdesk.store import requests
from tests.street import DESTINATIONS, USERS, Street
from tests.world import World

DAYS = 30
QUIET = 10  # the last days, in which no human does anything
STEP = 12  # hours
DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)


def begin(street: Street) -> dict[str, list[str]]:
    """Everybody writes to both boards, and the shifters pass on, hurry and park what they like."""
    asked: dict[str, list[str]] = {}
    for name, world in street.boards.items():
        asked[name] = [world.incoming(user, f"{user} has a problem") for user in USERS for _ in range(2)]
        world.tick()
        for number, question in enumerate(asked[name]):
            where = DESTINATIONS[number % 3]
            labels = (
                ["urgent", where] if number % 2 else ["fixed_in_next_release", "mc08_dataset_problem", where]
            )
            world.on(question, "add_flags", labels)
    return asked


def meddle(world: World, questions: Iterable[str], day: int) -> None:
    """A shifter who cannot let go: releases daily, and escalates the same threads again and again."""
    with world.engine.begin() as conn:
        args = {
            "name": "mc08 dataset problem",
            "version": f"{day}.{len(list(world.folder.iterdir()))}",
            "cycle": 10**6,
        }
        requests.ask(conn, "release", args, world.now)
    for number, question in enumerate(questions):
        if (number + day) % 3 == 0 and "INBOX" in world.where(question):
            world.on(question, "remove_flags", [*DESTINATIONS, "escalated", "urgent"])
        elif "INBOX" in world.where(question):
            world.on(
                question,
                "add_flags",
                [DESTINATIONS[number % 3], "fixed_in_next_release", "urgent"][: 1 + day % 3],
            )


def forge(world: World) -> None:
    """Somebody writes commands in a shifter's name: each is a question to the shifter, as far as the cap goes."""
    for number in range(3):
        board = f"{world.settings.board.name}-board@example.org"
        world.incoming(
            "Aiden Archer <aiden@example.org>",
            f"close {number}",
            body="helpdesk: close abcde",
            to=board,
            listed=False,
        )


def outbox_of(world: World) -> list[OutboxRow]:
    with world.engine.connect() as conn:
        return [row for row in rows.rows(conn, State) if row.served]


def most(moments: Iterable[datetime], window: timedelta) -> int:
    """The largest number of moments in any window."""
    found = sorted(moments)
    return max((sum(start <= one < start + window for one in found) for start in found), default=0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("caps", [(1, 2, 6), pytest.param((2, 3, 60), marks=pytest.mark.slow)])
def test_a_month_on_the_street(tmp_path: Path, caps: tuple[int, int, int]) -> None:
    """Whoever answers whom: no thread, user or hour gets more mails than its cap, and a quiet board falls silent.

    The bound is made of [caps]: threads times their cap a day, questions to who is impersonated, a reminder a destination
    and day, an alarm a kind and day.
    """
    street = Street(tmp_path, caps)
    asked = begin(street)
    for step in range(DAYS * 24 // STEP):
        day = step * STEP // 24
        if day < DAYS - QUIET:
            for name, world in street.boards.items():
                meddle(world, asked[name], day)
                forge(world)
            street.advance(minutes=5)
        street.advance(hours=STEP)
    for name, world in street.boards.items():
        check(street, name, world, caps)
        if caps[2] < len(asked[name]):
            assert {"thread_per_day", "board_per_hour"} <= tripped(world)
    street.close()


def tripped(world: World) -> set[str]:
    """Which caps held a mail."""
    with world.engine.connect() as conn:
        held = rows.rows(conn, [State.HELD])
    return {row.last_answer.partition("[caps] ")[2].partition(" ")[0] for row in held}


def check(street: Street, name: str, world: World, caps: tuple[int, int, int]) -> None:
    """The caps, mail by mail; then all together."""
    user_per_day, thread_per_day, board_per_hour = caps
    sent = outbox_of(world)
    capped = [row for row in sent if row.kind not in UNCAPPED and not unproven(row)]
    by_thread, by_user = defaultdict(list), defaultdict(list)
    for row in capped:
        by_thread[row.thread].append(row.planned_at)
        for to in row.recipients if row.kind in TO_USERS else ():
            by_user[to].append(row.planned_at)
    questions = [row.planned_at for row in sent if unproven(row)]  # all to the one who is impersonated
    kinds = Counter(row.kind for row in sent)
    assert kinds["escalation"] > len(USERS), kinds  # something was going on
    assert kinds["release"] > 0, kinds
    assert all(most(moments, DAY) <= thread_per_day for thread, moments in by_thread.items() if thread), kinds
    assert all(most(moments, DAY) <= user_per_day for moments in by_user.values()), kinds
    assert 0 < most(questions, DAY) <= UNPROVEN_PER_DAY, kinds
    assert most([row.planned_at for row in capped], HOUR) <= board_per_hour, kinds

    threads = len(world.threads())
    assert threads <= 2 * len(USERS) + threads_of_the_neighbour(street, name)
    alarms = {row.occasion.rpartition(":")[0] for row in sent if row.kind in UNCAPPED}
    asked = UNPROVEN_PER_DAY * (DAYS - QUIET + 1)  # one shifter is impersonated
    bound = threads * thread_per_day * DAYS + (len(DESTINATIONS) + len(alarms)) * DAYS + asked
    carried = [letter for _, board, letter in street.sent if board == name]
    assert len(carried) == len(sent) <= bound, kinds

    last = world.now - timedelta(days=QUIET / 2)
    quiet = Counter(row.kind for row in sent if row.planned_at > last and row.kind not in UNCAPPED)
    assert set(quiet) <= {"reminder"}, quiet
    assert quiet["reminder"] <= len(DESTINATIONS) * QUIET


def threads_of_the_neighbour(street: Street, name: str) -> int:
    """A mail of the other board that names no thread of ours begins one."""
    return sum(
        f"{name}-board@example.org" in letter.recipients for _, board, letter in street.sent if board != name
    )
