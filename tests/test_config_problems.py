"""Each mistake in a configuration has one sentence, for the person who has to repair it."""

import re

import pytest

from helpdesk.config import settings_of
from tests.minimal import HERE, MINIMAL, problems

PROBLEMS = [
    # (more configuration; the problem, without its file and line)
    ('[imap]\npasswrod_file = "x"', "[imap] passwrod_file: unknown key; did you mean password_file?"),
    ("[daemon]\npol_seconds = 1", "[daemon] pol_seconds: unknown key; did you mean poll_seconds?"),
    ("[caps]\npoll_seconds = 1", "[caps] poll_seconds: unknown key; it belongs in [daemon]"),
    (
        "[caps]\nzzz = 1",
        "[caps] zzz: unknown key; known here: user_per_day, thread_per_day, board_per_hour",
    ),
    ("[destinations]", "destinations: unknown key; did you mean destination?"),
    (
        "[policy]\nwaiting_close_days = 0",
        "[policy] waiting_close_days: must be more than 0; for example waiting_close_days = 7",
    ),
    ('[policy]\ntaken_hours = "4"', "[policy] taken_hours: must be a number; for example taken_hours = 4"),
    (
        "[policy]\ntaken_hours = inf",
        "[policy] taken_hours: must be a finite number; for example taken_hours = 4",
    ),
    ("[brakes]\nmax_gone = 1.5", "[brakes] max_gone: must be at most 1; for example max_gone = 0.2"),
    ("[brakes]\nmax_mails = 2.5", "[brakes] max_mails: must be a whole number; for example max_mails = 20"),
    ("[brakes]\nmax_mails = true", "[brakes] max_mails: must be a whole number; for example max_mails = 20"),
    (
        "[daemon]\nhttp_port = 65536",
        "[daemon] http_port: must be at most 65535; for example http_port = 9155",
    ),
    ("[daemon]\nhttp_port = 0", "[daemon] http_port: must be at least 1; for example http_port = 9155"),
    ("[reports]\nenabled = 1", "[reports] enabled: must be true or false; for example enabled = false"),
    (
        "[reports]\nweekly = 5",
        '[reports] weekly: is not a day of the week with (if you like) a time; for example weekly = "Monday 08:00"',
    ),
    (
        '[reports]\nweekly = "T 08:00"',
        "[reports] weekly: 'T' is not a day of the week; for example weekly = \"Monday 08:00\"",
    ),
    (
        "[shifts]\ncalendar = 1",
        '[shifts] calendar: must be a string in quotes; for example calendar = "shifts.ics"',
    ),
    (
        '[shifts]\ncalendar = "http://example.org/x.ics"',
        '[shifts] calendar: is not an https:// address; for example calendar = "shifts.ics"',
    ),
    (
        '[board]\narchive_link = "http://lists.example.org/{message_id}"',
        (
            "[board] archive_link: is not an https:// address; for example archive_link = "
            '"https://lists.example.org/archives/dast/message/{message_id}"'
        ),
    ),
    (
        '[board]\narchive_link = "https://lists.example.org/x"',
        (
            "[board] archive_link: must have {message_id} once, after the host, and no other braces; for example archive_link = "
            '"https://lists.example.org/archives/dast/message/{message_id}"'
        ),
    ),
    (
        '[board]\narchive_link = "https://{message_id}.example.org/"',
        (
            "[board] archive_link: must have {message_id} once, after the host, and no other braces; for example archive_link = "
            '"https://lists.example.org/archives/dast/message/{message_id}"'
        ),
    ),
    (
        '[board]\narchive_link = "https://lists.example.org/{message_id}/{list}"',
        (
            "[board] archive_link: must have {message_id} once, after the host, and no other braces; for example archive_link = "
            '"https://lists.example.org/archives/dast/message/{message_id}"'
        ),
    ),
    (
        '[board]\narchive_link = "https://u:p@lists.example.org/{message_id}"',
        (
            "[board] archive_link: is not an https:// address; for example archive_link = "
            '"https://lists.example.org/archives/dast/message/{message_id}"'
        ),
    ),
    (
        '[board]\narchive_link = "javascript:{message_id}"',
        (
            "[board] archive_link: is not an https:// address; for example archive_link = "
            '"https://lists.example.org/archives/dast/message/{message_id}"'
        ),
    ),
    (
        '[store]\nurl = "mysql://x"',
        (
            "[store] url: is neither sqlite:///FILE nor postgresql+psycopg://USER@HOST/NAME; "
            'for example url = "sqlite:///helpdesk.db"'
        ),
    ),
    (
        '[store]\nurl = "postgresql+psycopg://dast@db/dast"',
        (
            "[board]: needs a secret_file, because the database is no SQLite file to put one beside;"
            ' write secret_file = "helpdesk.secret" (the first run makes the file)'
        ),
    ),
    (
        '[store]\npassword_file = "x"',
        "[store]: has a password, and SQLite asks for none",
    ),
    (
        '[auth]\nauthserv_ids = "mx"',
        '[auth] authserv_ids: must be an array [ ... ]; for example authserv_ids = ["mx.example.org"]',
    ),
    (
        '[[rule]]\nname = "r"\nwhen = { header = "X" }',
        ('[[rule]] when.header: must be a table { ... }; for example header = { "X-Mailer" = "Outlook" }'),
    ),
    ('[[rule]]\nname = "r"\nwhen = "x"', "[[rule]] when: must be written [rule.when]"),
    (
        '[auth]\ntrusted_lists = ["a b"]',
        (
            "[auth] trusted_lists: is not a list's id (what stands between < and > in its"
            ' List-Id header); for example trusted_lists = ["atlas-users.lists.example.org"]'
        ),
    ),
    (
        '[[destination]]\nlabel = "x"\nmode = "track"\ndomain = "a b"',
        ('[[destination]] domain: is not a domain name; for example domain = "ggus.example.org"'),
    ),
    (
        '[[label]]\nname = "x"\nmeaning = "' + "y" * 501 + '"',
        (
            "[[label]] meaning: must be at most 500 characters long; "
            'for example meaning = "datasets of mc08 lack files"'
        ),
    ),
    (
        '[shifts]\ncalendar = "https://[x"',
        ('[shifts] calendar: is not an https:// address; for example calendar = "shifts.ics"'),
    ),
    (
        '[store]\nurl = "sqlite:///x.db?timeout=5"',
        (
            "[store] url: is neither sqlite:///FILE nor "
            'postgresql+psycopg://USER@HOST/NAME; for example url = "sqlite:///helpdesk.db"'
        ),
    ),
    (
        (
            '[[destination]]\nlabel = "x"\nmode = "track"\ndomain = "x.example"\n'
            '[[destination]]\nlabel = "x"\nmode = "track"\ndomain = "x.example"'
        ),
        "[[destination]] label: there is another [[destination]] with label = 'x'",
    ),
    (
        '[[site]]\nname = "A"\naliases = ["A", "B"]\n[[site]]\nname = "B"',
        "[[site]] aliases: B is a name of another site",
    ),
    (
        '[[site]]\nname = "A"\n[[label]]\nname = "Site Trouble"',
        "[[label]] name: 'Site Trouble' and 'site_trouble' have the same keyword site_trouble",
    ),
    (
        '[[people]]\nname = "A"\nroles = ["shifter"]\naddresses = ["a@x.example", "A@x.example"]',
        "[[people]] addresses: A@x.example is there twice",
    ),
    ("caps = 5\n", "[caps]: must be written [caps]"),
    ("[people]\n", "[[people]]: must be written [[people]], once for each"),
    (
        '[[people]]\nname = "A"\nroles = ["shifter"]',
        '[[people]] addresses: missing; write addresses = ["ann@example.org"]',
    ),
    (
        '[[people]]\nname = "A"\nroles = ["boss"]\naddresses = ["a@example.org"]',
        "[[people]] roles: must be 'shifter', 'expert', 'admin' or 'contact'; for example roles = [\"shifter\"]",
    ),
    (
        '[[people]]\nname = "A"\nroles = []\naddresses = ["a@example.org"]',
        '[[people]] roles: must not be empty; for example roles = ["shifter"]',
    ),
    (
        '[[people]]\nname = "A"\nroles = ["shifter"]\naddresses = ["a at example.org"]',
        '[[people]] addresses: is not an e-mail address; for example addresses = ["ann@example.org"]',
    ),
    (
        '[[people]]\nname = "A"\nroles = ["shifter"]\naddresses = ["a@example.org"]\ntimezone = "Mars/Base"',
        "[[people]] timezone: 'Mars/Base' is not a time zone of the IANA database; for example timezone = \"Europe/Zurich\"",
    ),
    (
        '[[people]]\nname = "A"\nroles = ["shifter"]\naddresses = ["Dast@lists.example.org"]',
        "[[people]] addresses: dast@lists.example.org is the list's address: no person writes from it",
    ),
    (
        (
            '[[people]]\nname = "A"\nroles = ["shifter"]\naddresses = ["a@example.org"]\n'
            '[[people]]\nname = "B"\nroles = ["shifter"]\naddresses = ["A@Example.org"]'
        ),
        "[[people]] addresses: A@Example.org belongs to two people",
    ),
    ('[[destination]]\nlabel = "GGUS"', "[[destination]]: mode = mail needs an address"),
    (
        '[[destination]]\nlabel = "WAITING"\naddress = "a@example.org"',
        "[[destination]] label: WAITING is a built-in label and cannot be a destination's",
    ),
    (
        '[[destination]]\nlabel = "x"\naddress = "a@example.org"\nhours = "Mon-Fri 17:00-09:00"',
        '[[destination]] hours: opens after it closes; for example hours = "Mon-Fri 09:00-17:00 Europe/Zurich"',
    ),
    (
        '[[label]]\nname = "a b"\n[[label]]\nname = "A_B"',
        "[[label]] name: 'A_B' and 'a b' have the same keyword a_b",
    ),
    ('[[label]]\nname = "Waiting"', "[[label]] name: 'Waiting' and 'WAITING' have the same keyword waiting"),
    (
        '[[label]]\nname = "x"\n[[label]]\nname = "x"',
        "[[label]] name: there is another [[label]] with name = 'x'",
    ),
    (
        '[[label]]\nname = "URGENT"\nkind = "info"',
        "[[label]] kind: URGENT is a state label already; write kind = 'state'",
    ),
    (
        '[[label]]\nname = "Junk"',
        '[[label]] name: is a mark that mail clients set for themselves; for example name = "mc08 dataset problem"',
    ),
    (
        '[[label]]\nname = "x"\ncolour = "red"',
        '[[label]] colour: is not a colour #rrggbb; for example colour = "#2f7d32"',
    ),
    (
        '[[rule]]\nname = "r"\nwhen = { subject = "(a" }',
        '[[rule]] when.subject: is not a search expression (RE2 syntax): missing ): (a; for example subject = "\\\\bmc08\\\\b"',
    ),
    (
        '[[rule]]\nname = "r"\nwhen = { header = { X-A = "(?=x)" } }',
        (
            "[[rule]] when.header.X-A: is not a search expression (RE2 syntax): invalid perl operator: (?=; "
            'for example header = { "X-Mailer" = "Outlook" }'
        ),
    ),
    (
        '[[rule]]\nname = "r"\nwhen = { header = { "X A" = "x" } }',
        '[[rule]] when.header.X A: is not the name of a mail header; for example header = { "X-Mailer" = "Outlook" }',
    ),
    ('[[rule]]\nname = "r"\nwhen = {}', "[[rule]] when: is empty: it would match every mail"),
    (
        '[[rule]]\nname = "r"\nwhen = { role = "boss" }',
        "[[rule]] when.role: must be 'user', 'shifter', 'expert', 'admin' or 'bot'; for example role = \"user\"",
    ),
    (
        '[[rule]]\nname = "r"\nwhen = { subject = "x" }\nadd = ["WATING"]',
        "[[rule]] add: there is no label 'WATING'; did you mean 'WAITING'?",
    ),
    (
        '[[rule]]\nname = "r"\nwhen = { subject = "x" }\nadd = ["URGENT"]\nremove = ["URGENT"]',
        "[[rule]] remove: the rule adds 'URGENT' and removes it",
    ),
    (
        '[[site]]\nname = "X"\ncontacts = ["Bob"]',
        "[[site]] contacts: there is no person 'Bob' in [[people]]; known: none",
    ),
    (
        '[[site]]\nname = "X"\n[[site.queue]]\nexperiment = "a"',
        '[[site.queue]] queue: missing; write queue = "desy-atlas"',
    ),
    (
        '[[cocktail]]\nname = "c"\ntemplates = { x = 1 }',
        "[[cocktail]] templates.x: there is no [[template]] 'x'; known: none",
    ),
    (
        (
            '[robots]\nhtcondor.queues = { desy = "true" }\n[[site]]\nname = "X"\n'
            '[[site.queue]]\nexperiment = "a"\nengine = "htcondor"\nqueue = "desi"'
        ),
        "[[site.queue]] queue: there is no 'desi' in [robots.htcondor] queues; did you mean 'desy'?",
    ),
    (
        '[robots]\narc.queues = { desy = "https://arc.example.org/arex" }',
        "[robots] arc: needs a certificate_file or a token_file",
    ),
    (
        '[robots]\narc.queues = { desy = "http://arc.example.org/arex" }\narc.token_file = "t"',
        (
            "[robots] arc.queues.desy: is not an https:// address;"
            ' for example queues = { "desy-atlas" = "https://arc.example.org/arex#grid" }'
        ),
    ),
    (
        (
            '[robots]\narc.queues = { desy = "https://arc.example.org/arex" }\narc.token_file = "t"\n'
            '[[site]]\nname = "X"\n[[site.queue]]\nexperiment = "a"\nengine = "arc"\nqueue = "desy"\n'
            '[[dataset]]\nname = "d"\ninputs = ["d.root"]\n'
            '[[template]]\nname = "t"\nexperiment = "a"\npayload = "read"\ndataset = "d"'
        ),
        (
            "[[template]] dataset: jobs of the engine arc cannot read 'd.root':"
            " inputs of their data sets are http(s):// or root:// URLs"
        ),
    ),
    ("[robots]\nmail_from_hour = 20", "[robots]: mail_from_hour must be before mail_until_hour"),
]


