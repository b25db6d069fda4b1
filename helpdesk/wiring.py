"""From settings to the values that the stages take: nothing here opens or reads anything."""

from collections import Counter
from datetime import timedelta
from functools import partial

from helpdesk.blame.names import Known, Names, is_distinctive
from helpdesk.board import Telling
from helpdesk.errors import UsageError
from helpdesk.mailbox.authors import AuthorPolicy
from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.dialects import Dialect
from helpdesk.mailbox.dialects.folders import Folders
from helpdesk.mailbox.dialects.keywords import Keywords
from helpdesk.mailbox.folders import FolderSettings, is_reserved
from helpdesk.mailids import answered, bounced, own_id
from helpdesk.model import Role
from helpdesk.robots.load.wishes import LoadDesk
from helpdesk.robots.schedule import Lane
from helpdesk.rules.facts import Destination, Policy
from helpdesk.rules.hours import Hours
from helpdesk.rules.join import join
from helpdesk.settings import Destination as DestinationSettings
from helpdesk.settings import Settings, vocabulary
from helpdesk.sites import Contacts, SiteTelling
from helpdesk.teamrules import CompiledRules

_STRENGTH = {"contact": 0, "expert": 1, "shifter": 2, "admin": 3}
_ROLES = {"contact": Role.USER, "expert": Role.EXPERT, "shifter": Role.SHIFTER, "admin": Role.ADMIN}


def context(settings: Settings, policy: Policy, dialect: Dialect, secret: bytes) -> BoardContext:
    """What observing needs to know of a board."""
    authors = author_policy(settings)
    sender, labels = settings.smtp.sender, tuple(one.label for one in settings.destination)
    return BoardContext(
        dialect=dialect,
        authors=authors,
        join=partial(join, policy=policy),
        own=partial(own_id, secret=secret),
        bounced=partial(bounced, sender=sender, secret=secret),
        answers=partial(answered, sender=sender, secret=secret, destinations=labels),
        folders=folder_settings(settings),
        rules=CompiledRules(settings.rule),
        names=known_names(settings),
        shared=frozenset(authors.people)
        | authors.board
        | authors.destinations.keys()
        | {authors.list_address},
        max_gone=settings.brakes.max_gone,
        max_label_loss=settings.brakes.max_label_loss,
    )


def destination(one: DestinationSettings, timezone: str) -> Destination:
    """A destination as the rules know it; `timezone` is the board's."""
    hours = one.hours
    holidays = tuple(sorted(set(one.holidays)))
    if hours is None:
        working = Hours(zone=timezone, holidays=holidays)
    else:
        days = tuple(sorted(hours.days))
        working = Hours(days, hours.opens, hours.closes, hours.timezone or timezone, holidays)
    return Destination(
        label=one.label,
        address=one.address or "",
        mails=one.mode == "mail" and one.address is not None,
        components=tuple(one.components),
        hours=working,
        nag_after=timedelta(hours=one.nag_after_hours),
    )


def author_policy(settings: Settings) -> AuthorPolicy:
    """What the board knows about people; of several roles the strongest counts."""
    people: dict[str, Role] = {}
    for person in settings.people:
        role = _ROLES[max(person.roles, key=_STRENGTH.__getitem__)]
        people.update(dict.fromkeys(person.addresses, role))
    return AuthorPolicy(
        list_address=settings.board.list_address,
        list_ids=frozenset(settings.board.list_ids),
        trusted_lists=frozenset(settings.auth.trusted_lists),
        authserv_ids=frozenset(one.lower() for one in settings.auth.authserv_ids),
        people=people,
        destinations=_speakers(settings),
        domains={d.label: d.mail_domain for d in settings.destination if d.mail_domain},
        board=frozenset({settings.smtp.sender}),
        names={address: person.name for person in settings.people for address in person.addresses},
    )


def known_names(settings: Settings) -> Known | None:
    """The names of sites and data sets that mails are searched for; None: the board has no sites."""
    if not settings.site:
        return None
    queues = Counter(name for site in settings.site for name in {one.queue for one in site.queue})
    spelled: dict[str, list[str]] = {}
    for site in settings.site:
        own = {one.queue for one in site.queue if queues[one.queue] == 1 and is_distinctive(one.queue)}
        storage = {site.se} if site.se is not None and is_distinctive(site.se) else set()
        for name in {site.name, *site.aliases, *own, *storage}:
            spelled.setdefault(name, []).append(site.name)
    return Known(Names(spelled), Names({one.name: [one.name] for one in settings.dataset}))


