"""Board correspondence: what lies in the folders Helpdesk and Board and nowhere else is nobody's issue."""

from collections.abc import Collection

from sqlalchemy import Connection

from helpdesk.model import Place
from helpdesk.store import messages, threads

_FILED = frozenset({Place.FILED.value})


def refile(conn: Connection, moved: Collection[int]) -> set[int]:
    """Take messages that were filed out of their threads, and back in; returns the threads that lost one.

    Our own mails stay what they are: those about a thread belong to it, the others are correspondence anywhere.  So do commands
    and hand-overs to the board itself: a copy in Sent makes none of them an issue.
    """
    if not moved:
        return set()
    filed, back = [], []
    for one in messages.filing(conn, moved):
        if one.fixed or not one.places:
            continue
        if one.places == _FILED and not one.correspondence:
            filed.append(one)
        elif one.places != _FILED and one.correspondence:
            back.append(one)
    messages.set_correspondence(conn, (one.key for one in filed), correspondence=True)
    messages.set_correspondence(conn, (one.key for one in back), correspondence=False)
    threads.mark_dirty(conn, {one.thread for one in filed} - {0})
    return {one.thread for one in filed} - {0}