def with_more(more: str) -> str:
    """The minimal configuration with more keys: top-level ones first, those of its own tables inside these."""
    header, _, keys = more.partition("\n")
    if not header.startswith("["):
        return f"{more}\n{MINIMAL}"
    return MINIMAL.replace(header, f"{header}\n{keys}") if header in MINIMAL else MINIMAL + more


@pytest.mark.parametrize(("more", "problem"), PROBLEMS, ids=[problem for _, problem in PROBLEMS])
def test_each_mistake_has_one_sentence_with_its_remedy(more: str, problem: str) -> None:
    """A mistake in a right configuration is one problem, in words for the person who writes the file."""
    assert [re.sub(r"^helpdesk\.toml:\d+: ", "", words) for words in problems(with_more(more))] == [problem]


LOGINS = [
    (
        'password_env = "PW"',
        "has more than one of password_file, password_env, password_credential and oauth2",
    ),
    (
        'oauth2.token_file = "t"',
        "has more than one of password_file, password_env, password_credential and oauth2",
    ),
    ("", ""),
]


@pytest.mark.parametrize(("line", "problem"), LOGINS)
def test_a_login_has_one_secret(line: str, problem: str) -> None:
    """Two places for one secret are a contradiction."""
    text = MINIMAL.replace('username = "dast"', f'username = "dast"\n{line}')
    if not problem:
        assert settings_of(HERE, text).imap.has_secret
    else:
        assert problems(text) == [f"helpdesk.toml:4: [imap]: {problem}"]


