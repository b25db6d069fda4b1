"""How clues look: what breaks, and what jobs, sites, datasets and releases are called on the grid.

One search expression each (RE2: linear in the text, whatever it is), case-insensitive unless `(?-i:...)` says otherwise, with
exactly one group: the clue.  No guessing: words of prose ("I get an error") are none, a number needs a word that says what it counts.
"""

from enum import Enum


class Sort(Enum):
    """What a clue tells, in the order in which an expert asks."""

    ERROR = "error"
    JOB = "job"
    SITE = "site"
    DATASET = "dataset"
    RELEASE = "release"


_NUMBER = r"(?:-?[1-9][0-9]{0,5}|0x[0-9a-f]{1,16})"
_LINE = r"^[\s>|*`_\[\]\\(\"'“]{0,40}"  # how a pasted line may begin
_LEVEL = r"(?:^|[\s\[|:>*(\\`])"
_COLUMN = r"(?:^[\s>|*`]{0,40}|[0-9\])|:] {1,8}|\s{2})"  # where a level stands without brackets; not in "an ERROR occurs"

ERRORS: tuple[tuple[int, str], ...] = (
    # The higher, the more it says; of equals the first in the text counts more.
    # What grid services call their errors.
    (90, r"\b((?-i:(?:LFC|DPM|CNS|SE)_(?:NOENT|EACCES|EPERM|E[A-Z]{3,12}|TIMEOUT)|(?:SRM|DQ2|LCG|FTS)_(?:[A-Z]+_){0,4}(?:FAILURE|ERROR|EXCEPTION|ABORTED)"
         r"|SRM_(?:INVALID|NO|EXCEED|FILE|AUTH|SPACE|REQUEST|NOT)_[A-Z_]{3,40}))\b"),
    (90, r"\b((?:trans|pilot|exe|ddm|brokerage|jobdispatcher|taskbuffer|sup|payload)(?:exit|error)(?:code|diag)\b[\s\"':=>,]{1,6}[1-9][0-9]{0,5})\b"),
    (90, r"\b(glexec\b.{0,80}?\b(?:error|fail(?:ed|ure|s)?|denied|cannot|not authori[sz]ed|(?:code|status|exit)[\s:=]{1,3}[1-9][0-9]{0,2})\b)"),
    (90, r"\b(globus error [1-9][0-9]{0,2}\b.{0,120}|cannot plan: .{1,120}|an exception of category '[^']{1,60}' occurred|begin fatal exception)"),
    # How a process died.
    (85, r"(std::bad_alloc|\bterminate called after throwing an instance of .{1,80}|\bMemoryError\b|\bout of memory\b|\boom[- ]killer\b|\boom-kill\b|\bcannot allocate memory\b)"),
    (85, r"(\bseg(?:mentation)?[- ]?(?:fault|violation)\b|\bsegv\b|\bsigsegv\b|\bcore dumped\b|\bsig(?:abrt|bus|ill|fpe|kill|term|xcpu)\b|\bbus error\b|\bdouble free or corruption\b|\b(?:killed by|terminated by|received|caught|termination \(|exited on) ?signal [0-9]{1,2}\b)"),
    (85, r"\b((?:cancelled|killed|held|terminated|aborted)\b.{0,60}\bdue to (?:time limit|memory|preemption|node failure)|exceed(?:ed|s|ing)\b.{0,30}\b(?:wall ?(?:clock )?time|memory|disk|cpu time|time) limits?)\b"),
    # What programs print as their last word: the types of exceptions, at the beginning of a line.
    (80, _LINE + r"((?-i:(?:[A-Za-z_][\w]{0,60}(?:\.|::)){0,6}[A-Z]\w{0,60}(?:Error|Exception|Interrupt|Fault))\*{0,2}(?::.{0,200}|\s{0,3}$))"),
    (80, _LINE + r"((?-i:Caused by|Exception in thread .{1,60}): ?.{1,200})"),
    # Codes, each with the word that says so.
    (75, r"\b((?:pilot |trans |payload |job )?exit(?:ed|s)?(?: (?:abnormally|unexpectedly))?(?: with)?(?: an?| the)?(?: non-?zero)?[ -]?(?:code|status|value|error)(?: of| was| is)?[\s:=#(\"']{1,4}" + _NUMBER + r")\b"),
    (75, r"\b(exit(?:ed|s)? (?:with|=) ?[1-9][0-9]{1,5})\b"),
    (75, r"\b((?:error|return|failure|status|err)[ _-]?(?:code|number|no)\.?(?: of| was| is)?[\s:=#(\"']{1,4}" + _NUMBER + r")\b"),
    (75, r"\b((?:fail(?:s|ed|ing|ure)?|abort(?:s|ed)?|die[sd]?|crash(?:es|ed)?) with(?: (?:the )?(?:error|code|status|exit code|error code))? " + _NUMBER + r")\b"),
    (75, r"\b(error[ :=#(]{1,3}[1-9][0-9]{2,5})\b"),
    (75, r"\b(errno[\s:=\]]{1,3}[1-9][0-9]{0,2})\b"),
    (70, r"\b(HTTP(?:S|/[0-9.]{1,3})?(?: (?:error|status|response|code|request|returned)){0,3}[\s:=]{1,3}[45][0-9]{2})\b"),
    (70, r"\b((?-i:[45][0-9]{2}) (?:bad request|unauthori[sz]ed|forbidden|not found|request time-?out|too many requests|internal server error|bad gateway|service unavailable|gateway time-?out))\b"),
    # What a log marks as one: as a level, or at the beginning of its line.
    (65, _LEVEL + r"((?-i:FATAL|CRITICAL|SEVERE)\\?[\]|:)*].{0,200})"),
    (65, _COLUMN + r"((?-i:FATAL|CRITICAL|SEVERE)\s{1,8}[\w\[(].{0,200})"),
    (60, _LEVEL + r"((?-i:ERROR|\*\*\* Break \*\*)\\?[\]|:)*].{0,200})"),
    (60, _COLUMN + r"((?-i:ERROR)\s{1,8}[\w\[(].{0,200})"),
    (60, r"(?:\s|^)(\[E\] .{1,200})"),
    (60, _LINE + r"((?:[\w./+-]{1,120}: |[\w./+-]{1,120}:[0-9]{1,7}:(?:[0-9]{1,5}:)? ?)?(?:fatal )?(?:error|fatal)(?: (?:reason|message|details?))? ?: .{1,200})"),
    (60, _LINE + r"((?-i:CMake Error|make(?:\[[0-9]{1,3}\])?: \*\*\*).{1,200})"),
    # What the system says.
    (55, r"\b(permission denied|no such file or directory|no space left on device|disk quota exceeded|operation not permitted|input/output error|stale (?:nfs )?file handle|too many open files"
         r"|connection (?:refused|reset by peer|timed out)|no route to host|host is unreachable|network is unreachable|broken pipe|text file busy|read-only file system"
         r"|(?:certificate|proxy|credential)s? (?:has |have |is )?expired|certificate verify failed|authentication failed|authori[sz]ation (?:failed|denied)|access denied"
         r"|command not found|undefined symbol|undefined reference|cannot open shared object file|symbol lookup error|module not found)\b"),
)  # fmt: skip

