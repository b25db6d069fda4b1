"""One board on real servers: Postfix, a list, Dovecot, and the people around it."""

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from itertools import count
from pathlib import Path
from typing import Any, Final

from helpdesk import app, asking, views, wiring
from helpdesk.config import settings_of
from helpdesk.outbox import OutboxRow, State
from helpdesk.report import Report
from helpdesk.store import outbox as rows
from tests.human import ImapHuman
from tests.servers import dovecot
from tests.servers.daemon import eventually
from tests.servers.postfix import LIST_DOMAIN, MAIL_DOMAIN, Postfix
from tests.servers.smtp_sink import Received, SmtpSink

LIST: Final = f"dast@{LIST_DOMAIN}"
ANN: Final = "ann@users.test"
GONE: Final = "gone@users.test"
MEMBER: Final = "member@users.test"
SERGEY: Final = "sergey@team.test"
GGUS: Final = "help@tracker.test"

CONFIG: Final = """\
[board]
name = "dast"
list_address = "{list}"
list_ids = ["dast.lists.example.test"]
act = "act"
secret_file = "board.secret"
[imap]
host = "127.0.0.1"
port = {imap}
security = "none"
username = "{user}"
password_env = "HELPDESK_TEST_PASSWORD"
[smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "{user}@example.test"
[store]
url = "sqlite:///{folder}/board.db"
[policy]
settle_seconds = 0
escalation_grace_minutes = 0
[[people]]
name = "Aiden Archer"
addresses = ["aiden@example.test"]
roles = ["shifter", "admin"]
[[people]]
name = "Sergey Stone"
addresses = ["sergey@team.test"]
roles = ["shifter"]
[[destination]]
label = "GGUS"
address = "{ggus}"
mode = "mail"
[[label]]
name = "Ganga"
kind = "temporary"
meaning = "a bug in Ganga"
"""


@dataclass
class Town:
    """One board on real servers, and the people around it."""

    folder: Path
    user: str
    imap: dovecot.Dovecot
    post: Postfix
    world: SmtpSink
    human: ImapHuman
    ids: Iterator[int] = field(default_factory=lambda: count(1))
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        text = CONFIG.format(
            list=LIST,
            imap=self.imap.port,
            smtp=self.post.port,
            user=self.user,
            folder=self.folder,
            ggus=GGUS,
        )
        self.settings = settings_of(self.folder / "helpdesk.toml", text)

    @property
    def board(self) -> str:
        """The board's own address."""
        return f"{self.user}@{MAIL_DOMAIN}"

    def send(
        self,
        sender: str,
        to: str,
        subject: str,
        answers: EmailMessage | None = None,
        *,
        body: str = "All my jobs fail since this morning.",
    ) -> str:
        """Somebody writes, from an ordinary client; the Message-ID."""
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = sender, to, subject
        message["Message-ID"] = f"<{next(self.ids)}.{self.user}@{sender.partition('@')[2]}>"
        message["Date"] = datetime.now(UTC)
        if answers is not None:
            message["In-Reply-To"] = answers["Message-ID"]
            message["References"] = f"{answers['References'] or ''} {answers['Message-ID']}".strip()
        message.set_content(body)
        with smtplib.SMTP("127.0.0.1", self.post.port) as client:
            client.send_message(message, sender, [to])
        return str(message["Message-ID"])

    def run(self, **later: float) -> Report:
        """The board looks, after some time."""
        self.now += timedelta(**(later or {"minutes": 1}))
        return app.run_once(self.settings, self.now)

    def lands(self, mails: int) -> None:
        """So many mails lie in the inbox, sooner or later."""
        eventually(
            lambda: len(list(self.human.look("INBOX"))) >= mails,
            f"{mails} mails in the inbox: {self.post.log}",
        )

    def comes(self, message_id: str) -> None:
        """A mail lies in the mailbox, sooner or later, filed already or not."""
        eventually(
            lambda: any(
                seen.message_id == message_id
                for name in self.human.folders()
                for seen in self.human.look(name)
            ),
            f"{message_id} in the mailbox: {self.post.log}",
        )

    def leaves(self, to: str, number: int = 1) -> EmailMessage:
        """The `number`-th mail of the board to an address in the world."""

        def found() -> list[Received]:
            return [
                mail
                for mail in self.world.received
                if mail.recipients == (to,) and b"X-Helpdesk-Id" in mail.content
            ]

        eventually(lambda: len(found()) >= number, f"mail {number} to {to}: {self.post.log}")
        parsed: EmailMessage = BytesParser(_class=EmailMessage, policy=default).parsebytes(
            found()[number - 1].content
        )
        return parsed

    def label(self, message_id: str, *keywords: str) -> None:
        """A shifter labels a mail."""
        uid = next(seen.uid for seen in self.human.look("INBOX") if seen.message_id == message_id)
        self.human.add_flags("INBOX", [uid], list(keywords))

    def thread(self, message_id: str) -> Any:
        """The thread of a mail, as `show --json` tells it."""
        board_of = wiring.dialect(self.settings), wiring.policy(self.settings), self.settings.board.name
        with app.opened(self.settings, writing=False) as engine, engine.connect() as conn:
            threads = list(views.list_threads(conn, *board_of))
        return next(one for one in threads if any(m["message_id"] == message_id for m in one["messages"]))

    def outbox(self) -> list[OutboxRow]:
        """All mails of the board."""
        with app.opened(self.settings, writing=False) as engine, engine.connect() as conn:
            return list(rows.rows(conn, State))

    def release(self, name: str, version: str) -> None:
        """Somebody says that a release is out; the next look carries it out."""
        with app.opened(self.settings, writing=True) as engine, engine.begin() as conn:
            asking.release(conn, self.settings, name, version, self.now)
