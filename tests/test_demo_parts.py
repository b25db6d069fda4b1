"""The parts of `helpdesk demo`: the picture, the story, the post, and what becomes of a promise that is not kept."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from helpdesk.actions import Kind
from helpdesk.demo import outage, show
from helpdesk.demo.acts import Plays
from helpdesk.demo.gallery import Why, gallery, height, place
from helpdesk.demo.imap import ImapServer
from helpdesk.demo.loop import Loop
from helpdesk.demo.marks import ASCII, Marks
from helpdesk.demo.people import send
from helpdesk.demo.post import Letter, Post, Round
from helpdesk.demo.run import Options
from helpdesk.demo.run import demo as play
from helpdesk.demo.scene import Beat, Scene
from helpdesk.demo.screen import Shown, picture
from helpdesk.demo.servers import account
from helpdesk.demo.show import TOGETHER
from helpdesk.demo.story import END, START, Moment, story
from helpdesk.demo.telling import BeatSight, Column, Line, Row, Sight, SiteSight, Voice, actions
from helpdesk.demo.turn import started_as
from helpdesk.errors import UsageError
from helpdesk.mailbox.connect import connect
from helpdesk.report import Done
from tests.desk import environment
from tests.world import mail

HOSTILE = "\x1b[31m\x1b]0;title\x07[bold]x[/bold] \u202e :smile: " + "宛先" * 40
SITES = [
    SiteSight(
        f"SITE-{n}{'宛先' * n}",
        out=n == 1,
        nats=4.6 * n,
        enough=9.5,
        last=[n != 1] * 10,
        why=f"why {n} {HOSTILE}",
    )
    for n in range(4)
]
LISTS = ("NEEDS ATTENTION", "WAITING", "ESCALATED", "CLOSED")
SIZES = ((100, 35), (60, 24), (40, 16), (200, 60), (10, 5))


def shown(*, playing: int | None = None, turn: tuple[str, ...] = ()) -> Shown:
    """A busy board with strangers' words everywhere."""
    said = Line(START, Voice.BOARD, f"abcde +WAITING (close [5]: {HOSTILE})")
    rows = [
        Row(f"dast-{n}", f"{n:05}", said.text, column, urgent=n % 5 == 0)
        for n, column in enumerate([*Column] * 9)
    ]
    one = Shown(
        Sight(
            START + timedelta(days=3, hours=5), 0.3, rows, 45, 3, "next, if nothing happens: close of abcde"
        ),
        fresh=frozenset({"dast-3"}),
        beats=[BeatSight("a promise " * 9, kept) for kept in (True, False, None, None)],
        playing=playing,
        turn=turn,
        sites=SITES,
    )
    for number in range(60):
        one.lines.append(Line(START, [*Voice][number % len(Voice)], f"{number} {HOSTILE}"))
        one.scene.append(Line(START, [*Voice][number % len(Voice)], f"{number} {HOSTILE}"))
    one.lines.append(said)
    return one


@pytest.mark.parametrize("marks", [Marks(), ASCII])
@pytest.mark.parametrize("size", SIZES)
def test_the_picture_fits_the_window(size: tuple[int, int], marks: Marks) -> None:
    """Whatever the window's size and the mails' words, there are as many lines as it has, and none is wider."""
    width, height = max(size[0], 40), max(size[1], 16)
    for one in (shown(), shown(playing=1), shown(turn=("YOUR TURN", "  type this", "x" * 90)), Shown()):
        lines = picture(one, *size, marks)
        assert len(lines) == height
        assert max(line.cell_len for line in lines) <= width


def test_sixty_columns_are_enough_for_everything() -> None:
    """At 60 by 24 all four columns with their counts, the command to copy and the newest line of the log can be seen."""
    command = "  helpdesk demo --reply 2525"
    lines = [line.plain.rstrip() for line in picture(shown(turn=("YOUR TURN", command)), 60, 24, Marks())]
    text = "\n".join(lines)
    assert all(f"{name} 9" in text for name in LISTS)
    assert command in lines
    assert "abcde +WAITING" in text