GRANTS = [
    ("{}", "needs exactly one of token_command, token_file and token_url"),
    (
        '{ token_file = "t", token_command = ["x"] }',
        "needs exactly one of token_command, token_file and token_url",
    ),
    ('{ token_url = "https://x.example/t" }', "token_url with grant = client_credentials needs a client_id"),
    (
        '{ token_url = "https://x.example/t", client_id = "a" }',
        "token_url with grant = client_credentials needs a client_secret_file",
    ),
    (
        '{ token_url = "https://x.example/t", client_id = "a", grant = "refresh_token" }',
        "token_url with grant = refresh_token needs a refresh_token_file",
    ),
]


@pytest.mark.parametrize(("oauth2", "problem"), GRANTS)
def test_oauth2_needs_what_its_grant_needs(oauth2: str, problem: str) -> None:
    """A grant without its credentials is a problem of the configuration, not of the first login."""
    text = MINIMAL.replace('password_file = "imap-password"', f"oauth2 = {oauth2}")
    assert problems(text) == [f"helpdesk.toml:7: [imap] oauth2: {problem}"]


def test_the_grant_follows_the_files() -> None:
    """With a refresh token's file the grant is refresh_token, and a token endpoint on this machine needs no TLS."""
    text = MINIMAL.replace(
        'password_file = "imap-password"',
        'oauth2 = { token_url = "http://127.0.0.1:8080/t", client_id = "a", refresh_token_file = "r" }',
    )
    oauth2 = settings_of(HERE, text).imap.oauth2
    assert oauth2 is not None
    assert oauth2.grant == "refresh_token"


