"""What a board says by itself at certain times, one module a mail: pure planners, which `helpdesk.speaking` asks in every cycle."""

from helpdesk.occasions.calendars import calendar

__all__ = ["calendar"]
