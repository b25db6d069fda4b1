"""The SMTP client against a real server that fails on cue."""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import pytest

from helpdesk.errors import HelpdeskError, LoginRefusedError, UnreachableError
from helpdesk.ports import Delivery, Letter, Outcome
from helpdesk.smtp import Login, SmtpMailer, SmtpServer
from tests.servers.certificates import Authority
from tests.servers.process import free_port
from tests.servers.smtp_sink import DROP, Fault, SmtpSink, Stage

LETTER = Letter(
    message_id="<1@example.org>",
    sender="board@example.org",
    recipients=("ann@example.org", "copy@example.org"),
    content=b"Subject: hello\r\n\r\nhello\r\n",
)
SECRET = "correct horse battery staple"


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def server_of(sink: SmtpSink, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> SmtpServer:
    return SmtpServer(
        host, sink.port, sink.security, tls, timeout=10, data_timeout=10, helo="client.example.org"
    )


def deliver(sink: SmtpSink, *letters: Letter, server: SmtpServer | None = None) -> list[Delivery]:
    return [delivery for _, delivery in SmtpMailer(server or server_of(sink)).send(letters)]


@pytest.mark.parametrize("stage", [Stage.GREETING, Stage.EHLO, Stage.MAIL, Stage.DATA, Stage.TEXT])
@pytest.mark.parametrize("answer", ["450 4.3.0 not now", "421 4.3.2 going down"])
def test_temporary(sink: SmtpSink, stage: Stage, answer: str) -> None:
    """An answer 4xx, wherever it comes, means that nothing was accepted and later is better."""
    sink.script(Fault(stage, answer))
    (delivery,) = deliver(sink, LETTER)
    assert delivery.outcome is Outcome.TEMPORARY
    assert answer in delivery.answer
    assert sink.received == []


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.DATA, Stage.TEXT])
def test_permanent(sink: SmtpSink, stage: Stage) -> None:
    """An answer 5xx to the letter is final, and the next letter goes over the same connection."""
    sink.script(Fault(stage, "554 5.7.1 no"))
    first, second = deliver(sink, LETTER, LETTER)
    assert (first.outcome, first.answer) == (Outcome.PERMANENT, "554 5.7.1 no")
    assert second.outcome is Outcome.ACCEPTED
    assert sink.connections == 1


@pytest.mark.parametrize("stage", [Stage.GREETING, Stage.EHLO])
def test_refused_connection(sink: SmtpSink, stage: Stage) -> None:
    """A server that wants nothing to do with us says nothing about the letter: later."""
    sink.script(Fault(stage, "554 5.3.2 no service here"))
    (delivery,) = deliver(sink, LETTER)
    assert delivery.outcome is Outcome.TEMPORARY
    assert "554 5.3.2 no service here" in delivery.answer


@pytest.mark.parametrize("code", [530, 534, 535, 538])
def test_login_needed(sink: SmtpSink, code: int) -> None:
    """A letter that is refused because nobody logged in is kept for later."""
    sink.script(Fault(Stage.MAIL, f"{code} 5.7.0 authentication"))
    (delivery,) = deliver(sink, LETTER)
    assert delivery.outcome is Outcome.TEMPORARY


ANN, OWN = LETTER.recipients


@pytest.mark.parametrize(
    ("answers", "outcome", "refused", "deferred"),
    [
        (["550 no", "550 no"], Outcome.PERMANENT, (ANN, OWN), ()),
        (["450 wait", "450 wait"], Outcome.TEMPORARY, (), (ANN, OWN)),
        (["550 no", "450 wait"], Outcome.TEMPORARY, (ANN,), (OWN,)),
        (["550 no", ""], Outcome.ACCEPTED, (ANN,), ()),
        (["", "450 wait"], Outcome.ACCEPTED, (), (OWN,)),
        (["552 too many recipients", ""], Outcome.ACCEPTED, (), (ANN,)),
    ],
)
def test_recipients(
    sink: SmtpSink,
    answers: list[str],
    outcome: Outcome,
    refused: tuple[str, ...],
    deferred: tuple[str, ...],
) -> None:
    """Each recipient's answer is his own; the letter is refused only if nobody gets it, for good only if all say so."""
    pairs = zip(LETTER.recipients, answers, strict=True)
    sink.script(*(Fault(Stage.RCPT, answer, to=to) for to, answer in pairs if answer))
    first, second = deliver(sink, LETTER, LETTER)
    assert (first.outcome, first.refused, first.deferred) == (outcome, refused, deferred)
    assert all(to in first.answer for to in (*refused, *deferred))
    assert second.outcome is Outcome.ACCEPTED


