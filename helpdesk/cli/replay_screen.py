"""A replay for people: figures in words, and bars where a shape says more."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from helpdesk.cli import screen
from helpdesk.cli.reports import when

WIDTH = 36  # of the longest bar
SHOWN = 10
Told = Mapping[str, Any]


def show(told: Told) -> None:
    """The whole summary, from the JSON document."""
    archive = told["archive"]
    packed = f", packed by {archive['packed']}" if archive["packed"] else ""
    screen.say(
        f"{archive['path']}: {archive['kind']}{packed}, {count(told['mails'], 'mail')}, {size(told['bytes'])}"
    )
    for note in archive["notes"]:
        screen.paragraph(f"Note: {note}")
    if archive["cut"]:
        screen.say("Note: the archive ends in the middle of its last mail.")
    screen.paragraph(f"Assumed: {told['assumed']['sentence']}")
    if told["messages"]:
        for part in (_mail, _months, _threads, _answers, _board, _first_month):
            part(told)
    if told["quarantine"]:
        _quarantine(told)
    screen.say()
    total = sum(told["seconds"].values())
    screen.say(f"{total:.1f} s, {told['mails_per_second']:,.0f} mails a second")


def _mail(told: Told) -> None:
    screen.heading("Mail")
    times = told["times"]
    doubtful = {
        "without a Date": times["without_date"],
        "before 1980": times["before_1980"],
        "in the future": times["in_the_future"],
        "far from their neighbours": times["sticking_out"],
        "answers dated before the question": times["answers_before_questions"],
    }
    automatic = told["automatic"]
    rows = [
        ("from", f"{when(told['begins_at'])} to {when(told['ends_at'])} UTC"),
        ("lists", ", ".join(told["assumed"]["lists"][:SHOWN]) or "none"),
        ("messages", f"{told['messages']:,}"),
        ("copies of these", f"{told['duplicates']:,}"),
        ("in quarantine", f"{told['quarantined']:,}"),
        ("automatic", f"{automatic:,} ({percent(told['automatic_share'])})"),
        ("wrong times", _listed(doubtful) or "none"),
    ]
    if told["reused_ids"]:
        rows.append(("reused ids", f"{told['reused_ids']:,}"))
    if told["archive"]["skipped"]:
        rows.append(("left out", f"{told['archive']['skipped']:,} (drafts, or marked as deleted)"))
    screen.fields(rows)
    if told["automatic_kinds"]:
        kinds = told["automatic_kinds"][:SHOWN]
        rows_of = ((k["nature"], f"{k['messages']:,}", percent(k["share"]), k["why"]) for k in kinds)
        screen.table(("written by", "mails", "share", "evidence"), rows_of, fixed=3)


def _months(told: Told) -> None:
    """A row a year, a sign a month: the shape of seven years fits in seven lines."""
    screen.heading("Messages a month")
    months = {one["month"]: one["messages"] for one in told["months"]}
    most = max(months.values())
    years = sorted({name[:4] for name in months})
    rows = []
    for year in years[-SHOWN * 3 :]:
        counts = [months.get(f"{year}-{month:02}", 0) for month in range(1, 13)]
        rows.append((year, "".join(_level(one, most) for one in counts), f"{sum(counts):,}"))
    screen.table(("year", "Jan to Dec", "messages"), rows, fixed=3)
    busiest = told["busiest_month"]
    screen.say(f"Busiest: {busiest['month']} with {count(busiest['messages'], 'message')}.")


def _threads(told: Told) -> None:
    screen.heading("Threads")
    screen.fields(
        [
            ("threads", f"{told['threads']:,}"),
            ("of machines only", f"{told['threads_of_machines']:,}"),
            ("found by subject", count(told["linked_by_subject"], "mail")),
            ("refused bridges", count(told["refused_bridges"], "mail")),
        ]
    )
    _bars(("mails", "threads"), _spans(told["thread_sizes"], "up_to_messages", 1, str))
    largest = [
        (one["id"][:5], f"{one['messages']:,}", when(one["begins_at"])[:10], one["subject"])
        for one in told["largest_threads"]
    ]
    screen.table(("largest", "mails", "from", "subject"), largest[:5], fixed=3)


def _answers(told: Told) -> None:
    answer = told["first_answer"]
    if not told["questions"]:
        return
    screen.heading("First answers")
    rows = [
        ("questions", f"{told['questions']:,}"),
        (
            "never answered",
            f"{answer['never_answered']:,} ({percent(_part(answer['never_answered'], told))})",
        ),
        ("median, 90 %", f"{hours(answer['median_hours'])}, {hours(answer['p90_hours'])}"),
        (f"within {hours(answer['first_reply_hours'])}", percent(answer["within_first_reply_hours"])),
    ]
    team = told["first_team_answer"]
    if team is not None:
        text = f"{hours(team['median_hours'])}, {hours(team['p90_hours'])}; never {team['never_answered']:,}"
        rows.append(("of the team", text))
    screen.fields(rows)
    bars = _spans(answer["hours"], "up_to_hours", 0, hours)
    _bars(("after", "threads"), [*bars, ("never", answer["never_answered"])])
    if answer["by"]:
        most = ", ".join(f"{one['author'] or '?'} {one['threads']:,}" for one in answer["by"][:5])
        screen.paragraph(f"Who answered first most often: {most}")


def _board(told: Told) -> None:
    screen.heading("What the board would have done")
    undone = told["reopened_after_auto_close"]
    early = f"{undone['reopens']:,} ({percent(undone['share_of_auto_closes'])} of them)"
    if undone["reopens"]:
        early += f", after a median of {undone['median_days']:.1f} days"
    mails = {one["rule"]: one["mails"] for one in told["would_mail"]}
    held = sum(one["held_by_caps"] for one in told["would_mail"])
    screen.fields(
        [
            ("auto-closed", f"{told['auto_closes']:,}"),
            ("  and reopened later", early),
            ("reopened in all", f"{told['reopens']:,} ({_listed(told['reopens_by']) or 'by nobody'})"),
            ("mailed", (_listed(mails) or "nothing") + (f"; {held:,} held by caps" if held else "")),
            ("threads at the end", f"{_listed(told['states_at_end'])}; nobody archives in a replay"),
        ]
    )


def _first_month(told: Told) -> None:
    month = told["first_month"]
    screen.heading(f"Its first {month['days']} days")
    screen.fields(
        [
            ("messages, threads", f"{month['messages']:,}, {month['threads']:,}"),
            ("auto-closed, reopened", f"{month['auto_closes']:,}, {month['reopens']:,}"),
            ("mails", _listed(month["mails_by_rule"]) or "none"),
        ]
    )


def _quarantine(told: Told) -> None:
    screen.heading("In quarantine")
    shown = told["quarantine"][:SHOWN]
    screen.table(("mail", "where", "why"), ((f"{q['mail']:,}", q["place"], q["why"]) for q in shown))
    if told["quarantined"] > len(shown):
        screen.say(f"and {told['quarantined'] - len(shown):,} more (--json lists the first thousand)")


def _bars(columns: Sequence[str], rows: Sequence[tuple[str, int]]) -> None:
    most = max((number for _, number in rows), default=0) or 1
    full = _ink()[-1]
    drawn = ((name, f"{number:,}", full * -(-number * WIDTH // most)) for name, number in rows)
    screen.table((*columns, ""), drawn, fixed=3)


def _ink() -> str:
    """Signs of rising height that this terminal has."""
    blocks = "▁▂▃▄▅▆▇█"
    try:
        blocks.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return ".:-=+*%#"
    return blocks


def _level(number: int, most: int) -> str:
    ink = _ink()
    return ink[(number * len(ink) - 1) // most] if number else "·" if ink[-1] != "#" else " "


def _spans(
    buckets: Sequence[Told], key: str, step: int, said: Callable[[int], str]
) -> Sequence[tuple[str, int]]:
    """Buckets by their two ends (the lower one is `step` above the bucket before), without the empty ones at the end."""
    rows: list[tuple[str, int]] = []
    lower = step
    for one in buckets:
        upper = one[key]
        name = f"from {said(lower)}" if upper is None else f"{said(lower)} to {said(upper)}"
        if lower in {0, upper}:
            name = said(upper) if lower else f"up to {said(upper)}"
        rows.append((name, one["threads"]))
        lower = (upper or 0) + step
    while rows and not rows[-1][1]:
        rows.pop()
    return rows


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items() if number)


def _part(number: int, told: Told) -> float:
    return float(number / told["questions"])


def count(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float | None) -> str:
    """A share of a whole; of nothing there is none."""
    return "-" if share is None else f"{100 * share:.1f} %"


def hours(number: float | None) -> str:
    """Hours as people say them."""
    if number is None:
        return "-"
    if number < 1:
        return f"{60 * number:.0f} min"
    return f"{number:.3g} h" if number <= 48 else f"{number / 24:.3g} days"


def size(octets: int) -> str:
    """Octets as people say them."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if octets >= 10**power:
            return f"{octets / 10**power:.1f} {unit}"
    return f"{octets} octets"
