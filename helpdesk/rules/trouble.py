"""The label site_trouble (docs/whose-fault.md): set on strong evidence, and never again once a person removed it."""

from helpdesk.model import SITE_TROUBLE
from helpdesk.rules.draft import Draft
from helpdesk.rules.facts import Fault
from helpdesk.rules.state import Register

RULE = "site_trouble"


def name_trouble(draft: Draft) -> None:
    """Set the label for evidence that is news: on an open thread; that a closed one had some is remembered, not shown."""
    if SITE_TROUBLE not in draft.policy.kinds:
        return
    for fault in sorted(draft.facts.faults, key=lambda one: (one.stamp, one.what)):
        if draft.state.open is not None and not _decided(draft, fault):
            present = draft.state.open
            why = fault.why if present else f"it was closed: {fault.why}"
            draft.write(SITE_TROUBLE, Register(present, draft.now, False, RULE, why, RULE))


def _decided(draft: Draft, fault: Fault) -> bool:
    """It is on, a person took it off (here, or in a thread that was joined), or it was decided after this was found."""
    register = draft.register(SITE_TROUBLE)
    if f"{SITE_TROUBLE}\t{RULE}" in draft.state.refused:
        return True
    return register is not None and (
        register.present or register.human or fault.stamp.cycle <= register.stamp.cycle
    )
