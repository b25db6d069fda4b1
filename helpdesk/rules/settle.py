"""What humans did, once they have let go (docs/decisions.md section 4), and undo."""

from collections.abc import Sequence
from dataclasses import replace

from helpdesk.actions import Kind
from helpdesk.bits import PLACE, STAR
from helpdesk.model import (
    ESCALATED,
    FIXED,
    TAKEN,
    URGENT,
    WAITING,
    LabelKind,
    Place,
    Role,
    Stamp,
)
from helpdesk.rules.draft import Draft, Touch
from helpdesk.rules.facts import MACHINES, OPEN_KINDS, MessageFacts, Undo
from helpdesk.rules.shown import in_the_way, shown
from helpdesk.rules.state import Register

SEEN_MORE = frozenset({URGENT, ESCALATED, FIXED})
FEWER_WINS = frozenset({WAITING, TAKEN})
COVER = "labels_cover_the_thread"


def settle(draft: Draft) -> None:
    """Wait until the thread is untouched for `settle`; then make its touches part of the board."""
    if not draft.touches:
        return
    last = max(t.stamp for t in draft.touches)
    state = draft.state
    if state.touched is None or last > state.touched:
        draft.state = replace(state, touched=last)
    if draft.now.at < last.at + draft.policy.settle:
        draft.settled = False
        return
    merge(draft, draft.touches)


def merge(draft: Draft, touches: Sequence[Touch]) -> None:
    """Make these touches part of the board."""
    if not touches:
        return
    before = shown(draft) if draft.policy.labels_in_folders else None
    added = _labels(draft, touches)
    if draft.policy.labels_in_folders:
        _uncover(draft, touches, before)
    _stars(draft, touches)
    _places(draft, touches, added)
    clear_markers(draft, max(t.stamp for t in touches))
    draft.accept(touches)


def _labels(draft: Draft, touches: Sequence[Touch]) -> dict[str, Stamp]:
    """Merge label touches into the registers; returns what was added, and when."""
    changes: dict[str, dict[bool, Stamp]] = {}
    for touch in touches:
        fresh = touch.on and not draft.on(touch.bit)
        if touch.bit not in {PLACE, STAR} and (touch.real or fresh):
            times = changes.setdefault(touch.bit, {})
            times[touch.on] = max(times.get(touch.on, touch.stamp), touch.stamp)
    added: dict[str, Stamp] = {}
    removed: set[str] = set()
    for label, times in changes.items():
        present = (False not in times) if label in FEWER_WINS else (True in times)
        if present:
            added[label] = times[True]
        elif draft.on(label):
            removed.add(label)
        if present != draft.on(label):
            reason = f"a human {'set' if present else 'removed'} {label}"
            set_label(draft, label, Register(present, times[present], True, COVER, reason))
    meant = {touch.bit for touch in touches if touch.on} if draft.policy.labels_in_folders else set()
    draft.pair(added.keys() | meant, removed, COVER, human=True)
    return added


def _uncover(draft: Draft, touches: Sequence[Touch], before: frozenset[str] | None) -> None:
    """Where labels are folders, what a human dragged a mail to is what he sees afterwards; what would hide it goes.

    Who only drags out of a folder does not know that WAITING is behind it, which closes by itself: it goes too.
    """
    moved = [t for t in touches if t.bit in draft.policy.kinds and t.copy.known.place is Place.INBOX]
    wanted = {t.bit for t in moved if t.on and draft.on(t.bit)}
    going = in_the_way(draft, wanted) if wanted else []
    if (
        not wanted
        and any(t.real for t in moved)
        and WAITING not in (before or frozenset())
        and draft.on(WAITING)
    ):
        going = [WAITING]
    for label in going:
        stamp = max(t.stamp for t in moved)
        set_label(
            draft, label, Register(False, stamp, True, COVER, f"a human moved it out of sight of {label}")
        )


def set_label(draft: Draft, label: str, register: Register) -> None:
    """Set a register on a human's word; a label that a team rule added and a human removes is refused for good."""
    old = draft.register(label)
    if not register.present and old is not None and old.team_rule:
        refused = draft.state.refused | {f"{label}\t{old.team_rule}"}
        draft.state = replace(draft.state, refused=refused)
    draft.write(label, register)