def test_recipients_of_a_lost_text(sink: SmtpSink) -> None:
    """Where no answer comes to the text, it is known all the same who was refused before it, and who put off."""
    letter = replace(LETTER, recipients=("bob@example.org", *LETTER.recipients))
    sink.script(
        Fault(Stage.RCPT, "550 no", to="bob@example.org"),
        Fault(Stage.RCPT, "450 wait", to=ANN),
        Fault(Stage.TEXT, DROP),
    )
    (delivery,) = deliver(sink, letter)
    assert delivery.outcome is Outcome.UNKNOWN
    assert (delivery.refused, delivery.deferred) == (("bob@example.org",), (ANN,))


@pytest.mark.parametrize("stage", [Stage.GREETING, Stage.EHLO, Stage.MAIL, Stage.RCPT, Stage.DATA])
def test_lost_before_the_text(sink: SmtpSink, stage: Stage) -> None:
    """A connection that is lost before the text was sent has accepted nothing."""
    sink.script(Fault(stage, DROP))
    first, second = deliver(sink, LETTER, LETTER)
    assert (first.outcome, second.outcome) == (Outcome.TEMPORARY, Outcome.ACCEPTED)
    assert len(sink.received) == 1


@pytest.mark.parametrize("accepted", [True, False])
def test_lost_after_the_text(sink: SmtpSink, *, accepted: bool) -> None:
    """A connection that is lost after the text was sent leaves it unknown whether it was accepted."""
    sink.script(Fault(Stage.TEXT, DROP, accepted=accepted))
    first, second = deliver(sink, LETTER, LETTER)
    assert (first.outcome, second.outcome) == (Outcome.UNKNOWN, Outcome.ACCEPTED)
    assert first.answer
    assert len(sink.received) == 1 + accepted


def test_slow_answer_after_the_text(sink: SmtpSink) -> None:
    """A server that takes too long to answer the final dot leaves it unknown, and is not waited for."""
    sink.script(Fault(Stage.TEXT, "250 ok", accepted=True, after=5))
    server = replace(server_of(sink), data_timeout=0.1)
    first, second = deliver(sink, LETTER, LETTER, server=server)
    assert (first.outcome, second.outcome) == (Outcome.UNKNOWN, Outcome.ACCEPTED)
    assert "Timed out" in first.answer


def test_slow_command(sink: SmtpSink) -> None:
    """A server that takes too long over a command has accepted nothing."""
    sink.script(Fault(Stage.MAIL, "250 ok", after=5))
    (delivery,) = deliver(sink, LETTER, server=replace(server_of(sink), timeout=0.1))
    assert delivery.outcome is Outcome.TEMPORARY


def test_patient_after_the_text(sink: SmtpSink) -> None:
    """The answer to the final dot may take longer than a command."""
    sink.script(Fault(Stage.TEXT, "250 ok", accepted=True, after=0.5))
    server = replace(server_of(sink), timeout=0.25)
    (delivery,) = deliver(sink, LETTER, server=server)
    assert delivery.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("answer", ["nonsense", "354 what", "150 hm"])
def test_nonsense_after_the_text(sink: SmtpSink, answer: str) -> None:
    """An answer to the final dot that means nothing leaves it unknown."""
    sink.script(Fault(Stage.TEXT, answer, accepted=True))
    (delivery,) = deliver(sink, LETTER)
    assert delivery.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("stage", "answer"),
    [(Stage.MAIL, "nonsense"), (Stage.RCPT, "354 go"), (Stage.DATA, "nonsense"), (Stage.DATA, "250 done")],
)
def test_nonsense_before_the_text(sink: SmtpSink, stage: Stage, answer: str) -> None:
    """An answer that means nothing before the text was sent has accepted nothing."""
    sink.script(*[Fault(stage, answer)] * 2)
    (delivery,) = deliver(sink, LETTER)
    assert delivery.outcome is Outcome.TEMPORARY
    assert sink.received == []


