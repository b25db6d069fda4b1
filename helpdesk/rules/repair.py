"""Every combination of state labels, and its repair (docs/decisions.md section 7) [i6]."""

from helpdesk.model import ESCALATED, FIXED, URGENT, WAITING
from helpdesk.rules.draft import Draft
from helpdesk.rules.facts import OPEN_KINDS
from helpdesk.rules.state import Register

WAITING_AND_FIXED = "WAITING and FIXED both set"
WAITING_AND_URGENT = "WAITING and URGENT both set"
ESCALATED_AND_FIXED = "ESCALATED and FIXED both set"
NO_WHERE = "ESCALATED, but to where?"


def conflicts(labels: frozenset[str], wheres: frozenset[str]) -> tuple[str, ...]:
    """What only a human can settle, for any set of labels on an open thread."""
    found = []
    if ESCALATED in labels and not wheres & labels:
        found.append(NO_WHERE)
    if {WAITING, FIXED} <= labels:
        found.append(WAITING_AND_FIXED)
    if {WAITING, URGENT} <= labels:
        found.append(WAITING_AND_URGENT)
    if {ESCALATED, FIXED} <= labels:
        found.append(ESCALATED_AND_FIXED)
    return tuple(found)


def repair(draft: Draft) -> None:
    """Find the real state and correct the labels, once the thread is settled."""
    if draft.state.open is not True:
        left = [label for label in draft.state.registers if draft.kind(label) in OPEN_KINDS]
        draft.drop(left, "repair", "open labels do not stay in the archive")
        return
    wheres = draft.wheres()
    if draft.settled and wheres and not draft.on(ESCALATED) and "repair" not in draft.held:
        reason = f"escalated to {', '.join(wheres)} without ESCALATED"
        draft.write(ESCALATED, Register(True, draft.now, False, "repair", reason))
    present = frozenset(label for label in draft.state.registers if draft.on(label))
    draft.notes.extend(conflicts(present, frozenset(wheres)))