def _stars(draft: Draft, touches: Sequence[Touch]) -> None:
    """A human who removes the bot's star has decided."""
    mine = draft.state.bot_star
    if any(t.bit == STAR and not t.on and t.real and t.copy.message == mine for t in touches):
        draft.state = replace(draft.state, bot_star=None, star_refused=True)


def _places(draft: Draft, touches: Sequence[Touch], added: dict[str, Stamp]) -> None:
    archived = [t.stamp for t in touches if t.bit == PLACE and t.copy.known.place is Place.ARCHIVE and t.real]
    opened = [t.stamp for t in touches if t.bit == PLACE and t.on]
    telling = {k: v for k, v in added.items() if k in SEEN_MORE or draft.kind(k) is LabelKind.WHERE}
    state_labels = {k for k in added if draft.kind(k) in OPEN_KINDS}
    if draft.state.open is False:
        if opened:
            draft.open("reopened_by_hand", "a human moved a message back", max(opened), human=True)
        elif state_labels:
            names = ", ".join(sorted(state_labels))
            stamp = max(added[k] for k in state_labels)
            draft.open("reopened_by_hand", f"a human set {names} on a closed thread", stamp, human=True)
        return
    if not archived:
        if draft.state.lies:
            draft.open("repair", "a human touched a thread that lay in two places", human=True)
        return
    stars = [t.stamp for t in touches if t.bit == STAR and t.on and t.real]
    cycle = max(archived).cycle
    seen_more = any(s.cycle >= cycle for s in [*telling.values(), *stars])
    waiting_later = WAITING in added and added[WAITING].cycle > cycle
    if opened or seen_more or waiting_later or _interrupted(draft, min(archived)):
        draft.open("repair", "archived by one human, wanted by another", human=True)
    else:
        draft.close("close", "a human archived it", max(archived), human=True)


def _interrupted(draft: Draft, archived: Stamp) -> bool:
    """The rest of a gesture into which a mail came: who archives three messages one by one did not see the fourth."""
    since = draft.state.interrupted
    return since is not None and archived.at - since.at < draft.policy.settle


def clear_markers(draft: Draft, last: Stamp) -> None:
    """A touch later than the news ends its call for attention."""
    state = draft.state
    draft.state = replace(
        state,
        reopened=_still(state.reopened, last),
        expert_comment=_still(state.expert_comment, last),
        bounce=_still(state.bounce, last),
    )


def _still(marker: Stamp | None, last: Stamp) -> Stamp | None:
    return None if marker is not None and last.cycle > marker.cycle else marker


def undo(draft: Draft) -> None:
    """Reverse actions of the bot on a person's word; each counts as a touch."""
    news = any(_is_outside(m) and draft.is_new(m) for m in draft.facts.messages)
    for wish in draft.facts.undo:
        if news and _hides(wish):
            continue  # who wants it has not seen the mail that is read in this very cycle
        reason = f"undo of {wish.action}"
        if wish.kind in {Kind.ADD_LABEL, Kind.REMOVE_LABEL}:
            _undo_label(draft, wish, reason)
        elif wish.kind == Kind.MOVE and wish.what == Place.ARCHIVE:
            draft.open("undo", reason, human=True)
        elif wish.kind == Kind.MOVE:
            draft.close("undo", reason, draft.now, human=True)
        elif wish.kind == Kind.STAR:
            draft.state = replace(draft.state, star_refused=True)
        if draft.state.lies:
            draft.open("undo", reason, human=True)
        draft.state = replace(draft.state, touched=draft.now)
        clear_markers(draft, draft.now)


def _is_outside(message: MessageFacts) -> bool:
    return message.role in {Role.USER, Role.EXPERT} and message.nature not in MACHINES and not message.adopted


def _hides(wish: Undo) -> bool:
    """Whether it would close the thread, or let it wait for its user."""
    return (wish.kind == Kind.MOVE and wish.what != Place.ARCHIVE) or (
        wish.kind == Kind.REMOVE_LABEL and wish.what == WAITING
    )


def _undo_label(draft: Draft, wish: Undo, reason: str) -> None:
    label, present = wish.what, wish.kind == Kind.REMOVE_LABEL
    set_label(draft, label, Register(present, draft.now, True, "undo", reason))
    if not present:
        draft.pair((), (label,), "undo", human=True)
    elif draft.state.open is False and draft.kind(label) in OPEN_KINDS:
        draft.open("undo", reason, human=True)
