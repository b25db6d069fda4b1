"""What time brings (docs/decisions.md section 6): auto-close, escalation, URGENT, `taken`, releases."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from helpdesk.actions import Action, Kind
from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, FIXED, HUMAN_NATURES, TAKEN, URGENT, WAITING, Nature
from helpdesk.rules.answers import team_answers
from helpdesk.rules.draft import Draft, Pending, living
from helpdesk.rules.facts import Fate, asker
from helpdesk.rules.releases import belongs
from helpdesk.rules.shifts import at_a_start, covered, on_duty
from helpdesk.rules.state import Register
from helpdesk.rules.talks import note_told, watch_talks

ASKING = frozenset({"fixed", "tell_user"})
"""The rules whose mails ask a user or tell him something: his time to answer begins with them."""


def watch_clocks(draft: Draft) -> None:
    """Do what is due; name what will be."""
    _taken(draft)
    note_told(draft)
    if draft.state.open is not True:
        return
    if draft.settled:
        _escalate(draft)
        _releases(draft)
    watch_talks(draft)
    _urgent(draft)
    _auto_close(draft)
    if any(m.to_user and m.fate is Fate.STUCK for m in draft.facts.mails):
        draft.notes.append("a mail to the user has not left")


def _due(draft: Draft, rule: str, when: datetime) -> bool:
    """Whether a rule may act now; if not, it is pending."""
    if when <= draft.now.at and rule not in draft.held:
        return True
    draft.pending.append(Pending(rule, when))
    return False


def _taken(draft: Draft) -> None:
    register = draft.register(TAKEN)
    if register is None or not register.present:
        return
    if _due(draft, "taken", register.stamp.at + draft.policy.taken):
        draft.drop([TAKEN], "taken", "the claim has run out")


def _auto_close(draft: Draft) -> None:
    """[i3] A thread that waits for a user who says nothing for seven days."""
    waiting = draft.register(WAITING)
    if waiting is None or not waiting.present or any(draft.on(x) for x in (ESCALATED, URGENT, FIXED)):
        return
    if any(STAR in c.known.bits for c in living(draft.facts)):
        return
    human = [m.time for m in draft.facts.messages if m.nature in HUMAN_NATURES]
    bounces = [m.time for m in draft.facts.messages if m.nature is Nature.BOUNCE and m.of_ours]
    if bounces and (not human or max(bounces) >= max(human)):
        return
    ours = [m for m in draft.facts.mails if m.to_user]
    if any(m.fate in {Fate.WAITS, Fate.STUCK} for m in ours):
        return  # what never left changes nothing for its user
    asked = [m.left for m in ours if m.left is not None and m.rule in ASKING]
    start = max([waiting.stamp.at, *human, *asked])
    due = start + draft.policy.waiting_close
    if draft.state.touched is not None:
        due = max(due, draft.state.touched.at + draft.policy.quiet)
    due = at_a_start(draft.policy, due)
    last = max(
        (m for m in draft.facts.messages if m.nature in HUMAN_NATURES),
        key=lambda m: (m.time, m.key),
        default=None,
    )
    told = "" if last is None else last.message_id
    if _due(draft, "auto_close", due) and draft.settled:
        days = draft.policy.waiting_close.days
        draft.close("auto_close", f"no human mail for {days} days", draft.now, human=False)
        if draft.policy.close_notice and told:
            _tell(draft, "notice", told, {"since": start.isoformat()})
    elif draft.policy.close_warning and told and due > draft.now.at:
        _warn(draft, told, start, due)


def _warn(draft: Draft, told: str, start: datetime, due: datetime) -> None:
    """Tell the user in time that his thread will be closed; a mail of ours moves no clock."""
    if f"auto_close\twarning:{told}" not in draft.state.mailed and _due(
        draft, "auto_close", due - draft.policy.close_warning
    ):
        _tell(draft, "warning", told, {"since": start.isoformat(), "closes": due.isoformat()})


def _tell(draft: Draft, kind: str, told: str, context: Mapping[str, str]) -> None:
    """Tell the user what auto-close does, once after each last human mail."""
    user, facts = asker(draft.facts), draft.facts
    if user is None:
        return
    action = Action(
        Kind.SEND_MAIL, facts.key, facts.code, kind, "auto_close", f"a {kind} to the user", draft.now
    )
    _once(
        draft,
        replace(action, occasion=f"{kind}:{told}", recipients=(user.author,), context=json.dumps(context)),
    )


def _mail(draft: Draft, rule: str, occasion: str, recipients: tuple[str, ...], reason: str) -> None:
    """Ask for one mail."""
    facts = draft.facts
    action = Action(Kind.SEND_MAIL, facts.key, facts.code, rule, rule, reason, draft.now)
    _once(draft, replace(action, occasion=occasion, recipients=recipients))


def _once(draft: Draft, mail: Action) -> None:
    """Once per occasion, whatever happens."""
    key = f"{mail.rule}\t{mail.occasion}"
    if key not in draft.state.mailed and mail.recipients:
        draft.mails.append(mail)
        draft.state = replace(draft.state, mailed=draft.state.mailed | {key})


def _escalate(draft: Draft) -> None:
    """[3.4, 4.1] Send the story to where it was escalated, after the grace period."""
    if not draft.on(ESCALATED):
        return
    for where in draft.wheres():
        destination = draft.policy.destinations.get(where)
        register = draft.state.registers[where]
        occasion = f"{where}:{draft.state.episodes.get(where, 1)}"
        if destination is None or not destination.mails or f"escalate\t{occasion}" in draft.state.mailed:
            continue
        if _due(draft, "escalate", register.stamp.at + draft.policy.escalation_grace):
            _mail(draft, "escalate", occasion, (destination.address,), f"escalated to {where}")


def _urgent(draft: Draft) -> None:
    """[3.3] Tell who is on duty, and when nobody answers while somebody is, the people on call."""
    register = draft.register(URGENT)
    going = any(t.bit == URGENT and not t.on for t in draft.touches)
    if register is None or not register.present or going:
        return
    policy, since, n = draft.policy, register.stamp.at, draft.state.episodes.get(URGENT, 1)
    first, second = f"{n}", f"{n}:oncall"
    mailed = draft.state.mailed
    if f"urgent\t{first}" not in mailed and _due(draft, "urgent", since + policy.urgent_grace):
        _mail(draft, "urgent", first, on_duty(policy, draft.now.at), f"URGENT since {since:%H:%M} UTC")
    answered = any(  # seen after the label was set, whatever the mail server's clock says
        m.time > since or (m.cycle > register.stamp.cycle and not m.adopted)
        for m in team_answers(draft.facts)
    )
    alone = not answered and f"urgent\t{second}" not in mailed and bool(policy.oncall)
    if alone and _due(draft, "urgent", covered(policy, since, policy.urgent_wait)):
        minutes = policy.urgent_wait // timedelta(minutes=1)
        _mail(draft, "urgent", second, policy.oncall, f"URGENT and no answer for {minutes} minutes")


def _releases(draft: Draft) -> None:
    """[3.5] FIXED, and a release of what it belongs to is out: ask the user once; FIXED becomes WAITING."""
    fixed = draft.register(FIXED)
    if fixed is None or not fixed.present:
        return
    for release in draft.facts.releases:
        if (
            release.stamp < fixed.stamp
            or not belongs(draft.state, draft.policy, release.name)
            or "fixed" in draft.held
        ):
            continue
        user = asker(draft.facts)
        if user is None:
            draft.notes.append(f"{release.name} {release.version} is out, and there is no user to ask")
            continue
        reason = f"{release.name} {release.version} is out"
        _mail(draft, "fixed", f"{release.name}:{release.version}", (user.author,), reason)
        draft.write(FIXED, Register(False, draft.now, False, "fixed", reason))
        draft.write(WAITING, Register(True, draft.now, fixed.human, "fixed", reason))
        return
