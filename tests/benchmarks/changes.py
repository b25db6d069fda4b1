"""A cycle with ten changes: what it costs depends on the changes, not on the mailbox."""

from collections.abc import Iterator, Sequence

from helpdesk.model import Place
from tests.benchmarks.figures import Figure, Goal, against
from tests.benchmarks.lab import Lab
from tests.benchmarks.letters import answer
from tests.benchmarks.plain import Plain
from tests.benchmarks.series import Series
from tests.benchmarks.site import Lying, Site

GROWTH = 1.5
"""What O(changes) leaves to the server, which looks for them."""

COMMANDS = 40


def measure(lab: Lab) -> Iterator[Figure]:
    """Take turns: ten changes in the large mailbox, ten in the small one."""
    sizes = lab.messages, lab.little
    seconds: list[list[float]] = [[], []]
    commands = []
    with lab.synced(sizes[0]).open() as big, lab.synced(sizes[1]).open() as tiny:
        for keeper in (big, tiny):
            keeper.run()
        lying = [keeper.threads(Place.INBOX) for keeper in (big, tiny)]
        for number in range(3 * lab.rounds):
            for place, (keeper, size) in enumerate(zip((big, tiny), sizes, strict=True)):
                stir(lab.synced(size), lying[place], number)
                took, report = keeper.run()
                seconds[place].append(took)
                commands.append(report.observed["commands"])
    what = f"ten changes at {lab.messages:,}, until nothing is left to do"
    yield Figure(f"{what}: commands", str(Series(commands)), "", Series(commands), Goal(COMMANDS))
    yield against(what, Series(seconds[0]), Series(seconds[1]), "at 1/100 of it", GROWTH)


def stir(site: Site, threads: Sequence[Lying], number: int) -> None:
    """Ten things that people do: five answers by users, five labels by shifters."""
    chosen = [threads[(10 * number + one) % len(threads)] for one in range(10)]
    with Plain(site.port, site.user) as line:
        for one, thread in enumerate(chosen[:5]):
            line.deliver(answer(thread.ids, f"{number}.{one}.{site.user}"))
        line.say(b"SELECT INBOX")
        for one, thread in enumerate(chosen[5:]):
            change = b"-" if number % 2 else b"+"
            label = (b"docs", b"taken")[one % 2]
            line.say(b"UID STORE %d %sFLAGS (%s)" % (thread.uids[0], change, label))