@pytest.mark.parametrize(("width", "abreast"), [(200, 4), (120, 4), (80, 4), (79, 2), (60, 2), (40, 1)])
def test_no_row_of_lists_is_half_empty(width: int, abreast: int) -> None:
    """All four lists stand side by side at 80 columns, where a terminal begins, and two and two below."""
    text = [line.plain for line in picture(shown(), width, 40, Marks())]
    heads = [line for line in text if any(f"{name} 9" in line for name in LISTS)]
    assert [sum(f"{name} 9" in line for name in LISTS) for line in heads] == [abreast] * (4 // abreast)


def test_what_has_been_told_of_a_label_is_not_told_again() -> None:
    """Mail that its thread's labels cover is one line that names them once; what people did is told with its reason."""

    def one(label: str, reason: str) -> Done:
        return Done("1", Kind.ADD_LABEL, "dast-abcde", "labels_cover_the_thread", reason, label)

    came = "it came into a thread that is"
    done = [
        one("GGUS", f"{came} GGUS (a human set GGUS)"),
        one("X", f"{came} X (why)"),
        one("Y", "a human set Y"),
    ]
    (said,) = actions(done, lambda _thread: "abcde")
    assert said == (
        "abcde +GGUS +X +Y (labels_cover_the_thread [3]: a human set Y; it came into a thread that is GGUS, X)"
    )


def test_sites_are_shown_where_there_is_room() -> None:
    """At 100 by 35 each site has a line with its results and its reason, at 60 by 24 all names are there, at 40 by 16 none."""
    wide, narrow, small = (
        "\n".join(line.plain for line in picture(shown(), width, height, Marks()))
        for width, height in ((100, 35), (60, 24), (40, 16))
    )
    assert "SITES 3 in, 1 out" in wide
    assert all(f"why {n}" in wide for n in range(4))
    assert f"OUT      {'✗' * 10}" in wide
    assert all(f"SITE-{n}" in narrow for n in range(4))
    assert "SITE-1" not in small


def test_no_word_of_a_mail_reaches_the_terminal_as_a_command() -> None:
    """What a terminal gets holds no escape sequence but those of our own styles, and markup is shown as it is."""
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=100, color_system="standard")
    console.print(Text("\n").join(picture(shown(), 100, 35, Marks())))
    written = out.getvalue()
    assert "[bold]x[/bold]" in written
    assert ":smile:" in written
    assert "\x1b]" not in written
    assert "\u202e" not in written


def test_the_same_seed_tells_the_same_story() -> None:
    """A seed fixes people, places and moments; another one tells another story."""

    def told(seed: int) -> list[object]:
        return [(m.at, m.act, m.thread.subject, m.thread.user) for m in story(seed)]

    assert told(1) == told(1)
    assert told(1) != told(2)


@pytest.mark.parametrize("seed", range(20))
def test_a_story_stays_within_its_two_weeks_and_plays_every_scene_once(seed: int) -> None:
    """Whatever the seed, nothing happens before or after, and the five scenes come in their order."""
    moments = story(seed)
    assert all(START <= moment.at < END for moment in moments)
    scenes = [moment.act.beat for moment in moments if isinstance(moment.act, Plays)]
    assert scenes == [1, 2, 3, 4, 5]


def test_what_one_run_sees_together_is_little() -> None:
    """A group is short, holds no two steps of a thread at different times, and a scene is alone."""
    groups = [*show._together(story(5))]
    assert sum(map(len, groups)) == len(story(5))
    for group in groups:
        assert group[-1].at - group[0].at <= TOGETHER
        assert len(group) == 1 or not any(isinstance(moment.act, Plays) for moment in group)
        assert len({(id(moment.thread), moment.at) for moment in group}) >= len({id(m.thread) for m in group})
        times = {id(moment.thread): {m.at for m in group if m.thread is moment.thread} for moment in group}
        assert all(len(at) == 1 for at in times.values())


@contextmanager
def posted(deliver: Callable[[bytes], None]) -> Iterator[Post]:
    """A post whose list is dast@lists.example.org and whose board is board@example.org."""
    with Loop("test") as loop, socket.create_server(("127.0.0.1", 0)) as listening:
        walk = Round("dast@lists.example.org", "board@example.org", deliver, lambda: START)
        post = Post(loop, listening, walk, 143)
        post.start()
        try:
            yield post
        finally:
            post.stop()


def test_the_post_knows_who_gets_what() -> None:
    """The list's mail lands with List-Id, the board's own (with a token too) as it is, all others' is kept for them."""
    landed: list[bytes] = []
    octets = mail("ann@users.example.com", "Hello", "<a@x>", headers={"X-Test": "1"})
    with posted(landed.append) as post:
        send(post.port, "ann@users.example.com", ["DAST@lists.example.org", "Bob@x.example"], octets)
        send(post.port, "ann@users.example.com", ["board+token@example.org"], octets)
        letters = post.letters
    assert [one.startswith(b"List-Id: <dast.lists.example.org>\r\n") for one in landed] == [True, False]
    assert landed[0].endswith(octets)
    assert landed[1] == octets
    assert [(one.recipient, one.message_id, one.at) for one in letters] == [("bob@x.example", "<a@x>", START)]


