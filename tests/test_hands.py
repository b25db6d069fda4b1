"""Helpers: the same answers with them, without them, and whatever becomes of them."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest

from helpdesk.hands import Hands, helping

BASE = 1000


def doubled(base: int, question: int) -> tuple[int, bool]:
    """An answer, and whether this process gave it; some take longer than others."""
    time.sleep(0.002 * (question % 3))
    return base + 2 * question, os.getpid() == PARENT


def large(_base: int, question: bytes) -> bytes:
    """An answer that no pipe holds."""
    return question * 2


def refused(_base: int, question: int) -> int:
    """A question that has no answer."""
    if question == 7:
        raise ArithmeticError("seven")
    return question


def deadly(_base: int, question: int) -> int:
    """A question that ends the helper which takes it."""
    if question == 5 and os.getpid() != PARENT:
        os.kill(os.getpid(), signal.SIGKILL)
    return question


def here(_base: int, _question: int) -> list[str]:
    """The files that are open in whoever answers, without the standard ones."""
    found = []
    for number in range(3, 256):
        with suppress(OSError):
            found.append(str(Path(f"/proc/self/fd/{number}").readlink()))
    return found


PARENT = os.getpid()


@pytest.fixture
def hands() -> Iterator[Hands]:
    """Two helpers."""
    made = helping(BASE, cores=3, threads=1)
    assert made.count == 2
    yield made
    made.close()


def test_answers_come_in_the_order_of_the_questions(hands: Hands) -> None:
    """Whoever answers, and however long it takes, each question gets its answer and in its turn."""
    found = list(hands.answers(doubled, BASE, range(200)))
    assert [(question, answer) for question, (answer, _) in found] == [(n, BASE + 2 * n) for n in range(200)]
    assert not all(own for _, (_, own) in found)


def test_a_helper_that_stands_still_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stopped process has in hand is done here after a while; nothing waits for it for ever."""
    monkeypatch.setattr("helpdesk.hands.PATIENCE", 0.05)
    hands = helping(BASE, cores=2, threads=1)
    pid = hands._helpers[0]._pid
    os.kill(pid, signal.SIGSTOP)
    found = list(hands.answers(doubled, BASE, range(20)))
    assert found == [(number, (BASE + 2 * number, True)) for number in range(20)]
    assert hands.count == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_goes_without_helpers() -> None:
    """With no helper each question is answered here, before the next one is taken."""
    taken: list[int] = []

    def questions() -> Iterator[int]:
        for number in range(3):
            taken.append(number)
            yield number

    for question, answer in Hands().answers(doubled, BASE, questions()):
        assert answer == (BASE + 2 * question, True)
        assert taken[-1] == question


def test_questions_are_taken_only_a_few_ahead(hands: Hands) -> None:
    """What waits for an answer is bounded, whoever is slow."""
    taken: list[int] = []

    def questions() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    for question, _ in hands.answers(doubled, BASE, questions()):
        assert len(taken) - question < 20


def test_what_no_pipe_holds(hands: Hands) -> None:
    """Questions and answers of megabytes pass, in both directions at once."""
    questions = [os.urandom(3_000_000) for _ in range(12)]
    assert [answer for _, answer in hands.answers(large, BASE, questions)] == [one * 2 for one in questions]


def test_an_error_is_raised_where_somebody_hears_it(hands: Hands) -> None:
    """What a helper cannot answer is asked here again, and fails here."""
    found: list[int] = []
    with pytest.raises(ArithmeticError, match="seven"):
        found.extend(answer for _, answer in hands.answers(refused, BASE, range(10)))
    assert found == list(range(len(found)))  # this process may have come to the seventh before the others


def test_a_helper_that_dies(hands: Hands) -> None:
    """What it had in hand is answered by others, and nothing is missing."""
    found = [answer for _, answer in hands.answers(deadly, BASE, range(100))]
    assert found == list(range(100))
    assert hands.count < 2


def test_who_stops_in_the_middle_leaves_nobody_behind(hands: Hands) -> None:
    """Answers that nobody wants any more come to nobody, and no process stays."""
    helpers = [one._pid for one in hands._helpers]
    assert len(list(islice(hands.answers(doubled, BASE, range(100)), 3))) == 3
    hands.close()
    for pid in helpers:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def test_a_helper_has_nothing_open(tmp_path: Path) -> None:
    """Databases, locks and connections are not the helper's: it has its two pipes."""
    lock = tmp_path / "lock"
    with lock.open("w"):
        hands = helping(BASE, cores=2, threads=1)
        found = [answer for _, answer in hands.answers(here, BASE, range(40))]
        hands.close()
    helpers = [files for files in found if str(lock) not in files]
    assert helpers
    assert all(len(files) == 2 and all(one.startswith("pipe:") for one in files) for files in helpers)


def test_none_are_made_where_there_are_threads() -> None:
    """A fork would take their locks along."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert helping(BASE, cores=8).count == 0
    finally:
        over.set()
        thread.join()


def test_none_are_made_on_one_core() -> None:
    """It would only take turns with this process."""
    assert helping(BASE, cores=1, threads=1).count == 0
