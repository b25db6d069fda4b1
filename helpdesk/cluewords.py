"""How clues look: what breaks, and what jobs, sites, datasets and releases are called on the grid.

Search expressions (RE2: linear in the text, whatever it is), case-insensitive but for `(?-i:...)`, each with exactly one
group: the clue.  No guessing: the words of prose ("I get an error") are none, and a number needs a word that says what it counts.
"""

from enum import Enum


class Sort(Enum):
    """What a clue tells, in the order in which an expert asks."""

    ERROR = "error"
    JOB = "job"
    SITE = "site"
    DATASET = "dataset"
    RELEASE = "release"


def _one_of(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


_LINE = r"^[\s>|*`_\[\]\\(\"'“]{0,40}"  # how a pasted line may begin
_LEVEL = r"(?:^|[\s\[|:>*(\\`])"  # before the level of a log's line, if a bracket or a colon follows
_COLUMN = r"(?:^[\s>|*`]{0,40}|[0-9\])|:] {1,8}|\s{2})"  # else: not in "an ERROR occurs"
_SAYS = r"\\?[\]|:)*]{1,3}\s{0,8}([^\s\]|:)*].{0,200})"
_WORDS = r"\s{1,8}[\w\[(].{0,200}"
_IS = r"(?: of| was| is)?[\s:=#(\"']{1,4}"
_CODE = r"(?:-?[1-9][0-9]{0,5}|0x[0-9a-f]{1,16})"
_COMPILER = r"(?:[\w./+-]{1,120}: |[\w./+-]{1,120}:[0-9]{1,7}:(?:[0-9]{1,5}:)? ?)"
_EXCEPTION = r"(?-i:(?:[A-Za-z_]\w{0,60}(?:\.|::)){0,6}[A-Z]\w{0,60}(?:Error|Exception|Interrupt|Fault))"

_GRID = _one_of(
    r"(?:LFC|DPM|CNS|SE)_(?:E[A-Z]{3,12}|NOENT|TIMEOUT)",
    r"(?:SRM|DQ2|LCG|FTS)_(?:[A-Z]+_){0,4}(?:FAILURE|ERROR|EXCEPTION|ABORTED)",
    r"SRM_(?:INVALID|NO|EXCEED|FILE|AUTH|SPACE|REQUEST|NOT)_[A-Z_]{3,40}",
)
_PANDA = _one_of("trans", "pilot", "exe", "ddm", "brokerage", "jobdispatcher", "taskbuffer", "sup", "payload")
_MEMORY = _one_of(
    r"std::bad_alloc", r"\bterminate called after throwing an instance of .{1,80}", r"\bMemoryError\b", r"\bout of memory\b",
    r"\boom[- ]kill(?:er)?\b", r"\bcannot allocate memory\b",
)  # fmt: skip
_SIGNAL = _one_of(
    r"seg(?:mentation)?[- ]?(?:fault|violation)", "segv", "sigsegv", r"sig(?:abrt|bus|ill|fpe|kill|term|xcpu)", "core dumped",
    "bus error", "double free or corruption",
    r"(?:killed by|terminated by|received|caught|exited on|termination \() ?signal [0-9]{1,2}",
)  # fmt: skip
_LIMIT = _one_of(
    r"(?:cancelled|killed|held|terminated|aborted)\b.{0,60}\bdue to (?:time limit|memory|preemption|node failure)",
    r"exceed(?:ed|s|ing)\b.{0,30}\b(?:wall ?(?:clock )?time|memory|disk|cpu time|time) limits?",
)
_EXIT = (
    "(?:pilot |trans |payload |job )?exit(?:ed|s)?(?: (?:abnormally|unexpectedly))?(?: with)?(?: an?| the)?(?: non-?zero)?"
    "[ -]?(?:code|status|value|error)"
)
_FAILED = _one_of("fail(?:s|ed|ing|ure)?", "abort(?:s|ed)?", "die[sd]?", "crash(?:es|ed)?")
_HTTP = _one_of(
    "bad request", "unauthori[sz]ed", "forbidden", "not found", "request time-?out", "too many requests",
    "internal server error", "bad gateway", "service unavailable", "gateway time-?out",
)  # fmt: skip
_SYSTEM = _one_of(
    "permission denied", "no such file or directory", "no space left on device", "disk quota exceeded", "operation not permitted",
    "input/output error", "stale (?:nfs )?file handle", "too many open files", "read-only file system", "text file busy",
    "communication error on send", "connection (?:refused|reset by peer|timed out)",
    "(?:connection|request) to .{1,60} timed out(?: after [0-9]{1,6} [a-z]{1,12})?", "timed out after [0-9]{1,6} (?:seconds|minutes|s)\\b",
    "no route to host", "(?:host|network) is unreachable", "broken pipe",
    "(?:certificate|proxy|credential)s? (?:has |have |is )?expired", "certificate verify failed", "authentication failed",
    "authori[sz]ation (?:failed|denied)", "access denied",
    "command not found", "module not found", "undefined (?:symbol|reference)", "symbol lookup error",
    "cannot open shared object file",
)  # fmt: skip

ERRORS: tuple[tuple[int, str], ...] = (
    # The higher, the more it says.  First what grid services call their errors.
    (90, rf"\b((?-i:{_GRID}))\b"),
    (90, rf"\b({_PANDA}(?:exit|error)(?:code|diag)\b[\s\"':=>,]{{1,6}}[1-9][0-9]{{0,5}})\b"),
    (90, r"\b(glexec\b.{0,80}?\b(?:error|fail(?:ed|ure|s)?|denied|cannot|not authori[sz]ed|(?:code|status|exit)[\s:=]{1,3}[1-9][0-9]{0,2}))\b"),
    (90, r"\b(globus error [1-9][0-9]{0,2}\b.{0,120}|cannot plan: .{1,120})"),
    (90, r"\b(an exception of category '[^']{1,60}' occurred|begin fatal exception)"),
    # How a process died.
    (85, f"({_MEMORY})"),
    (85, rf"\b({_SIGNAL})\b"),
    (85, rf"\b({_LIMIT})\b"),
    # The last words of programs: the type of an exception at the beginning of a line.
    (80, _LINE + rf"({_EXCEPTION}\*{{0,2}}(?::.{{0,200}}|\s{{0,3}}$))"),
    (80, _LINE + r"((?-i:Caused by|Exception in thread .{1,60}): ?.{1,200})"),
    # Codes.
    (75, rf"\b({_EXIT}{_IS}{_CODE})\b"),
    (75, r"\b(exit(?:ed|s)? (?:with|=) ?[1-9][0-9]{1,5})\b"),
    (75, rf"\b((?:error|return|failure|status|err)[ _-]?(?:code|number|no)\.?{_IS}{_CODE})\b"),
    (75, rf"\b({_FAILED} with(?: (?:the )?(?:exit |error )?(?:error|code|status))? {_CODE})\b"),
    (75, r"\b(error[ :=#(]{1,3}[1-9][0-9]{2,5})\b"),
    (75, r"\b(errno[\s:=\]]{1,3}[1-9][0-9]{0,2})\b"),
    (70, r"\b(HTTP(?:S|/[0-9.]{1,3})?(?: (?:error|status|response|code|request|returned)){0,3}[\s:=]{1,3}[45][0-9]{2})\b"),
    (70, rf"\b([45][0-9]{{2}} {_HTTP})\b"),
    # What a log marks: with a level, or at the beginning of its line.
    (65, _LEVEL + r"(?-i:FATAL|CRITICAL|SEVERE)" + _SAYS),
    (65, _COLUMN + rf"((?-i:FATAL|CRITICAL|SEVERE){_WORDS})"),
    (60, _LEVEL + r"(?-i:ERROR)" + _SAYS),
    (60, _COLUMN + rf"((?-i:ERROR){_WORDS})"),
    (60, r"(?:\s|^)(\[E\] .{1,200}|\*\*\* Break \*\*\*.{1,200})"),
    (60, _LINE + rf"({_COMPILER}?(?:fatal )?(?:error|fatal)(?: (?:reason|message|details?))? ?: .{{1,200}})"),
    (60, _LINE + r"((?-i:CMake Error|make(?:\[[0-9]{1,3}\])?: \*\*\*).{1,200})"),
    (55, rf"\b({_SYSTEM})\b"),
)  # fmt: skip

_HOST = r"[\w.-]{3,100}(?::[0-9]{2,5})?"
_PART = r"[0-9]{1,9}\.[0-9]{1,5}"
JOBS: tuple[str, ...] = (
    r"\bpanda[ _-]?(?:job[ _-]?)?ids?\b[\s\"':=#>]{1,5}([0-9]{7,12})\b",
    r"\b(?:pandaid|jeditaskid|job)=([0-9]{7,12})\b",  # in the address of the monitor
    r"\b(?:jedi[ _-]?)?task[ _-]?id\b[\s\"':=#]{1,5}([0-9]{4,12})\b",
    r"\b(https://[\w.-]{3,100}:9000/[\w-]{20,24})",  # gLite
    rf"\b(https://{_HOST}/CREAM[0-9]{{6,12}})\b",
    rf"\b((?:gsiftp|https)://{_HOST}/(?:jobs|arex|rest/1\.[0-9]/jobs)/\w{{10,80}})",  # ARC
    r"\b(?:submitted batch job|slurm job(?: ?id)?|slurm_job_?id|batch job)[\s:=#]{1,4}([0-9]{3,12}(?:_[0-9]{1,6})?)\b",
    r"\bslurm-([0-9]{3,12}(?:_[0-9]{1,6})?)\.(?:out|err)\b",
    r"\bsubmitted to cluster ([0-9]{1,9})\b",  # HTCondor
    rf"\b(?:job|cluster|condor(?:_q)?|proc)[\s:=#]{{1,3}}({_PART})\b",
    r"\bjob <([0-9]{3,12})>",  # LSF
    r"\b([0-9]{3,10}(?:\[[0-9]{0,6}\])?\.[\w-]{0,30}(?:pbs|torque|batch|maui)[\w-]{0,30}(?:\.[\w-]{1,60}){1,5})\b",
    r"\bganga(?: job)?s?(?: (?:id|number|no\.?|nr\.?))?[\s:=#]{1,3}([0-9]{1,7}(?:\.[0-9]{1,5})?)\b",
    r"\bjobs\(([0-9]{1,7}(?:\.[0-9]{1,5})?)\)",  # Ganga's prompt
    r"\b(?:dirac|crab|wms|grid|lsf|pbs)[ _-]?job(?:[ _-]?id)?s?[\s:=#]{1,3}([0-9]{3,12})\b",
    r"\bjob[ _-]?ids?\b[\s\"']{0,2}[:=#][\s\"']{0,2}([0-9][\w.:-]{2,60})",
    r"\bjobs? (?:id |number |no\.? |nr\.? |#)?([0-9]{4,12}(?:\.[0-9]{1,5})?)\b",
    # A GUID, but not in an address or in the name of a file.
    r"(?:^|[\s=\"'(])([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?:[\s\"'),;]|\.\s|\.?$)",
)

_BEFORE = r"(?:^|[^\w./-])"
_AFTER = r"(?:_[A-Z0-9]{3,30})?(?:\W|$)"  # a site may have a space behind it, as in DESY-HH_MCDISK
_FAMILY = _one_of(
    "CERN", "DESY", "IN2P3", "INFN", "RAL", "FZK", "UKI", "GRIF", "NDGF", "SARA", "NIKHEF", "BNL", "FNAL", "IFIC", "IFAE", "JINR",
    "TOKYO", "TRIUMF", "TAIWAN", "Taiwan", "AUSTRALIA", "Australia", "WEIZMANN", "TECHNION", "UNIBE", "UNIGE", "CSCS", "HEPHY",
    "MPPMU", "LRZ", "CYFRONET", "PSNC", "ITEP", "RRC", "RU", "NCG", "BEIJING", "SLAC", "(?:RO|TR)-[0-9]{2}",
    "CA-(?:ALBERTA|MCGILL|SCINET|VICTORIA)",
)  # fmt: skip
SITES: tuple[str, ...] = (
    _BEFORE + rf"((?-i:{_FAMILY}(?:-[A-Z0-9][A-Za-z0-9]{{0,15}}){{1,4}}))" + _AFTER,
    _BEFORE + r"((?-i:[A-Za-z][A-Za-z0-9]{1,20}(?:-[A-Z0-9]{2,12}){0,3}-(?:LCG2|LCG1|TIER2|LHEP)))" + _AFTER,
    _BEFORE + r"((?-i:ANALY_[A-Za-z0-9_-]{2,40}))(?:\W|$)",  # PanDA's queues
    _BEFORE + r"((?-i:T[0-3]_[A-Z]{2}_[A-Za-z][A-Za-z0-9_]{1,30}))(?:\W|$)",  # CMS
    _BEFORE + r"((?-i:(?:LCG|DIRAC|ARC|CLOUD|VAC)\.[A-Za-z0-9-]{2,30}\.[a-z]{2,3}))(?:\W|$)",  # LHCb
)

_FIELDS = r"(?:\.[\w-]{1,120}){0,8}/?"
_TIER = r"(?-i:(?:RAW|RECO|AOD|FEVT|ALCARECO|USER|GEN|SIM|DIGI|DQM|MINIAOD|NANOAOD)[A-Z]{0,6}(?:-[A-Z]{2,12}){0,5})"
DATASETS: tuple[str, ...] = (
    r"\b((?-i:(?:mc|data|valid|fdr|ccrc|step)[0-9]{2}(?:_[A-Za-z0-9]+){0,3}\.(?:[0-9]{3,8}|period\w{1,20})\w{0,60}"
    + _FIELDS
    + "))",
    r"\b((?-i:(?:user|group)(?:[0-9]{2})?\.[A-Za-z][\w-]{1,40}\.[\w-]{0,40}[0-9][\w-]{0,80}" + _FIELDS + "))",
    r"\b((?-i:(?:user|group)[0-9]{2}\.[A-Za-z][\w-]{1,40}\.[\w-]{1,120}" + _FIELDS + "))",
    r"(?:^|[\s\"'=(,\[])(/[A-Za-z][\w-]{1,120}/[A-Za-z0-9][\w.]{0,100}-[\w.-]{0,100}[0-9]/"
    + _TIER
    + r")(?:[^\w/-]|$)",
    r"\blfn: ?(/[\w/.:+-]{5,250})",
    r"(/lhcb/(?:[\w.+-]{1,80}/){2,12}[\w.+-]{1,120})",
)

_VERSION = r"v?[0-9]{1,3}(?:\.[0-9]{1,3})"
_ATLAS = _one_of(
    "Athena",
    "AtlasOffline",
    "AtlasProduction",
    "AtlasPhysics",
    "AnalysisBase",
    "AthAnalysis",
    "AthAnalysisBase",
)
_LHCB = _one_of(
    "DaVinci", "Gauss", "Brunel", "Boole", "Moore", "Bender", "Ganga", "Gaudi", "LHCb", "Urania", "Castelo", "Erasmus",
    "Panoramix", "Phys", "Analysis", "Rec", "Lbcom",
)  # fmt: skip
_TOOLS = _one_of("Ganga", "ROOT", "DQ2", "pAthena", "prun", "panda-client", "DIRAC", "CRAB")
RELEASES: tuple[str, ...] = (
    r"\b(CMSSW_[0-9]{1,2}_[0-9]{1,2}_(?:[0-9]{1,3}|X)(?:_(?:pre|patch)[0-9]{1,3})?)\b",
    rf"\b({_LHCB}[ /_-]{{1,2}}v[0-9]{{1,3}}r[0-9]{{1,3}}(?:p[0-9]{{1,3}})?)\b",
    rf"\b({_ATLAS}(?: ?(?:release|version|rel\.?))?[ ,:/-]{{1,2}}{_VERSION}{{1,4}})\b",
    rf"\b(?:release|rel\.|asetup) ({_VERSION}{{2,4}})\b",
    rf"\b({_TOOLS}[ /-](?:version |release )?v?[0-9]{{1,3}}[._][0-9]{{1,3}}(?:[./_][0-9]{{1,3}}){{0,3}}[a-z]?)\b",
)

WORDS: dict[Sort, tuple[tuple[int, str], ...]] = {
    Sort.ERROR: ERRORS,
    Sort.JOB: tuple((0, expression) for expression in JOBS),
    Sort.SITE: tuple((0, expression) for expression in SITES),
    Sort.DATASET: tuple((0, expression) for expression in DATASETS),
    Sort.RELEASE: tuple((0, expression) for expression in RELEASES),
}
