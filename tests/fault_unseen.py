"""Mails as users of grids write them, for `tests.measure_unseen`; written before the code was read, and nothing in them was changed for it.

A form is what is due, and a mail: its subject, an empty line, its text.  `{word}` is a site in trouble that is called like something else,
`{site}` one with a name of its own, `{any}` either, `{fine}` a site without trouble, `{error}` an error like those of the site's test jobs,
`{other}` one of another phase.  What is due:

    L  the label, and the line about the site
    l  the line, no label: it is named, and the failure is another, or none
    n  no label: it is named, but is not what fails; a line is neither right nor wrong
    -  neither: no site is meant
"""

TROUBLED = {
    "PIC": "payload:12", "RAL": "pilot:1137", "MIT": "pilot:1377", "LONDON": "pilot:1099", "BEIJING": "payload:12", "CERN": "pilot:1137",
    "OU": "pilot:1099", "BU": "payload:12", "SARA": "pilot:1137", "KIT": "pilot:1099", "Lisbon": "pilot:1377", "Oxford": "pilot:1137",
    "Florida": "payload:12", "TOKYO": "pilot:1099",
    "T2_DE_DESY": "wmcore:60311", "AGLT2": "pilot:1099", "LCG.GRIDKA.de": "payload:12", "UKI-NORTHGRID-MAN-HEP": "pilot:1137",
    "praguelcg2": "pilot:1099", "INFN-T1": "pilot:1377", "SWT2_CPB": "payload:12", "T3_US_Baylor": "pilot:1137",
}  # fmt: skip
WORDS = tuple(TROUBLED)[:14]
FORMAL = tuple(TROUBLED)[14:]
FINE = ("NIKHEF", "CNAF", "T1_US_FNAL", "TRIUMF", "T2_IT_Pisa", "BNL", "MWT2", "LCG.IN2P3.fr")

ERRORS = {
    "stage-in": (
        "pilot:1099: Failed to stage-in file",
        "pilotErrorCode: 1099, pilotErrorDiag: Get error: Failed to get LFN: DAOD_PHYS.33080397._000040.pool.root.1",
        "Job exit code 8020: FileOpenError (Likely a site error)",
        "Exit code: 8028\n   Fatal Exception: Input file root://xrootd-cms.infn.it//store/mc/RunII/A/F8.root could not be opened.",
        "error code 1151: File transfer timed out during stage-in",
    ),
    "stage-out": (
        "pilot error code 1137: Failed to stage-out file",
        "ErrorCode : 60311\n\tErrorType : GeneralStageOutFailure",
        "exit code 60307: Failed to copy an output file to the SE",
        "pilotErrorCode=1152 pilotErrorDiag=File transfer timed out during stage-out",
        "Put error: Error in copying the file from job workdir to localSE",
    ),
    "environment": (
        "ls: cannot access /cvmfs/cms.cern.ch/cmsset_default.sh: Transport endpoint is not connected",
        "pilot exit code 1110: Failed during setup",
        "pilotErrorCode 1377",
        "exit code 10034: Required application version is not found at the site",
    ),
}

