"""Several humans, a mail system and bad luck play on one board; the board must stay true (promises 1, 2, 5, 7).

The machine knows what humans did to the mail, nothing of how the board decides.  It plays on any `Human`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from helpdesk.errors import UnreachableError
from helpdesk.ports import Letter, Mailbox
from helpdesk.report import Report
from helpdesk.store import requests, verdicts
from helpdesk.store.verdicts import Change
from tests.faults import Crash, CrashingMailbox, Fuse
from tests.trackermail import COMMENT, RECEIPT, REOPENED, SOLVED, TrackerMail, reply_to
from tests.world import CONFIG, World, mail

SITE = '[[site]]\nname = "DESY-HH"\n'
CALM = (
    CONFIG
    + SITE
    + "[brakes]\nmax_gone = 1.0\nmax_label_loss = 1000\nmax_bot_moves = 1000\nmax_mails = 1000\n"
)
USERS = ("ann@users.example.com", "bob@users.example.com")
DESTINATION, STRANGER, BOARD = "ggus@tracker.example.net", "mallory@evil.example", "dast-board@example.org"
TEAM = ("aiden@example.org", "sergey@example.org")
KEYWORDS = (
    "waiting",
    "urgent",
    "escalated",
    "fixed_in_next_release",
    "ggus",
    "mc08_dataset_problem",
    "docs",
    "site_trouble",
    "\\Flagged",
)
BOARD = "Board"
HOMES = ("INBOX", "Archive", "Archive/2026", "Archives")
COMPLAINT = "My jobs at DESY-HH fail:\n\nended with payload:12\n"
COMMANDS = (
    "close",
    "reopen",
    "waiting",
    "urgent",
    "label docs",
    "unlabel docs",
    "escalate GGUS",
    "tell user",
    "undo",
    "note: x",
    "clsoe",
)
OPEN_ONLY = {"waiting", "urgent", "escalated", "fixed_in_next_release", "ggus"}


def event(**strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A rule after which time may go by and the board may run: most steps of a day are followed by a cycle."""

    def made(function: Callable[..., None]) -> Callable[..., None]:
        def step(self: "BoardMachine", then: int, **drawn: Any) -> None:
            function(self, **drawn)
            if then:
                self.world.now += timedelta(seconds=then)
                self._run()

        step.__name__ = function.__name__
        decorate: Any = rule(then=st.sampled_from((0, 0, 1, 30, 90, 1200)), **strategies)
        ruled: Callable[..., None] = decorate(step)
        return ruled

    return made


