"""More mails for `tests.measure_unseen`, in other words and about other sites: written after the matcher was mended on `tests.fault_unseen`.

The figures of docs/whose-fault.md are of the first run.  What is due is said there.
"""

TROUBLED = {
    "LIP": "pilot:1137", "GLASGOW": "payload:12", "PARIS": "pilot:1099", "Bologna": "pilot:1137", "Wisconsin": "pilot:1377", "JINR": "pilot:1099",
    "ASGC": "payload:12", "FZK": "pilot:1137", "Durham": "pilot:1099", "NERSC": "pilot:1377", "Vienna": "payload:12", "IFAE": "pilot:1099",
    "IHEP": "pilot:1137", "UNIBE": "payload:12", "Prague": "pilot:1377", "TIFR": "pilot:1137",
    "T2_ES_CIEMAT": "wmcore:60311", "CA-VICTORIA-WESTGRID-T2": "pilot:1099", "LCG.Manchester.uk": "payload:12", "wuppertalprod": "pilot:1137",
    "IL-TAU-HEP": "pilot:1099", "T1_RU_JINR": "pilot:1377", "MPPMU": "payload:12", "UKI-SCOTGRID-ECDF": "pilot:1137",
}  # fmt: skip
WORDS = tuple(TROUBLED)[:16]
FORMAL = tuple(TROUBLED)[16:]
FINE = ("T2_CH_CSCS", "SLAC", "Napoli", "LCG.SARA.nl", "Sussex", "KISTI", "T2_FR_GRIF_LLR", "NDGF-T1")

ERRORS = {
    "stage-in": (
        "ERROR: pilot exit 1099, Get error: Staging input file failed",
        "CMSSW exit code 8021",
        "job finished with exit code: 1103",
        "Failed to stage-in file: DAOD_EXOT2.28.pool.root, exit code 1361",
        "(pilot error code 1145) checksum of the input does not match",
    ),
    "stage-out": (
        "ErrorCode: 60317 stage-out took too long, killed",
        "pilot error 1137, Put error: Error in copying the file from job workdir to localSE",
        "exitcode=60324",
        "pilot error code = 1181, Globus system error",
        "Failed to stage-out file: user.ash.000012.hist.root",
    ),
    "environment": (
        "/bin/bash: /cvmfs/atlas.cern.ch/repo/ATLASLocalRootBase: Transport endpoint is not connected",
        "pilot error code 1334: payload setup fatal",
        "Exit code 50513: failure to run SCRAM setup scripts",
        "pilotErrorCode: 1110",
    ),
}

