"""The first sync of a large mailbox, against a bare socket that reads the very same responses and parses nothing.

The server's caches are warm for both, but for the figure that says otherwise.
"""

from collections.abc import Iterator

from tests.benchmarks.bare import Recorder, replay
from tests.benchmarks.figures import Figure, against
from tests.benchmarks.lab import Lab
from tests.benchmarks.series import Series
from tests.benchmarks.site import Site

GOAL = 20


def measure(lab: Lab) -> Iterator[Figure]:
    """Take turns: one whole first run of ours, one reading of the bare socket."""
    user = lab.filled(lab.messages)
    cold = lab.site(user).run()
    with Recorder(lab.port) as recorder:
        Site(lab.folder(), recorder.port, user).write().run()
    stages, whole, bare, octets = [], [], [], 0
    for number in range(lab.rounds):
        ran = lab.site(user).run()
        seconds, octets = replay(lab.port, user, recorder.reading)
        told = ran.report["seconds"]
        stages.append(told["observe"] + told["thread"])
        whole.append(ran.seconds)
        bare.append(seconds)
        lab.say(f"  round {number + 1}: {told}, in all {ran.seconds:.1f} s, bare {seconds:.2f} s")
    peer = f"bare socket, {octets / 1e6:.0f} MB"
    yield against(
        f"first sync of {lab.messages:,}: observe and thread", Series(stages), Series(bare), peer, GOAL
    )
    yield against("the whole first run, as a process", Series(whole), Series(bare), peer, GOAL)
    yield against(
        "the same, the server's caches cold for ours", Series([cold.seconds]), Series(bare[:1]), peer
    )