JOBS: tuple[str, ...] = (
    r"\bpanda[ _-]?(?:job[ _-]?)?id[s]?\b[\s\"':=#>]{1,5}([0-9]{7,12})\b",
    r"\b(?:pandaid|jeditaskid|job)=([0-9]{7,12})\b",  # in the address of the monitor
    r"\b(?:jedi[ _-]?)?task[ _-]?id\b[\s\"':=#]{1,5}([0-9]{4,12})\b",
    r"\b(https://[\w.-]{3,100}:9000/[\w-]{20,24})",  # gLite
    r"\b(https://[\w.-]{3,100}(?::[0-9]{2,5})?/CREAM[0-9]{6,12})\b",
    r"\b((?:gsiftp|https)://[\w.-]{3,100}(?::[0-9]{2,5})?/(?:jobs|arex|rest/1\.[0-9]/jobs)/\w{10,80})",  # ARC
    r"\b(?:submitted batch job|slurm job(?: ?id)?|slurm_job_?id|batch job)[\s:=#]{1,4}([0-9]{3,12}(?:_[0-9]{1,6})?)\b",
    r"\bslurm-([0-9]{3,12}(?:_[0-9]{1,6})?)\.(?:out|err)\b",
    r"\bsubmitted to cluster ([0-9]{1,9})\b",
    r"\b(?:job|cluster|condor(?:_q)?|proc)[\s:=#]{1,3}([0-9]{1,9}\.[0-9]{1,5})\b",
    r"\bjob <([0-9]{3,12})>",  # LSF
    r"\b([0-9]{3,10}(?:\[[0-9]{0,6}\])?\.(?:[\w-]*(?:pbs|torque|batch|maui|ce)[\w-]*)(?:\.[\w-]{1,60}){1,5})\b",  # PBS
    r"\bganga(?: job)?s?(?: (?:id|number|no\.?|nr\.?))?[\s:=#]{1,3}([0-9]{1,7}(?:\.[0-9]{1,5})?)\b",
    r"\bjobs\(([0-9]{1,7}(?:\.[0-9]{1,5})?)\)",
    r"\b(?:dirac|crab|wms|grid|lsf|pbs)[ _-]?job(?:[ _-]?id)?s?[\s:=#]{1,3}([0-9]{3,12})\b",
    r"\bjob[ _-]?ids?\b[\s\"']{0,2}[:=#][\s\"']{0,2}([0-9][\w.:-]{2,60})",
    r"\bjobs? (?:id |number |no\.? |nr\.? |#)?([0-9]{4,12}(?:\.[0-9]{1,5})?)\b",
    r"(?:^|[\s=\"'(])([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?:[\s\"'),;]|\.\s|\.?$)",  # GUID; not in an address or a file's name
)

