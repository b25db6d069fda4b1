"""Clues: what an expert asks first is found, word for word, and nothing is guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.clues import LIMITS, MAX_LINE, MAX_LINES, Clue, Sort, clues

MAIL = """\
Dear team,

since 04:00 all my jobs fail at DESY-HH with Athena 15.0.0, the same code ran on Friday. It is
ganga job 117.3, PandaID 1021354326.

    Py:Athena            INFO leaving with code 0: "successful run"
    ERROR 1099: could not stage in mc08.105802.JF17_pythia_jet_filter.recon.AOD.e347_s462_r541
    Traceback (most recent call last):
      File "run.py", line 12, in stage
        copy(source)
    IOError: [Errno 13] Permission denied: '/pool/AOD.pool.root'

What can I do? Ann
"""


def texts(text: str, sort: Sort) -> list[str]:
    return [clue.text for clue in clues(text) if clue.sort is sort]


def test_a_mail_tells_what_broke_where_and_with_what() -> None:
    """The expert's questions are answered in his order: error, job, site, dataset, release."""
    assert clues(MAIL) == (
        Clue(
            Sort.ERROR,
            "IOError: [Errno 13] Permission denied: '/pool/AOD.pool.root'",
            "IOError: [Errno 13] Permission denied: '/pool/AOD.pool.root'",
            10,
        ),
        Clue(
            Sort.ERROR,
            "ERROR 1099",
            "ERROR 1099: could not stage in mc08.105802.JF17_pythia_jet_filter.recon.AOD.e347_s462_r541",
            6,
        ),
        Clue(Sort.JOB, "117.3", "ganga job 117.3, PandaID 1021354326.", 3),
        Clue(Sort.JOB, "1021354326", "ganga job 117.3, PandaID 1021354326.", 3),
        Clue(
            Sort.SITE,
            "DESY-HH",
            "since 04:00 all my jobs fail at DESY-HH with Athena 15.0.0, the same code ran on Friday. It is",
            2,
        ),
        Clue(
            Sort.DATASET,
            "mc08.105802.JF17_pythia_jet_filter.recon.AOD.e347_s462_r541",
            "ERROR 1099: could not stage in mc08.105802.JF17_pythia_jet_filter.recon.AOD.e347_s462_r541",
            6,
        ),
        Clue(
            Sort.RELEASE,
            "Athena 15.0.0",
            "since 04:00 all my jobs fail at DESY-HH with Athena 15.0.0, the same code ran on Friday. It is",
            2,
        ),
    )


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("lfc_stat of the replica: LFC_NOENT", "LFC_NOENT"),
        ("[SE][StatusOfGetRequest][SRM_FAILURE] no such pool", "SRM_FAILURE"),
        ("the monitor says transExitCode=40", "transExitCode=40"),
        ("pilotErrorCode: 1099, and nothing else", "pilotErrorCode: 1099"),
        ("glexec failed with code 203", "glexec failed"),
        ("Got a job held event, reason: Globus error 7: authentication failed", "Globus error 7: authentication failed"),
        ("An exception of category 'FileOpenError' occurred while", "An exception of category 'FileOpenError' occurred"),
        ("  what():  std::bad_alloc", "std::bad_alloc"),
        ("athena.py: line 3: 4711 SegV", "SegV"),
        ("/usr/bin/run: line 3: Segmentation fault (core dumped)", "Segmentation fault"),
        ("(1) Abnormal termination (signal 11)", "termination (signal 11"),
        ("slurmstepd: error: *** JOB 4711 ON wn117 CANCELLED AT 04:00 DUE TO TIME LIMIT ***", "CANCELLED AT 04:00 DUE TO TIME LIMIT"),
        ("java.io.IOException: no route", "java.io.IOException: no route"),
        ("> ImportError: No module named ganga", "ImportError: No module named ganga"),
        ("*Caused by*: nothing", None),
        ("Caused by: java.net.ConnectException", "Caused by: java.net.ConnectException"),
        ("lcg-cp: Communication error on send", "Communication error on send"),
        ("Connection to the LFC timed out after 600 seconds.", "Connection to the LFC timed out after 600 seconds"),
        ("stage-in timed out after 300 s", "timed out after 300 s"),
        ("the meeting timed out after lunch", None),
        ("all my jobs fail with 1213", "fail with 1213"),
        ("athena exited with 65", "exited with 65"),
        ("the job finished, exit code 134", "exit code 134"),
        ("Exit status: 139", "Exit status: 139"),
        ("ErrorCode : 60311", "ErrorCode : 60311"),
        ("we see HTTP/1.1 503 now and then", "HTTP/1.1 503"),
        ("the server answers 404 Not Found", "404 Not Found"),
        ("AthenaPoolConverter   ERROR Failed to read", "ERROR Failed to read"),
        ("10:30:01 [FATAL] no licence", "no licence"),
        ("cp: cannot stat 'x': No such file or directory", "No such file or directory"),
        ("run.cxx:12:7: error: expected ';'", "run.cxx:12:7: error: expected ';'"),
        ("fatal: not a git repository", "fatal: not a git repository"),
        ("I get an error whenever I run this, everything fails", None),
        ("no errors at all, exit code 0, HTTP 200", None),
        ("we exited with 3 others through the back door", None),
        ("an ERROR occurs", None),
    ],
)  # fmt: skip
def test_an_error_is_what_a_machine_said(line: str, error: str | None) -> None:
    """Codes, exceptions, signals and messages of logs are errors; a person who says "error" has none for the expert."""
    assert texts(f"Hello,\n{line}\nThanks", Sort.ERROR) == ([] if error is None else [error])


