"""Moving and removing without MOVE (RFC 6851): nothing is removed before its copy was seen in the target.

Without UIDPLUS (RFC 4315) there is no way to expunge one message only: then it is refused, because a plain EXPUNGE
takes along whatever somebody else marked as deleted.
"""

from helpdesk.errors import MailboxRefusedError
from helpdesk.mailbox.answers import encoded, moved, searched
from helpdesk.mailbox.session import Session
from helpdesk.ports import Folder, Moved
from helpdesk.uidset import UidSet

NO_UIDPLUS = (
    "the server has no UIDPLUS: removing one message there would remove whatever others marked as deleted"
)


def copy_verify_expunge(session: Session, folder: Folder, uids: UidSet, target: str) -> Moved:
    """Move by COPY; only what is proved to have arrived is expunged from the source."""
    if not session.offers("UIDPLUS"):
        raise MailboxRefusedError(f"messages cannot be moved: {NO_UIDPLUS}")
    answer = session.run(f"UID COPY {uids} {encoded(target)}")
    copied = moved(answer)
    if not copied.uids:
        if answer.atom != "EXPUNGEISSUED":
            answer.check()
        return copied
    arrived = _present(session, target, copied)
    proved = {old: new for old, new in copied.uids.items() if new in arrived}
    expunge(session, folder, UidSet.of(proved))
    return Moved(proved, copied.uidvalidity)


def expunge(session: Session, folder: Folder, uids: UidSet) -> None:
    r"""Mark messages `\Deleted` and remove these only."""
    if not session.offers("UIDPLUS"):
        raise MailboxRefusedError(NO_UIDPLUS)
    for part in uids.slices():
        session.enter(folder, write=True)
        for command in (rf"UID STORE {part} +FLAGS.SILENT (\Deleted)", f"UID EXPUNGE {part}"):
            answer = session.run(command)
            if answer.atom != "EXPUNGEISSUED":
                answer.check()


def _present(session: Session, target: str, copied: Moved) -> UidSet:
    """Look into the target; copies in a folder with another UIDVALIDITY prove nothing."""
    if session.select(target, readonly=True).uidvalidity != copied.uidvalidity:
        return UidSet()
    wanted = UidSet.of(copied.uids.values())
    found: set[int] = set()
    for part in wanted.slices():
        found |= set(searched(session.run(f"UID SEARCH UID {part}").check().untagged))
    return UidSet.of(found)
