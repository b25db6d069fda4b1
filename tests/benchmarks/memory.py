"""Memory: what a known message costs a cycle (nothing), and what a new one costs the first sync, its helpers counted."""

from collections.abc import Iterator

from helpdesk.model import Place
from tests.benchmarks.changes import stir
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.lab import Lab
from tests.benchmarks.series import Series

GROWTH = 1.3
A_MESSAGE = 1024  # octets


def measure(lab: Lab) -> Iterator[Figure]:
    """Sync mailboxes of four sizes, change ten things in each, and look at the peaks of memory."""
    sizes = [lab.little, lab.messages // 10, lab.messages, 10 * lab.messages]
    first, later = {}, {}
    for size in sizes:
        site = lab.site(lab.fill(size))
        first[size] = site.weigh()
        with site.open() as keeper:
            threads = keeper.threads(Place.INBOX)
        stir(site, threads, 0)
        later[size] = site.weigh()
        lab.say(
            f"  {size:,} mails: first sync {first[size] / 2**20:.0f} MB, ten changes {later[size] / 2**20:.0f} MB"
        )
    little, small, large, huge = sizes
    each = (first[large] - first[little]) / (large - little)
    yield Figure(
        f"peak memory of a run with ten changes at {huge:,}",
        f"{later[huge] / 2**20:.0f} MB",
        f"at {small:,}: {later[small] / 2**20:.0f} MB",
        Series([later[huge] / later[small]]),
        Goal(GROWTH),
    )
    yield Figure(
        f"octets a message in the first sync, {little:,} to {large:,}",
        f"{first[large] / 2**20:.0f} MB",
        f"at {little:,}: {first[little] / 2**20:.0f} MB",
        Series([each]),
        Goal(A_MESSAGE),
        f"at {huge:,}: {first[huge] / 2**20:.0f} MB",
    )