@pytest.mark.parametrize(
    ("line", "job"),
    [
        ("Panda ID: 1021354326", "1021354326"),
        ("https://panda.example.org/server/pandamon/query?job=1021354326", "1021354326"),
        (
            "https://wms208.example.org:9000/X9kQabcdefghijklmnopqr",
            "https://wms208.example.org:9000/X9kQabcdefghijklmnopqr",
        ),
        ("https://ce.example.org:8443/CREAM123456789", "https://ce.example.org:8443/CREAM123456789"),
        ("see jobs(117.3).peek()", "117.3"),
        ("Ganga job 117", "117"),
        ("job 1234.0 is held", "1234.0"),
        ("1 job(s) submitted to cluster 1234.", "1234"),
        ("Submitted batch job 4711001", "4711001"),
        ("the log is slurm-4711001.out", "4711001"),
        ("Job <123456> is submitted to queue <long>", "123456"),
        ("1234567.pbs01.example.org", "1234567.pbs01.example.org"),
        ("JobID: 88121", "88121"),
        ("my job 88121 is stuck", "88121"),
        ("guid 8697FEB9-45d5-43ad-8b04-bfac42b9dd86", "8697FEB9-45d5-43ad-8b04-bfac42b9dd86"),
        ("[cid:8697feb9-45d5-43ad-8b04-bfac42b9dd86]", None),
        ("job 2 of 5 fails, 1234 events each", None),
    ],
)
def test_a_job_is_a_number_that_a_system_gave(line: str, job: str | None) -> None:
    """A number is a job's where a word says so; pictures and small counts are none."""
    assert texts(line, Sort.JOB) == ([] if job is None else [job])


@pytest.mark.parametrize(
    ("line", "sites"),
    [
        ("at DESY-HH, IN2P3-CC and CERN-PROD", ["DESY-HH", "IN2P3-CC", "CERN-PROD"]),
        ("CERN-PROD_DATADISK", ["CERN-PROD"]),
        ("UKI-NORTHGRID-MAN-HEP, praguelcg2-LCG2", ["UKI-NORTHGRID-MAN-HEP", "praguelcg2-LCG2"]),
        ("ANALY_GRIF-LPNHE", ["ANALY_GRIF-LPNHE"]),
        ("T2_DE_DESY and LCG.CERN.ch", ["T2_DE_DESY", "LCG.CERN.ch"]),
        ("UTF-8, SHA-256, RFC-2822, X550-T2, ISO-8859-1, CC-BY", []),
    ],
)
def test_a_site_has_a_name_of_the_grid(line: str, sites: list[str]) -> None:
    """Names of the grid's naming schemes are sites; other words in capitals with a hyphen are not."""
    assert texts(line, Sort.SITE) == sites


