"""`helpdesk demo`: the board at work, on embedded servers, without a configuration."""

from pathlib import Path
from typing import Annotated

import typer

from helpdesk.cli import screen, shell
from helpdesk.errors import UsageError

EXTRA = frozenset({"pymap", "pysasl", "proxyprotocol", "aiosmtpd"})
"""What the extra `demo` brings."""

ImapPort = Annotated[
    int,
    typer.Option("--imap-port", min=0, max=65535, metavar="PORT", help="Port for IMAP; 0: any that is free."),
]
SmtpPort = Annotated[
    int,
    typer.Option("--smtp-port", min=0, max=65535, metavar="PORT", help="Port for SMTP; 0: any that is free."),
]
Pace = Annotated[
    float | None,
    typer.Option(
        "--pace",
        min=0,
        max=10,
        metavar="FACTOR",
        show_default="1 in a terminal, else 0",
        help="1: a minute of reading, or two where the machine is busy; 2: twice as slow; 0: without a pause.",
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed", metavar="NUMBER", help="Other people and places; the same number tells the same story."
    ),
]
Stay = Annotated[
    bool,
    typer.Option("--stay", help="Keep the servers up at the end, also without a terminal, until Ctrl-C."),
]
Gallery = Annotated[
    Path | None,
    typer.Option(
        "--gallery",
        metavar="FILE",
        dir_okay=False,
        show_default="a temporary file that is named at the end",
        help="Where the page with every mail that the board sent is written.",
    ),
]
Reply = Annotated[
    int | None,
    typer.Option(
        "--reply",
        min=1,
        max=65535,
        metavar="PORT",
        help="Only this: let a user answer a closed thread of the demo that runs with this SMTP port.",
    ),
]


def demo(  # noqa: PLR0913, PLR0917 -- the options of a command are its arguments
    imap_port: ImapPort = 0,
    smtp_port: SmtpPort = 0,
    pace: Pace = None,
    seed: Seed = 2009,
    stay: Stay = False,
    gallery: Gallery = None,
    reply: Reply = None,
) -> None:
    """Watch two weeks of a support list in a minute or two; needs no server and no configuration.

    IMAP and SMTP servers run inside, on this machine only; users, shifters and experts write and label; the production
    daemon keeps the board.  Five slow scenes show its promises, and look them up on the servers.  Then it is your turn:
    the servers stay up, and any mail client can connect.  Without a terminal: plain lines, and the exit code says
    whether everything was as promised (0) or not (1).
    """
    try:
        from helpdesk.demo.reply import reply as answer  # noqa: PLC0415 -- the extra may not be installed
        from helpdesk.demo.run import Options  # noqa: PLC0415
        from helpdesk.demo.run import demo as play  # noqa: PLC0415
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        raise UsageError(
            f"the demo's servers are not installed ({error.name} is missing); in a checkout: make demo, or pip install '.[demo]'"
        ) from error
    if reply is not None:
        screen.say(answer(reply))
        return
    shell.finish(play(Options(imap_port, smtp_port, pace, seed, stay, gallery)))
