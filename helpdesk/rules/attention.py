"""What a shifter looks at (design section 1): open, not wholly automatic, and at least one reason."""

from helpdesk.bits import STAR
from helpdesk.model import HUMAN_NATURES, STATE_LABELS, TAKEN, TEAM, Place, Role
from helpdesk.rules.answers import is_answered, team_answers
from helpdesk.rules.draft import living
from helpdesk.rules.facts import MessageFacts, Policy, ThreadFacts


def labels(facts: ThreadFacts) -> tuple[str, ...]:
    """The configured labels that the thread has, in a fixed order."""
    return tuple(sorted(name for name, register in facts.state.registers.items() if register.present))


def state_name(facts: ThreadFacts) -> str:
    """`closed`, else the first state label in snake case, else `open`."""
    if not facts.state.open:
        return "closed"
    present = set(labels(facts))
    return next((label.lower().replace(" ", "_") for label in STATE_LABELS if label in present), "open")


def reasons(facts: ThreadFacts, policy: Policy) -> tuple[str, ...]:
    """Why this thread wants a shifter; empty when it does not."""
    if not facts.state.open or all(m.nature not in HUMAN_NATURES for m in facts.messages):
        return ()
    state, copies = facts.state, living(facts)
    found = {
        "unlabelled": not _human_label(facts),
        "starred": any(STAR in c.known.bits for c in copies),
        "unread_reply": not policy.ignore_unread and _unread_reply(facts),
        "reopened": state.reopened is not None,
        "expert_comment": state.expert_comment is not None,
        "bounce": state.bounce is not None,
    }
    return tuple(name for name, true in found.items() if true)


def _human_label(facts: ThreadFacts) -> bool:
    registers = facts.state.registers
    if any(r.present and r.human and label != TAKEN for label, r in registers.items()):
        return True
    return any(c.unknown or (c.known.bits & c.known.touches.keys()) - {STAR, TAKEN} for c in living(facts))


def is_stranger(message: MessageFacts) -> bool:
    """Somebody who has our token and is nobody's word."""
    return message.role is Role.EXPERT and not message.trusted


def _unread_reply(facts: ThreadFacts) -> bool:
    """An unread human mail from outside the team that is newer than the team's last (the bot does not count)."""
    inbox = {c.message for c in facts.copies if c.known.place is Place.INBOX}
    read = {c.message for c in facts.copies if c.seen}
    answers = team_answers(facts)
    return any(
        m.key in inbox - read
        and m.nature in HUMAN_NATURES
        and (m.role not in TEAM or is_stranger(m))
        and not is_answered(m, answers)
        for m in facts.messages
    )