def test_a_site_of_the_configuration_is_known() -> None:
    """A configured name is found whatever it looks like, as a whole word, before what only looks like a site."""
    found = clues("between DESY-HH, freiburg and freiburg-test: out at Freiburg", sites=("freiburg", "wup"))
    assert [clue.text for clue in found] == ["freiburg", "DESY-HH"]


@pytest.mark.parametrize(
    ("line", "dataset"),
    [
        (
            "data09_cosmag.00121513.physics_IDCosmic.merge.AOD.r733_p37",
            "data09_cosmag.00121513.physics_IDCosmic.merge.AOD.r733_p37",
        ),
        ("Dataset mc08.1058 missing", "mc08.1058"),
        ("user09.AnnExample.ganga.117/", "user09.AnnExample.ganga.117/"),
        ("user.ann.test1.v2", "user.ann.test1.v2"),
        ("/TTbar/Summer09-MC_31X_V3-v1/GEN-SIM-RECO", "/TTbar/Summer09-MC_31X_V3-v1/GEN-SIM-RECO"),
        ("LFN: /store/user/ann/x.root", "/store/user/ann/x.root"),
        ("set user.name with git config user.name", None),
        ("in /home/ann/src/PROJECT/USER/x.cxx and data10.dat", None),
    ],
)
def test_a_dataset_has_the_form_of_its_experiment(line: str, dataset: str | None) -> None:
    """Datasets and logical files are found whole; paths and options are none."""
    assert texts(line, Sort.DATASET) == ([] if dataset is None else [dataset])


@pytest.mark.parametrize(
    ("line", "releases"),
    [
        ("Athena 15.0.0", ["Athena 15.0.0"]),
        ("CMSSW_3_1_1_patch1", ["CMSSW_3_1_1_patch1"]),
        ("DaVinci v24r0p1 under Ganga 5.3.2", ["DaVinci v24r0p1", "Ganga 5.3.2"]),
        ("asetup 21.2.40", ["21.2.40"]),
        ("in the next release 15 we hope", []),
    ],
)
def test_a_release_has_its_version(line: str, releases: list[str]) -> None:
    """Software is named with the version that the user had."""
    assert texts(line, Sort.RELEASE) == releases


def test_a_traceback_ends_with_its_last_line() -> None:
    """Of each traceback the last line counts, also where a client has wrapped the lines before it or marked them as quoted."""
    text = """\
> Traceback (most recent call last):
>   File "/a/very/long/path/to/a/module/that/a/client/wraps.py",
> line 12, in <module>
>     run()
> DQException
"""
    assert texts(text, Sort.ERROR) == ["DQException"]
    assert texts("Traceback (most recent call last):\n  (cut)\n", Sort.ERROR) == []


def test_the_same_error_is_told_once() -> None:
    """Lines that differ in their numbers only are one error, and a line is one error."""
    text = "".join(
        f"12:{minute} [ERROR] event {minute}0: no such file or directory\n" for minute in range(10, 60)
    )
    assert len(texts(text, Sort.ERROR)) == 1


def test_clues_are_few() -> None:
    """However much is in a text, no more comes back than an expert reads."""
    sites = [f"DESY-{letter}{other}" for letter in "ABCDE" for other in "ABCDE"]
    text = "\n".join(
        f"{site}: exit code {number + 1}, job {number + 4000}" for number, site in enumerate(sites)
    )
    found = clues(text)
    assert all(sum(clue.sort is sort for clue in found) <= LIMITS[sort] for sort in Sort)


def test_the_effort_is_bounded() -> None:
    """What stands behind the limits of a line and of a text is not looked at: each line is searched, none for longer."""
    assert clues("\n" * MAX_LINES + "exit code 134") == ()
    assert clues("x" * MAX_LINE + " exit code 134") == ()


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("abE:RO \n>[]()/-_.0129TM\t\\*=#'\"“ ü"), max_size=400))
def test_clues_are_the_text_s_own_words(text: str) -> None:
    """Whatever the text is, each clue stands in the line that it names, and nothing is raised."""
    lines = text.split("\n")
    for clue in clues(text, sites=("R0-0", "(")):
        assert clue.text in clue.line
        assert clue.line in lines[clue.number]
