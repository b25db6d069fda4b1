"""Why somebody is not asked about a release: the command lists it."""

from dataclasses import replace

import pytest

from helpdesk.model import FIXED, TAKEN, Role
from helpdesk.rules.facts import Release, ThreadFacts
from helpdesk.rules.releases import belongs, why_not_asked
from tests.threads import GGUS, HOUR, MC08, POLICY, VIP, Mail, msg, on, opened, stamp, thread

GANGA = replace(
    POLICY, destinations={GGUS: replace(POLICY.destinations[GGUS], components=("Ganga", "Athena"))}
)
OUT = Release("Ganga", "5.2", stamp(5, HOUR))


def fixed(*labels: str, mail: Mail | None = None) -> ThreadFacts:
    """A thread that is FIXED, with these labels."""
    return thread((mail or msg()).in_inbox(FIXED, *labels), state=opened(FIXED, *labels))


@pytest.mark.parametrize("name", ["GGUS", "ggus", "ganga", "ATHENA", VIP])
def test_a_thread_belongs_to_what_its_labels_release(name: str) -> None:
    """The label itself, or a component of its destination, whatever the case; a label that was removed counts no more."""
    assert belongs(opened(GGUS, VIP), GANGA, name)
    assert not belongs(opened(MC08), GANGA, name)
    gone = {label: replace(one, present=False) for label, one in on(GGUS, VIP).items()}
    assert not belongs(opened(registers=gone), GANGA, name)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (fixed(), "no label says what it belongs to"),
        (fixed(TAKEN), "no label says what it belongs to"),
        (fixed(MC08, VIP), "it belongs to mc08 dataset problem, vip, not to Ganga"),
        (fixed(GGUS, mail=replace(msg(), role=Role.SHIFTER)), "there is no user to ask"),
        (
            thread(msg().in_inbox(), state=opened(GGUS, registers=on(FIXED, GGUS, since=stamp(9)))),
            "it was FIXED after Ganga 5.2 was said to be out",
        ),
        (
            thread(msg().in_inbox(FIXED, touches={VIP: stamp(5, HOUR)}), state=opened(FIXED, GGUS)),
            "somebody is at work on it: it is asked when that has settled",
        ),
        (fixed(GGUS), "the rule is held: see `helpdesk resume`"),
    ],
)
def test_why_not(facts: ThreadFacts, why: str) -> None:
    """Every thread that stays FIXED has its reason."""
    assert why_not_asked(facts, GANGA, OUT) == why