SMTP = [
    (
        'username = "dast"',
        "[smtp]: has a username and needs a password_file, password_env, password_credential or oauth2",
    ),
    ('password_file = "x"', "[smtp]: has a secret and no username"),
]


@pytest.mark.parametrize(("line", "problem"), SMTP)
def test_the_way_out_is_complete(line: str, problem: str) -> None:
    """A half login is refused."""
    found = problems(MINIMAL + line)
    assert [re.sub(r"^helpdesk\.toml:\d+: ", "", words) for words in found] == [problem]


def test_folders_have_one_purpose_each() -> None:
    """A folder that is both the archive and something else is refused."""
    text = MINIMAL.replace('username = "dast"', 'username = "dast"\narchive = "INBOX"')
    assert problems(text) == ["helpdesk.toml:4: [imap]: names the folder INBOX for two purposes"]


NEITHER = "[store] url: is neither sqlite:///FILE nor postgresql+psycopg://USER@HOST/NAME; "
HIDDEN = "[store] url: has a password behind the ?, which is no place for it; write password_file; "
EXAMPLE = 'for example url = "sqlite:///helpdesk.db"'
TWICE = "[store]: has more than one of password_file, password_env, password_credential and a password in url"

ADDRESSES = [
    ("dast:hunter2@db:port/dast", "", NEITHER + EXAMPLE),
    ("dast:hun@ter2@db/dast", "", NEITHER + EXAMPLE),
    ("dast:hun/ter2@db/dast", "", NEITHER + EXAMPLE),
    ("dast:hunter2@db", "", NEITHER + EXAMPLE),
    ("dast:hunter2@[::1/dast", "", NEITHER + EXAMPLE),
    ("db/dast?user=dast&password=hunter2", "", HIDDEN + EXAMPLE),
    ("db/dast?sslpassword=hunter2", "", HIDDEN + EXAMPLE),
    ("dast:hunter2@db/dast", 'password_env = "P"', TWICE),
    ("dast@db/dast", 'password_env = "P"\npassword_file = "p"', TWICE),
]


