"""A cycle in which nothing has changed: in a large mailbox as in a small one, and against a filter that asks anew each time."""

from collections.abc import Iterator

from tests.benchmarks.figures import Figure, Goal, against, not_run
from tests.benchmarks.lab import Lab
from tests.benchmarks.peers import ImapFilter, missing
from tests.benchmarks.series import Series
from tests.benchmarks.site import Keeper

COMMANDS = 3
GROWTH = 1.3
CYCLES = 20  # a round is the median of so many


def measure(lab: Lab) -> Iterator[Figure]:
    """Take turns: cycles over the large mailbox, over the small one, and a run of the filter over the large one."""
    large, small = lab.synced(lab.messages), lab.synced(lab.little)
    lacking = missing(*ImapFilter.PROGRAMS)
    peer = None if lacking else ImapFilter(lab.folder(), lab.port, large.user)
    ours, little, filtered, process = [], [], [], []
    with large.open() as big:
        if peer is not None:
            peer.run()
        with small.open() as tiny:
            commands = _settled(big, tiny)
            for _ in range(3 * lab.rounds):
                ours.append(_quiet(big))
                little.append(_quiet(tiny))
                if peer is not None:
                    filtered.append(peer.run())
    process = [large.run().seconds for _ in range(lab.rounds)]
    what = f"a quiet cycle at {lab.messages:,}"
    yield Figure(f"{what}: commands", str(commands), "", Series([commands]), Goal(COMMANDS))
    yield against(what, Series(ours), Series(little), "at 1/100 of it", GROWTH)
    if peer is None:
        yield not_run(what, lacking)
        return
    name = "imapfilter again, one rule"
    yield against(what, Series(ours), Series(filtered), name, 1)
    yield against(
        "the same, `run --once` as a process", Series(process), Series(filtered[: len(process)]), name
    )


def _settled(*keepers: Keeper) -> int:
    """Let everybody take in what happened before; the most commands that a quiet cycle takes."""
    for keeper in keepers:
        keeper.run()
    return max(keeper.run()[1].observed["commands"] for keeper in keepers)


def _quiet(keeper: Keeper) -> float:
    return Series([keeper.run()[0] for _ in range(CYCLES)]).median
