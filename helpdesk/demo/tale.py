"""A tale, as data: when it begins, and what people do about it."""

from dataclasses import dataclass

from helpdesk.demo.acts import Act, Archives, Tags


@dataclass(frozen=True, slots=True)
class Tale:
    """One issue; `steps` are (hours after the beginning, what somebody does)."""

    name: str
    day: int  # 1 to 14; the first is a Monday
    hour: float
    subject: str
    steps: tuple[tuple[float, Act], ...]
    user: str = ""  # who asks, if it matters


WAIT = Tags(("waiting",))
DONE = Archives()