FORMS = (
    # -- it fails there: what the label is for
    ("L", "jobs failing at {any}\n\nDear DAST,\n\nsince this morning all my jobs at {any} fail with\n\n{error}\n\nIs this known? Thanks, Maria"),
    ("L", "{any}: transfer problems?\n\nHi experts,\n\n48 out of 50 jobs of task 33871204 crashed. They ran at {any} and the log ends in\n\n  {error}\n\nCould somebody have a look?\n\nBest,\nJonas"),
    ("L", "Failing task\n\nHello,\n\nI get this for every job of https://bigpanda.cern.ch/task/30124411/ :\n\n{error}\n\nSite: {any}\n\nI retried twice, no change.\n\nCheers\nWei"),
    ("L", "crab jobs\n\nHi,\n\nI have a problem with my CRAB task 240612_091122:jdoe_crab_ttbar. The jobs sent to {any} end with\n\n{error}\n\nwhile nothing else changed in my config. Can the site be blacklisted?\n\nregards, Priya"),
    ("L", "help please\n\nDear all,\nI am a new user. My jobs are in status failed and the monitoring page says (site = {any}):\n{error}\nWhat do I have to do?\nThank you very much,\nTomasz"),
    ("L", "problem at {any}\n\nHello, same thing again today:\n\n{error}\n\nIt is only {any}, at {fine} the very same jobs finish without trouble.\n\nAlice"),
    ("L", "stuck task\n\nHi,\n\nnone of the subjobs at {any} came back since Friday. Looking in the pilot log I find:\n\n2026-06-11 04:12:33,118 | ERROR    | {error}\n\nAny idea?\nLars"),
    ("L", "Failed jobs\n\nDear experts,\n\nCOMPUTINGSITE    {any}\nJOBSTATUS        failed\n{error}\n\nPlease help.\n\nSincerely,\nOlga Petrova"),
    ("L", "ganga jobs failing\n\nhi,\nI submitted 200 jobs with ganga (backend Dirac). The 37 that went to {any} all failed:\n{error}\ncan you ban it for the moment?\nthanks\nWill"),
    ("L", "{site} again\n\nHi,\n\nI see {site} in nearly all of my failed jobs:\n\n{error}\n\nShould I exclude it with --excludedSite {site}?\n\nThanks,\nBen"),
    ("L", "error in prun job\n\nHello DAST team,\n\nmy prun jobs are broken at {any} (see below), would you please advise?\n\n{error}\n\nMany thanks in advance\nFatima"),
    ("L", "output missing\n\nHi all,\n\n{any} seems to be having trouble: {error}\n\nIt started about 2 hours ago.\n\nKind regards\nHenrik"),
    ("L", "jobs held\n\nHi,\n\nmy condor jobs that glide in at {any} are held and then die with\n\n{error}\n\nElsewhere they are ok.\n\nGreg"),
    ("L", "Re-brokerage?\n\nHello,\n\nthe task keeps being sent to {any}, where each attempt ends like this:\n\n{error}\n\nCould you move it to another site?\n\nBest wishes,\nChiara"),
    ("L", "question on failed derivation\n\nDear DAST,\n\nderivation 33919001 has 12 % failures. All of these are in {any}.\n\nThe error is\n{error}\n\nCheers,\nYuki"),
    ("L", "jobs crash\n\nBonjour,\n\nles jobs envoyés à {site} se terminent tous avec\n\n{error}\n\nEst-ce un problème du site ?\n\nMerci d'avance,\nÉlodie"),
    ("L", "Jobs schlagen fehl\n\nHallo,\n\nseit gestern Abend scheitern alle meine Jobs am Standort {site}:\n\n{error}\n\nViele Grüße\nUwe"),
    # -- named, but with another failure, or none
    ("l", "seg fault\n\nHi,\n\nmy jobs at {site} crash with\n\nsegmentation violation in MyAnalysis::execute() line 212\n\nlocally it runs fine. What could it be?\n\nAnna"),
    ("l", "jobs at {site} slow\n\nDear experts,\n\nmy jobs sit in the queue of {site} for two days now. Is that normal?\n\nBest, Marco"),
    ("l", "other error\n\nHello,\n\nat {any} I get\n\n{other}\n\nfor three jobs of my task. Any hint?\n\nThanks, Kim"),
    ("l", "replicate a dataset\n\nDear DDM experts,\n\ncould you please replicate user.jdoe.ttbar.v3 to {site}? My quota there should be sufficient.\n\nThanks,\nSven"),
    ("l", "Which sites hold this dataset?\n\nHi,\n\nI found mc23_13p6TeV.601229.DAOD_PHYS only at {site}, is there a copy somewhere else?\n\nRegards,\nDiego"),
    ("l", "memory\n\nHello,\n\nHow much memory can I ask for at {site}? My jobs need 6 GB per core.\n\nPaolo"),
    ("l", "User code\n\nHi,\n\nruns at {site} abort:\n\nImportError: No module named awkward\n\nHow do I ship the package with the job?\n\nCheers, Nils"),
    # -- named, but it is not what fails
    ("n", "fails at {fine}\n\nHi,\n\nmy jobs work at {any} but not at {fine}:\n\n{error}\n\nWhat is different?\n\nRita"),
    ("n", "site problem\n\nHello,\n\njobs at {fine} fail with\n\n{error}\n\nI resubmitted them to {any} and there they succeeded, so please look at {fine}.\n\nKatya"),
    ("n", "broken {fine}\n\nDear all,\n\nunlike {any}, {fine} gives me\n\n{error}\n\nSince yesterday.\n\nMike"),
    ("n", "file transfer to {fine}\n\nHi,\n\nI try to copy my output from {any} to {fine} and the write to {fine} breaks:\n\n{error}\n\nThe source is fine, I can read it.\n\nPeter"),
    ("n", "was it ever solved?\n\nHi,\n\nlast year {any} had a problem that looked like mine. Now I see it with jobs at {fine}:\n\n{error}\n\nHow did you solve it then?\n\nJulia"),
    ("n", "not {site}\n\nHi,\n\njust to say that this is not {site}, which I excluded from the start:\n\n{error}\n\nIt comes from {fine} only.\n\nTim"),
    ("n", "excluded sites\n\nDear experts,\n\nI used --excludedSite={site} as you told me. Now I get, on {fine}\n\n{error}\n\nDo you see why?\n\nNadia"),
    # -- no site is meant
    ("-", "Failing jobs\n\nHi,\n\nI am visiting {word} this week and cannot look at the logs myself. All my jobs fail:\n\n{error}\n\nThe site is {fine}.\n\nThanks, Otto"),
    ("-", "meeting on Monday\n\nDear colleagues,\n\nthe next software meeting takes place at {word}, room 40-S2-B01, Monday 10:00. Slides from last time show the\n\n{error}\n\nwhich we want to discuss.\n\nBest regards,\nthe organisers"),
    ("-", "jobs fail\n\nHi,\n\nmy jobs fail at {fine} since noon:\n\n{error}\n\nMy supervisor in {word} has the same.\n\nRegards\nLi"),
    ("-", "trouble with a task\n\nHello,\n\n{error}\n\nappears in every job. What does it mean?\n\nBest regards,\nFrancesca Neri\n{word}, Physics Department\nOffice 3.14"),
    ("-", "trouble with a task\n\nHello,\n\n{error}\n\nappears in every job. What does it mean?\n\n-- \nDr. Sanjay Rao\n{any} computing group\nTel. +44 1234 567890"),
    ("-", "What is this error\n\nHi,\n\n{error}\n\nRegards,\nIvan\n\n________________________________\nThis e-mail may contain confidential information of {word} and is meant for the addressee only."),
    ("-", "Re: storage\n\nIt is gone now, thank you!\n\nOn Mon, 8 Jun 2026 at 10:14, Shifter <dast@lists.example.org> wrote:\n> Dear user,\n> {any} is in trouble:\n> {error}\n> Please try elsewhere."),
    ("-", "Fwd: failures\n\nFYI, can you tell me what they mean?\n\n---------- Forwarded message ---------\nFrom: Bob <bob@users.example.com>\nDate: Mon, Jun 8, 2026\nSubject: failures\nTo: Ann\n\nAt {any} I get\n{error}\n"),
    ("-", "dataset with no replica\n\nHi,\n\nmy job wants user.ash.{word}.calibration.v2 and stops with\n\n{error}\n\nWhat now?\n\nPat"),
    ("-", "download of a file\n\nHi,\n\nI look at https://monit.example.org/d/{any}/overview?site={any} and see\n\n{error}\n\nbut my jobs run elsewhere, at {fine}.\n\nEva"),
    ("-", "log file\n\nHi,\n\nthis is at the end of my log:\n\nfile:///home/ash/{any}/run7/log.txt\n{error}\n\nThanks\nRob"),
    ("-", "host cannot be reached\n\nHi,\n\nfrom host wn-{any}-0231.example.org I see\n\n{error}\n\nDo you know this machine?\n\nGus"),
    ("-", "account\n\nHi,\n\nI lost the password of my {word} account, and in the meantime my jobs stopped with\n\n{error}\n\nAre these two connected?\n\nZoe"),
    ("-", "jobs die since I changed institute\n\nDear DAST,\n\nI moved from {word} to another university and have a new certificate. Since then:\n\n{error}\n\nDo I have to register again?\n\nSamuel"),
    ("-", "new student\n\nHello,\n\nwe at {word} have a new student who wants to run on the grid. Her first job says\n\n{error}\n\nIs there a tutorial?\n\nProf. Weber"),
)  # fmt: skip

