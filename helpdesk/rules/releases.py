"""What a release concerns, and why somebody is not asked about it [3.5]."""

from helpdesk.model import FIXED, STATE_LABELS, TAKEN
from helpdesk.rules.draft import find_touches
from helpdesk.rules.facts import Policy, Release, ThreadFacts, asker
from helpdesk.rules.state import ThreadState


def belongs(state: ThreadState, policy: Policy, name: str) -> bool:
    """A thread belongs to what its labels name: a component or destination itself, or a destination's components."""
    wanted = name.casefold()
    for label in (label for label, register in state.registers.items() if register.present):
        destination = policy.destinations.get(label)
        components = destination.components if destination is not None else ()
        if wanted in {label.casefold(), *(component.casefold() for component in components)}:
            return True
    return False


def why_not_asked(facts: ThreadFacts, policy: Policy, release: Release) -> str:
    """Why the user of a thread that is FIXED still was not asked about a release that has been carried out."""
    registers = facts.state.registers
    if not belongs(facts.state, policy, release.name):
        passing = {*STATE_LABELS, TAKEN}
        labels = sorted(name for name, one in registers.items() if one.present and name not in passing)
        if not labels:
            return "no label says what it belongs to"
        return f"it belongs to {', '.join(labels)}, not to {release.name}"
    if asker(facts) is None:
        return "there is no user to ask"
    if release.stamp < registers[FIXED].stamp:
        return f"it was FIXED after {release.name} {release.version} was said to be out"
    if find_touches(facts, policy):
        return "somebody is at work on it: it is asked when that has settled"
    return "the rule is held: see `helpdesk resume`"
