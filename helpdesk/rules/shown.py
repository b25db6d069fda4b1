"""Where labels are folders: which labels of a thread its folder shows (docs/decisions.md section 13)."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import replace

from helpdesk.bits import READ
from helpdesk.model import ESCALATED, FIXED, HUMAN_NATURES, URGENT, WAITING, LabelKind, Nature, Place, Role
from helpdesk.rules.draft import Draft, Pending
from helpdesk.rules.facts import CopyFacts, MessageFacts
from helpdesk.rules.talks import EXPERT_NEWS

_ORDER = (URGENT, ESCALATED, WAITING, FIXED, LabelKind.TEMPORARY)
_COMMON = _ORDER.index(LabelKind.TEMPORARY)
_ASIDE = frozenset({Role.SHIFTER, Role.ADMIN, Role.BOT})


def shown(draft: Draft) -> frozenset[str] | None:
    """The labels that an open thread is shown by; the others of its labels are hidden by these.

    None: it stays as it lies, because a `where` without ESCALATED is still to be repaired.
    """
    wheres = draft.wheres()
    if draft.on(URGENT):
        return frozenset({URGENT})
    if wheres and not draft.on(ESCALATED):
        return None
    for state in (ESCALATED, WAITING, FIXED):
        if draft.on(state):
            return frozenset({state, *wheres[:1]}) if state == ESCALATED else frozenset({state})
    kinds = draft.policy.kinds
    common = (label for label in sorted(draft.state.registers) if kinds.get(label) is LabelKind.TEMPORARY)
    return frozenset([label for label in common if draft.on(label)][:1])


def in_the_way(draft: Draft, wanted: Collection[str]) -> list[str]:
    """The labels of a thread that would hide the first of those that a human dragged a mail to."""
    first = min((_rank(draft, label) for label in wanted), default=len(_ORDER))
    others = [label for label in sorted(draft.state.registers) if draft.on(label) and label not in wanted]
    return [
        label for label in others if _rank(draft, label) < first or _rank(draft, label) == first == _COMMON
    ]


def _rank(draft: Draft, label: str) -> int:
    """How early a label is shown; what is never shown comes last."""
    kind = draft.kind(label)
    if kind is LabelKind.WHERE:
        return _ORDER.index(ESCALATED)
    if kind is LabelKind.TEMPORARY:
        return _COMMON
    return _ORDER.index(label) if label in _ORDER else len(_ORDER)


def unveil(draft: Draft, before: frozenset[str] | None) -> None:
    """A WAITING that was hidden, and comes to light because another label went, waits from now: it closes by itself."""
    waiting = draft.register(WAITING)
    old = draft.facts.state.registers.get(WAITING)
    if before is None or WAITING in before or waiting is None or waiting != old or not waiting.present:
        return
    if WAITING in (shown(draft) or ()):
        draft.write(WAITING, replace(waiting, stamp=draft.now))


def difference(
    draft: Draft, copy: CopyFacts, live: AbstractSet[str], place: Place
) -> tuple[set[str], set[str]]:
    """The labels to add and to remove, so that a copy that will lie in `place` lies in the right folder there."""
    labels = {label for label in copy.known.bits if label in draft.policy.kinds}
    if place is Place.ARCHIVE:
        return set(), labels if copy.known.place is Place.INBOX else set()
    if draft.state.open is not True or copy.unknown or any(bit in draft.policy.kinds for bit in live):
        return set(), set()
    wanted = shown(draft)
    if wanted is None:
        return set(), set()
    if not labels and wanted and _is_being_read(draft, copy):
        wanted = frozenset()
    decided = {label for label in labels if draft.register(label) is not None}
    return set(wanted - labels), decided - wanted


def _is_being_read(draft: Draft, copy: CopyFacts) -> bool:
    """Mail that calls for somebody stays in the inbox until it was read, and while its reader can be expected to look at it."""
    message = next(m for m in draft.facts.messages if m.key == copy.message)
    if draft.policy.ignore_unread or not calls(message):
        return False
    if not copy.seen:
        return True
    read = copy.known.touches.get(READ)
    if read is None or read.at + draft.policy.settle <= draft.now.at:
        return False
    later = Pending("labels_cover_the_thread", read.at + draft.policy.settle)
    if later not in draft.pending:
        draft.pending.append(later)
    return True


def calls(message: MessageFacts) -> bool:
    """Whether a mail is of somebody outside the team, of a destination, or a bounce of a mail of ours."""
    if message.nature in HUMAN_NATURES:
        return message.role not in _ASIDE or not message.trusted
    return message.nature in EXPERT_NEWS or (message.nature is Nature.BOUNCE and message.of_ours)
