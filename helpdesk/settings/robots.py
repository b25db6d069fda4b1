"""The sections about sites, test jobs, load tests and reports."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from helpdesk.settings.base import (
    CalendarSource,
    Count,
    FilePath,
    Flag,
    Fraction,
    Hour,
    Hours,
    Minutes,
    Positive,
    Section,
    Text,
    Url,
    Zone,
)
from helpdesk.settings.times import Moment, WeekMoment


class Queue(Section):
    """One queue of a site for one experiment."""

    experiment: Text = Field(description="experiment whose jobs go there", examples=["atlas"])
    engine: Literal["local", "slurm", "htcondor", "arc", "command"] = Field(
        default="local", description="how jobs get there"
    )
    queue: Text = Field(
        description="name of the queue, partition or endpoint for the engine", examples=["desy-atlas"]
    )

    @property
    def engine_name(self) -> str:
        """Each computing element is an engine of its own, so that one which is down concerns nobody else."""
        return f"arc:{self.queue}" if self.engine == "arc" else self.engine


class Site(Section):
    """One site that gets test jobs."""

    name: Text = Field(description="name of the site", examples=["DESY-HH"])
    aliases: tuple[Text, ...] = Field(
        default=(),
        description="other names that people have for the site: mails that name it are found by them",
        examples=[["DESY-HH_DATADISK"]],
    )
    region: Text | None = Field(
        default=None, description="region or cloud, for the overviews", examples=["DE"]
    )
    tier: Annotated[int, Field(strict=True, ge=0, le=3)] | None = Field(
        default=None, description="tier of the site, 0 to 3", examples=[2]
    )
    timezone: Zone | None = Field(
        default=None,
        description="IANA time zone of the site; default: the board's",
        examples=["Europe/Berlin"],
    )
    contacts: tuple[Text, ...] = Field(
        default=(),
        description="who answers for the site: names or addresses of [[people]] with the role contact",
        examples=[["Dieter Dahl"]],
    )
    se: Text | None = Field(
        default=None,
        description="storage element that its jobs read from: sites that share one fail together",
        examples=["desy-se"],
    )
    jobs_per_day: Positive | None = Field(
        default=None, description="routine jobs a day to each queue; default: that of [robots]", examples=[24]
    )
    downtime: CalendarSource | None = Field(
        default=None,
        description="iCalendar file or https URL with the declared downtimes",
        examples=["desy-downtime.ics"],
    )
    queue: tuple[Queue, ...] = Field(default=(), description="queues, one [[site.queue]] each")


POPULAR = "popular"
"""Instead of a data set's name: one of all of them, by popularity."""


class Dataset(Section):
    """One data set that test jobs read."""

    name: Text = Field(description="name of the data set", examples=["zmumu"])
    inputs: tuple[CalendarSource | Text, ...] = Field(
        min_length=1,
        description="files that it is made of: paths, http(s) or root URLs",
        examples=[["data/zmumu.root"]],
    )
    manifest: FilePath | None = Field(
        default=None,
        description="what is in it and the right answers, as `helpdesk robots data` writes it; default: beside the first file",
        examples=["data/zmumu.root.json"],
    )
    popularity: Count = Field(default=1, description="how often it is read where a template says popular")


class JobTemplate(Section):
    """One kind of test job: a real analysis."""

    name: Text = Field(description="name of the template", examples=["dimuon"])
    experiment: Text = Field(description="experiment that it stands for", examples=["atlas"])
    payload: Literal["dimuon", "electrons-jets", "b-to-hh", "pairs", "read"] = Field(
        description="analysis that the job runs", examples=["dimuon"]
    )
    dataset: Text = Field(
        description="name of the [[dataset]] that the job reads; popular: one of them, by popularity",
        examples=["zmumu"],
    )
    access_mode: Literal["copy", "stream", "local"] = Field(
        default="copy", description="how the job reads its dataset"
    )
    max_wall_minutes: Minutes = Field(
        default=60, gt=0, description="minutes after which a job counts as timed out"
    )
    max_memory_mb: Positive = Field(default=2000, description="megabytes of memory that a job may use")


class Cocktail(Section):
    """A weighted set of templates."""

    name: Text = Field(description="name of the cocktail", examples=["daily"])
    templates: dict[str, Positive] = Field(
        min_length=1, description="names of templates with their weights", examples=[{"dimuon": 3}]
    )


class HTCondor(Section):
    """Where the engine htcondor submits; who we are to it, its own configuration says (tokens, certificates)."""

    queues: dict[Text, Text] = Field(
        min_length=1,
        description="what each queue name of [[site.queue]] asks of a machine, as a ClassAd expression",
        examples=[{"desy-atlas": 'TARGET.GLIDEIN_Site == "DESY-HH"'}],
    )
    pool: Text | None = Field(
        default=None,
        description="central manager (collector) that knows the schedd; default: that of HTCondor's configuration",
        examples=["cm.example.org:9618"],
    )
    schedd: Text | None = Field(
        default=None,
        description="name of the schedd; default: that of this machine",
        examples=["schedd1.example.org"],
    )
    config_file: FilePath | None = Field(
        default=None,
        description="configuration of HTCondor; default: the system's",
        examples=["/etc/condor/condor_config"],
    )


