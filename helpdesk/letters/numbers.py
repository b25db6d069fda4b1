"""A destination's ticket numbers in the subject of a mail to it: whole, however long the rest is."""

from collections.abc import Sequence

from helpdesk.render import MAX_SUBJECT

ROOM = 60  # characters for the numbers
_AROUND = len("[] 0123456789 waits for :  ...")  # what the templates put around a subject that was cut


def numbers(tickets: Sequence[str]) -> str:
    """The numbers as the destination spells them, the newest of too many."""
    shown: list[str] = []
    for one in reversed(tickets):
        if len(" ".join([one, *shown])) > ROOM and shown:
            break
        shown.insert(0, one)
    return " ".join(shown)


def beside(ticket: str, subject: str, board: str, where: str) -> str:
    """A subject that leaves room for the number behind it."""
    room = max(MAX_SUBJECT - _AROUND - len(board) - len(where) - len(ticket), 10)
    return subject if not ticket or len(subject) <= room else f"{subject[:room].rstrip()}..."
