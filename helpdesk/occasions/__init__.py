"""What a board says by itself at certain times, one module a mail: planners, which `helpdesk.speaking` asks in every cycle."""

from helpdesk.occasions.calendars import calendar
from helpdesk.occasions.days import observed, review
from helpdesk.occasions.incident_mails import incident_mails
from helpdesk.occasions.load_reports import load_reports
from helpdesk.occasions.robot_troubles import robot_alarm
from helpdesk.occasions.shift_digests import digests
from helpdesk.occasions.site_mails import site_mails
from helpdesk.occasions.site_reports import site_reports

__all__ = [
    "calendar",
    "digests",
    "incident_mails",
    "load_reports",
    "observed",
    "review",
    "robot_alarm",
    "site_mails",
    "site_reports",
]
