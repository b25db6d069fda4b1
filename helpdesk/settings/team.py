"""The sections about people, labels, destinations, team rules and shifts."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from helpdesk.labels import name_problem
from helpdesk.model import LabelKind, Role
from helpdesk.settings.base import (
    Address,
    CalendarSource,
    Colour,
    Domain,
    FilePath,
    Flag,
    HeaderName,
    Hours,
    ListId,
    Pattern,
    Section,
    Text,
    Zone,
)
from helpdesk.settings.times import DAY_MINUTES, Moment, WeekMoment, WorkTime


def _label_name(name: str) -> str:
    problem = name_problem(name)
    if problem is not None:
        raise ValueError(problem)
    return name


LabelName = Annotated[str, AfterValidator(_label_name)]


class Person(Section):
    """One member of the team, or the contact of a site."""

    name: Text = Field(description="name, as the shift calendar spells it", examples=["Ann Archer"])
    addresses: tuple[Address, ...] = Field(
        min_length=1,
        description="every address that this person writes from; mail to the person goes to the first",
        examples=[["ann@example.org"]],
    )
    roles: tuple[Literal["shifter", "expert", "admin", "contact"], ...] = Field(
        min_length=1,
        description="what the person may do: shifter, expert, admin, contact",
        examples=[["shifter"]],
    )
    timezone: Zone | None = Field(
        default=None, description="IANA time zone; default: the board's", examples=["Europe/Zurich"]
    )
    oncall: Flag = Field(
        default=False, description="gets the mail about an URGENT thread that nobody answered"
    )


class Destination(Section):
    """One place to escalate to; its label is a where label."""

    label: LabelName = Field(description="where label that stands for the destination", examples=["GGUS"])
    address: Address | None = Field(
        default=None,
        description="address that gets escalations; mode = mail needs it",
        examples=["ggus@example.org"],
    )
    mode: Literal["mail", "track"] = Field(
        default="mail",
        description="mail: the board sends the story; track: nothing is sent, a ticket number is expected",
    )
    hours: WorkTime | None = Field(
        default=None,
        description="days, hours and (if not the board's) time zone in which it works; default: around the clock",
        examples=["Mon-Fri 09:00-17:00 Europe/Zurich"],
    )
    nag_after_hours: Hours = Field(
        default=24, description="its working hours without an answer after which it is reminded"
    )
    domain: Domain | None = Field(
        default=None,
        description="domain of its own mail: ticket numbers and answers count only from there; default: of address",
        examples=["ggus.example.org"],
    )
    holidays: tuple[date, ...] = Field(
        default=(),
        description="days on which it does not work, whatever its hours",
        examples=[["2026-12-25", "2026-12-26"]],
    )
    senders: tuple[Address, ...] = Field(
        default=(),
        description="more addresses that its tracker writes from, besides address: what they say is the destination's word",
        examples=[["noreply@ggus.example.org"]],
    )
    components: tuple[Text, ...] = Field(
        default=(),
        description="software that it releases, as named in `helpdesk release NAME VERSION`, besides the label itself",
        examples=[["Ganga"]],
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.mode == "mail" and self.address is None:
            raise ValueError("mode = mail needs an address")
        return self

    @property
    def mail_domain(self) -> str:
        """The domain that the destination's mail comes from; "" when nothing says so: then only `senders` speak for it."""
        return self.domain or (self.address or "").rpartition("@")[2]

    @property
    def speakers(self) -> frozenset[str]:
        """The addresses of which every mail is the destination's."""
        return frozenset((*self.senders, *([self.address] if self.address else [])))


class LabelEntry(Section):
    """One more label, or the meaning and colour of a built-in or where label of the same name."""

    name: LabelName = Field(description="name of the label", examples=["mc08 dataset problem"])
    kind: LabelKind = Field(
        default=LabelKind.INFO,
        description="state, where, temporary (removed when the thread is closed) or info (may stay)",
        examples=["temporary"],
    )
    meaning: str = Field(
        default="",
        max_length=500,
        description="what it means, for the others",
        examples=["datasets of mc08 lack files"],
    )
    colour: Colour | None = Field(
        default=None, description="colour in the clients, #rrggbb", examples=["#2f7d32"]
    )


class When(Section):
    """What a message must be for a team rule: everything that is given must match."""

    sender: Pattern | None = Field(
        default=None, description="search in the author's address", examples=["@example\\.org$"]
    )
    recipient: Pattern | None = Field(
        default=None, description="search in each address of To and Cc", examples=["^ddm-"]
    )
    subject: Pattern | None = Field(
        default=None, description="search in the subject", examples=["\\bmc08\\b"]
    )
    body: Pattern | None = Field(
        default=None, description="search in the text, its first 64 KB", examples=["LFC_NOENT|no such file"]
    )
    header: dict[HeaderName, Pattern] = Field(
        default_factory=dict,
        description="searches in named header fields",
        examples=[{"X-Mailer": "Outlook"}],
    )
    list: ListId | None = Field(
        default=None, description="the List-Id that the mail must have", examples=["dast.lists.example.org"]
    )
    role: Role | None = Field(
        default=None, description="role of the author: user, shifter, expert, admin or bot", examples=["user"]
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        conditions = (self.sender, self.recipient, self.subject, self.body, self.list, self.role)
        if not self.header and all(condition is None for condition in conditions):
            raise ValueError("is empty: it would match every mail")
        return self


class TeamRule(Section):
    """A rule of the team for new mail; the first match wins."""

    name: Text = Field(description="name, unique: the journal and explain-rules use it", examples=["mc08"])
    when: When = Field(
        description="conditions, all of which must match; searches ignore case (RE2 syntax)",
        examples=[{"subject": "mc08"}],
    )
    add: tuple[Text, ...] = Field(
        default=(), description="names of labels to add", examples=[["mc08 dataset problem"]]
    )
    remove: tuple[Text, ...] = Field(
        default=(), description="names of labels to remove", examples=[["WAITING"]]
    )
    star: Flag = Field(default=False, description="star the message")
    continue_: Flag = Field(
        default=False, alias="continue", description="look at the next rules too when this one matches"
    )
    shadow: Flag = Field(default=False, description="only report what the rule would do")


class Shifts(Section):
    """The calendar of the team."""

    calendar: CalendarSource | None = Field(
        default=None,
        description="iCalendar file or https URL; the summary of an event is the shifter's name; default: no calendar",
        examples=["shifts.ics"],
    )
    ca_file: FilePath | None = Field(
        default=None,
        description="PEM file with the authorities to trust instead of the system's, for an https calendar",
        examples=["ca.pem"],
    )
    week_ends: Moment = Field(
        default=WeekMoment(weekday=6, minutes=DAY_MINUTES),
        description="day (and time) at which the shift week ends, in the board's time zone: labels that nobody"
        " explained are then offered for retirement",
        examples=["Sunday 24:00"],
    )
