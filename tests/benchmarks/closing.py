"""A shift ends and a thousand threads are archived at once: commands grow with folders and sets of UIDs, not with threads."""

from collections.abc import Iterator, Sequence

from helpdesk.model import Place
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.lab import Lab
from tests.benchmarks.plain import Plain
from tests.benchmarks.series import Series, shown_seconds
from tests.benchmarks.site import Keeper, Lying, Site

THREADS = 1000
COMMANDS = 60
GROWTH = 3
"""Ten times the threads are longer sets of UIDs, and a line of a command has its limit."""


def measure(lab: Lab) -> Iterator[Figure]:
    """Somebody archives one mail of each thread; the board moves the rest and takes the labels off."""
    site = lab.synced(lab.messages)
    with site.open() as keeper:
        keeper.run()
        lying = keeper.threads(Place.INBOX)
        many = min(THREADS, len(lying) * 10 // 11)
        few = max(many // 10, 1)
        some_seconds, some = _close(site, keeper, lying[:few])
        seconds, commands = _close(site, keeper, lying[few : few + many])
    what = f"closing {many:,} threads at once, at {lab.messages:,}"
    ours = f"{commands} commands, {shown_seconds(Series([seconds]))}"
    peer = f"{few:,} threads: {some} commands, {shown_seconds(Series([some_seconds]))}"
    yield Figure(f"{what}: commands", ours, peer, Series([commands]), Goal(COMMANDS))
    yield Figure(f"{what}: growth of the commands", ours, peer, Series([commands / some]), Goal(GROWTH))


def _close(site: Site, keeper: Keeper, threads: Sequence[Lying]) -> tuple[float, int]:
    with Plain(site.port, site.user) as line:
        line.say(b"SELECT INBOX")
        line.say(b"UID MOVE %s Archive" % b",".join(b"%d" % one.uids[0] for one in threads))
    seconds, report = keeper.run()
    left = {thread.ids[0] for thread in threads} & {
        one for lying in keeper.threads(Place.INBOX) for one in lying.ids
    }
    if left:
        raise RuntimeError(f"{len(left)} threads were not closed")
    return seconds, report.observed["commands"]