def _speakers(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Address -> the destinations whose word its mail is."""
    speakers: dict[str, tuple[str, ...]] = {}
    for one in settings.destination:
        for address in one.speakers:
            speakers[address] = (*speakers.get(address, ()), one.label)
    return speakers


def folder_settings(settings: Settings) -> FolderSettings:
    """The folders of the configuration."""
    imap = settings.imap
    labels = imap.dialect == "folders"
    return FolderSettings(
        imap.inbox, imap.archive, imap.archive_aliases, imap.sent, imap.junk, labels, imap.not_labels
    )


def policy(settings: Settings) -> Policy:
    """The settings that the rules need, in their words."""
    rules = settings.policy
    people = settings.people
    words = vocabulary(settings)
    return Policy(
        kinds={label.name: label.kind for label in words},
        destinations={d.label: destination(d, settings.board.timezone) for d in settings.destination},
        shifters=tuple(p.addresses[0] for p in people if "shifter" in p.roles),
        oncall=tuple(p.addresses[0] for p in people if p.oncall),
        settle=timedelta(seconds=rules.settle_seconds),
        waiting_close=timedelta(days=rules.waiting_close_days),
        close_warning=timedelta(days=rules.close_warning_days),
        close_notice=rules.close_notice,
        escalation_grace=timedelta(minutes=rules.escalation_grace_minutes),
        urgent_grace=timedelta(minutes=rules.urgent_grace_minutes),
        urgent_wait=timedelta(minutes=rules.urgent_minutes),
        taken=timedelta(hours=rules.taken_hours),
        quiet=timedelta(minutes=rules.quiet_minutes),
        max_join_moves=settings.brakes.max_bot_moves,
        ignore_unread=settings.imap.unread == "ignore",
        labels_in_folders=settings.imap.dialect == "folders",
    )


def dialect(settings: Settings) -> Dialect:
    """How labels are shown in the mailbox; a dialect that is not built yet is refused."""
    wanted = settings.imap.dialect
    if wanted == "folders":
        reserved = sorted(label.name for label in vocabulary(settings) if is_reserved(label.name))
        if reserved:
            raise UsageError(
                f'[imap] dialect = "folders": a label cannot be called {reserved[0]!r}, because such a folder is something else'
            )
        return Folders(vocabulary(settings), folder_settings(settings))
    if wanted == "gmail":
        raise UsageError(
            '[imap] dialect = "gmail" is not built yet; write "keywords", "folders", or leave it out'
        )
    return Keywords(vocabulary(settings), settings.imap.inbox)


def sites_telling(settings: Settings) -> SiteTelling:
    """Whom a site's troubles are told, and when; the first address of each contact."""
    by_name = {key: person for person in settings.people for key in (person.name, *person.addresses)}
    robots = settings.robots
    return SiteTelling(
        contacts={
            site.name: Contacts(
                tuple(dict.fromkeys(by_name[one].addresses[0] for one in site.contacts)),
                site.timezone or settings.board.timezone,
            )
            for site in settings.site
        },
        after=timedelta(minutes=robots.mail_after_minutes),
        from_hour=robots.mail_from_hour,
        until_hour=robots.mail_until_hour,
        per_day=robots.mails_per_day,
        incident_after=timedelta(minutes=robots.incident_after_minutes),
        templates={
            experiment: tuple(one.name for one in settings.template if one.experiment == experiment)
            for experiment in dict.fromkeys(one.experiment for one in settings.template)
        },
        tiers={site.name: site.tier for site in settings.site},
        weekly=settings.reports.weekly,
        reports=settings.reports.enabled,
        lanes=frozenset((queue.experiment, site.name) for site in settings.site for queue in site.queue),
    )


def loads(settings: Settings) -> LoadDesk:
    """Which load tests can be asked for by mail, and how large a contact's may be."""
    told = settings.loadtest
    return LoadDesk(
        tuple(
            (Lane(site.name, queue.experiment, queue.engine_name, queue.queue), template.name)
            for site in settings.site
            for queue in site.queue
            for template in settings.template
            if template.experiment == queue.experiment
        ),
        told.contact_max_jobs,
        told.contact_max_hours,
        told.contact_per_day,
    )


def telling(settings: Settings) -> Telling:
    """What the board's own mails go by."""
    return Telling(
        timezone=settings.board.timezone,
        week_ends=settings.shifts.week_ends,
        observes=settings.board.act != "act",
        first_reply=timedelta(hours=settings.policy.first_reply_hours),
        meanings={label.name: label.meaning for label in vocabulary(settings)},
    )
