"""How users write of failing jobs, as material for `tests.measure_fault`: two sets of forms, in other words each.

The code was tuned on TUNED.  HELD was written when it was done, and nothing was changed for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ROBOTS_SAY = "srmcp of {path} failed: the checksum does not fit"
"""What the test jobs print, everywhere."""


@dataclass(frozen=True, slots=True)
class Forms:
    """One set."""

    coded: Mapping[
        str, Sequence[str]
    ]  # by phase: with a code, in words of a table, or what the robots' jobs print, too
    words_only: Mapping[str, Sequence[str]]  # the same with nothing that a table knows
    own_errors: Sequence[str]  # the user's
    sentences: Sequence[str]  # that name a site
    questions: Sequence[str]  # that name one, and tell of no failure
    similar: Sequence[str]  # what is no name
    signed: Sequence[str]
    unmarked: Sequence[str]  # signatures with no farewell, no rule, and another name than the sender's
    elsewhere: Sequence[str]  # another site fails, this one works
    quoted: Sequence[str]  # somebody else's words, as clients leave them below an answer


TUNED = Forms(
    coded={
        "stage-in": (
            "pilot exit code 1099: Get error: Staging input file failed",
            "2026-06-{day} 04:12:33 ERROR pilot: error code 1145, an input file arrived with another MD5",
            "pilotErrorCode=1151 pilotErrorDiag=Get error: copy command timed out",
            "The job ended with payload:12.",
            "Job 1234567{day} failed: exit code 1103",
            "wmcore 8021 on all of them",
            "Error: an input file could not be copied from {path}",
            "ERROR: srmcp of {path} failed: the checksum does not fit",
        ),
        "stage-out": (
            "pilot exit code 1137: Put error: Error in copying the file from job workdir to localSE",
            "Exit code: 60311",
            "pilotErrorCode: 1152",
            "Error: an output file could not be copied to {path}",
            "ERROR: srmcp of {path} failed: the checksum does not fit",
        ),
        "environment": (
            "pilot error code 1377",
            "payload:50 in every job",
            "Job failed with exit code 1110",
            "pilotErrorCode: 1334, set-up failed",
            "ls: /cvmfs/atlas.cern.ch: Transport endpoint is not connected",
            "ERROR: srmcp of {path} failed: the checksum does not fit",
        ),
    },
    words_only={
        "stage-in": (
            "the jobs cannot read their input any more",
            "Get error: lsm-get failed with no further details",
        ),
        "stage-out": (
            "they run fine and then lose their output",
            "Put error: lsm-put failed",
        ),
        "environment": (
            "the release is not found there",
            "setup.sh: no such file or directory",
        ),
    },
    own_errors=(
        "KeyError: 'muon_pt'",
        "Error: your proxy has expired",
        "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
        "pilot error code 1305",
        "error: 'TLorentzVector' was not declared in this scope",
        "Segmentation fault (core dumped)",
    ),
    sentences=(
        "All my jobs at {site} fail since this morning:",
        "I submitted to {site} and get",
        "Jobs in {site}: ",
        "What is wrong with {site}?",
        "half of my jobs ran at {site} and crashed like this",
        "(site: {site})",
    ),
    questions=(
        "How do I see the log files of my jobs at {site}?",
        "Is there a way to run only at {site}?",
        "Who do I ask for more quota at {site}?",
        "My colleague at {site} told me about your service.",
        "Does {site} have the new release?",
    ),
    similar=(
        "{site}2",
        "{site}-TEST",
        "{site}_DATADISK",
        "my{site}",
        "https://monitor.example.org/{site}/jobs",
        "/data/{site}/user",
        "{site}.example.org",
        "ann@{site}",
        "test-{site}",
    ),
    signed=(
        "-- \nAnn Ash\n{site}, Computing",
        "Cheers,\nAnn\n{site}",
        "Best regards,\n\n  Ann Ash\n  {site} grid support\n  Tel. 12 34",
        "Ann Ash\n{site}",
        "Mit freundlichen Grüßen\nAnn Ash ({site})",
        "_______________\nAnn Ash, {site}",
    ),
    unmarked=(
        "Dr. B. Birch\n{site} Computing Group\nTel. +49 40 1234",
        "B. Birch, {site}",
        "{site}\nNotkestr. 85",
    ),
    elsewhere=(
        "My jobs at {fine} fail, at {site} they run fine:",
        "{site} works, but {fine} does not:",
        "I moved my jobs from {site} to {fine} and get",
    ),
    quoted=(
        "On Mon, 8 Jun 2026 at 10:00, Bob Birch <bob@x.example> wrote:\n\n> {sentence}\n>\n> {error}\n",
        "-----Original Message-----\nFrom: Bob Birch\nSent: Monday\nTo: dast\nSubject: jobs\n\n{sentence}\n\n{error}\n",
        "________________________________\nFrom: Bob Birch <bob@x.example>\nSent: Monday, June 8, 2026 10:00\nTo: dast\nSubject: jobs\n\n{sentence}\n{error}\n",
        "---------- Forwarded message ---------\nFrom: Bob <bob@x.example>\nDate: Mon, 8 Jun 2026\nSubject: jobs\nTo: <dast@x.example>\n\n{sentence}\n{error}\n",
        "> {sentence}\n> {error}\n",
    ),
)

HELD = Forms(
    coded={
        "stage-in": (
            "transExitCode 0, pilotErrorCode 1099, exeErrorCode 0",
            "(1099, 'Get error: Failed to get LFC replicas')",
            "CMSSW exit code 8028 on all of them",
            "the storage cannot be reached (payload:11)",
            "WARNING srmcp of {path} failed: the checksum does not fit",
            "pilot:1361 | a remote file could not be opened",
            "Error details: pilot: replica not found, pilotErrorCode=1100",
            "FileOpenError, exit status 8021, {path}",
        ),
        "stage-out": (
            "Error code 60317: forced timeout for stuck stage out",
            "job exit code (60311)",
            "Pilot 1152: Put error: copy command timed out",
            "payload:40",
            "WARNING srmcp of {path} failed: the checksum does not fit",
            "exited with code 60307 after copying {path}",
        ),
        "environment": (
            "pilot 1186: the software folder does not exist",
            "exit status 1377",
            "df: {path}: Transport endpoint is not connected",
            "pilotErrorCode = 1110 (set-up)",
            "WARNING srmcp of {path} failed: the checksum does not fit",
            "payload exit 50, a package is broken",
        ),
    },
    words_only={
        "stage-in": (
            "TDCacheFile: open of {path} did not work",
            "input files are not staged",
        ),
        "stage-out": (
            "registration of the output did not happen",
            "the SE takes nothing",
        ),
        "environment": (
            "asetup does not know the release",
            "python2.4 is too old on the nodes",
        ),
    },
    own_errors=(
        "AttributeError: 'NoneType' object has no attribute 'GetEntries'",
        "ERROR: voms-proxy-init: your certificate has expired",
        "IncludeError: include file MyPkg/jobOptions.py can not be found",
        "exit code 139",
        "error: 'vector' in namespace 'std' does not name a template type",
        "ValueError: need more than 1 value to unpack",
    ),
    sentences=(
        "Since yesterday evening everything that I send to {site} dies.",
        "Site: {site}",
        "PanDA shows 100 % failures for me ({site}).",
        "Could you check {site}, please?",
        "[{site}] 35 of 40 jobs failed",
        "Is {site}/storage broken?",
        "{site}: 35 of 40 failed",
        'We see at "{site}" the following',
    ),
    questions=(
        "When is the next downtime of {site}?",
        "We plan to move 20 TB to {site}.",
        "I will give a talk at {site} next week.",
        "Can you add {site} to my group's list?",
    ),
    similar=(
        "{site}.local",
        "{site}01",
        "pre{site}",
        "{site}-T3",
        "http://{site}:8080",
        "{site}@FNAL",
        "{site}_SCRATCHDISK",
        "root://{site}//eos",
    ),
    signed=(
        "--\nAnn Ash | {site} | +41 22 767",
        "Viele Grüße aus {site}\nAnn",
        "Best,\nA. A.\nPhysics Department, {site}",
        "Thanks a lot!\n\nAnn\n{site} / Hamburg",
        "Ann Ash, Ph.D. student at {site}",
        "Sent from my phone\n{site}",
    ),
    unmarked=(
        "Prof. C. Cedar\nInstitute of Physics, {site}",
        "C. Cedar | {site} | Office 12",
        "Carl\n{site}\nBuilding 1a\nOffice 12",
    ),
    elsewhere=(
        "Only {fine} fails; {site} was fine yesterday.",
        "Everything at {fine} ends so, nothing at {site} does:",
        "Why does {fine} fail when {site} is ok?",
    ),
    quoted=(
        "Am 08.06.2026 um 10:00 schrieb Bob Birch:\n> {sentence}\n> {error}\n",
        "Le lun. 8 juin 2026 à 10:00, Bob Birch <bob@x.example> a écrit :\n\n> {sentence}\n>\n> {error}\n",
        "Quoting Bob Birch <bob@x.example>:\n\n> {sentence}\n> {error}\n",
        "*From:* Bob Birch <bob@x.example>\n*Sent:* Monday, June 8, 2026 10:00\n*To:* dast\n*Subject:* jobs\n\n{sentence}\n\n{error}\n",
        "Bob Birch wrote:\n| {sentence}\n| {error}\n",
        "Begin forwarded message:\n\nFrom: Bob Birch <bob@x.example>\nSubject: jobs\nDate: 8 June 2026\n\n{sentence}\n{error}\n",
    ),
)
