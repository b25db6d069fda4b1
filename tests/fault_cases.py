"""Seeded threads for `tests.measure_fault`: openings of real mails, with sentences put in."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

from helpdesk.robots.codes import table
from tests.fault_forms import ROBOTS_SAY, Forms

START = datetime(2026, 6, 8, 6, 0, tzinfo=UTC)
NOW = START + timedelta(days=30)

TROUBLED = {
    "DESY-HH": "payload:12", "DESY-ZN": "payload:11", "RAL-LCG2": "pilot:1137", "CERN-PROD": "pilot:1377", "INFN-T1": "pilot:1099",
    "UKI-LT2-QMUL": "wmcore:60311", "GRIF": "pilot:1137", "FZK": "payload:12", "NIKHEF-ELPROD": "pilot:1377", "TRIUMF": "pilot:1099",
}  # fmt: skip
"""Sites that are out, and the code with which their test jobs fail."""
FINE = ("BNL-ATLAS", "IN2P3-CC", "PIC", "SARA-MATRIX", "NDGF-T1", "TAIWAN-LCG2", "IFIC-LCG2", "LRZ-LMU")

ANSWERS = (
    "Please renew your proxy.",
    "The file was moved to another server.",
    "Use the new tag of the package.",
    "This was a known bug.",
)
STRANGE = (
    "Error: cannot register {path} in the catalogue: entry {n} is locked",
    "RuntimeError: worker {n} lost the connection to the tree server of {path}",
    "FATAL: conditions folder for run {n} has no payload in {path}",
    "ERROR: no tag was found for the geometry of stream {n} of {path}",
)
"""Errors that nobody's table knows, for two threads each."""


@dataclass(frozen=True, slots=True)
class Case:
    """A seeded thread: its mails, and what must come of it."""

    kind: str
    mails: tuple[bytes, ...]
    ids: tuple[str, ...]
    label: bool = False
    site: str = ""  # whom the first line must be about
    silent: tuple[str, ...] = ()  # whom no line may be about
    echo: str = ""  # what the second line must quote
    no_echo: bool = False


