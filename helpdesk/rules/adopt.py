"""A mailbox, or a label, with a history (docs/decisions.md section 9): clocks start now, nothing is mailed or closed by it."""

from dataclasses import replace

from helpdesk.bits import STAR
from helpdesk.model import SITE_TROUBLE, URGENT, LabelKind, Nature, Place
from helpdesk.rules.draft import Draft, living
from helpdesk.rules.facts import OPEN_KINDS
from helpdesk.rules.state import Register
from helpdesk.rules.trouble import RULE

REASON = "it was there before the board"


def adopt(draft: Draft) -> None:
    """Take over what lies there: mail that was there before us, and labels that were never decided."""
    _mail(draft)
    _labels(draft)


def _mail(draft: Draft) -> None:
    """Old mail opens its thread or leaves it as it is; where that makes two places, it stays as it lies."""
    state = draft.state
    old = {m.key for m in draft.facts.messages if m.adopted and draft.is_new(m)}
    places = {c.known.place for c in living(draft.facts) if c.message in old}
    if not places:
        return
    is_open = bool(state.open) or Place.INBOX in places
    lies = state.lies or (is_open and (Place.ARCHIVE in places or state.open is False))
    if state.open is is_open:
        draft.state = replace(state, lies=lies)
        return
    draft.state = replace(
        state,
        open=is_open,
        since=draft.now,
        rule="adoption",
        reason=REASON,
        moving=None,
        lies=lies,
        episodes=_episodes(draft) if state.open is None else state.episodes,
    )


def _episodes(draft: Draft) -> dict[str, int]:
    """Count on from our own mails, so that no occasion that was mailed before the loss comes again."""
    ours = sum(m.nature is Nature.OWN for m in draft.facts.messages)
    counted = [x for x, kind in draft.policy.kinds.items() if kind is LabelKind.WHERE or x == URGENT]
    return dict.fromkeys(counted, ours) if ours else {}


def _labels(draft: Draft) -> None:
    """A label on the mail that no register knows and no human was seen to set: it was there before us."""
    seen = {(t.copy.key, t.bit) for t in draft.touches}
    found: dict[str, bool] = {}
    for copy in living(draft.facts):
        for label in copy.known.bits - draft.state.registers.keys() - {STAR}:
            if (copy.key, label) not in seen and label in draft.policy.kinds:
                found[label] = found.get(label, False) or copy.known.place is Place.INBOX
                draft.accepted.setdefault(copy.key, set()).add(label)
    for label in sorted(found):
        in_view = found[label] and draft.state.open is not False
        present = in_view or draft.kind(label) not in OPEN_KINDS
        _register(draft, label, present=present)
    _count_as_mailed(draft, [label for label in sorted(found) if draft.on(label)])


def _register(draft: Draft, label: str, *, present: bool) -> None:
    team_rule = next(
        (h.rule for m in draft.facts.messages for h in m.hits if label in h.add and not h.shadow),
        RULE if label == SITE_TROUBLE else "",  # a person sets it seldom, and a rule's label keeps attention
    )
    if present:
        register = Register(True, draft.now, not team_rule, "adoption", REASON, team_rule)
    else:
        register = Register(False, draft.now, False, "repair", "open labels do not stay in the archive")
    draft.write(label, register)


def _count_as_mailed(draft: Draft, labels: list[str]) -> None:
    """What is already true is reported, and never mailed."""
    for label in labels:
        n = draft.state.episodes.get(label)
        if n is None:
            continue
        mails = {f"urgent\t{n}", f"urgent\t{n}:oncall"} if label == URGENT else {f"escalate\t{label}:{n}"}
        draft.state = replace(draft.state, mailed=draft.state.mailed | mails)
        draft.notes.append(f"{label} was there before the board: nothing is mailed about it")
