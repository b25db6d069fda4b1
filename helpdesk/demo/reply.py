"""`helpdesk demo --reply PORT`: a user of a running demo answers a closed thread, by SMTP, as users do."""

import smtplib
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid

from helpdesk.demo.cast import ARCHIVE, MEMBERS, SHIFTERS, USERS, Person
from helpdesk.demo.client import Client
from helpdesk.demo.people import send
from helpdesk.demo.post import MARK
from helpdesk.demo.servers import HOST, account
from helpdesk.errors import UnreachableError, UsageError
from helpdesk.mailbox.connect import connect
from helpdesk.mailbox.parse import UnparseableError
from helpdesk.model import Header

TEAM = frozenset(shifter.address for shifter in SHIFTERS)
KNOWN = {user.address: user for user in USERS}


def reply(smtp_port: int) -> str:
    """Send it; what was sent, as a sentence.

    UnreachableError if nobody listens there, UsageError if that is no demo (a real mail server gets no mail) or no
    thread is closed.
    """
    mailbox = connect(account(_imap_port(smtp_port)))
    try:
        answered = _last_answer(Client(mailbox))
    finally:
        mailbox.close()
    address = answered.recipients[0]
    user = KNOWN.get(address, Person("", address))
    mail = EmailMessage(policy=SMTP)
    mail["From"] = user.mailbox
    mail["To"] = MEMBERS
    mail["Subject"] = answered.subject
    mail["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
    mail["In-Reply-To"] = answered.message_id
    mail["References"] = " ".join(dict.fromkeys((*answered.references, answered.message_id)))
    mail.set_content("It happens again. Could you look once more?\n")
    send(smtp_port, address, [MEMBERS], mail.as_bytes())
    return f"{user.name or address} answered: {answered.subject}"


def _imap_port(smtp_port: int) -> int:
    """Where the IMAP server of this demo is; asked before anything is sent."""
    try:
        with smtplib.SMTP(HOST, smtp_port, local_hostname="localhost", timeout=10) as smtp:
            smtp.ehlo()
            port = smtp.esmtp_features.get(MARK.lower(), "")
    except (OSError, smtplib.SMTPException) as error:
        raise UnreachableError(f"no mail server answers on port {smtp_port}: does the demo run?") from error
    if not port.isdigit():
        raise UsageError(f"the mail server on port {smtp_port} is no demo of helpdesk: nothing was sent")
    return int(port)


def _last_answer(client: Client) -> Header:
    """The newest mail in the archive that a shifter wrote to a user."""
    closed = [(lying.uid, one) for one, lying in client.look().items() if lying.folder == ARCHIVE]
    for _, message_id in sorted(closed, reverse=True):
        with suppress(UnparseableError):
            header = client.header(message_id)
            if header.sender in TEAM and header.recipients and header.recipients[0] not in {MEMBERS, *TEAM}:
                return header
    raise UsageError("no thread with an answer is closed now: archive one, then ask again")