FORMS = (
    # -- what the label is for
    ("L", "analysis jobs\n\nDear shifters,\n\nCould you please check {any}? Every analysis job that lands there stops with this message:\n\n{error}\n\nThank you, Giulia"),
    ("L", "{any} storage\n\nHi,\n\nthe storage of {any} does not seem to like me:\n\n{error}\n\n(3 attempts per job, 40 jobs.)\n\nHugh"),
    ("L", "Low efficiency of my task\n\nGood morning,\n\nI have an efficiency of 20 % in task 35001177, and all errors come from jobs in {any}. E.g. job 6012345678:\n\n{error}\n\nHave a nice day,\nStefano"),
    ("L", "grid job error\n\nHi there,\n\nanybody else with failures at {any}? I've got {error}\n\nCheers,\nSteph"),
    ("L", "resubmission does not help\n\nDear all,\n\nresubmitting does not help as long as the jobs are assigned to {any}. The log says:\n\n> see below\n\n{error}\n\nI would be grateful for any suggestion.\n\nYours sincerely,\nHans Meier"),
    ("L", "ntuple production\n\nHi,\n\nwe run the ntuple production of the Higgs group, and for two days jobs have been failing massively on {any}. Typical message:\n\n{error}\n\nIs there a GGUS ticket?\n\nThanks,\nIngrid"),
    ("L", "Problem\n\nHi,\n\nJob 4711 | {any} | failed | {error}\n\nWhat next?\n\nKarl"),
    ("L", "job failures (site: {any})\n\nDear DAST,\n\nsee subject. Log:\n\n{error}\n\nbr\nMirko"),
    ("L", "bad worker node?\n\nHello,\n\nit looks like one of the worker nodes of {any} is a black hole. It produced 300 times\n\n{error}\n\nwithin ten minutes.\n\nAgnes"),
    ("L", "trabajos fallidos\n\nHola,\n\ntodos mis trabajos en {site} terminan con\n\n{error}\n\n¿Sabéis qué pasa?\n\nGracias,\nPablo"),
    ("L", "Falha\n\nCaros,\n\n{site} está com problemas?\n\n{error}\n\nObrigado,\nRui"),
    ("L", "panda task broken\n\nhello dast\n\n90% of the jobs crashed on the {any} queue with\n{error}\n\nplease kill the remaining ones or send them elsewhere\n\nthx"),
    ("L", "please remove {any} from the list of sites\n\nHi,\n\nmy jobs can't finish there. It has been like this for the whole weekend:\n\n{error}\n\nAnton"),
    ("L", "Is {any} down?\n\nHi,\n\nI get from all my subjobs\n\n{error}\n\nMagda"),
    ("L", "slow and failing\n\nHello,\n\nJobs take forever at {any} and at the end there is always\n\n{error}\n\nCan I do anything on my side?\n\nSincerely,\nAkira"),
    ("L", "tape recall ok, jobs not\n\nHi,\n\nthe input files are complete on disk now (thanks!), but each job reading them at {any} reports\n\n{error}\n\nregards, Femke"),
    # -- named, with another failure, or none
    ("l", "root version\n\nHi,\n\nwhich ROOT version do jobs at {site} use? Mine stop with\n\ncling::DynamicLibraryManager: undefined symbol _ZN5Event\n\nBest, Hana"),
    ("l", "empty output\n\nHello,\n\njobs run at {site} give an empty tree. No error, nothing in the log. Do you see why?\n\nThanks, Leif"),
    ("l", "rule stuck\n\nHi,\n\nmy Rucio rule to {site} has been stuck since Tuesday, could somebody look? Rule 5f0e8a9b2c.\n\nMonika"),
    ("l", "quota at {site}\n\nHello,\n\nmy quota at {site} is full, how do I get more?\n\nOscar"),
    ("l", "some fail\n\nHi,\n\n5 jobs of my task failed at {any}, with\n\n{other}\n\nis it serious?\n\nMiriam"),
    ("l", "cpu time\n\nHi,\n\nis there a limit of CPU time at {site}? My jobs there are killed after 24 h, the pilot says SIGXCPU.\n\nPer"),
    # -- named, but it is not what fails
    ("n", "strange\n\nHi,\n\nthe same code gives, at {fine} only,\n\n{error}\n\nEverything I ran at {any} was OK.\n\nLouise"),
    ("n", "job failures\n\nHello,\n\n{any} is working properly, but {fine} is not:\n\n{error}\n\nDavide"),
    ("n", "which site now?\n\nHi,\n\nin March you recommended to avoid {any}. I did, and now I get from {fine}\n\n{error}\n\nAny other suggestion?\n\nSophie"),
    ("n", "{fine}\n\nHi,\n\n{error}\n\nfor all jobs at {fine}. They are fine on {any}.\n\nViktor"),
    ("n", "source of the problem\n\nHi,\n\nThis cannot be {any}, no job went there. The messages come from the jobs at {fine}:\n\n{error}\n\nBruno"),
    ("n", "merge jobs\n\nHi,\n\nthe merge job at {fine} cannot read what the jobs at {any} have written:\n\n{error}\n\nThe files are there, I can download them by hand from {any}.\n\nIsa"),
    # -- no site is meant
    ("-", "question about an error\n\nDear experts,\n\nI am a master student from {word} and new to all this. What does this mean?\n\n{error}\n\nThank you for your patience!\n\nLuca"),
    ("-", "certificate of {word}\n\nHi,\n\nwith my old certificate issued by the {word} CA all was fine, with the new one I have\n\n{error}\n\nErik"),
    ("-", "phone conference\n\nHi,\n\nlet us discuss the errors of task 35110002 in the {word} meeting tomorrow at 4 pm:\n\n{error}\n\nZoom link follows.\n\nBirgit"),
    ("-", "Re: jobs\n\nAm 09.06.2026 um 09:12 schrieb Shifter:\n> Is it {any} again?\n> {error}\n\nNo, this is solved since yesterday. Thank you."),
    ("-", "help\n\nHi,\n\nour group ({word} and Sussex) has a common analysis framework. It has run without any change for a year. Since Monday:\n\n{error}\n\nNina"),
    ("-", "help wanted\n\nHello,\n\n{error}\n\nin task 35220019.\n\nMit freundlichen Grüßen\nK. Schmidt\n\n{word}\nTheoretische Physik\nD-12345 Musterstadt"),
    ("-", "unclear message\n\nHi,\n\n{error}\n\nIt is the first time that I see this.\n\nThomas Novak\nPostdoc, {word}\n"),
    ("-", "unclear message\n\nHi,\n\n{error}\n\nIt is the first time that I see this.\n\n--\nT. Novak | {any} | office 2.17 | +420 123 456"),
    ("-", "xrdcp\n\nHi,\n\nI did this from my desk in {word}:\n\nxrdcp root://se.store.example.org//store/x.root .\n\nand the job says {error}\n\nWhy?\n\nCora"),
    ("-", "strange container\n\nHello,\n\nuser.ash:user.ash.Zmumu.{word}.v3_EXT0 is incomplete. In the log of the jobs:\n\n{error}\n\nPhil"),
    ("-", "question\n\nHi,\n\nI will be in {word} from Monday on, so please answer before that. The jobs of task 35300410 have\n\n{error}\n\nOlaf"),
    ("-", "old ticket\n\nHi,\n\nis https://ggus.eu/ws/ticket_info.php?ticket=135711&site={any} about the same as\n\n{error}\n\n? My jobs run in {fine}.\n\nSelma"),
    ("-", "collaboration\n\nHi,\n\ntogether with the colleagues of {word} we wrote a wrapper for prun. One of its jobs gave\n\n{error}\n\nMaxim"),
    ("-", "thesis deadline\n\nDear all,\n\nmy university ({word}) wants the thesis by Friday, and my task does not end because of\n\n{error}\n\nPlease help!!\n\nTina"),
    ("-", "Fwd: Fwd: jobs\n\nHi, do you know about this?\n\nVon: Peter <peter@users.example.com>\nGesendet: Montag, 8. Juni 2026 10:14\nAn: Ann\nBetreff: jobs\n\n{any}:\n{error}\n"),
)  # fmt: skip