@pytest.mark.parametrize(("address", "more", "problem"), ADDRESSES)
def test_an_address_of_a_database_that_is_wrong_is_not_repeated(
    address: str, more: str, problem: str
) -> None:
    """What cannot be read as it was meant is refused, a password has one place, and no problem quotes one."""
    text = MINIMAL.replace("[board]", '[board]\nsecret_file = "s"')
    text += f'[store]\nurl = "postgresql+psycopg://{address}"\n{more}'
    assert [words.partition(": ")[2] for words in problems(text)] == [problem]


@pytest.mark.parametrize(
    ("address", "has_password"),
    [
        ("dast@db.example.org:5433/dast", False),
        ("/dast?host=/run/postgresql", False),
        ("dast:h%40nter%2F2@[::1]/dast?sslmode=verify-full", True),
    ],
)
def test_an_address_of_a_database_that_is_right(address: str, has_password: bool) -> None:
    """A port, a folder of sockets, an address in brackets and options are understood, and a password is noticed."""
    text = MINIMAL.replace("[board]", '[board]\nsecret_file = "s"')
    store = settings_of(HERE, f'{text}[store]\nurl = "postgresql+psycopg://{address}"\n').store
    assert (store.has_password, store.file) == (has_password, None)
    assert "h%40" not in f"{store} {store!r}"
