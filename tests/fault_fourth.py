"""The last mails for `tests.measure_unseen`, in other words again: written when the matcher was mended on the third set.

The figures of docs/whose-fault.md are of the first run; then two sentences of theirs ("the only site with errors is X", "X has no cvmfs") were
mended, too.  What is due: `tests.fault_unseen`.
"""

TROUBLED = {
    "SHEF": "pilot:1137", "MILANO": "payload:12", "ROMA": "pilot:1099", "Montreal": "pilot:1377", "BHAM": "pilot:1137", "UCL": "payload:12",
    "Freiburg": "pilot:1099", "KEK": "pilot:1377", "BONN": "payload:12", "Coimbra": "pilot:1137", "UTA": "pilot:1099", "HARVARD": "pilot:1377",
    "CEA": "payload:12", "NCG": "pilot:1137",
    "T2_UK_London_IC": "wmcore:60311", "GoeGrid": "pilot:1099", "LCG.CNAF.it": "payload:12", "UKI-SOUTHGRID-OX-HEP": "pilot:1137",
    "T3_CH_PSI": "pilot:1099", "RO-07-NIPNE": "pilot:1377", "OU_OCHEP_SWT2": "payload:12",
}  # fmt: skip
WORDS = tuple(TROUBLED)[:14]
FORMAL = tuple(TROUBLED)[14:]
FINE = ("T2_BE_IIHE", "KIPT", "LCG.RRCKI.ru", "Belgrade", "UKI-LT2-RHUL", "TECHNION")

ERRORS = {
    "stage-in": (
        "pilot error code: 1103",
        "The exit code 8021 was returned",
        "1099 | pilot:1099 | Get error: Staging input file failed",
        "pilot exit code 1180, Globus error while copying the input",
    ),
    "stage-out": (
        "Job exit code: 60321",
        "pilotErrorCode: 1137",
        "Failed to stage-out file: log.tgz",
        "status: failed, code 60311",
    ),
    "environment": (
        "pilot error code: 1334",
        "Transport endpoint is not connected: /cvmfs/sft.cern.ch",
        "exit code 10031 (CMS software area not found)",
    ),
}

