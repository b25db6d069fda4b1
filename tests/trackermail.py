"""What the trackers of destinations write, header for header: GitLab's Service Desk, Jira, Zammad and the GGUS of old."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import parseaddr

from helpdesk.ports import Letter


def reply_to(letter: Letter) -> str:
    """Where an answer to a mail of ours goes."""
    return parseaddr(str(message_from_bytes(letter.content, policy=default)["Reply-To"]))[1]


GITLAB = "gitlab@tracker.example.net"
JIRA = "jira@tracker.example.net"
ZAMMAD = "ggus@tracker.example.net"


@dataclass(frozen=True)
class TrackerMail:
    """One mail of a tracker, without an address to go to."""

    subject: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    sender: str = ZAMMAD

    def octets(
        self, to: str, date: datetime, message_id: str, *, sender: str = "", answers: Sequence[str] = ()
    ) -> bytes:
        """The whole mail, sent to an address."""
        message = EmailMessage(policy=SMTP)
        message["From"] = sender or self.sender
        message["To"] = to
        message["Subject"] = self.subject
        message["Date"] = date
        message["Message-ID"] = message_id
        if answers:
            message["In-Reply-To"] = answers[-1]
            message["References"] = " ".join(answers)
        for name, value in self.headers.items():
            message[name] = value
        message.set_content(self.text)
        return message.as_bytes()


_GITLAB = {
    "X-GitLab-Project": "grid-support",
    "X-GitLab-Project-Id": "17",
    "X-GitLab-Issue-ID": "9011",
    "X-GitLab-Issue-IID": "35",
    "X-GitLab-NotificationReason": "",
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "All",
}
_JIRA = {
    "X-JIRA-FingerPrint": "1f3a9b2c4d5e6f708192a3b4c5d6e7f8",
    "Auto-Submitted": "auto-generated",
    "Precedence": "bulk",
}
_ZAMMAD = {
    "X-Mailer": "Zammad Mail Service",
    "X-Auto-Response-Suppress": "All",
    "Auto-Submitted": "auto-replied",
    "Precedence": "bulk",
}


def _gitlab(text: str, state: str = "opened") -> TrackerMail:
    headers = {**_GITLAB, "X-GitLab-Issue-State": state}
    return TrackerMail("Re: Grid support | Jobs fail (#35)", text, headers, GITLAB)


def _jira(subject: str, text: str) -> TrackerMail:
    return TrackerMail(subject, text, _JIRA, JIRA)


NUMBER = {"gitlab": "(#35)", "jira": "DDM-12", "zammad": "[Ticket#48112]", "ggus": "GGUS-Ticket-ID: #48112"}
"""How each spells its ticket."""

RECEIPT = {
    "gitlab": _gitlab(
        "Thank you for your support request! We are tracking your request as ticket #35, and will respond as soon as we can.\n"
    ),
    "jira": _jira(
        "DDM-12 Jobs fail",
        "-----\nReply above this line.\n\nJust confirming that we got your request. We're on it.\n",
    ),
    "zammad": TrackerMail(
        "Thanks for your inquiry (Jobs fail) [Ticket#48112]",
        "Your request (Ticket#48112) has been received and will be reviewed by our support staff.\n",
        _ZAMMAD,
    ),
    "ggus": TrackerMail(
        "GGUS-Ticket-ID: #48112 - NEW TICKET - Jobs fail",
        "A new ticket has been created.\n",
        {"Auto-Submitted": "auto-generated"},
    ),
}
COMMENT = {
    "gitlab": _gitlab("Fred Expert commented:\n\nCould you send the log of one job?\n"),
    "jira": _jira(
        "[JIRA] (DDM-12) Jobs fail", "Fred Expert commented on DDM-12\n\nCould you send the log?\n"
    ),
    "zammad": TrackerMail(
        "Re: Jobs fail [Ticket#48112]",
        "Could you send the log of one job?\n\nFred Expert, third line\n",
        {"X-Mailer": "Zammad Mail Service"},
    ),
    "ggus": TrackerMail(
        "GGUS-Ticket-ID: #48112 - UPDATE - Jobs fail",
        "The ticket was updated by Fred Expert.\n\nCould you send the log?\n",
        {"Auto-Submitted": "auto-generated"},
    ),
}
SOLVED = {
    "gitlab": _gitlab("Issue was closed by Fred Expert.\n", "closed"),
    "jira": _jira("[JIRA] (DDM-12) Jobs fail", "Fred Expert resolved DDM-12 as Done.\n"),
    "zammad": TrackerMail(
        "Re: Jobs fail [Ticket#48112]",
        "Your ticket 48112 has been closed.\n\nThe disk was replaced.\n",
        _ZAMMAD,
    ),
    "ggus": TrackerMail(
        "GGUS-Ticket-ID: #48112 - status changed to solved - Jobs fail",
        "Solution: the disk was replaced.\n",
        {"Auto-Submitted": "auto-generated"},
    ),
}
REOPENED = {
    "gitlab": _gitlab("Issue was reopened by Fred Expert.\n"),
    "jira": _jira("[JIRA] (DDM-12) Jobs fail", "Fred Expert reopened DDM-12\n"),
    "zammad": TrackerMail("Re: Jobs fail [Ticket#48112]", "Your ticket 48112 was re-opened.\n", _ZAMMAD),
    "ggus": TrackerMail(
        "GGUS-Ticket-ID: #48112 - REOPENED - Jobs fail", "See above.\n", {"Auto-Submitted": "auto-generated"}
    ),
}