_BEFORE = r"(?:^|[^\w./-])"
_TOKEN = r"(?:_[A-Z0-9]{3,30})?"  # a space token behind the site, as in DESY-HH_MCDISK
SITES: tuple[str, ...] = (
    _BEFORE + r"((?-i:(?:CERN|DESY|IN2P3|INFN|RAL|FZK|UKI|GRIF|NDGF|SARA|NIKHEF|BNL|FNAL|IFIC|IFAE|JINR|TOKYO|TRIUMF|TAIWAN|Taiwan|AUSTRALIA|Australia"
    r"|WEIZMANN|TECHNION|UNIBE|UNIGE|CSCS|HEPHY|MPPMU|LRZ|CYFRONET|PSNC|ITEP|RRC|RU|NCG|BEIJING|SLAC|(?:RO|TR)-[0-9]{2}|CA-(?:ALBERTA|MCGILL|SCINET|VICTORIA)"
    r")(?:-[A-Z0-9][A-Za-z0-9]{0,15}){1,4}))" + _TOKEN + r"(?:\W|$)",
    _BEFORE + r"((?-i:[A-Za-z][A-Za-z0-9]{1,20}(?:-[A-Z0-9]{2,12}){0,3}-(?:LCG2|LCG1|TIER2|LHEP)))" + _TOKEN + r"(?:\W|$)",
    _BEFORE + r"((?-i:ANALY_[A-Za-z0-9_-]{2,40}))(?:\W|$)",  # PanDA's queues
    _BEFORE + r"((?-i:T[0-3]_[A-Z]{2}_[A-Za-z][A-Za-z0-9_]{1,30}))(?:\W|$)",  # CMS
    _BEFORE + r"((?-i:(?:LCG|DIRAC|ARC|CLOUD|VAC)\.[A-Za-z0-9-]{2,30}\.[a-z]{2,3}))(?:\W|$)",  # LHCb
)  # fmt: skip

DATASETS: tuple[str, ...] = (
    r"\b((?-i:(?:mc|data|valid|fdr|ccrc|step)[0-9]{2}(?:_[A-Za-z0-9]+){0,3}\.(?:[0-9]{3,8}|period\w{1,20})\w{0,60}(?:\.[\w-]{1,120}){0,8}/?))",
    r"\b((?-i:(?:user|group)(?:[0-9]{2})?\.[A-Za-z][\w-]{1,40}\.[\w-]{0,40}[0-9][\w-]{0,80}(?:\.[\w-]{1,120}){0,8}/?))",
    r"\b((?-i:(?:user|group)(?:[0-9]{2})\.[A-Za-z][\w-]{1,40}(?:\.[\w-]{1,120}){1,8}/?))",
    r"(?:^|[\s\"'=(,\[])(/[A-Za-z][\w-]{1,120}/[A-Za-z0-9][\w.]{0,100}-[\w.-]{0,100}[0-9]/(?-i:(?:RAW|RECO|AOD|FEVT|ALCARECO|USER|GEN|SIM|DIGI|DQM|MINIAOD|NANOAOD)[A-Z]{0,6}(?:-[A-Z]{2,12}){0,5}))(?:[^\w/-]|$)",
    r"\blfn: ?(/[\w/.:+-]{5,250})",
    r"(/lhcb/(?:[\w.+-]{1,80}/){2,12}[\w.+-]{1,120})",
)

RELEASES: tuple[str, ...] = (
    r"\b(CMSSW_[0-9]{1,2}_[0-9]{1,2}_(?:[0-9]{1,3}|X)(?:_(?:pre|patch)[0-9]{1,3})?)\b",
    r"\b((?:DaVinci|Gauss|Brunel|Boole|Moore|Bender|Ganga|Gaudi|LHCb|Urania|Castelo|Erasmus|Panoramix|Phys|Analysis|Rec|Lbcom)[ /_-]{1,2}v[0-9]{1,3}r[0-9]{1,3}(?:p[0-9]{1,3})?)\b",
    r"\b((?:Athena|AtlasOffline|AtlasProduction|AtlasPhysics|AnalysisBase|AthAnalysis|AthAnalysisBase)(?: ?(?:release|version|rel\.?))?[ ,:/-]{1,2}v?[0-9]{1,3}(?:\.[0-9]{1,3}){1,4})\b",
    r"\b(?:release|rel\.|asetup) (v?[0-9]{1,3}(?:\.[0-9]{1,3}){2,4})\b",
    r"\b((?:Ganga|ROOT|DQ2|pAthena|prun|panda-client|DIRAC|CRAB)[ /-](?:version |release )?v?[0-9]{1,3}[._][0-9]{1,3}(?:[./_][0-9]{1,3}){0,3}[a-z]?)\b",
)

WORDS: dict[Sort, tuple[tuple[int, str], ...]] = {
    Sort.ERROR: ERRORS,
    **{
        sort: tuple((0, expression) for expression in expressions)
        for sort, expressions in (
            (Sort.JOB, JOBS),
            (Sort.SITE, SITES),
            (Sort.DATASET, DATASETS),
            (Sort.RELEASE, RELEASES),
        )
    },
}