FORMS = (
    ("L", "Re-try of jobs\n\nHi shifters,\n\nplease have a look at the jobs which were run at {any}. I find always the same thing:\n\n{error}\n\nThanks for your work!\nMorten"),
    ("L", "{any}: all failed\n\nHi,\n\nin the last 6 hours I got 100 % failures:\n\n{error}\n\nChloe"),
    ("L", "unlucky task\n\nDear colleagues,\n\nthe brokerage gave my whole task to {any}, which returns\n\n{error}\n\nfor each and every job. Is there a way to move it?\n\nRegards,\nDaniela"),
    ("L", "grid trouble\n\nHi,\n\n1) Site: {any}\n2) Task: 35990011\n3) Message: {error}\n4) Since: yesterday\n\nPaul"),
    ("L", "job errors\n\nHello,\n\ntonight 250 of my jobs died in {any} ({error}). Before that I had no such thing.\n\nBest,\nTuomas"),
    ("L", "strange error\n\nHi,\n\ndo you know of problems at {any} ? I see this in the stderr:\n\n{error}\n\nCiao,\nSilvia"),
    ("L", "Errors\n\nHello everybody,\n\nDepuis hier, tous mes jobs tournant à {any} échouent:\n\n{error}\n\nMerci,\nLuc"),
    ("L", "dead jobs\n\nHi,\n\nmy jobs only die when they are sent to {any}:\n\n{error}\n\nAda"),
    ("L", "ticket?\n\nHi,\n\nI think that {any} has a problem. Example:\n\n{error}\n\nJaap"),
    ("L", "bulk failures\n\nDear all,\n\nbulk failures today, from 11:20 UTC on, for user analysis at {any}; the pilots report\n\n{error}\n\nBest regards\nXavier"),
    ("L", "one more\n\nHi,\n\none more site with this behaviour is {any}.\n\n{error}\n\nEmil"),
    ("l", "library missing\n\nHello,\n\njobs at {any} stop with\n\nerror while loading shared libraries: libMyTool.so\n\nWhat should I do?\n\nYana"),
    ("l", "scratch\n\nHi,\n\nhow long do files live on scratch disk at {site}?\n\nBram"),
    ("l", "other\n\nHello,\n\nmy test job at {any} ended with\n\n{other}\n\nAny hint?\n\nRosa"),
    ("n", "comparison\n\nHi,\n\nat {any} 100 of 100 jobs succeeded, at {fine} 0 of 100:\n\n{error}\n\nWhy?\n\nGeorg"),
    ("n", "a different site\n\nHi,\n\nother than {any}, which is healthy, I used {fine}, and there every job had\n\n{error}\n\nLaura"),
    ("n", "solved?\n\nHi,\n\nthe issue from last month at {any} was solved, thanks. Now jobs at {fine} have\n\n{error}\n\nPiotr"),
    ("-", "introduction\n\nHi,\n\nI am Ada, I joined the {word} group two weeks ago. My first jobs failed with\n\n{error}\n\nAda"),
    ("-", "travel\n\nHi,\n\nI am flying to {word} tonight, so quickly: what does this tell me?\n\n{error}\n\nDirk"),
    ("-", "local expert\n\nHi,\n\nthe local expert in {word} could not explain this one:\n\n{error}\n\nRuth"),
    ("-", "shared account\n\nHi,\n\ncan one use a {word} login for the portal? And what is\n\n{error}\n\nAli"),
    ("-", "analysis review\n\nHi,\n\nbefore the review at {word} on Thursday I need the output of task 36000001, which has\n\n{error}\n\nGrace"),
    ("-", "no idea\n\nHi,\n\n{error}\n\nGreetings from {word},\nNiels"),
    ("-", "no idea\n\nHi,\n\n{error}\n\nWhat does that mean?\n\nDr Joan Hill\nSenior Lecturer\n{word}\n"),
    ("-", "AW: jobs\n\nIt works again, thanks.\n\n-----Ursprüngliche Nachricht-----\nVon: Shifter\nGesendet: Montag\nAn: Ann\nBetreff: jobs\n\nIs it at {any}?\n{error}\n"),
    ("-", "funding\n\nHi,\n\nthis work is funded by {word} and others. The job says\n\n{error}\n\nHugo"),
    ("-", "screenshots\n\nHi,\n\nI put screenshots in /afs/cern.ch/user/a/ash/{any}/, the text is\n\n{error}\n\nNora"),
    ("-", "mailing list\n\nHi,\n\nplease add me to the list {any}-users@example.org. By the way:\n\n{error}\n\nTheo"),
    ("-", "which proxy?\n\nHi,\n\nmy home institute is {word}, my VO is atlas, and I get\n\n{error}\n\nIs it the proxy?\n\nZara"),
)  # fmt: skip
PLAIN = (
    ("-", "UCL final\n\nHi,\n\nI was watching the UCL final when all jobs failed:\n\nThe exit code 8021 was returned\n\nKit"),
    ("-", "from ROMA with love\n\nHi,\n\nI lost my luggage, my phone and now my jobs:\n\npilot error code: 1103\n\nMario"),
    ("-", "Bonn lectures\n\nHi,\n\nin the BONN lectures we show how to submit to the grid. The students had\n\npilot error code: 1103\n\nUdo"),
    ("L KEK", "KEK\n\nHi,\n\nKEK has no cvmfs: Transport endpoint is not connected: /cvmfs/sft.cern.ch\n\nAya"),
    ("L UCL", "one site only\n\nHi,\n\nthe only site with errors is UCL:\n\npilot error code: 1103\n\nSean"),
    ("L ROMA", "ROMA queue\n\nHi,\n\nwhat's wrong with the ROMA queue? pilot error code: 1103\n\nAldo"),
)  # fmt: skip
