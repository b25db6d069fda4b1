"""A mailbox, or a label, with a history (docs/decisions.md section 9): clocks start now, nothing is mailed or closed by it."""

from dataclasses import replace

from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, URGENT, LabelKind, Nature, Place
from helpdesk.rules.draft import Draft, living
from helpdesk.rules.state import Register

OPEN_KINDS = frozenset({LabelKind.STATE, LabelKind.WHERE})


def adopt(draft: Draft) -> None:
    """Take over what lies there: labels that were never decided, and threads that were there before us."""
    if draft.state.open is None and any(m.adopted for m in draft.facts.messages):
        _thread(draft)
    _labels(draft)


def _thread(draft: Draft) -> None:
    old = {m.key for m in draft.facts.messages if m.adopted}
    places = {c.known.place for c in draft.facts.copies if c.message in old and not c.left}
    if Place.INBOX not in places and Place.ARCHIVE not in places:
        return
    is_open = Place.INBOX in places
    # Episodes count on from our own mails, so that no occasion that was mailed before the loss comes again.
    ours = sum(m.nature is Nature.OWN for m in draft.facts.messages)
    episodes = {
        label: ours
        for label, kind in draft.policy.kinds.items()
        if kind is LabelKind.WHERE or label == URGENT
    }
    draft.state = replace(
        draft.state,
        open=is_open,
        since=draft.now,
        rule="adoption",
        reason="it was there before the board",
        lies=is_open and Place.ARCHIVE in places,
        episodes=episodes if ours else {},
    )


def _labels(draft: Draft) -> None:
    """A label on the mail that no register knows and no human was seen to set: it was there before us."""
    seen = {(t.copy.key, t.bit) for t in draft.touches}
    found: dict[str, bool] = {}
    for copy in living(draft.facts):
        for label in copy.known.bits - draft.state.registers.keys() - {STAR}:
            if (copy.key, label) not in seen and label in draft.policy.kinds:
                found[label] = found.get(label, False) or copy.known.place is Place.INBOX
    for label in sorted(found):
        in_view = found[label] if draft.state.open else False
        present = in_view or draft.kind(label) not in OPEN_KINDS
        _register(draft, label, present=present)
    _count_as_mailed(draft, [label for label in found if draft.on(label)])


def _register(draft: Draft, label: str, *, present: bool) -> None:
    team_rule = next(
        (h.rule for m in draft.facts.messages for h in m.hits if label in h.add and not h.shadow), ""
    )
    if present:
        register = Register(
            True, draft.now, not team_rule, "adoption", "it was there before the board", team_rule
        )
    else:
        register = Register(False, draft.now, False, "repair", "open labels do not stay in the archive")
    draft.write(label, register)


def _count_as_mailed(draft: Draft, labels: list[str]) -> None:
    mailed = set(draft.state.mailed)
    for label in labels:
        episode = draft.state.episodes.get(label, 1)
        if label == URGENT:
            mailed |= {f"urgent\t{episode}", f"urgent\t{episode}:oncall"}
        elif draft.kind(label) is LabelKind.WHERE:
            mailed.add(f"escalate\t{label}:{episode}")
            if not draft.on(ESCALATED):
                draft.notes.append(f"escalated to {label} without ESCALATED")
    draft.state = replace(draft.state, mailed=frozenset(mailed))
