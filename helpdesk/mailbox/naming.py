"""What a new mail of a person names: of a user sites, data sets and errors, of the team how its answer begins."""

from collections.abc import Callable

from helpdesk.blame.facts import About, Mention
from helpdesk.blame.names import Known
from helpdesk.blame.reading import Mail, first_sentence, mentions
from helpdesk.errors import DeadlyMailError, MailboxRefusedError, UidValidityChangedError
from helpdesk.model import TEAM, Author, Header, Nature
from helpdesk.text import is_forward, normal_subject


def named(
    header: Header, who: Author, nature: Nature, names: Known | None, read: Callable[[], str]
) -> tuple[Mention, ...]:
    """The mentions of one mail, whose text is read if it may have some; a text that the server does not give has none."""
    if names is None or nature is not Nature.HUMAN:
        return ()
    try:
        text = read()
    except (DeadlyMailError, UidValidityChangedError):
        raise
    except MailboxRefusedError:
        return ()
    return mentioned(text, header, who, names)


def mentioned(text: str, header: Header, who: Author, names: Known) -> tuple[Mention, ...]:
    """The mentions of the text of one person's mail; bounded, and storable in any database."""
    text, subject = _safe(text), _safe(header.subject)
    if who.role in TEAM:
        said = first_sentence(text, header.sender_name)
        found: tuple[Mention, ...] = (Mention(About.ANSWER, "", said),) if said else ()
    else:
        answers = bool(header.references or header.in_reply_to) or normal_subject(header.subject)[1]
        begins = not answers and not is_forward(header.subject)
        mail = Mail(text, header.sender_name, subject, begins)
        found = mentions(mail, names.sites, names.datasets)
    return found


def _safe(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "")
