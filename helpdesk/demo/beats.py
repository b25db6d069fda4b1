"""The slow scenes, each a promise of the board: played on the real servers, and looked up there afterwards.

A scene says what it is about, lets people and the board act, and checks each of its claims against what the IMAP and
the SMTP server hold.  A claim that is not true makes the demo fail.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from helpdesk import boardmail
from helpdesk.demo.acts import Archives, Says, Tags
from helpdesk.demo.cast import ARCHIVE
from helpdesk.demo.client import Lying
from helpdesk.demo.outage import outage
from helpdesk.demo.post import Letter
from helpdesk.demo.scene import Beat, Scene, labelled, mails_of

INBOX = "INBOX"


def _reply(scene: Scene) -> None:
    thread = scene.thread
    user = thread.user.first_name
    scene.caption(f"{user} was asked something: the thread is WAITING, and would close after seven days.")
    labelled(scene, "waiting", wanted=True)
    scene.caption(f"{user} is away, and a machine answers the list.")
    away = f"Out of office: {thread.subject}"
    scene.does(
        Says("user", "I am away until Monday, with little access to mail.", machine=True, subject=away)
    )
    labelled(scene, "waiting", wanted=True)
    scene.later(minutes=50)
    scene.caption(f"Now {user} answers.")
    scene.does(Says("user", "Sorry, I am back. It still finds no site."))
    labelled(scene, "waiting", wanted=False)
    reasons = scene.stage.thread_of(thread.mails[0])["reasons"]
    scene.check(f"the thread needs attention: {', '.join(reasons)}", true="unread_reply" in reasons)


def _archive(scene: Scene) -> None:
    thread = scene.thread
    scene.caption(
        f"The answer was given. A shifter archives one mail of {len(thread.mails)}, in any mail client."
    )
    _lies(scene, INBOX)
    scene.does(Archives())
    scene.later(minutes=1)
    scene.caption("The rest follows, once nobody has touched the thread for a moment.")
    _lies(scene, ARCHIVE)
    scene.later(hours=2)
    scene.caption(f"{thread.user.first_name} writes again.")
    scene.does(Says("user", "One more thing: it is still killed at {site}."))
    _lies(scene, INBOX)
    reasons = scene.stage.thread_of(thread.mails[0])["reasons"]
    scene.check(f"the thread needs attention: {', '.join(reasons)}", true="reopened" in reasons)


def _people_s(mails: Mapping[str, Lying]) -> Mapping[str, Lying]:
    """Without the digest in the folder Board, which the board replaces whenever it has other words."""
    return {name: lying for name, lying in mails.items() if lying.folder != boardmail.FOLDER}


def _database(scene: Scene) -> None:
    stage, client = scene.stage, scene.client
    before, letters = _people_s(client.look()), len(stage.letters())
    escalated = sum("escalated" in lying.labels for lying in before.values())
    scene.check(
        f"the board has sent {stage.mails_sent()} mails; {escalated} mails in the mailbox are labelled `escalated`",
        true=letters > 0 and escalated > 0,
    )
    scene.caption("The daemon's disk dies: its database is deleted, and it starts again with nothing.")
    stage.lose_database()
    scene.runs()
    same = sum(after == before.get(name) for name, after in _people_s(client.look()).items())
    scene.check(
        f"{same} of {len(before)} mails lie where they lay, with their labels", true=same == len(before)
    )
    scene.caption("Seven hours go by: whatever was due would have been mailed again by now.")
    scene.later(hours=7)
    sent = stage.letters()
    new = Counter(stage.reasons[letter.message_id].kind for letter in sent[letters:])
    digests = new.pop("digest", 0)
    scene.check(
        f"{new.total()} mails were sent since, besides {digests} for the shift that began",
        true=not new and digests == 1,
    )
    twice = mailed_twice(sent)
    scene.check(f"{twice} of {stage.mails_sent()} mails reached anybody twice", true=twice == 0)


def _slip(scene: Scene) -> None:
    stage, thread = scene.stage, scene.thread
    before = len(stage.letters())
    scene.caption("A slip of the mouse: a shifter labels this thread `ggus`, and meant another one.")
    scene.does(Tags(("ggus",)))
    scene.later(minutes=1)
    labelled(scene, "escalated", wanted=True)
    scene.caption(
        "A mail to GGUS is due in ten minutes. The shifter types: helpdesk undo --thread " + _short(scene)
    )
    scene.later(minutes=3)
    stage.undo(thread.mails[0])
    scene.runs()
    labelled(scene, "escalated", wanted=False)
    labelled(scene, "ggus", wanted=False)
    scene.later(hours=2)
    sent = len(stage.letters()) - before
    scene.check(f"two hours later, {sent} mails have left: nobody learned of the slip", true=sent == 0)


BEATS = (
    Beat("a reply lifts WAITING, an out-of-office does not", _reply),
    Beat("archiving one mail takes its thread, a reply brings it back", _archive),
    Beat("the database is deleted, and nothing is mailed twice", _database),
    Beat("a label slips, and is undone before anybody is mailed", _slip),
    Beat("a site fails, is put out, its contact is told once, and it comes back", outage),
)


def mailed_twice(letters: Sequence[Letter]) -> int:
    """How many mails reached the same person more than once."""
    seen = Counter((one.recipient, one.message_id) for one in letters)
    return sum(count - 1 for count in seen.values())


def _lies(scene: Scene, folder: str) -> None:
    mails, total = mails_of(scene)
    there = sum(lying.folder == folder for lying in mails)
    scene.check(f"{there} of {total} mails lie in {folder}", true=there == total)


def _short(scene: Scene) -> str:
    return str(scene.stage.thread_of(scene.thread.mails[0])["short"])
