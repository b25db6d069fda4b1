"""The fifth scene: the storage of a site fails.  Its jobs are real, and so are policy, verdicts, blacklist and mail."""

import json
from collections import Counter
from collections.abc import Sequence
from email import message_from_bytes
from email.policy import default

from helpdesk.demo.acts import Breaks, Says
from helpdesk.demo.cast import CONTACT
from helpdesk.demo.grid import PLACES
from helpdesk.demo.post import Letter
from helpdesk.demo.scene import Scene, labelled
from helpdesk.model import SITE_TROUBLE
from helpdesk.store.verdicts import Change

SITE, BLACK_HOLE = "DESY-HH", "TRIUMF"
ERROR = "  [SE][StatusOfGetRequest][SRM_FILE_UNAVAILABLE] File is not available"
"""What a user's tool says of a file that the storage has lost."""

SLOW = 4.0
"""Hours after which a site that fails, or works again, must have been noticed."""


def outage(scene: Scene) -> None:
    """From the first failure to the way back."""
    scene.stage.robots.look_closely(closely=True)
    _quiet(scene)
    out = _fails(scene)
    if out is not None:
        _is_told(scene, out)
        _is_asked(scene, out)
        _returns(scene)
    scene.stage.robots.look_closely(closely=False)


def _quiet(scene: Scene) -> None:
    tested = scene.stage.tested
    scene.caption(
        f"{len(PLACES)} sites get test jobs, which run here: each finds the mass of the Z, and checks itself."
    )
    kinds = Counter(f"{one.site} {one.error_class}" for one in tested.failed)
    scene.check(
        f"{len(PLACES) - len(_listed(scene))} of {len(PLACES)} sites are in after {tested.jobs.total()} jobs,"
        f" though {len(tested.failed)} failed ({', '.join(f'{kind} {n}' for kind, n in kinds.items())})",
        true=tested.jobs.total() > 0 and len(kinds) > 1 and not _listed(scene),
    )


def _fails(scene: Scene) -> Change | None:
    """The storage is lost; the change that puts the site out."""
    robots, clock = scene.stage.robots, scene.stage.clock
    scene.does(Breaks(SITE, "storage"))
    lost = clock.now
    scene.caption(f"{lost:%A, %H:%M}: a disk server of {SITE} dies. Nobody knows it.")
    scene.tests(lambda: SITE in robots.out(), hours=SLOW)
    out = robots.out().get(SITE)
    if out is None:
        scene.check(f"{SITE} is still in", true=False)
        return None
    failed = [
        one for one in scene.stage.tested.failed if one.t_observed is not None and one.t_observed > lost
    ]
    mine = [one for one in failed if one.site == SITE and one.phase == "stage-in"]
    scene.check(
        f"after {(out.at - lost).total_seconds() / 60:.0f} minutes and {len(mine)} failures in stage-in {SITE} is out",
        true=len(mine) > 0,
    )
    listed = _listed(scene)
    scene.check(f"the blacklist file has: {', '.join(listed)}", true=listed == [SITE])
    return out


def _is_told(scene: Scene, out: Change) -> None:
    """The contact hears of it after an hour, once."""
    stage = scene.stage
    scene.later(minutes=45)
    early = len(_to_contact(scene))
    scene.check(f"{early} mails to its contact in the first 45 minutes", true=early == 0)
    scene.later(minutes=20)
    told = _to_contact(scene)
    hours = (stage.clock.now - out.at).total_seconds() / 3600
    subject = _subject(told[0]) if told else "-"
    scene.check(
        f"out for {hours:.1f} h: {len(told)} mail to {CONTACT.address}: {subject}", true=len(told) == 1
    )


def _is_asked(scene: Scene, out: Change) -> None:
    """A user asks about her jobs there."""
    scene.caption(f"{scene.thread.user.first_name} does not know of robots, and asks the list.")
    scene.does(Says("user", f"Since this morning all my jobs at {SITE} fail. Is it my code?\n{ERROR}"))
    labelled(scene, SITE_TROUBLE, wanted=True)
    said = scene.stage.fault(scene.thread.mails[0])
    scene.check(f"helpdesk show: {said[0] if said else 'nothing'}", true=any(SITE in line for line in said))
    scene.does(
        Says("shifter", f"It is the site, and not your code: our test jobs fail there too.\n{out.reason}")
    )


def _returns(scene: Scene) -> None:
    """The storage is back, probes find out, nobody has to do anything."""
    robots, clock = scene.stage.robots, scene.stage.clock
    scene.does(Breaks(SITE, "mended storage"))
    mended = clock.now
    scene.caption("The disk server is back. Nobody tells the robots.")
    back = scene.tests(lambda: SITE not in robots.out(), hours=SLOW)
    minutes = (clock.now - mended).total_seconds() / 60
    scene.check(f"{SITE} is {'back in' if back else 'still out'} after {minutes:.0f} minutes", true=back)
    listed = _listed(scene)
    scene.check(f"the blacklist file has {len(listed)} sites", true=not listed)
    scene.later(minutes=30)
    told, outs = (
        _to_contact(scene),
        [one.site for one in scene.stage.tested.changes if one.action == "exclude"],
    )
    scene.check(
        f"in two weeks out: {', '.join(outs)}; mails to contacts: {len(told)}",
        true=outs == [SITE] and len(told) == 1,
    )
    jobs = scene.stage.tested.jobs[BLACK_HOLE]
    lost = Counter(one.node for one in scene.stage.tested.failed if one.site == BLACK_HOLE)
    scene.check(
        f"{BLACK_HOLE} stayed in: {lost.total()} of {jobs} jobs failed, all on {', '.join(lost)}",
        true=len(lost) == 1 and 2 * lost.total() < jobs and BLACK_HOLE not in outs,
    )


def _listed(scene: Scene) -> Sequence[str]:
    """Who stands in the blacklist file: what other programs see."""
    path = scene.stage.robots.blacklist
    if path is None or not path.exists():
        return []
    told = json.loads(path.read_text(encoding="utf-8"))
    return [site for sites in told["excluded"].values() for site in sites]


def _to_contact(scene: Scene) -> Sequence[Letter]:
    return [one for one in scene.stage.letters() if one.recipient == CONTACT.address]


def _subject(letter: Letter) -> str:
    return str(message_from_bytes(letter.content, policy=default)["Subject"])
