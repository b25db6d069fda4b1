"""The configuration as frozen values: one class a section, every key with its meaning, unit and default."""

from helpdesk.settings.login import Login, OAuth2, PasswordPlace
from helpdesk.settings.policy import Brakes, Caps, Policy
from helpdesk.settings.robots import Cocktail, JobTemplate, LoadTest, Queue, Reports, Robots, Site
from helpdesk.settings.root import Settings, vocabulary
from helpdesk.settings.servers import Auth, Board, Daemon, Imap, Smtp, Store
from helpdesk.settings.team import Destination, LabelEntry, Person, Shifts, TeamRule, When
from helpdesk.settings.times import WeekMoment, WorkingHours

__all__ = [
    "Auth",
    "Board",
    "Brakes",
    "Caps",
    "Cocktail",
    "Daemon",
    "Destination",
    "Imap",
    "JobTemplate",
    "LabelEntry",
    "LoadTest",
    "Login",
    "OAuth2",
    "PasswordPlace",
    "Person",
    "Policy",
    "Queue",
    "Reports",
    "Robots",
    "Settings",
    "Shifts",
    "Site",
    "Smtp",
    "Store",
    "TeamRule",
    "WeekMoment",
    "When",
    "WorkingHours",
    "vocabulary",
]