class BoardMachine(RuleBasedStateMachine):
    """Subclasses say where the mailbox is: `make_world`."""

    make_world: Callable[[ExitStack], World]
    replaceable: tuple[str, ...] = (
        "INBOX",
        "Archive",
        "Archives",
    )  # a real server keeps its INBOX and folders with subfolders
    homes: tuple[str, ...] = HOMES  # the folders that people move mail about in
    keywords = True  # labels are keywords

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.world = type(self).make_world(self.stack)
        self.fuse = Fuse(0)
        self.mails: list[str] = []
        self.unborn: list[str] = []  # ids that were named before their mail came
        self.present: Counter[str] = Counter()
        self.notes: list[str] = []  # what people put into the folder Board
        self.sent_later: list[tuple[str, tuple[str, ...]]] = []

    @initialize()
    def begin(self) -> None:
        for name in self.homes:
            if name not in self.world.human.folders():
                self.world.human.create(name)
        self.world.human.create("Junk") if "Junk" not in self.world.human.folders() else None
        self._arrive(USERS[0])
        self._run()

    # -- a site -------------------------------------------------------------------------------------------------

    @rule(action=st.sampled_from(("exclude", "include")))
    def a_verdict(self, action: str) -> None:
        evidence = {"cause": "evidence", "classes": {"stage_in_checksum": 5}}
        change = Change(self.world.now, "atlas", "DESY-HH", action, "5 of 6 failed", "1", evidence=evidence)
        with self.world.engine.begin() as conn:
            verdicts.add(conn, [change])

    @event(who=st.sampled_from(USERS), pick=st.integers(0, 1000), new=st.booleans())
    def a_user_names_the_site(self, who: str, pick: int, new: bool) -> None:
        self._arrive(who, answers=[] if new else [self._pick(pick)], body=COMPLAINT)

    @rule(pick=st.integers(0, 1000))
    def a_no_to_site_trouble_is_for_good(self, pick: int) -> None:
        """A human takes the label off a thread and lets go; then the site is out, and the user complains: it stays off."""
        if not self.keywords:
            return  # an info label is in no folder
        message_id = self._pick(pick)
        self.a_verdict("exclude")
        if self._run().held or "site_trouble" not in self._standing(message_id)["labels"]:
            return
        for one in self._standing(message_id)["messages"]:
            for copy in one["copies"]:
                self.world.human.remove_flags(copy["folder"], [copy["uid"]], ["site_trouble"])
        self._run()
        self.world.now += timedelta(minutes=20)
        self._run()
        answer = self._arrive(USERS[0], answers=[message_id], body=COMPLAINT)
        self.world.now += timedelta(seconds=1)
        if not self._run().held and self._standing(answer)["id"] == self._standing(message_id)["id"]:
            assert "site_trouble" not in self._standing(answer)["labels"]

    def _standing(self, message_id: str) -> Mapping[str, Any]:
        """The thread of a message, if it has one."""
        found = (t for t in self.world.threads() if any(m["message_id"] == message_id for m in t["messages"]))
        return next(found, {"id": "", "labels": [], "messages": []})

    # -- mail ---------------------------------------------------------------------------------------------------

    @event(who=st.sampled_from(USERS + TEAM))
    def a_new_issue(self, who: str) -> None:
        self._arrive(who)

    @event(who=st.sampled_from(USERS + TEAM), pick=st.integers(0, 1000), data=st.booleans())
    def a_reply(self, who: str, pick: int, data: bool) -> None:
        parent = self._pick(pick)
        answers = [parent] if data or len(self.mails) < 2 else [self._pick(pick // 2), parent]
        self._arrive(who, answers=list(dict.fromkeys(answers)))

    @event(who=st.sampled_from(USERS), pick=st.integers(0, 1000))
    def a_reply_before_its_parent(self, who: str, pick: int) -> None:
        ghost = f"<ghost{len(self.unborn)}@late.example.com>"
        self.unborn.append(ghost)
        self._arrive(who, answers=[self._pick(pick), ghost] if pick % 3 == 0 else [ghost])

    @precondition(lambda self: self.unborn)
    @event(who=st.sampled_from(USERS), pick=st.integers(0, 1000), orphan=st.booleans())
    def the_late_parent(self, who: str, pick: int, orphan: bool) -> None:
        self._arrive(who, message_id=self.unborn.pop(0), answers=[] if orphan else [self._pick(pick)])

    @event(pick=st.integers(0, 1000))
    def an_out_of_office(self, pick: int) -> None:
        self._arrive(USERS[1], answers=[self._pick(pick)], headers={"Auto-Submitted": "auto-replied"})

    @event(who=st.sampled_from(TEAM), pick=st.integers(0, 1000))
    def an_answer_from_sent(self, who: str, pick: int) -> None:
        answers = (self._pick(pick),)
        message_id = self._arrive(who, answers=answers, folder="Sent", flags=["\\Seen"])
        self.sent_later.append((message_id, answers))

    @precondition(lambda self: self.sent_later)
    @event(who=st.sampled_from(TEAM))
    def its_list_copy(self, who: str) -> None:
        message_id, answers = self.sent_later.pop(0)
        self._arrive(who, message_id=message_id, answers=answers, headers={"X-List-Copy": "yes"})

    @event(pick=st.integers(0, 1000), keyword=st.sampled_from(KEYWORDS))
    def a_mail_that_is_labelled_before_it_is_seen(self, pick: int, keyword: str) -> None:
        self._arrive(USERS[0], answers=[self._pick(pick)], flags=[keyword])

    # -- humans -------------------------------------------------------------------------------------------------

    @event(pick=st.integers(0, 1000), keyword=st.sampled_from(KEYWORDS))
    def set_a_label(self, pick: int, keyword: str) -> None:
        self._on(pick, "add_flags", [keyword])

    @event(pick=st.integers(0, 1000), keyword=st.sampled_from(KEYWORDS))
    def remove_a_label(self, pick: int, keyword: str) -> None:
        self._on(pick, "remove_flags", [keyword])

    @event(pick=st.integers(0, 1000), keyword=st.sampled_from(KEYWORDS))
    def a_shifter_answers_and_archives(self, pick: int, keyword: str) -> None:
        message_id = self._pick(pick)
        self._on(pick, "remove_flags", [keyword])
        self._arrive(TEAM[pick % 2], answers=[message_id], folder="Sent", flags=["\\Seen"])
        self._on(pick, "move", "Archive", unless="Archive")

    @event(who=st.sampled_from(TEAM), pick=st.integers(0, 1000), said=st.sampled_from(COMMANDS))
    def an_answer_that_is_also_a_command(self, who: str, pick: int, said: str) -> None:
        body = f"helpdesk: {said}\n\nWe are looking into it."
        self._arrive(
            who, answers=(self._pick(pick),), folder="Sent", flags=["\\Seen"], to=USERS[0], body=body
        )

    # -- destinations -------------------------------------------------------------------------------------------

    @precondition(lambda self: self._escalations())
    @event(pick=st.integers(0, 1000))
    def our_escalation_comes_home(self, pick: int) -> None:
        letter = self._escalations()[pick % len(self._escalations())]
        self.world.human.deliver("INBOX", letter.content, self.world.now, ())
        self._is_there(letter.message_id)

    @precondition(lambda self: self._escalations())
    @event(
        pick=st.integers(0, 1000),
        says=st.sampled_from((RECEIPT, COMMENT, SOLVED, REOPENED)),
        tracker=st.sampled_from(sorted(RECEIPT)),
        way=st.sampled_from(("token", "references", "number", "stranger")),
    )
    def a_destination_answers(
        self, pick: int, says: Mapping[str, TrackerMail], tracker: str, way: str
    ) -> None:
        letter = self._escalations()[pick % len(self._escalations())]
        to = BOARD if way in {"references", "number"} else reply_to(letter)
        answers = [letter.message_id] if way == "references" else []
        sender = STRANGER if way == "stranger" else DESTINATION
        message_id = f"<tracker{len(self.mails)}@tracker.example.net>"
        mail = says[tracker].octets(to, self.world.now, message_id, sender=sender, answers=answers)
        self.world.human.deliver("INBOX", mail, self.world.now, ())
        self._is_there(message_id)

    def _escalations(self) -> list[Letter]:
        """What was mailed to the destination about one thread."""
        return [
            one
            for one in self.world.mailer.arrived
            if DESTINATION in one.recipients
            and b" for GGUS" in one.content
            and b"wait for" not in one.content
        ]

    def _is_there(self, message_id: str) -> None:
        if message_id not in self.mails:
            self.mails.append(message_id)
        self.present[message_id] += 1

    @event(pick=st.integers(0, 1000))
    def read(self, pick: int) -> None:
        self._on(pick, "add_flags", ["\\Seen"])

    @event(pick=st.integers(0, 1000), home=st.sampled_from(HOMES))
    def move(self, pick: int, home: str) -> None:
        self._on(pick, "move", home, unless=home)

    @event(pick=st.integers(0, 1000), home=st.sampled_from(("INBOX", "Archive")))
    def archive_by_copy(self, pick: int, home: str) -> None:
        found = self._find(pick)
        if found is not None and found[0] != home:
            self._on(pick, "copy", home)
            self.present[found[1]] += 1

    @event(pick=st.integers(0, 1000))
    def delete(self, pick: int) -> None:
        found = self._find(pick)
        if found is not None:
            self._on(pick, "delete")
            self.present[found[1]] -= 1

    @event(pick=st.integers(0, 1000))
    def to_junk(self, pick: int) -> None:
        self._on(pick, "move", "Junk")

    # -- time and bad luck --------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from((1, 30, 90)))
    def a_cycle(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)
        self._run()

    @rule(days=st.sampled_from((1, 8)))
    def days_go_by(self, days: int) -> None:
        self.world.now += timedelta(days=days)
        self._run()

    @event(pick=st.integers(0, 3))
    def somebody_works_in_the_board_folder(self, pick: int) -> None:
        """A note is put there, or the digest that lies there goes away or is not read any more."""
        ours = [one for one in self.world.look(BOARD) if one.message_id not in self.notes]
        if pick == 0 and BOARD in self.world.human.folders():
            self.notes.append(f"<note{len(self.notes)}@example.org>")
            note = mail(TEAM[0], "A note", self.notes[-1])
            self.world.human.deliver(BOARD, note, self.world.now)
        elif ours and pick == 1:
            self.world.human.delete(BOARD, [ours[0].uid])
        elif ours and pick == 2:
            self.world.human.remove_flags(BOARD, [ours[0].uid], ["\\Seen"])
        elif ours and pick == 3:
            self.world.human.copy(BOARD, [ours[0].uid], BOARD)

    @rule(at=st.integers(1, 4), after=st.booleans())
    def a_crash(self, at: int, after: bool) -> None:
        self.world.now += timedelta(seconds=90)
        self.fuse = Fuse(at, after)
        try:
            self._run()
        except Crash:
            self.world.mailbox.close()  # as the system does for a process that is gone
            self.world.mailbox = self.world.open_mailbox()
        self.fuse = Fuse(0)

    @rule(
        at=st.integers(1, 4),
        after=st.booleans(),
        pick=st.integers(0, 1000),
        keyword=st.sampled_from(KEYWORDS),
        what=st.sampled_from(("add_flags", "remove_flags", "move")),
    )
    def somebody_acts_while_the_board_writes(
        self, at: int, after: bool, pick: int, keyword: str, what: str
    ) -> None:
        """Before or after one of the board's own commands a person sets or removes a label, or moves a mail."""
        acts: Mapping[str, Callable[[], None]] = {
            "add_flags": lambda: self._on(pick, what, [keyword]),
            "remove_flags": lambda: self._on(pick, what, [keyword]),
            "move": lambda: self._on(pick, what, HOMES[at % len(HOMES)], unless=HOMES[at % len(HOMES)]),
        }
        self.world.now += timedelta(seconds=90)
        self.fuse = Fuse(at, after, act=acts[what])
        self._run()
        self.fuse = Fuse(0)

    @rule(folder=st.sampled_from(("INBOX", "Archive", "Archives")))
    def uidvalidity_changes(self, folder: str) -> None:
        if folder in self.replaceable:
            self.world.human.change_uidvalidity(folder)

    @rule()
    def the_database_is_lost(self) -> None:
        self.world.lose_database()

    @rule()
    def a_backup_is_made(self) -> None:
        self.world.backup()

    @rule()
    def the_backup_is_restored(self) -> None:
        self.world.restore()

    # -- what must hold -----------------------------------------------------------------------------------------

    @rule()
    def converge(self) -> None:
        """After everybody has let go: consistent, silent, complete."""
        self.world.now += timedelta(minutes=20)
        first = self._run()
        self.world.now += timedelta(minutes=20)
        self._run()
        before = self.fuse.calls
        again = self._run()
        assert all(h.what != "convergence" for h in first.held), first.held
        assert self.fuse.calls == before, f"not silent: {again.actions}"
        assert again.actions == []
        self._polite()
        self._complete()
        self._consistent()
        self._one_board_mail()

    @rule(pick=st.integers(0, 1000))
    def a_users_reply_is_never_missed(self, pick: int) -> None:
        """The last event of a thread is a user's mail: it is open, in the inbox, and waits for nobody."""
        message_id = self._arrive(USERS[0], answers=[self._pick(pick)])
        self.world.now += timedelta(seconds=1)
        if not self._run().held:
            thread = self.world.thread(message_id)
            assert "INBOX" in self.world.where(message_id).split(",")
            assert thread["state"] != "closed"
            adopted = self.world.fresh
            assert adopted or "WAITING" not in thread["labels"]
        self.world.fresh = False

    def teardown(self) -> None:
        try:
            self.converge()
        finally:
            self.world.mailbox.close()
            self.world.engine.dispose()
            self.stack.close()

    # -- helpers ------------------------------------------------------------------------------------------------

    def _run(self) -> Report:
        seen = self._seen()
        inner = self.world.mailbox
        self.world.mailbox = _crashing(inner, self.fuse)
        try:
            report = self.world.tick()
        except UnreachableError as error:
            raise Crash from error
        finally:
            self.world.mailbox = inner
            assert self._seen() == seen, "the bot read or unread somebody's mail"
        if report.held:
            with self.world.engine.begin() as conn:
                requests.ask(conn, "resume", {}, self.world.now)
        return report

    def _arrive(self, who: str, *, answers: Sequence[str] = (), **more: Any) -> str:
        subject = f"{'Re: ' if answers else ''}Problem {len(self.mails) % 4}"
        message_id = self.world.incoming(who, subject, answers=answers, **more)
        self._is_there(message_id)
        return message_id

    def _pick(self, pick: int) -> str:
        """Mostly a recent mail: people work on few threads at a time."""
        recent = self.mails if pick % 5 == 0 else self.mails[-4:]
        return recent[pick % len(recent)]

    def _find(self, pick: int) -> tuple[str, str, int] | None:
        """A copy in a watched folder that is not Sent, of the picked message."""
        wanted = self._pick(pick)
        for folder in self.homes:
            for seen in self.world.look(folder):
                if seen.message_id == wanted:
                    return folder, wanted, seen.uid
        return None

    def _on(self, pick: int, action: str, *args: Any, unless: str = "") -> None:
        found = self._find(pick)
        if found is not None and found[0] != unless:
            getattr(self.world.human, action)(found[0], [found[2]], *args)

    def _copies(self) -> Iterator[tuple[str, Any]]:
        for folder in {*self.world.human.folders()} - {BOARD}:
            for seen in self.world.look(folder):
                yield folder, seen

    def _seen(self) -> Counter[tuple[str, bool]]:
        return Counter((s.message_id, "\\Seen" in s.flags) for _, s in self._copies())

    def _polite(self) -> None:
        """A destination that is silent hears of a thread three times, and a thread that it solved is not nagged about."""
        for thread in self.world.threads():
            for talk in thread["talks"]:
                assert talk["reminders"] <= 3, talk
                assert not talk["to_tell"] or (talk["solved"] and thread["state"] != "closed"), thread

    def _complete(self) -> None:
        """No mail is lost, doubled, or in no thread."""
        found = Counter(seen.message_id for _, seen in self._copies())
        assert +found == +self.present
        known = {
            (copy["folder"], copy["uid"]): thread["id"]
            for thread in self.world.threads()
            for message in thread["messages"]
            for copy in message["copies"]
        }
        there = {(folder, seen.uid) for folder, seen in self._copies() if folder in {*self.homes, "Sent"}}
        assert there == set(known), (there - set(known), set(known) - there)

    def _one_board_mail(self) -> None:
        """Nobody's note is removed from the folder Board, and of ours one lies there, unless somebody deleted or copied it."""
        ids = [seen.message_id for seen in self.world.look(BOARD)]
        assert Counter(one for one in ids if one in self.notes) == Counter(self.notes)
        assert len({one for one in ids if one not in self.notes}) <= 1

    def _consistent(self) -> None:
        flags = {(folder, seen.uid): {f.lower() for f in seen.flags} for folder, seen in self._copies()}
        for thread in self.world.consistency():
            for folder, uid in thread.copies:
                assert (folder == "INBOX") == thread.open, (thread, folder)
                labels = flags[folder, uid] & {k.lower() for k in KEYWORDS} - {"\\flagged"}
                if thread.open:
                    assert labels == thread.keywords, (thread, folder, uid, labels)
                else:
                    assert not labels & OPEN_ONLY, (thread, folder, uid, labels)


def _crashing(mailbox: Mailbox, fuse: Fuse) -> Mailbox:
    return CrashingMailbox(mailbox, fuse)
