"""Users, shifters and experts: what they write, and what they do in their mail clients."""

import re
import smtplib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from itertools import count

from helpdesk.demo.acts import Commands, Says, Tags
from helpdesk.demo.cast import ARCHIVE, BOARD, EXPERTS, MEMBERS, Person
from helpdesk.demo.client import SEEN, Client
from helpdesk.demo.post import Letter
from helpdesk.demo.shifts import on_shift
from helpdesk.demo.story import Moment, Thread

LIST = Person("DAST", MEMBERS)


@dataclass
class People:
    """Everybody but the board; `client` is the shifters' mail client."""

    client: Client
    smtp_port: int
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def says(self, moment: Moment, says: Says, letters: Sequence[Letter]) -> Person:
        """Write the mail and send it; returns who did.  `letters` are the board's own that have left so far."""
        author, thread = self._author(moment, says), moment.thread
        mail = self._write(author, moment, says)
        asked = _asked_by_the_board(letters, author, thread)
        if asked is not None:
            del mail["To"], mail["In-Reply-To"], mail["References"]
            mail["To"] = asked["Reply-To"]
            mail["In-Reply-To"] = asked["Message-ID"]
            mail["References"] = f"{asked['References']} {asked['Message-ID']}"
        if says.who == "shifter":
            self.client.tag(thread.mails, [SEEN])
            mail.replace_header("To", thread.user.mailbox)
            mail["Cc"] = LIST.mailbox
        to = [one.addr_spec for name in ("To", "Cc") for one in _addresses(mail, name)]
        send(self.smtp_port, author.address, to, mail.as_bytes())
        thread.mails.append(str(mail["Message-ID"]))
        return author

    def tags(self, moment: Moment, tags: Tags) -> Person:
        """Label the newest mail; the board spreads it.  Taken away, it is taken from all, as a client does with a thread."""
        mails = moment.thread.mails
        self.client.tag(mails, [SEEN])
        self.client.tag(mails[-1:] if tags.on else mails, tags.keywords, on=tags.on)
        return on_shift(moment.at)

    def archives(self, moment: Moment) -> Person:
        """Archive the newest mail, and only that one."""
        self.client.tag(moment.thread.mails, [SEEN])
        self.client.move(moment.thread.mails[-1], ARCHIVE)
        return on_shift(moment.at)

    def commands(self, moment: Moment, commands: Commands, thread: str) -> Person:
        """Write commands to the board, from a client that keeps what it sends in Sent, or from one that does not."""
        author = on_shift(moment.at)
        mail = self._to_board(author, moment, commands.text.format(id=thread))
        if commands.in_sent:
            self.client.keep(mail.as_bytes(), moment.at)
        send(self.smtp_port, author.address, [BOARD], mail.as_bytes())
        return author

    def confirms(self, moment: Moment, letters: Sequence[Letter]) -> Person:
        """Answer the board's last question whether it was he."""
        author = on_shift(moment.at)
        asked = next(one for one in reversed(letters) if one.recipient == author.address and _token(one))
        question = BytesParser(EmailMessage, policy=default).parsebytes(asked.content)
        mail = self._to_board(author, moment, f"helpdesk: confirm {_token(asked)}")
        mail["In-Reply-To"] = question["Message-ID"]
        send(self.smtp_port, author.address, [question["Reply-To"].addresses[0].addr_spec], mail.as_bytes())
        return author

    def hands_over(self, moment: Moment, text: str, digest: Letter) -> Person:
        """Answer one's digest in words, from a client that keeps what it sends."""
        author = on_shift(moment.at)
        mail = self._to_board(author, moment, text)
        question = BytesParser(EmailMessage, policy=default).parsebytes(digest.content)
        to = question["Reply-To"].addresses[0].addr_spec
        mail.replace_header("To", to)
        mail.replace_header("Subject", f"Re: {question['Subject']}")
        mail["In-Reply-To"] = question["Message-ID"]
        self.client.keep(mail.as_bytes(), moment.at)
        send(self.smtp_port, author.address, [to], mail.as_bytes())
        return author

    def _to_board(self, author: Person, moment: Moment, text: str) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = author.mailbox
        mail["To"] = BOARD
        mail["Subject"] = "for the board"
        mail["Date"] = moment.at
        mail["Message-ID"] = f"<demo.{next(self._numbers)}@{author.address.partition('@')[2]}>"
        mail.set_content(f"{text}\n")
        return mail

    def _write(self, author: Person, moment: Moment, says: Says) -> EmailMessage:
        """A mail to the list that answers the newest mail of the thread, if there is one."""
        thread = moment.thread
        mail = EmailMessage(policy=SMTP)
        mail["From"] = author.mailbox
        mail["To"] = LIST.mailbox
        subject = f"Re: {thread.subject}" if thread.mails else thread.subject
        mail["Subject"] = thread.told(says.subject) or subject
        mail["Date"] = moment.at
        mail["Message-ID"] = f"<demo.{next(self._numbers)}@{author.address.partition('@')[2]}>"
        if thread.mails:
            mail["In-Reply-To"] = thread.mails[-1]
            mail["References"] = " ".join(thread.mails)
        if says.machine:
            mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(f"{thread.told(says.text)}\n\n{author.first_name}\n")
        return mail

    def _author(self, moment: Moment, says: Says) -> Person:
        match says.who:
            case "user":
                return moment.thread.user
            case "other user":
                return moment.thread.other
            case "shifter":
                return on_shift(moment.at)
            case expert:
                return EXPERTS[expert]


def send(smtp_port: int, sender: str, recipients: Sequence[str], mail: bytes) -> None:
    """One SMTP transaction with a server on this machine."""
    with smtplib.SMTP("127.0.0.1", smtp_port, local_hostname="localhost", timeout=30) as smtp:
        smtp.sendmail(sender, recipients, mail)


def _token(letter: Letter) -> str:
    """What the board wants to hear in answer to this mail, if it asks."""
    found = re.search(rb"^ +helpdesk: confirm (\w+)\r?$", letter.content, re.MULTILINE)
    return "" if found is None else found[1].decode()


def _addresses(mail: EmailMessage, name: str) -> Sequence[Address]:
    return mail[name].addresses if name in mail else ()


def _asked_by_the_board(letters: Sequence[Letter], author: Person, thread: Thread) -> EmailMessage | None:
    """The last mail that the board sent to the author's side about this thread, if there is one."""
    domain = author.address.partition("@")[2]
    for letter in reversed(letters):
        if thread.mails and letter.recipient.endswith(f"@{domain}"):
            mail = BytesParser(EmailMessage, policy=default).parsebytes(letter.content)
            if thread.mails[0] in str(mail["References"]):
                return mail
    return None