PLAIN = (
    # -- words that are names of sites, in their own meaning, each beside an error that the site's test jobs have, too
    ("-", "PIC of the plot\n\nHi,\n\nI attach a PIC of the failing histogram. The job says\n\nExit code: 8028\n\nCheers, Ina"),
    ("-", "compile with PIC\n\nHi,\n\nthe linker says: relocation R_X86_64_32 can not be used when making a shared object; recompile with -fPIC. I turned PIC on. At run time there is\n\npilot:1099: Failed to stage-in file\n\nAny idea?\nVal"),
    ("-", "MIT licence\n\nHi,\n\nis it a problem that our package is under the MIT license? The build job stopped:\n\npilotErrorCode 1377\n\nThanks, Leo"),
    ("-", "kerberos\n\nHi,\n\nI use MIT Kerberos on my laptop, and the job prints\n\nls: cannot access /cvmfs/atlas.cern.ch: Transport endpoint is not connected\n\nDo I need Heimdal?\n\nSue"),
    ("-", "certificate\n\nHi,\n\nmy DN is /DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=jdoe/CN=746478 and I get\n\npilot:1099: Failed to stage-in file\n\nWhat is wrong with the OU in it?\n\nJane"),
    ("-", "CERN certificate expired\n\nHi,\n\nmy CERN certificate expired yesterday and I got a new one from the CERN CA. Now\n\nexit code 60307: Failed to copy an output file to the SE\n\nfor all jobs.\n\nTed"),
    ("-", "thanks to SARA\n\nHi SARA,\n\nyou were right with the proxy. There is one error left:\n\nErrorCode : 60311\n\nNoor"),
    ("-", "starter KIT\n\nHello,\n\nwe use the analysis starter KIT from the tutorial. Step 4 gives\n\nJob exit code 8020: FileOpenError\n\nIs the tutorial outdated?\n\nMay"),
    ("-", "Lisbon workshop\n\nHello,\n\nas shown in my talk at the Lisbon workshop I see\n\npilot exit code 1110: Failed during setup\n\nin one job of a thousand. Slides are attached.\n\nCarlos"),
    ("-", "Tokyo time\n\nHello,\n\nbetween 9:00 and 11:00 TOKYO time all jobs of the task ended with\n\nerror code 1151: File transfer timed out during stage-in\n\nWhat happened then?\n\nKenji"),
    ("-", "BEIJING time\n\nHello,\n\nfrom 14:00 (BEIJING time) I see\n\nExit code: 8028\n\nin the jobs at NIKHEF.\n\nXin"),
    ("-", "trains\n\nHi,\n\nI am on a train from LONDON and have bad network, so in short:\n\npilot:1099: Failed to stage-in file\n\nwhat to do?\n\nJim"),
    ("-", "colour\n\nHi,\n\nthe plots in RAL 5010 (blue) come out black. By the way one job of them ended in\n\npilot error code 1137: Failed to stage-out file\n\nAmy"),
    ("-", "BU manager\n\nHi,\n\nour BU manager asks for the reason of\n\nexit code 8020\n\nin all of the jobs. What shall I tell him?\n\nFred"),
    ("-", "Oxford group\n\nHi,\n\nthe Oxford group and ours share the quota. Our jobs give\n\nexit code 60307: Failed to copy an output file to the SE\n\nCould it be that they filled it?\n\nMeg"),
    ("-", "hurricane\n\nHi,\n\ngreetings from sunny Florida! My task 33001122 is at 10 % with\n\nJob exit code 8020: FileOpenError (Likely a site error)\n\nRay"),
    # -- and named in earnest, with nothing around them that says so
    ("L PIC", "PIC\n\nHi,\n\nall jobs fail in PIC with exit code 8020. Please check.\n\nMarta"),
    ("L RAL", "GGUS?\n\nHello,\n\nRAL: pilot error code 1137: Failed to stage-out file\n\nShall I open a GGUS ticket?\n\nSteve"),
    ("L MIT", "cvmfs at MIT\n\nHi,\n\nthe worker nodes at MIT have no cvmfs:\n\nls: cannot access /cvmfs/cms.cern.ch/cmsset_default.sh: Transport endpoint is not connected\n\nZach"),
    ("L KIT", "input not found\n\nHi,\n\n12 jobs ran at KIT, 12 failed:\n\npilot:1099: Failed to stage-in file\n\nCan't be chance...\n\nUlla"),
    ("L CERN", "eos\n\nHi,\n\nstage-out to CERN is broken for me: exit code 60307: Failed to copy an output file to the SE\n\nMilos"),
    ("L LONDON", "pilot\n\nHi,\n\npilots at LONDON die: pilotErrorCode: 1099\n\nGraham"),
)  # fmt: skip
