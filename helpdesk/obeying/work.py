"""One command mail that is being carried out."""

from dataclasses import dataclass, field, replace

from helpdesk.board import Teammate
from helpdesk.commands import Command
from helpdesk.rules.facts import Order
from helpdesk.store.commands import CommandMail, State


def place(command: int, thread: int = 0) -> str:
    """Name the n-th thread of the n-th command of a mail."""
    return f"{command:02}:{thread:02}"


@dataclass(slots=True)
class Work:
    """A command mail, what is known to have become of it, and what the rules are still to say."""

    mail: CommandMail
    person: Teammate
    told: dict[str, tuple[bool, str]]
    proven: bool = True  # else it reads only, and nobody knows who wrote it
    orders: list[tuple[int, Order]] = field(default_factory=list)  # thread -> what is wanted of it
    shorts: dict[str, str] = field(default_factory=dict)  # order -> the thread's short id
    questions: list[tuple[str, Command]] = field(
        default_factory=list
    )  # what is looked up when all else is done

    sites: list[str] = field(default_factory=list)  # that something was said about

    def order_id(self, where: str) -> str:
        """Name an order: for ever, so that what it causes happens once."""
        return f"{self.mail.key}:{where}"

    def where(self, order: Order) -> str:
        """The place of an order."""
        return order.id.removeprefix(f"{self.mail.key}:")

    @property
    def missing(self) -> list[Order]:
        """The orders of which nothing is known yet."""
        return [order for _, order in self.orders if self.where(order) not in self.told]

    def saved(self, state: State) -> CommandMail:
        """The row to be."""
        return replace(self.mail, state=state, told=dict(self.told))