PLAIN = (
    ("-", "LIP reading\n\nHi,\n\nour LIP reading network (machine learning, not physics) shall run on GPUs of the grid. The test job gave\n\nexitcode=60324\n\nFinn"),
    ("-", "PARIS agreement\n\nHi,\n\nthe note follows the conventions of the PARIS agreement. Jobs of the tool stop:\n\nCMSSW exit code 8021\n\nJo"),
    ("-", "Prague spring school\n\nHi,\n\nfor the Prague school on computing we prepared an exercise which gives\n\npilotErrorCode: 1110\n\nCan you help until Friday?\n\nOndrej"),
    ("-", "Vienna\n\nHi,\n\nsee you all next week in Vienna! Before that, one question: what is\n\nCMSSW exit code 8021\n\nAdele"),
    ("-", "Wisconsin cheese\n\nHi,\n\nI owe you a Wisconsin cheese for the help last time :) Now there is\n\npilotErrorCode: 1110\n\nBill"),
    ("-", "Durham model\n\nHi,\n\nwe use the Durham jet algorithm, k_T = 0.1. The jobs have\n\nERROR: pilot exit 1099, Get error: Staging input file failed\n\nLuis"),
    ("-", "allocation\n\nHi,\n\nwe have an allocation of 2M hours at NERSC, too, but this is about our grid jobs:\n\npilotErrorCode: 1110\n\nMona"),
    ("-", "badge\n\nHi,\n\nI came back from FZK yesterday and found that every job has\n\nexitcode=60324\n\nHeidi"),
    ("-", "JINR authors\n\nHi,\n\nthe JINR authors of the paper ask about the failed jobs:\n\nCMSSW exit code 8021\n\nVera"),
    ("-", "night shift\n\nHi,\n\nit is 3 a.m. in GLASGOW and I give up:\n\nCMSSW exit code 8021\n\nEwan"),
    ("L LIP", "LIP\n\nHi,\n\nno output file arrives at LIP any more: pilot error 1137, Put error: Error in copying the file from job workdir to localSE\n\nJoão"),
    ("L GLASGOW", "checksum\n\nHi,\n\nwrong checksums, GLASGOW only: (pilot error code 1145) checksum of the input does not match\n\nIain"),
    ("L Prague", "cvmfs\n\nHi,\n\nPrague has lost its cvmfs I'm afraid:\n\n/bin/bash: /cvmfs/atlas.cern.ch/repo/ATLASLocalRootBase: Transport endpoint is not connected\n\nPetr"),
    ("L JINR", "jobs\n\nHi,\n\nwhat's up with JINR?\n\nERROR: pilot exit 1099, Get error: Staging input file failed\n\nOleg"),
    ("L FZK", "FZK\n\nHi,\n\nwriting to FZK fails: exitcode=60324\n\nManfred"),
    ("L NERSC", "Shifter image\n\nHi,\n\nThe jobs I sent to NERSC all gave pilotErrorCode: 1110, I used the standard image.\n\nJack"),
)  # fmt: skip
