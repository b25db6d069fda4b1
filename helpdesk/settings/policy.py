"""The sections with the board's rules in numbers."""

from pydantic import Field

from helpdesk.settings.base import (
    Count,
    Days,
    Flag,
    Fraction,
    Hours,
    Minutes,
    Positive,
    Seconds,
    Section,
    WarningDays,
)


class Policy(Section):
    """How long the board waits before it does something by itself."""

    settle_seconds: Seconds = Field(
        default=60,
        description="seconds that a thread must be untouched before the rest follows what a human did to a part of it;"
        " 0: at once",
    )
    quiet_minutes: Minutes = Field(
        default=15,
        description="minutes after a touch in which the board starts nothing of its own (it closes no thread)",
    )
    waiting_close_days: Days = Field(
        default=7, description="days without a human mail after which a WAITING thread is closed"
    )
    close_warning_days: WarningDays = Field(
        default=0,
        description="days before a WAITING thread is closed at which its user gets a mail that says so; 0: no mail",
    )
    close_notice: Flag = Field(
        default=False, description="whether the user gets a mail when a WAITING thread was closed"
    )
    first_reply_hours: Hours = Field(
        default=8, description="hours after which a question without a human answer is listed as unanswered"
    )
    urgent_grace_minutes: Minutes = Field(
        default=2, description="minutes that URGENT must stand before the shifter on duty gets a mail"
    )
    urgent_minutes: Minutes = Field(
        default=60,
        gt=0,
        description="covered minutes without a human answer after which URGENT goes to people with oncall",
    )
    escalation_grace_minutes: Minutes = Field(
        default=10,
        description="minutes that ESCALATED and its where must stand before the destination gets a mail",
    )
    taken_hours: Hours = Field(default=4, description="hours after which the label taken is removed again")


class Brakes(Section):
    """What is implausible: more than this is held until a person looks."""

    max_bot_moves: Positive = Field(
        default=50,
        description="threads that the board may move in one cycle by itself; the completion of human acts is free",
    )
    max_mails: Positive = Field(default=20, description="mails that may be sent in one cycle")
    max_gone: Fraction = Field(
        default=0.2,
        gt=0,
        description="fraction of all messages that may be gone in one cycle before the board is held",
    )
    max_label_loss: Positive = Field(
        default=20, description="threads that may lose the same label in one cycle before the board is held"
    )


class Caps(Section):
    """How many mails may go out at most; on a trip the rule holds and says so."""

    user_per_day: Count = Field(default=2, description="mails to one user a day")
    thread_per_day: Count = Field(default=3, description="mails about one thread a day")
    board_per_hour: Count = Field(default=60, description="mails of the whole board an hour")