def test_the_imap_server_stops_while_clients_are_connected() -> None:
    """Stopping does not wait for clients, and ends their connections: a mail client may stay open for hours."""
    began = time.monotonic()
    with Loop("test") as loop, socket.create_server(("127.0.0.1", 0)) as listening:
        server = ImapServer(loop, listening)
        server.start()
        server.add_user("dast", "demo")
        mailbox = connect(account(server.port))
        idle = socket.create_connection(("127.0.0.1", server.port))
        assert idle.recv(4) == b"* OK"
        server.stop()
    assert time.monotonic() - began < 5
    with idle:
        idle.settimeout(5)
        while idle.recv(1024):
            pass
    mailbox.close()


def test_a_promise_that_is_not_kept_fails_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A claim that is not true is said as such, the summary names its scene, and the exit code is 1; no thread stays."""

    def broken(scene: Scene) -> None:
        scene.check("0 of 1 mails are there", true=False)
        scene.check("1 of 1 mails are elsewhere", true=True)

    thread = story(1)[0].thread
    before = {*threading.enumerate()}
    monkeypatch.setattr(show, "BEATS", (Beat("mail is never lost", broken),))
    monkeypatch.setattr(show, "story", lambda _seed: [Moment(START, thread, Plays(1))])
    assert play(Options()) == 1
    said = capsys.readouterr().out
    assert "WRONG   0 of 1 mails are there" in said
    assert "Scene 1: NOT as promised: mail is never lost" in said
    assert "0 of 1 scenes went as promised" in said
    assert {*threading.enumerate()} <= before


def test_a_site_that_stays_in_fails_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """If a site that fails is not put out in time, the fifth scene says so, the exit code is 1, and no job is left."""
    thread = story(1)[0].thread
    monkeypatch.setattr(outage, "SLOW", 0.2)
    monkeypatch.setattr(show, "BEATS", (Beat("a site fails", outage.outage),))
    monkeypatch.setattr(show, "story", lambda _seed: [Moment(START, thread, Plays(1))])
    monkeypatch.setattr(show, "END", START + timedelta(hours=3))
    assert play(Options(gallery=tmp_path / "page.html")) == 1
    said = capsys.readouterr().out
    assert "WRONG   DESY-HH is still in" in said
    assert "DESY-HH: a job fails" in said
    assert "Scene 1: NOT as promised: a site fails" in said


def test_the_demo_needs_no_package_of_the_robots() -> None:
    """With `helpdesk[demo]` alone it runs: nothing that it imports is of the extra `robots`."""
    program = (
        "import sys, helpdesk.demo.run;"
        "print({'numpy', 'uproot', 'awkward', 'hist', 'vector', 'pyarrow', 'skhep_testdata'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), check=False
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "set()\n", "")


def test_the_command_to_copy_works_from_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what the demo was started by: a name on the PATH, else an absolute path, else the interpreter's module."""
    monkeypatch.setattr(sys, "argv", ["some where/helpdesk"])
    assert started_as().startswith("'/")
    assert started_as().endswith("/some where/helpdesk'")
    monkeypatch.setattr(sys, "argv", ["/x/helpdesk/__main__.py"])
    assert started_as().endswith("python -m helpdesk") or started_as().endswith("python3 -m helpdesk")


def test_a_gallery_is_safe_to_open() -> None:
    """Whatever a mail says, the gallery shows it as text or in a frame that may do nothing; each mail is there once."""
    evil = "</pre></iframe><script>alert(1)</script>\x1b[31m\u202e"
    mail = EmailMessage()
    mail["Subject"] = "<script>x</script>"
    mail.set_content(evil)
    mail.add_alternative(f'<p title="\'">{evil}</p>', subtype="html")
    letters = [Letter(START, "board@x", to, "<1@x>", mail.as_bytes()) for to in ("a@x", "<b>@x")]
    page = gallery(letters, {"<1@x>": Why("note", "tell_user", "7kq2m", "<script>")})
    assert page.count("<article>") == 1
    assert "a@x, &lt;b&gt;@x" in page
    assert "<script" not in page
    assert "\x1b" not in page.partition("<iframe")[0]


def test_a_frame_is_as_high_as_its_page_may_need() -> None:
    """More lines, longer lines and a narrower frame need more room, and markup that is no text needs none."""
    page = "<html><style>p { color: red }</style><body>{}</body></html>"
    one, two = page.replace("{}", "<p>word</p>"), page.replace("{}", "<p>word</p><p>word<br>word</p>")
    long = page.replace("{}", f"<p>{'word ' * 100}</p>")
    assert height(one, 56) < height(two, 56) < height(long, 56) < height(long, 34)
    assert height(page.replace("{}", f'<p style="{"x" * 500}">word</p>'), 56) == height(one, 56)


def test_a_gallery_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A place where no file can be is named before the two weeks begin, with exit code 2."""
    with pytest.raises(UsageError, match="cannot be written"):
        place(tmp_path / "none" / "page.html")
    assert place(tmp_path / "page.html") == tmp_path / "page.html"
