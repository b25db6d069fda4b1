"""The first run, against the pipeline that people build today: mbsync, notmuch and afew with the same one rule."""

from collections.abc import Iterator

from tests.benchmarks.figures import Figure, against, not_run
from tests.benchmarks.lab import Lab
from tests.benchmarks.peers import Pipeline, missing
from tests.benchmarks.series import Series

GOAL = 1 / 15


def measure(lab: Lab) -> Iterator[Figure]:
    """Take turns: one whole first run of ours, one of theirs, each into an empty folder."""
    what = f"the whole first run of {lab.messages:,} mails, as a process"
    if lacking := missing(*Pipeline.PROGRAMS):
        yield not_run(what, lacking)
        return
    user = lab.filled(lab.messages)
    lab.site(user).run()  # warms the server
    ours, theirs = [], []
    for number in range((lab.rounds + 1) // 2):
        ran = lab.site(user).run()
        steps = Pipeline(lab.folder(), lab.port, user).run()
        ours.append(ran.seconds)
        theirs.append(sum(steps.values()))
        shown = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in steps.items())
        lab.say(f"  round {number + 1}: ours {ran.seconds:.1f} s, {shown}")
    yield against(what, Series(ours), Series(theirs), "mbsync + notmuch + afew", GOAL)