def test_one_connection(sink: SmtpSink) -> None:
    """All letters of a call share one connection, each in a transaction of its own."""
    assert [one.outcome for one in deliver(sink, *[LETTER] * 5)] == [Outcome.ACCEPTED] * 5
    assert sink.connections == 1
    assert sink.commands == ["MAIL", "RCPT", "RCPT", "DATA"] * 5


def test_server_hangs_up_between_letters(sink: SmtpSink) -> None:
    """A server that ended the connection between two letters costs a new connection, not a letter."""
    results = SmtpMailer(server_of(sink)).send([LETTER, LETTER])
    _, first = next(results)
    sink.hang_up()
    _, second = next(results)
    assert (first.outcome, second.outcome) == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert (sink.connections, len(sink.received)) == (2, 2)


def test_server_has_had_enough(sink: SmtpSink) -> None:
    """A server that wants a new connection after some letters gets it, and no letter waits for that."""
    results = SmtpMailer(server_of(sink)).send([LETTER, LETTER])
    next(results)
    sink.script(Fault(Stage.MAIL, "421 4.7.0 too many messages in this session"))
    _, delivery = next(results)
    assert delivery.outcome is Outcome.ACCEPTED
    assert sink.connections == 2


def test_answer_outlives_the_connection(sink: SmtpSink) -> None:
    """A refusal counts, also when the server ends the connection right after it."""
    sink.script(Fault(Stage.DATA, "554 no"), Fault(Stage.RSET, DROP))
    (delivery,) = deliver(sink, LETTER)
    assert (delivery.outcome, delivery.answer) == (Outcome.PERMANENT, "554 no")


def test_rude_goodbye(sink: SmtpSink) -> None:
    """How the connection ends after the last letter changes nothing."""
    sink.script(Fault(Stage.QUIT, DROP))
    (delivery,) = deliver(sink, LETTER)
    assert delivery.outcome is Outcome.ACCEPTED


def test_nobody_listens() -> None:
    """Where nobody listens all letters wait, and the third is not even tried."""
    server = SmtpServer("127.0.0.1", free_port(), "none", timeout=5)
    deliveries = [delivery for _, delivery in SmtpMailer(server).send([LETTER] * 3)]
    assert [one.outcome for one in deliveries] == [Outcome.TEMPORARY] * 3
    assert [one.answer.startswith("not tried") for one in deliveries] == [False, False, True]


