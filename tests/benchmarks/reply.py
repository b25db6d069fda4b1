"""A user answers in a closed thread: until another mail client sees the whole thread in the inbox.

The peer is the least that a client can wait: until a bare IDLE on the same server tells of one new mail.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from helpdesk.model import Place
from tests.benchmarks.figures import Figure, against
from tests.benchmarks.lab import Lab
from tests.benchmarks.letters import answer
from tests.benchmarks.plain import Ear, Plain
from tests.benchmarks.series import Series
from tests.benchmarks.site import Lying, Site

GOAL = 5
REPLIES = 5  # in a round
PATIENCE = 60.0


def measure(lab: Lab) -> Iterator[Figure]:
    """Take turns: a reply on the board, a mail for somebody whose inbox nobody keeps."""
    site = lab.synced(lab.messages)
    with site.open() as keeper:
        keeper.run()
        closed = [one for one in keeper.threads(Place.ARCHIVE) if 3 <= len(one.uids) <= 8]
    chosen = closed[-1 - REPLIES * lab.rounds :]
    nobody = lab.user()
    with Plain(lab.port, nobody) as line:
        line.deliver(answer(chosen[0].ids, "first"))
    back, notice = [], []
    with _daemon(site):
        _reply(site, chosen[0], "warm")
        for number, thread in enumerate(chosen[1:]):
            back.append(_reply(site, thread, f"back.{number}"))
            notice.append(_notice(lab.port, nobody, thread.ids, number))
    lab.say(f"  back after {Series(back)} s, noticed after {Series(notice)} s")
    what = f"a reply is back with its whole thread, at {lab.messages:,}"
    yield against(what, Series(back), Series(notice), "the bare IDLE notice", GOAL)


def _reply(site: Site, thread: Lying, name: str) -> float:
    """Answer, and wait until the inbox has the answer and all that went before."""
    with Ear(site.port, site.user) as ear, Plain(site.port, site.user) as line:
        whole = ear.messages + len(thread.uids) + 1
        time.sleep(1)  # the daemon rests after whatever it did last
        started = time.perf_counter()
        line.deliver(answer(thread.ids, f"{name}.{site.user}"))
        return ear.wait(whole, PATIENCE) - started


def _notice(port: int, user: str, ids: Sequence[str], number: int) -> float:
    with Ear(port, user) as ear, Plain(port, user) as line:
        more = ear.messages + 1
        time.sleep(1)
        started = time.perf_counter()
        line.deliver(answer(ids, f"notice.{number}"))
        return ear.wait(more, PATIENCE) - started


@contextmanager
def _daemon(site: Site) -> Iterator[None]:
    """Run the daemon, and wait until it watches."""
    process = site.process("run")
    try:
        end = time.monotonic() + PATIENCE
        while "started" not in site.said and time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        time.sleep(2)
        yield
    finally:
        process.terminate()
        process.communicate()
