"""What a mailbox shows to who only looks: its folders, its keywords, and what kind of mail lies in it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from helpdesk import secrets
from helpdesk.findings import Finding
from helpdesk.labels import is_client_mark, is_system_flag
from helpdesk.mailbox.authors import AuthorPolicy, author, vouching
from helpdesk.mailbox.classify import classify
from helpdesk.mailbox.folders import path_below, places, special
from helpdesk.mailbox.parse import FIELDS, UnparseableError, parse_header
from helpdesk.mailids import own_id
from helpdesk.model import Header, Nature, Place
from helpdesk.ports import FolderFlags, FolderInfo, Mailbox, Tier
from helpdesk.settings import Settings, vocabulary
from helpdesk.store import census
from helpdesk.uidset import UidSet
from helpdesk.wiring import author_policy, dialect, folder_settings

SAMPLE = 500  # the newest mails whose headers are read where there is no database yet
MAILDIR_KEYWORDS = 26  # names that Dovecot's Maildir keeps in a folder; more are lost with its index
SAFE_LABELS = 12
TOO_AUTOMATIC = 0.2

TIERS: Mapping[Tier, str] = {
    Tier.QRESYNC: "tells changes and removals (QRESYNC)",
    Tier.CONDSTORE: "tells changes (CONDSTORE); removals are found by comparing",
    Tier.PLAIN: "tells neither changes nor removals: flags of older mail are read in rotation",
}


def mailbox_findings(
    settings: Settings, mailbox: Mailbox, counted: tuple[int, int] | None
) -> Iterator[Finding]:
    """Look at everything once; `counted` is what the database knows: messages of machines, and all."""
    imap = settings.imap
    yield Finding(
        "imap", ok=True, what=f"logged in to {imap.host} as {imap.username}; it {TIERS[mailbox.tier]}"
    )
    infos = mailbox.folders()
    watched = places(infos, folder_settings(settings))
    open_folders = [name for name, place in watched.items() if place is Place.INBOX]
    inbox = next((name for name in open_folders if not path_below(name, settings.imap.inbox)), None)
    yield from _folders(settings, infos, inbox)
    if settings.imap.dialect == "folders":
        yield from _label_folders(settings, infos, open_folders)
    elif inbox is not None:
        yield from _keywords(settings, mailbox.folder_flags(inbox), inbox)
    sample = _sample(settings, mailbox, watched)
    yield _automatic(sample, counted)
    yield _list(settings, sample)
    yield _proof(settings, sample)


def _folders(settings: Settings, infos: Sequence[FolderInfo], inbox: str | None) -> Iterator[Finding]:
    imap, names = settings.imap, {info.name for info in infos}
    if inbox is None:
        yield Finding(
            "folder inbox", ok=False, what=f"there is no folder {imap.inbox}", todo="see [imap] inbox"
        )
    else:
        yield Finding("folder inbox", ok=True, what=inbox)
    archive = special(infos, imap.archive, "archive")
    if archive in names:
        yield Finding("folder archive", ok=True, what=archive)
    else:
        yield Finding(
            "folder archive",
            ok=True,
            what=f"there is no folder {imap.archive}: it is made when the first thread is closed",
            todo="if your clients archive elsewhere, see [imap] archive and archive_aliases",
        )
    sent = special(infos, imap.sent, "sent")
    if sent in names:
        yield Finding("folder sent", ok=True, what=sent)
    else:
        yield Finding(
            "folder sent",
            ok=True,
            what=f"there is no folder {imap.sent}: answers of the team are seen only when they come back by the list",
            todo="see [imap] sent, and let every client file its sent mail there",
        )


def _keywords(settings: Settings, told: FolderFlags, inbox: str) -> Iterator[Finding]:
    r"""Count the names that are in use; `\*` says whether new ones may be made (RFC 9051 section 7.1)."""
    words = vocabulary(settings)
    used = {flag for flag in told.used if not is_system_flag(flag)}
    ours = {flag for flag in used if words.label_of(flag)}
    marks = {flag for flag in used if is_client_mark(flag)}
    have = words.names(used)
    needed = [label.name for label in words if label.name not in have]
    if not told.new and needed:
        yield Finding(
            "dialect",
            ok=False,
            what=f"the server makes no new keywords in {inbox}, and {len(needed)} labels need one",
            todo='free keywords there, or write dialect = "folders" in [imap]: then a label is a folder below the inbox',
        )
    else:
        yield Finding("dialect", ok=True, what="keywords: the server keeps one for each label")
    total = len(used) + len(needed)
    what = (
        f"{len(used)} keywords are in use in {inbox} ({len(ours)} labels, {len(marks)} of clients,"
        f" {len(used) - len(ours) - len(marks)} unexplained), {len(needed)} labels have none yet"
    )
    room = f"Dovecot's Maildir keeps {MAILDIR_KEYWORDS} names in a folder; {SAFE_LABELS} labels are safe"
    todo = "remove labels, or unexplained keywords (`helpdesk labels`)" if total > MAILDIR_KEYWORDS else ""
    yield Finding("keywords", ok=True, what=f"{what}; {room}", todo=todo)


def _label_folders(
    settings: Settings, infos: Sequence[FolderInfo], open_folders: Sequence[str]
) -> Iterator[Finding]:
    """What is there, what the board will make, and what nobody explained: mail in such a folder counts as open."""
    words = dialect(settings)
    missing = words.missing(infos)
    what = "folders: a label is a folder below the inbox"
    if missing:
        when = "as soon as the board acts" if settings.board.act == "act" else 'once [board] act = "act"'
        what += f"; {', '.join(missing)} will be made {when}"
    yield Finding("dialect", ok=True, what=what)
    strange = [name for name in open_folders if words.read(frozenset(), name).unknown]
    if strange:
        yield Finding(
            "folders",
            ok=True,
            what=f"nobody explained {', '.join(strange)}: the mail in them counts as open",
            todo="name people's own folders in [imap] not_labels, and labels in [[label]]",
        )


@dataclass(slots=True)
class Sample:
    """The newest mails, as far as their headers tell."""

    natures: Counter[Nature] = field(default_factory=Counter)
    lists: Counter[str] = field(default_factory=Counter)
    vouching: Counter[str] = field(
        default_factory=Counter
    )  # the server of the topmost Authentication-Results
    unreadable: int = 0


def _sample(settings: Settings, mailbox: Mailbox, watched: Mapping[str, Place]) -> Sample:
    """Read the headers of the newest mails, of the inbox first."""
    policy = author_policy(settings)
    own = partial(own_id, secret=secrets.board_secret(settings, create=False).get_secret_value())
    found, left = Sample(), SAMPLE
    for name in _where_mail_lies(watched):
        folder = mailbox.select(name, readonly=True)
        uids = sorted(mailbox.uids(folder))[-left:] if left else []
        left -= len(uids)
        for row in mailbox.mails(folder, UidSet.of(uids), FIELDS):
            try:
                header = parse_header(row.header)
            except UnparseableError:
                found.unreadable += 1
                continue
            found.natures[_nature(header, policy, is_own=own(header.message_id))] += 1
            found.lists[header.list_id] += 1
            found.vouching[vouching(header)] += 1
    return found


def _where_mail_lies(watched: Mapping[str, Place]) -> Sequence[str]:
    """The inbox, then the archive and what is below it."""
    there = [name for name, place in watched.items() if place in {Place.INBOX, Place.ARCHIVE}]
    return sorted(there, key=lambda name: (watched[name] is not Place.INBOX, name))


def _nature(header: Header, policy: AuthorPolicy, *, is_own: bool) -> Nature:
    who = author(header, folder_is_sent=False, policy=policy)
    return classify(header, own=is_own, destination=who.address in policy.destinations).nature


def _automatic(sample: Sample, counted: tuple[int, int] | None) -> Finding:
    """In the database once the mailbox was adopted, else among the newest."""
    machines, total = _machines(sample) if counted is None else counted
    source = "among the newest" if counted is None else "in the database"
    share = machines / total if total else 0.0
    what = f"{share:.0%} of {total} messages {source} were written by machines"
    if sample.unreadable:
        what += f"; {sample.unreadable} of the newest cannot be read and would be quarantined"
    todo = ""
    if share > TOO_AUTOMATIC:
        todo = (
            "more than a fifth: look at `helpdesk threads`; notifications may belong into another mailbox,"
            " and a tracker is a [[destination]]"
        )
    return Finding("mail", ok=True, what=what, todo=todo)


def _machines(sample: Sample) -> tuple[int, int]:
    machines = sum(count for nature, count in sample.natures.items() if nature.value in census.MACHINES)
    return machines, sample.natures.total() - sample.natures[Nature.OWN]


def _list(settings: Settings, sample: Sample) -> Finding:
    """Whether the board knows its list, and whether its own mail could get there."""
    board, smtp = settings.board, settings.smtp
    seen = {name: count for name, count in sample.lists.items() if name}
    known = sum(seen.get(one, 0) for one in board.list_ids)
    loops = [key for key in ("sender", "copy_to") if getattr(smtp, key) == board.list_address]
    what = f"{known} of the newest {sample.lists.total()} messages came through {', '.join(board.list_ids)}"
    todo = ""
    if loops and seen:
        todo = (
            f"[smtp] {' and '.join(loops)} is the list's address: the board's own mail would go to every subscriber;"
            " name the mailbox's own address"
        )
    elif loops:
        todo = f"[smtp] {' and '.join(loops)} should be the mailbox's own address, not the list's"
    elif seen and not known:
        most = max(sorted(seen), key=seen.__getitem__)
        todo = f'[board] list_ids: most mail says "{most}"'
    return Finding("list", ok=True, what=what, todo=todo)


def _proof(settings: Settings, sample: Sample) -> Finding:
    """Whether a server that is trusted looks at the mail: else every command by mail is asked about."""
    ours = {one.lower() for one in settings.auth.authserv_ids}
    seen = {name: count for name, count in sample.vouching.items() if name}
    known = sum(seen.get(one, 0) for one in ours)
    total = sample.vouching.total()
    what = f"{known} of the newest {total} messages carry results of {', '.join(sorted(ours))} on top"
    if not ours:
        what = "no mail server is trusted to say who wrote a mail: every command by mail is asked about"
    todo = ""
    if seen and not known:
        most = max(sorted(seen), key=seen.__getitem__)
        todo = f'[auth] authserv_ids: most mail says "{most}"; name it if it is a server of yours'
    return Finding("authentication", ok=True, what=what, todo=todo)