def test_nobody_answers() -> None:
    """A port that is open and silent costs no more than the time limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = SmtpServer("127.0.0.1", silent.getsockname()[1], "none", timeout=0.2)
        (delivery,) = [delivery for _, delivery in SmtpMailer(server).send([LETTER])]
    assert delivery.outcome is Outcome.TEMPORARY


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_encrypted(authority: Authority, security: Literal["tls", "starttls"]) -> None:
    """With TLS from the first octet or after STARTTLS the letter arrives encrypted."""
    with SmtpSink(security=security, tls=authority.server()) as sink:
        server = server_of(sink, authority.client(), "localhost")
        (delivery,) = deliver(sink, LETTER, server=server)
    assert delivery.outcome is Outcome.ACCEPTED
    assert [one.encrypted for one in sink.received] == [True]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_untrusted(authority: Authority, security: Literal["tls", "starttls"]) -> None:
    """A certificate that nobody whom this system trusts has signed ends the connection before any letter."""
    with SmtpSink(security=security, tls=authority.server()) as sink:
        (delivery,) = deliver(sink, LETTER, server=server_of(sink, None, "localhost"))
    assert delivery.outcome is Outcome.TEMPORARY
    assert "CERTIFICATE_VERIFY_FAILED" in delivery.answer
    assert sink.commands == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_somebody_else(authority: Authority, security: Literal["tls", "starttls"]) -> None:
    """A good certificate for another name ends the connection before any letter."""
    with SmtpSink(security=security, tls=authority.server("mx.example.org")) as sink:
        server = server_of(sink, authority.client(), "localhost")
        (delivery,) = deliver(sink, LETTER, server=server)
    assert delivery.outcome is Outcome.TEMPORARY
    assert "CERTIFICATE_VERIFY_FAILED" in delivery.answer
    assert sink.commands == []


def test_no_starttls_offered(sink: SmtpSink) -> None:
    """Where STARTTLS is wanted and not offered nothing is sent in the clear."""
    (delivery,) = deliver(sink, LETTER, server=replace(server_of(sink), security="starttls"))
    assert delivery.outcome is Outcome.TEMPORARY
    assert sink.commands == []


@pytest.fixture
def guarded(authority: Authority) -> Iterator[SmtpSink]:
    users = {"board": SECRET, "a=b,c": SECRET}
    with SmtpSink(security="starttls", tls=authority.server(), users=users) as sink:
        yield sink


def knock(sink: SmtpSink, authority: Authority, login: Login, letters: int = 1) -> list[Delivery]:
    server = server_of(sink, authority.client(), "localhost")
    return [delivery for _, delivery in SmtpMailer(server, login).send([LETTER] * letters)]


@pytest.mark.parametrize("method", ["password", "xoauth2", "oauthbearer"])
def test_login(
    guarded: SmtpSink, authority: Authority, method: Literal["password", "xoauth2", "oauthbearer"]
) -> None:
    """A password or a token opens the door."""
    (delivery,) = knock(guarded, authority, Login("board", lambda: SECRET, method))
    assert delivery.outcome is Outcome.ACCEPTED
    assert [one.login for one in guarded.received] == ["board"]


@pytest.mark.parametrize("method", ["password", "xoauth2", "oauthbearer"])
def test_wrong_secret(
    guarded: SmtpSink, authority: Authority, method: Literal["password", "xoauth2", "oauthbearer"]
) -> None:
    """A refused login keeps all letters for later, is not tried again for the next one, and tells no secret."""
    deliveries = knock(guarded, authority, Login("board", lambda: "wrong secret", method), letters=3)
    assert [one.outcome for one in deliveries] == [Outcome.TEMPORARY] * 3
    assert "refused the login" in deliveries[0].answer
    assert not any("wrong secret" in one.answer for one in deliveries)
    assert guarded.connections == 1
    assert guarded.logins <= 2


def failing(error: Exception) -> Callable[[], str]:
    def secret() -> str:
        raise error

    return secret


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError("no such file"), UnreachableError("no token"), HelpdeskError("no credential")],
)
def test_no_secret(guarded: SmtpSink, authority: Authority, error: Exception) -> None:
    """Without a secret to show nobody connects, and the letters wait."""
    (delivery,) = knock(guarded, authority, Login("board", failing(error)))
    assert delivery.outcome is Outcome.TEMPORARY
    assert str(error) in delivery.answer
    assert guarded.connections == 0


def test_secret_is_fresh(guarded: SmtpSink, authority: Authority) -> None:
    """The secret is asked for at each connection, so that a token that was renewed meanwhile is used."""
    secrets = iter(["stale", SECRET])
    mailer = SmtpMailer(
        server_of(guarded, authority.client(), "localhost"), Login("board", lambda: next(secrets), "xoauth2")
    )
    outcomes = [delivery.outcome for _ in range(2) for _, delivery in mailer.send([LETTER])]
    assert outcomes == [Outcome.TEMPORARY, Outcome.ACCEPTED]


def test_secret_is_not_shown() -> None:
    """Nothing that prints the login prints where its secret comes from."""
    assert SECRET not in repr(Login("board", lambda: SECRET))
    assert "lambda" not in repr(Login("board", lambda: SECRET))


def test_no_login_offered(sink: SmtpSink) -> None:
    """A server that offers no login to who has one gets no letter."""
    login = Login("board", lambda: SECRET)
    (delivery,) = [delivery for _, delivery in SmtpMailer(server_of(sink), login).send([LETTER])]
    assert delivery.outcome is Outcome.TEMPORARY


@pytest.mark.parametrize(
    "address", ["ann@example.org>\r\nDATA", "an n@example.org", "", "<ann@example.org>", "\udcff@example.org"]
)
def test_bad_address(sink: SmtpSink, address: str) -> None:
    """An address that could end the command is refused here, alone, and the other recipients get the letter."""
    bad = replace(LETTER, recipients=(address, OWN))
    (delivery,) = deliver(sink, bad)
    assert (delivery.outcome, delivery.refused) == (Outcome.ACCEPTED, (address,))
    assert "\n" not in delivery.answer
    assert [one.recipients for one in sink.received] == [(OWN,)]


def test_bad_sender(sink: SmtpSink) -> None:
    """A letter whose sender could end the command is refused here, and the next letter is sent."""
    first, second = deliver(sink, replace(LETTER, sender="a>\r\nDATA"), LETTER)
    assert (first.outcome, second.outcome) == (Outcome.PERMANENT, Outcome.ACCEPTED)
    assert sink.commands == ["MAIL", "RCPT", "RCPT", "DATA"]


def test_nobody(sink: SmtpSink) -> None:
    """A letter for nobody is refused for good."""
    (delivery,) = deliver(sink, replace(LETTER, recipients=()))
    assert delivery.outcome is Outcome.PERMANENT


def test_international(sink: SmtpSink) -> None:
    """SMTPUTF8 is asked for only by the letter that needs it."""
    unicode = replace(LETTER, recipients=("änn@example.org",))
    body = replace(LETTER, content=b"Subject: hello\r\n\r\nh\xc3\xa4llo\r\n")
    header = replace(LETTER, content=b"Subject: h\xc3\xa4llo\r\n\r\nhello\r\n")
    assert {one.outcome for one in deliver(sink, LETTER, unicode, body, header)} == {Outcome.ACCEPTED}
    options = [{option for option in one.options if "SIZE" not in option} for one in sink.received]
    assert options == [set(), {"SMTPUTF8"}, {"BODY=8BITMIME"}, {"BODY=8BITMIME", "SMTPUTF8"}]


def test_international_not_offered() -> None:
    """A letter that needs SMTPUTF8 is refused where it is not offered, and the next one is sent."""
    with SmtpSink(utf8=False) as sink:
        first, second = deliver(sink, replace(LETTER, recipients=("änn@example.org",)), LETTER)
    assert (first.outcome, second.outcome) == (Outcome.PERMANENT, Outcome.ACCEPTED)
    assert "SMTPUTF8" in first.answer


def test_odd_lines(sink: SmtpSink) -> None:
    """Lines that begin with a dot, end in a bare LF or do not end at all arrive as proper lines."""
    content = b"Subject: x\n\n.\r\n..\r\n.x\nno end"
    deliver(sink, replace(LETTER, content=content))
    assert sink.received[0].content == b"Subject: x\r\n\r\n.\r\n..\r\n.x\r\nno end\r\n"


def test_large_letter(sink: SmtpSink) -> None:
    """A letter of some megabytes arrives whole."""
    content = b"Subject: x\r\n\r\n" + b"0123456789abcdef\r\n" * 200_000
    deliver(sink, replace(LETTER, content=content))
    assert sink.received[0].content == content


def test_answer_is_clean(sink: SmtpSink) -> None:
    """What the server says reaches a log as one line without control characters, and not too long."""
    sink.script(Fault(Stage.MAIL, "554-first\r\n554 \x1b[31msecond" + "x" * 2000))
    (delivery,) = deliver(sink, LETTER)
    assert delivery.answer.startswith("554 first second")
    assert delivery.answer.isprintable()
    assert len(delivery.answer) < 500


def test_probe(sink: SmtpSink) -> None:
    """A probe connects, says what the server offers, and begins no transaction."""
    assert "SMTPUTF8" in SmtpMailer(server_of(sink)).probe()
    assert sink.commands == []


def test_probe_fails(guarded: SmtpSink, authority: Authority) -> None:
    """A probe tells a refused login from a server that cannot be reached."""
    server = server_of(guarded, authority.client(), "localhost")
    with pytest.raises(LoginRefusedError, match="535"):
        SmtpMailer(server, Login("board", lambda: "wrong")).probe()
    with pytest.raises(UnreachableError, match="Error connecting"):
        SmtpMailer(SmtpServer("127.0.0.1", free_port(), "none", timeout=5)).probe()
