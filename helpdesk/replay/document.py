"""A replay as the JSON document of `helpdesk replay --json` (docs/replay.md)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from helpdesk.model import HUMAN_NATURES, Nature
from helpdesk.replay.book import NATURES, Book
from helpdesk.replay.run import Replayed
from helpdesk.replay.tally import (
    HOURS,
    LISTED,
    SIZES,
    Answers,
    Large,
    Month,
    Tally,
    answered_within,
    held_by_caps,
    quantile,
)
from helpdesk.replay.terms import Terms, Unconfigured
from helpdesk.report import utc

MAILING_RULES = ("escalate", "urgent", "fixed")


def document(found: Replayed, terms: Terms, path: str, seconds: Mapping[str, float]) -> Mapping[str, Any]:
    """The whole document; `seconds` are those that each stage took."""
    tally, counts, book = found.tally, found.counts, found.book
    machines = sum(1 for number in book.nature if NATURES[number] not in HUMAN_NATURES)
    return {
        "archive": {
            "path": path,
            "kind": found.archive.kind,
            "packed": found.archive.packed,
            "folders": found.archive.folders,
            "skipped": found.archive.skipped,
            "cut": found.archive.cut,
            "notes": found.archive.notes,
        },
        "assumed": {
            "team": "config" if terms.team_known else "whoever_answers",
            "waiting": terms.waiting,
            "lists": _lists(terms),
            "waiting_close_days": _hours(terms.policy.waiting_close.total_seconds(), 24),
            "sentence": sentence(terms),
        },
        "begins_at": _time(found.begin),
        "ends_at": _time(found.end),
        "mails": counts.mails,
        "bytes": counts.octets,
        "messages": len(book),
        "duplicates": counts.copies,
        "reused_ids": counts.reused,
        "without_id": counts.without_id,
        "quarantined": counts.quarantined,
        "quarantine": [{"mail": q.number, "place": q.place, "why": q.why} for q in counts.quarantine],
        "times": {
            "from": {source.value: count for source, count in found.clock.sources.items()},
            "without_date": found.clock.without_date,
            "before_1980": found.clock.too_early,
            "in_the_future": found.clock.in_the_future,
            "sticking_out": found.clock.sticking_out,
            "answers_before_questions": tally.raised,
        },
        "automatic": machines,
        "automatic_share": _share(machines, len(book)),
        "automatic_kinds": list(_kinds(book)),
        "threads": tally.threads,
        "threads_of_machines": tally.machines_only,
        "thread_sizes": _buckets(SIZES, tally.sizes, "messages"),
        "largest_threads": [_large(book, one) for one in sorted(tally.large, reverse=True)],
        "linked_by_subject": found.linked,
        "refused_bridges": tally.refused,
        "bridges": list(_bridges(book, tally.refused_rows)),
        "questions": tally.questions,
        "first_answer": _answers(tally.answers, tally.questions, terms),
        "first_team_answer": _answers(tally.team_answers, tally.questions, terms)
        if terms.team_known
        else None,
        "auto_closes": tally.closes["auto_close"],
        "auto_closed_threads": tally.auto_closed_threads,
        "reopened_after_auto_close": _undone(tally),
        "reopens": sum(tally.reopens.values()),
        "reopens_by": dict(sorted(tally.reopens.items())),
        "states_at_end": dict(sorted(tally.states.items())),
        "rules": _rules(book, terms),
        "actions": _actions(tally),
        "would_mail": _mails(tally, terms),
        "first_month": {
            "begins_at": _time(found.begin),
            "days": 30,
            **_month(tally.first_month),
            "mails_by_rule": {rule: tally.first_acts[rule, "send_mail"] for rule in MAILING_RULES},
        },
        "busiest_month": _busiest(tally.months),
        "months": [{"month": name, **_month(month)} for name, month in sorted(tally.months.items())],
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "mails_per_second": round(counts.mails / max(sum(seconds.values()), 1e-9), 1),
    }


def sentence(terms: Terms) -> str:
    """What is assumed of people, because an archive does not tell."""
    who = (
        "The team is that of the configuration"
        if terms.team_known
        else "Nobody is known: the first person of a thread is its user, everybody else who writes there is the team"
    )
    if not terms.waiting:
        return f"{who}; nobody sets a label or archives anything."
    days = _hours(terms.policy.waiting_close.total_seconds(), 24)
    return (
        f"{who}; each answer of the team sets WAITING, the user's reply lifts it, and {days:g} silent days close the"
        " thread; nobody archives or labels anything else."
    )


def _lists(terms: Terms) -> list[str]:
    if isinstance(terms.speakers, Unconfigured):
        return sorted({post or list_id for list_id, post in terms.speakers.lists})
    return sorted({terms.board.authors.list_address, *terms.board.authors.trusted_lists} - {""})


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else utc(moment)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _hours(seconds: float | None, unit: int = 1) -> float | None:
    return None if seconds is None else round(seconds / 3600 / unit, 3)


def _kinds(book: Book) -> Iterable[Mapping[str, Any]]:
    whys = book.whys.texts()
    kinds = Counter(zip(book.nature, book.why, strict=True))
    for (nature, why), count in kinds.most_common():
        if NATURES[nature] is not Nature.HUMAN:
            share = _share(count, len(book))
            yield {"nature": NATURES[nature].value, "why": whys[why], "messages": count, "share": share}


def _buckets(bounds: Sequence[int], counts: Mapping[int, int], unit: str) -> list[Mapping[str, Any]]:
    """From above the bucket before up to the bound; the last has none."""
    return [{f"up_to_{unit}": bound or None, "threads": counts.get(bound, 0)} for bound in (*bounds, 0)]


def _title(book: Book, rows: Sequence[int]) -> str:
    return next((book.titles[row] for row in rows if row in book.titles), "")


def _large(book: Book, one: Large) -> Mapping[str, Any]:
    return {
        "id": one.code,
        "subject": _title(book, one.rows) or book.subjects.texts()[book.subject[one.rows[0]]],
        "messages": one.messages,
        "begins_at": _time(one.begun),
        "ends_at": _time(one.ended),
    }


def _bridges(book: Book, rows: Sequence[int]) -> Iterable[Mapping[str, Any]]:
    ids = book.ids.texts()
    for row in rows:
        yield {"message_id": ids[book.id[row]], "names": len(book.references[row])}


def _answers(answers: Answers, questions: int, terms: Terms) -> Mapping[str, Any]:
    seconds = answers.seconds
    limit = terms.first_reply.total_seconds()
    return {
        "answered": len(seconds),
        "never_answered": questions - len(seconds),
        "median_hours": _hours(quantile(seconds, 0.5)),
        "p90_hours": _hours(quantile(seconds, 0.9)),
        "first_reply_hours": _hours(limit),
        "within_first_reply_hours": _share(sum(one <= limit for one in seconds), questions),
        "hours": _buckets(HOURS, answered_within(answers), "hours"),
        "by": [{"author": who, "threads": count} for who, count in answers.by.most_common(LISTED)],
    }


def _undone(tally: Tally) -> Mapping[str, Any]:
    seconds = tally.undone_closes
    return {
        "reopens": len(seconds),
        "share_of_auto_closes": _share(len(seconds), tally.closes["auto_close"]),
        "median_days": _hours(quantile(seconds, 0.5), 24),
        "p90_days": _hours(quantile(seconds, 0.9), 24),
    }


def _rules(book: Book, terms: Terms) -> list[Mapping[str, Any]]:
    """The team's own rules, also those that never matched."""
    hits = Counter(hit.rule for found in book.hits.values() for hit in found)
    return [{"rule": name, "messages": hits[name]} for name in terms.rules]


def _actions(tally: Tally) -> list[Mapping[str, Any]]:
    return [
        {"rule": rule, "kind": kind, "actions": count, "first_month": tally.first_acts[rule, kind]}
        for (rule, kind), count in sorted(tally.acts.items())
    ]


def _mails(tally: Tally, terms: Terms) -> list[Mapping[str, Any]]:
    held = held_by_caps(tally.mails, terms.caps)
    return [
        {"rule": rule, "mails": tally.acts[rule, "send_mail"], "held_by_caps": held[rule]}
        for rule in MAILING_RULES
    ]


def _month(month: Month) -> Mapping[str, int]:
    return {
        "messages": month.messages,
        "threads": month.threads,
        "auto_closes": month.auto_closes,
        "reopens": month.reopens,
        "mails": month.mails,
    }


def _busiest(months: Mapping[str, Month]) -> Mapping[str, Any] | None:
    if not months:
        return None
    name, month = max(months.items(), key=lambda pair: (pair[1].messages, pair[0]))
    return {"month": name, "messages": month.messages}
