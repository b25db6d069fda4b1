"""Commands that make a board work: init and check."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from helpdesk import checks
from helpdesk.cli import screen, shell
from helpdesk.errors import ConfigError, UsageError
from helpdesk.findings import Finding, exit_code
from helpdesk.init import write_config

_NEXT = """\
{path} is written; it observes: nothing is changed and nobody outside is mailed.  Next:

  1. put the mailbox's passwords into the files that it names (mode 0600)
  2. write down who is on the team ([[people]]) and where you escalate to ([[destination]])
  3. helpdesk --config {path} check     tries every server, writes nothing
  4. helpdesk --config {path} plan      what a cycle would do
  5. helpdesk --config {path} run       the daemon; when you like the plan: act = "act"
"""


def init(
    name: Annotated[
        str | None, typer.Option("--name", help="The board's short name, as in dast-7kq2m.")
    ] = None,
    list_address: Annotated[
        str | None, typer.Option("--list-address", "--list", help="The mailing list that users write to.")
    ] = None,
    host: Annotated[str | None, typer.Option("--host", help="The IMAP server of the mailbox.")] = None,
    mailbox: Annotated[
        str | None,
        typer.Option(
            "--mailbox", help="The mailbox's own address and login name; a guess is written without."
        ),
    ] = None,
    config: shell.Config = None,
) -> None:
    """Write a first, commented configuration, and say what comes next.  A file that exists stays as it is.

    At a terminal, what is missing is asked for.
    """
    path = config or shell.DEFAULT_CONFIG
    answers = {"--name": name, "--list-address": list_address, "--host": host}
    _ask(answers)
    write_config(
        path,
        name=answers["--name"] or "",
        list_address=answers["--list-address"] or "",
        host=answers["--host"] or "",
        mailbox=mailbox,
    )
    screen.block(_NEXT.format(path=path))


_QUESTIONS = {
    "--name": "Short name of the board (threads are called NAME-7kq2m)",
    "--list-address": "Address of the mailing list",
    "--host": "IMAP server",
}


def _ask(answers: dict[str, str | None]) -> None:
    missing = [option for option, answer in answers.items() if answer is None]
    if missing and not screen.interactive():
        raise UsageError(f"missing: {', '.join(missing)}; see `helpdesk init --help`")
    for option in missing:
        answers[option] = str(typer.prompt(_QUESTIONS[option]))


def check(
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Write a canary into helpdesk-probe and see what the server keeps."),
    ] = False,
    as_json: shell.Json = False,
    now: shell.Now = None,
    config: shell.Config = None,
) -> None:
    """Validate the configuration and try every server; without --probe nothing is written anywhere.

    Exit code 1: something is wrong.  3: a server could not be reached.  A line that says what to do is worth reading
    even if it is fine.
    """
    try:
        settings = shell.load(config)
    except ConfigError as error:
        if as_json:
            screen.document(_document([Finding("config", ok=False, what=one) for one in error.problems]))
        raise
    found = checks.findings(settings, now, screen.progress, probe=probe)
    if as_json:
        screen.document(_document(found))
    else:
        screen.table(("", "check", "what"), [row for one in found for row in _rows(one)], fixed=2)
    shell.finish(exit_code(found))


def _mark(finding: Finding) -> str:
    return "FAILED" if not finding.ok else "note" if finding.todo else "ok"


def _rows(finding: Finding) -> Iterator[tuple[str, str, str]]:
    yield _mark(finding), finding.name, finding.what
    if finding.todo:
        yield "", "", f"-> {finding.todo}"


def _document(found: Sequence[Finding]) -> dict[str, object]:
    return {"ok": all(one.ok for one in found), "checks": [one.as_json() for one in found]}