class Arc(Section):
    """ARC computing elements, and who we are to them: a certificate, a proxy or a token, in files that are read anew each turn."""

    queues: dict[Text, Url] = Field(
        min_length=1,
        description="what each queue name of [[site.queue]] is: the https URL of an A-REX, and after # a queue of its batch system",
        examples=[{"desy-atlas": "https://arc.example.org/arex#grid"}],
    )
    certificate_file: FilePath | None = Field(
        default=None,
        description="X.509 certificate or proxy (PEM); the file that holds the key must be readable by us alone",
        examples=["/run/helpdesk/proxy.pem"],
    )
    key_file: FilePath | None = Field(
        default=None,
        description="its key, without a password; default: in the same file",
        examples=["/etc/helpdesk/key.pem"],
    )
    token_file: FilePath | None = Field(
        default=None, description="file (0600) with a bearer token", examples=["/run/helpdesk/token"]
    )
    ca_path: FilePath | None = Field(
        default=None,
        description="authorities that are trusted: a PEM file, or a folder of them with hashed names; default: the system's",
        examples=["/etc/grid-security/certificates"],
    )
    python: Text = Field(default="python3", description="the python, 3.11 or later, that runs jobs there")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.certificate_file is None and self.token_file is None:
            raise ValueError("needs a certificate_file or a token_file")
        if self.key_file is not None and self.certificate_file is None:
            raise ValueError("has a key_file and needs its certificate_file")
        return self


class Robots(Section):
    """Functional tests of sites."""

    cocktail: Text | None = Field(
        default=None,
        description="the cocktail that is sent to every site; default: no routine jobs",
        examples=["daily"],
    )
    jobs_per_day: Positive = Field(default=48, description="routine jobs a day to each queue of each site")
    max_on_the_way: Positive = Field(
        default=20, description="jobs that wait or run in one queue of a site at a time"
    )
    folder: FilePath = Field(
        default=Path("robots"),
        description="folder for jobs and their results; engines slurm and htcondor: one that all nodes see",
    )
    slots: Positive = Field(default=2, description="jobs of the engine local that run at once in one queue")
    slurm_conf: FilePath | None = Field(
        default=None,
        description="configuration of Slurm; default: the system's",
        examples=["/etc/slurm/slurm.conf"],
    )
    htcondor: HTCondor | None = Field(default=None, description="where the engine htcondor submits")
    arc: Arc | None = Field(default=None, description="where the engine arc sends jobs, and who we are there")
    command: dict[
        Literal["describe", "submit", "poll", "fetch", "cancel", "reconcile", "forget"], tuple[Text, ...]
    ] = Field(
        default_factory=dict,
        description="programs of the engine command, by what they do (docs/robots.md)",
        examples=[{"submit": ["ganga-bridge", "submit"]}],
    )
    popular_file: FilePath | None = Field(
        default=None,
        description="CSV file with the columns dataset and weight, read anew each time; default: the popularity in [[dataset]]",
        examples=["popular.csv"],
    )
    blacklist_file: FilePath | None = Field(
        default=None,
        description="file in which the excluded sites always stand, as JSON; beside it the same as text (.txt)",
        examples=["blacklist.json"],
    )
    max_excluded: Fraction = Field(
        default=0.1, description="fraction of all sites that the robot may have excluded at a time"
    )
    mail_after_minutes: Minutes = Field(
        default=60, description="minutes that a site must be out before its contacts get a mail"
    )
    mail_from_hour: Hour = Field(
        default=8, description="first hour of the site's day (0 to 24) at which its contacts get mail"
    )
    mail_until_hour: Hour = Field(
        default=20, description="hour of the site's day (0 to 24) after which they get none"
    )
    mails_per_day: Count = Field(default=2, description="mails to one site a day")
    incident_after_minutes: Minutes = Field(
        default=20,
        description="minutes that a failure of many sites must go on before the admins get their one mail about it",
    )
    site_trouble: Flag = Field(
        default=True,
        description="set the label site_trouble on threads that tell of what test jobs show too (docs/whose-fault.md)",
    )

    @model_validator(mode="after")
    def _whole_command(self) -> Self:
        missing = {"describe", "submit", "poll", "fetch", "cancel", "reconcile"} - set(self.command)
        if self.command and missing:
            raise ValueError(f"the engine command also needs {', '.join(sorted(missing))}")
        return self

    @model_validator(mode="after")
    def _hours(self) -> Self:
        if self.mail_from_hour >= self.mail_until_hour:
            raise ValueError("mail_from_hour must be before mail_until_hour")
        return self


class LoadTest(Section):
    """Limits of load tests."""

    contact_max_jobs: Positive = Field(
        default=200, description="jobs in one test that a contact may start on the own site"
    )
    contact_max_hours: Hours = Field(default=4, description="hours that such a test may take")
    contact_per_day: Count = Field(default=1, description="tests a day that a contact may start")
    consent_hours: Hours = Field(
        default=72, description="hours that a contact's yes to an expert's test is valid"
    )
    stop_after_jobs: Positive = Field(
        default=20, description="finished jobs from which on a failing test is stopped"
    )
    stop_failed: Fraction = Field(
        default=0.5, description="fraction of failed jobs above which a test is stopped"
    )
    stop_waiting: Positive = Field(
        default=100, description="jobs of a test waiting at the site above which it is stopped"
    )


class Reports(Section):
    """Mail and pages about sites."""

    enabled: Flag = Field(
        default=False, description="send the weekly report to the contacts of each site (docs/reports.md)"
    )
    weekly: Moment = Field(
        default=WeekMoment(weekday=0, minutes=8 * 60),
        description="day and time of the weekly report, in each site's time zone",
        examples=["Monday 08:00"],
    )
