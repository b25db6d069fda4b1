"""Whether what a mail says and what the robots know are the same trouble: only then is the evidence strong."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from helpdesk.blame.errors import TELLING, VAGUE, ErrorLine, key_of
from helpdesk.blame.facts import Failure, Incident, SiteFacts
from helpdesk.robots.record import Blame, Phase

DOWNTIME = "downtime"
_OTHERS = frozenset({Blame.USER, Blame.EXPERIMENT, Blame.ROBOT})


@dataclass(frozen=True, slots=True)
class Strong:
    """Strong evidence: the site or the incident, what fails there, and the line of the mail that says the same."""

    error: ErrorLine
    site: SiteFacts | None = None
    failure: Failure | None = None  # None: a declared downtime
    incident: Incident | None = None


def of_site(site: SiteFacts, errors: Iterable[ErrorLine], *, alone: bool = True) -> Strong | None:
    """Strong evidence about a site that a mail names; None: there is none.

    A mail that names a site without trouble, too (`alone` is False), may tell of that: then the error line itself must name the site.
    """
    if not site.in_trouble:
        return None
    for error in errors:
        if not (alone or site.site.lower() in error.text.lower()):
            continue
        failure = next((one for one in site.failures if same(error, one)), None)
        if failure is not None:
            return Strong(error, site, failure)
        if site.out is not None and site.out.cause == DOWNTIME and _may_be_the_sites(error):
            return Strong(error, site)
    return None


def of_incident(
    incident: Incident, errors: Iterable[ErrorLine], sites: Sequence[str], datasets: Iterable[str]
) -> Strong | None:
    """Strong evidence that a failure of many sites is what a mail tells of; None: there is none."""
    names_its_data = not set(incident.datasets).isdisjoint(datasets)
    for error in errors:
        if error.may_be_the_users:
            continue
        classes = {one.error_class for one in error.meanings} - VAGUE
        if incident.kind == "class" and incident.what in classes and (sites or error.code):
            return Strong(error, incident=incident)
        if incident.kind == "template" and names_its_data and error.meanings:
            return Strong(error, incident=incident)
    return None


def same(error: ErrorLine, failure: Failure) -> bool:
    """Whether an error line tells of this kind of failure: by its code, its class, its phase, or word for word."""
    if error.may_be_the_users:
        return False
    if error.key and error.key == key_of(failure.text):
        return True
    if error.code and error.code == failure.code:
        return failure.error_class not in VAGUE
    classes = {one.error_class for one in error.meanings} - VAGUE
    phases = {one.phase for one in error.meanings if one.phase in TELLING and one.blame not in _OTHERS}
    return failure.error_class in classes or any(failure.phase == phase for phase in phases)


def _may_be_the_sites(error: ErrorLine) -> bool:
    return any(one.blame not in _OTHERS and one.phase is not Phase.PAYLOAD for one in error.meanings)