@dataclass(slots=True)
class Author:
    """Writes cases around the openings of real mails."""

    openings: Sequence[str]
    rng: random.Random
    forms: Forms
    number: int = 0
    made: list[Case] = field(default_factory=list)

    def fill(self, text: str, **more: str) -> str:
        rng = self.rng
        path = "/" + "/".join(
            rng.choice(("grid", "user", "afs", "eos", "pnfs", "x.root")) for _ in range(rng.randint(3, 5))
        )
        return text.format(
            path=path, n=rng.randint(1_000_000, 9_999_999), day=f"{rng.randint(1, 28):02}", **more
        )

    def write(
        self, *said: str, tail: str = "", answers: Sequence[str] = (), sender: str = ""
    ) -> tuple[bytes, str]:
        """A mail: a real opening with these lines put into it at some place."""
        self.number += 1
        paragraphs = self.rng.choice(self.openings).split("\n\n")
        at = self.rng.randint(0, len(paragraphs))
        body = "\n\n".join([*paragraphs[:at], *said, *paragraphs[at:], *([tail] if tail else [])])
        mail, own = EmailMessage(policy=SMTP), f"<case{self.number}@measure.example>"
        mail["From"] = sender or f"Ann Ash <ann{self.number}@users.example.com>"
        mail["To"], mail["Message-ID"], mail["Date"] = "dast@lists.example.org", own, NOW
        mail["Subject"] = f"{'Re: ' if answers else ''}question {self.number}"
        if answers:
            mail["In-Reply-To"], mail["References"] = answers[-1], " ".join(answers)
        mail.set_content(body)
        return mail.as_bytes(), own

    def add(self, kind: str, *written: tuple[bytes, str], **expected: object) -> None:
        mails, ids = zip(*written, strict=True)
        self.made.append(Case(kind, mails, ids, **expected))  # type: ignore[arg-type]  # fields of Case

    def sick(self) -> tuple[str, str]:
        """A site in trouble, and the phase in which its jobs fail."""
        site = self.rng.choice(list(TROUBLED))
        name, _, code = TROUBLED[site].partition(":")
        return site, str(table(name)[code].phase)

    def error(self, phase: str, forms: Mapping[str, Sequence[str]] | None = None) -> str:
        return self.fill(self.rng.choice((forms or self.forms.coded)[phase]))

    def sentence(self, site: str, of: Sequence[str] = ()) -> str:
        spelled = site.lower() if "-" in site and self.rng.random() < 0.2 else site
        return self.fill(self.rng.choice(of or self.forms.sentences), site=spelled)

    # -- the kinds

    def matching(self) -> None:
        site, phase = self.sick()
        self.add(
            "troubled site, matching error",
            self.write(self.sentence(site), self.error(phase)),
            label=True,
            site=site,
        )

    def words_only(self) -> None:
        site, phase = self.sick()
        said = self.write(self.sentence(site), self.error(phase, self.forms.words_only))
        self.add("the same, no code and no known words", said, label=True, site=site)

    def asked(self) -> None:
        site, phase = self.sick()
        first = self.write(self.error(phase))
        second = self.write(self.fill("It is {site}.", site=site), answers=(first[1],))
        self.add("error first, the site in the next mail", first, second, label=True, site=site)

    def fine(self) -> None:
        site = self.rng.choice(FINE)
        said = self.write(self.sentence(site), self.error(self.sick()[1]))
        self.add("site without trouble", said, silent=(site,))

    def other_error(self) -> None:
        site, phase = self.sick()
        other = self.rng.choice([one for one in self.forms.coded if one != phase])
        error = self.rng.choice([one for one in self.forms.coded[other] if ROBOTS_SAY not in one])
        self.add(
            "troubled site, another failure", self.write(self.sentence(site), self.fill(error)), site=site
        )

    def own_error(self) -> None:
        site, _ = self.sick()
        said = self.write(self.sentence(site), self.rng.choice(self.forms.own_errors))
        self.add("troubled site, the user's own error", said, site=site)

    def unrelated(self) -> None:
        site, _ = self.sick()
        self.add(
            "troubled site, unrelated question",
            self.write(self.sentence(site, self.forms.questions)),
            site=site,
        )

    def quoted(self) -> None:
        site, phase = self.sick()
        told = self.rng.choice(self.forms.quoted).format(
            sentence=self.sentence(site), error=self.error(phase)
        )
        answers = (f"<somebody{self.number}@measure.example>",)
        self.add(
            "name and error in a quote",
            self.write("It works for me now.", tail=told, answers=answers),
            silent=(site,),
        )

    def signed(self) -> None:
        site, phase = self.sick()
        tail = self.rng.choice(self.forms.signed).format(site=site)
        self.add("name in a signature", self.write(self.error(phase), tail=tail), silent=(site,))

    def unmarked(self) -> None:
        site, phase = self.sick()
        tail = self.rng.choice(self.forms.unmarked).format(site=site)
        self.add(
            "name in a signature that nothing marks", self.write(self.error(phase), tail=tail), silent=(site,)
        )

    def elsewhere(self) -> None:
        site, phase = self.sick()
        said = self.rng.choice(self.forms.elsewhere).format(site=site, fine=self.rng.choice(FINE))
        self.add("another site fails, the troubled one works", self.write(said, self.error(phase)), site=site)

    def similar(self) -> None:
        site, phase = self.sick()
        like = self.rng.choice(self.forms.similar).format(site=site)
        self.add("similar name", self.write(self.sentence(like), self.error(phase)), silent=(site,))

    def echoed(self) -> None:
        form, answer = self.rng.choice(STRANGE), self.rng.choice(ANSWERS)
        form = f"{form} (step {self.number})"  # a line of its own: one answer is right
        first = self.write(self.fill(form))
        says = self.write_plain(f"Hi,\n\n{answer}\n\nAiden\n", answers=(first[1],))
        self.add("an error that was answered", first, says)
        self.add("the same error again", self.write(self.fill(form)), echo=answer)
        self.add("nearly the same error", self.write(self.fill(f"{form} again")), no_echo=True)

    def write_plain(self, text: str, answers: Sequence[str]) -> tuple[bytes, str]:
        openings, self.openings = self.openings, (text,)
        made = self.write(answers=answers, sender="Aiden Archer <aiden@example.org>")
        self.openings = openings
        return made
