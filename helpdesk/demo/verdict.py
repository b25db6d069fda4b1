"""What came of the two weeks, read from the servers and the board, and whether it is what was promised."""

from collections.abc import Sequence
from dataclasses import dataclass

from helpdesk import boardmail
from helpdesk.demo.beats import mailed_twice
from helpdesk.demo.grid import PLACES
from helpdesk.demo.show import Show
from helpdesk.demo.telling import Column


@dataclass(frozen=True, slots=True)
class Verdict:
    """Sentences for a person, and `good` for a shell."""

    lines: Sequence[str]
    good: bool


def verdict(show: Show) -> Verdict:
    """Look everything up once more."""
    stage = show.stage
    proof, sight, sent, totals = stage.proof(), show.sight(), stage.letters(), stage.totals
    twice, landed = mailed_twice(sent), stage.servers.post.landed
    shown = sum(lying.folder == boardmail.FOLDER for lying in show.client.look().values())
    kept = sum(beat.kept is True for beat in show.beats)
    states = ", ".join(f"{sight.count(column)} {column.value}" for column in Column)
    rules = ", ".join(f"{rule} {count}" for rule, count in totals.rules.most_common())
    tested = stage.tested
    out = ", ".join(one.site for one in tested.changes if one.action == "exclude") or "nobody"
    lines = [
        f"Two weeks: {len(sight.rows)} threads ({states}) of {proof.messages} mails.",
        f"The board ran {totals.runs} times, {1000 * totals.seconds / max(1, totals.runs):.0f} ms each. It acted by {rules}.",
        f"It sent {stage.mails_sent()} mails; {twice} of them reached anybody twice.",
        (
            f"Ledger: of {landed} mails delivered and {shown} in the folder Board, {proof.threaded} are in a thread, "
            f"{proof.correspondence} are about the board, {len(proof.residue)} left behind."
        ),
        f"Test jobs: {tested.jobs.total()} at {len(PLACES)} sites, {len(tested.failed)} failed. Put out: {out}.",
        *(f"Held: {held}" for held in totals.held),
        *(
            f"Scene {number}: NOT as promised: {beat.title}"
            for number, beat in enumerate(show.beats, 1)
            if not beat.kept
        ),
        f"{kept} of {len(show.beats)} scenes went as promised.",
    ]
    good = (
        kept == len(show.beats)
        and proof.threaded + proof.correspondence == landed + shown
        and not (proof.residue or totals.held or twice)
    )
    return Verdict(lines, good)
