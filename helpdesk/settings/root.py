"""The whole configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from helpdesk.labels import BUILTIN, OF_SITES, Label, Vocabulary, keyword_of
from helpdesk.model import LabelKind
from helpdesk.settings.base import Section
from helpdesk.settings.crosschecks import Problem, cross_problems
from helpdesk.settings.policy import Brakes, Caps, Policy
from helpdesk.settings.robots import Cocktail, Dataset, JobTemplate, LoadTest, Reports, Robots, Site
from helpdesk.settings.servers import Auth, Board, Daemon, Imap, Smtp, Store
from helpdesk.settings.team import Destination, LabelEntry, Person, Shifts, TeamRule


def _section(description: str) -> Any:
    """Make a section optional: an empty table is validated in its place, so that relative paths are resolved."""
    return Field(default={}, description=description)


class Settings(Section):
    """A board's configuration: each field is one section of the file."""

    board: Board = Field(description="which mailbox this is, and whether the daemon may act")
    imap: Imap = Field(description="the shared mailbox")
    smtp: Smtp = Field(description="the way out")
    auth: Auth = _section("who may speak for an author")
    store: Store = _section("where the daemon keeps what mail cannot hold")
    daemon: Daemon = _section("the running process")
    policy: Policy = _section("how long the board waits")
    brakes: Brakes = _section("what is implausible and held")
    caps: Caps = _section("how many mails may go out")
    people: tuple[Person, ...] = Field(
        default=(), description="the team and the contacts of sites, one [[people]] each"
    )
    destination: tuple[Destination, ...] = Field(default=(), description="where issues are escalated to")
    label: tuple[LabelEntry, ...] = Field(default=(), description="more labels")
    rule: tuple[TeamRule, ...] = Field(default=(), description="rules of the team for new mail")
    shifts: Shifts = _section("the calendar of the team")
    site: tuple[Site, ...] = Field(default=(), description="sites that get test jobs")
    dataset: tuple[Dataset, ...] = Field(default=(), description="data sets that test jobs read")
    template: tuple[JobTemplate, ...] = Field(default=(), description="kinds of test jobs")
    cocktail: tuple[Cocktail, ...] = Field(default=(), description="weighted sets of templates")
    robots: Robots = _section("functional tests of sites")
    loadtest: LoadTest = _section("limits of load tests")
    reports: Reports = _section("mail and pages about sites")

    @model_validator(mode="wrap")
    @classmethod
    def _everything_at_once(cls, document: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Add what is wrong between the sections to what is wrong inside them."""
        crossed = (
            [_detail(problem) for problem in cross_problems(document)]
            if isinstance(document, Mapping)
            else []
        )
        try:
            settings = handler(document)
        except ValidationError as error:
            raise ValidationError.from_exception_data(error.title, [*_details(error), *crossed]) from None
        if crossed:
            raise ValidationError.from_exception_data(cls.__name__, crossed)
        return settings

    @property
    def labels_sites(self) -> bool:
        """Whether threads get the label site_trouble."""
        return bool(self.site) and self.robots.site_trouble

    @property
    def secret_path(self) -> Path | None:
        """Where the board's secret is, or is to be made; None for a database in memory."""
        if self.board.secret_file is not None:
            return self.board.secret_file
        return self.store.file.with_suffix(".secret") if self.store.file is not None else None


def _detail(problem: Problem) -> InitErrorDetails:
    kind = PydanticCustomError("crosscheck", "{sentence}", {"sentence": problem.sentence})
    return InitErrorDetails(type=kind, loc=problem.loc, input=None)


def _details(error: ValidationError) -> list[InitErrorDetails]:
    """Copy the errors for an exception that holds others too.

    Inputs stay out: they may be secret.  What only follows from another error is left out.
    """
    lines = error.errors(include_url=False, include_input=False)
    locs = [line["loc"] for line in lines]
    details = []
    for line in lines:
        loc = line["loc"]
        echo = line["type"] == "too_short" and any(other[: len(loc)] == loc != other for other in locs)
        if not echo and line["type"] != "default_factory_not_called":
            context = {"sentence": line["msg"], **line.get("ctx", {})}
            kind = PydanticCustomError(line["type"], "{sentence}", context)
            details.append(InitErrorDetails(type=kind, loc=loc, input=None))
    return details


def vocabulary(settings: Settings) -> Vocabulary:
    """Every label of the board: built in, of destinations, and of [[label]], which may also describe the others."""
    labels = {label.name: label for label in (*BUILTIN, *(OF_SITES if settings.labels_sites else ()))}
    for destination in settings.destination:
        name = destination.label
        labels[name] = Label(name, LabelKind.WHERE, keyword_of(name), f"escalated to {name}")
    for entry in settings.label:
        known = labels.get(entry.name)
        labels[entry.name] = Label(
            entry.name,
            known.kind if known else entry.kind,
            keyword_of(entry.name),
            entry.meaning or (known.meaning if known else ""),
            entry.colour or (known.colour if known else ""),
            builtin=known is not None and known.builtin,
        )
    return Vocabulary(tuple(labels.values()))
