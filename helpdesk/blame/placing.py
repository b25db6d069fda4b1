"""How the words around a name use it: for the place where something failed, for one that is not what failed, or not for a site at all.

A site may be called like a word that mails say of other things: PIC, RAL, MIT, LONDON, CERN.  Such a name counts only where its own
sentence says that jobs, data or machines are there: "jobs at PIC", "site: PIC", "PIC is down".  "We at MIT", "a train from LONDON", "my CERN
account" name no site.  A name that no prose has (`names.is_distinctive`) is always a site.

Any site may be named as the one that works, or worked once: "unlike RAL", "it works at RAL", "I excluded RAL".
"""

import re
from enum import Enum, auto

REACH = 160  # characters of the sentence on each side
SHORT, FEW = 80, 4  # characters of a mail that may say nothing but a name, and words before the name
_OPENS, _CLOSES = "\"'([*`\u201e\u201c\u00ab", '"*`)\u201d\u00bb'


class Use(Enum):
    """What a name is used for."""

    NONE = auto()  # no site is meant
    ASIDE = auto()  # a site that is not what failed
    SITE = auto()


def _words(text: str) -> str:
    return "|".join(text.split())


_GAP = r"[^\S\n]*\n?[^\S\n]*"  # blanks, and at most one end of a line
_END = re.compile(rf"[.!?](?=\s)|\n{_GAP}\n")
_CLAUSE_END = re.compile(
    r"[,;:()\n]|\b(?:but|when|if|while|whereas|however|though|although|yet|aber|mais|pero)\b"
    r"|\band(?= (?:the|those|these|they|it|at|all|other|others|same|in|everything|now)\b)",
    re.IGNORECASE,
)

_CHAIN = (
    r"(?:(?-i:[A-Z0-9])[\w.-]{1,39}(?:,| and| or| und| et|/|,? &)\s{1,2}){0,6}"  # "PIC, RAL and " before KIT
)
_PREPOSITION = rf"(?:{_words('at in on to into via bei auf nach zu à chez sur en al presso em')})"
_THINGS = (
    r"(?:[a-z]{0,12}-?jobs?|[a-z]{0,4}tasks?|pilots?|payloads?|workflows?|transfers?|transferring|sites?|queues?|(?:worker[ -]?)?nodes?|WNs?|storage"
    r"|replicas?|replicate[sd]?|copy|copies|copied|datasets?|data|files?|inputs?|outputs?|stag(?:e|ed|ing)(?:[ -]?(?:in|out))?|upload(?:s|ed)?|downloads?|cvmfs|srm|xrootd"
    r"|dcache|eos|gridftp|webdav|submission|submitted|sent|resubmit(?:ted)?|brokered|scheduled|slots?|glide(?:s|d)?(?:[ -]?ins?)?|condor|batch|rules?|limits?|CPU|GPUs?|walltime|memory|CEs?|SEs?|RSEs?|runs"
    r"|ran|running|executed|failed|fails?|failing|failures?|crash(?:es|ed)?|travaux|soumis|envoyés|auftr[äa]ge|laufen|trabajos|lavori|processing|quota|run|send|everything|anything|nothing|[TGP]i?B)"
)
_THING = re.compile(rf"\b{_THINGS}\b", re.IGNORECASE)
_IT_IS = re.compile(
    rf"\s*(?:it['\u2019]s|(?:it|this|that|they|all|mine|the site|both) (?:is|was|are|were|ran)(?: all)?(?: {_PREPOSITION})?) ",
    re.IGNORECASE,
)
_WORKS = re.compile(
    r"\s(?:is|was|are|were) (?:\w+ )?(?:fine|ok|okay|good|healthy|up)\b|\sworks?(?=[,.;!]|$| (?:fine|well|but|ok|again|properly)\b)", re.IGNORECASE
)  # fmt: skip
_HEADS = re.compile(r"\s?:|\s[-\u2013\u2014]\s|\]\s")
_TROUBLE = re.compile(
    r"\b(?:fail\w*|down|broken|troubles?|problems?|issues?|errors?|jobs?|problem[aie]s?|problèmes?|falhas?|fallan?|kaputt|panne|unavailable|not (?:working|reachable|available)|offline|out|stuck|bad|dead|slow|unreachable"
    r"|downtime|refus\w*|reject\w*|time\w* ?outs?|lost|crash\w*|pilots?|storage|exit code|held|(?:has|have) no)\b",
    re.IGNORECASE,
)
_KEYED = re.compile(
    rf"(?:\b(?:{_words('site sites queue queues resource CE SE RSE RSEs endpoint computingsite computingelement destination standort')})(?:[ _-]?name)?"
    rf"|--?\w{{0,12}}site)(?:\s{{1,2}}(?:is|was|are|were|of|at|in))?[^\S\n]*[:=]?[^\S\n]*[\"'(]?{_CHAIN}$",
    re.IGNORECASE,
)
_OWNED = re.compile(
    r"(?:['\u2019]s)?[ -](?:sites?|queues?|tier[ -]?[0-3]|T[0-3]|storage|SEs?|CEs?|cluster|farm|batch|worker|nodes?|WNs?|endpoints?|RSEs?|datadisk|scratchdisk"
    r"|localgroupdisk|dcache|eos|pilots?|jobs?|cvmfs|transfers?)\b",
    re.IGNORECASE,
)
_BEFORE_IT = re.compile(
    rf"\b{_THINGS}\b[^\S\n]*\n?(?:[^\S\n]*\(?[\w.'\u2019/%-]{{1,30}}\)?\s){{0,6}}?[^\S\n]*{_PREPOSITION}\s{{1,2}}(?:the\s)?{_CHAIN}$", re.IGNORECASE
)  # fmt: skip
_TRANSFER = re.compile(
    rf"\b(?:transfer\w*|cop(?:y|ies|ied|ying)|download\w*|fetch\w*|read\w*|stage\w*|replicas?|files?|data|input|output|pilots?)\b(?:\s\(?[\w.'\u2019/%-]{{1,30}}\)?){{0,6}}?"
    rf"\s{{1,2}}(?:from|of|von|de|da)\s{{1,2}}{_CHAIN}$",
    re.IGNORECASE,
)
_PLACED = re.compile(rf"(?:^|[\s(,])(?:only )?{_PREPOSITION}\s{{1,2}}{_CHAIN}$", re.IGNORECASE)
_AFTER_IT = re.compile(
    rf",? (?:I|we) (?:always |only |still |also )?(?:get|got|see|saw|have|find|found)\b"
    rf"|(?:[,:]|(?:,? (?:and|or) (?-i:[A-Z0-9])[\w.-]{{1,39}}){{1,3}},?)?\s{{1,2}}(?!(?:and|but|so|where|when|with|since)\b)(?:[\w.'\u2019/%-]{{1,30}}\s){{0,3}}?{_THINGS}\b", re.IGNORECASE
)  # fmt: skip
_ALL_OF_THEM = re.compile(
    rf"\b(?:all|most|some|none|both|each|many|\d+)(?:\s(?:of\s)?(?:these|those|them|which|it))?\s(?:are|were|is|was|ran|run|failed)\s{{1,2}}{_PREPOSITION}\s{{1,2}}{_CHAIN}$",
    re.IGNORECASE,
)
_I_GET = re.compile(
    rf"\b(?:I|we) (?:\w+ )?(?:get|got|see|saw|find|found),?(?:\s(?:this|it|that|them|these|the same|errors?|the error|an error|only|mostly|now)){{0,3}},?\s{_PREPOSITION}\s{{1,2}}{_CHAIN}$",
    re.IGNORECASE,
)
_BROKERED = re.compile(
    rf"\b(?:{_words('exclude excluding excluded ban banned blacklist blacklisted avoid avoided remove removed drop')}|only|always|mostly|except)\s{{1,2}}{_CHAIN}$", re.IGNORECASE
)  # fmt: skip
_ASKED = re.compile(
    rf"\b(?:check|look (?:at|into)|investigate|(?:up|wrong|happening|going on) (?:with|at|in)|(?:trouble|troubles|problems?|issues?|errors?) (?:with|at|in|on))\s{{1,2}}{_CHAIN}$",
    re.IGNORECASE,
)
_PART_OF = re.compile(
    rf"\b(?:sites?|queues?|nodes?|WNs?|machines?|storage|SEs?|CEs?|cluster|farm|pool|door|disk|downtime|cvmfs|pilots|quota|limits?)\s(?:of|in|at|on)\s{{1,2}}{_CHAIN}$",
    re.IGNORECASE,
)
_THE_SITE_IS = re.compile(
    rf"\b(?:sites?|queues?|place) (?:[\w'\u2019-]{{1,20}} ){{0,4}}(?:is|are|was|were) (?:only )?{_CHAIN}$",
    re.IGNORECASE,
)
_LEADS = (_THE_SITE_IS, _KEYED, _ALL_OF_THEM, _I_GET, _TRANSFER, _ASKED, _PART_OF)
_CELL = re.compile(
    r"[^\S\n]*\|[^\n]*\b(?:fail|error|crash|held|exit)|[^\S\n]only\b(?=[^\n]*(?:fail|error|code|:))",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\b(?:fail\w*|errors?|crash\w*|held|broken)\b[^.\n]{0,40}\($", re.IGNORECASE)
_BEGINS = re.compile(
    r"(?:^|\n|[,:;(]\s|\b(?:and|that|because|since|is|are|but|now|again|why|does|did|has|maybe|today)\s)[^\S\n]*[-*•]?[^\S\n]*$",
    re.IGNORECASE,
)
_GREETS = re.compile(
    r"\b(?:hi|hello|hey|dear|hallo|thanks|thank you|ciao|bonjour|best|regards|cheers)\W*$", re.IGNORECASE
)
_DOES = re.compile(
    r"\s(?:and \S{2,40} )?(?:again\b|now\b|still\b|also\b|all\b|currently\b| ){0,3}"
    r"(?:seems?|fails?|failing|failed|is|are|was|has|have|had|gives?|returns?|rejects?|refuses?|looks?|appears?|keeps?|does(?:n['\u2019]t| not)|won['\u2019]t"
    r"|can(?:not|['\u2019]t)|stopped|went|times out|timed out|down|broken|kills?|loses|ate|eats|está|tem|tiene|ist|hat|scheint|est|semble|ha|è)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"^\s?(?:certificates?|certs?|accounts?|CA\b|licen[cs]e|passwords?|SSO|VPN|time\b(?! out)|groups?|team|people|students?|colleagues?|workshop|meetings?|conference|school|university"
    r"|library|phone|e-?mail|address|web|website|wiki|twiki|linux|office|trip|visit|kerberos|program|course|physics)\b",
    re.IGNORECASE,
)
_PEOPLE = re.compile(
    r"\b(?:(?:(?:I|we|he|she|you|who|us|people|me)(?:\s(?:am|are|is|was|were|will be|have been)|['\u2019](?:m|re|s))?|here|am|student|postdoc|professor|prof|supervisor|colleagues?|friends?"
    r"|boss|advisor|institute|university|department|office|school|teams?|groups?|users|visit(?:ing|s|ed)?|travel\w*|mov(?:e|ed|ing)|work(?:ing)?|live|living|based|employed|sit|sitting"
    r"|stay\w*|fly\w*|flight|train|bus|drive|meeting|conference|workshop|talk|seminar|lecture|training|tutorial|held|holds?|takes place|place|back|arriv\w+|night|day|morning|evening|weather"
    r"|greetings|holidays?|vacation|born|certificate|account|submit(?:ted)? (?:\w+ ){0,2}?from|kindergarten|hotel|flat|month|week|desk|laptop|lxplus)"
    rf"(?:\s(?:currently|now|still|all|both|based|here|back|over|up|down|took|will|takes?|place))?)\s(?:at|in|from|to|of|near|for|into)\s{{1,2}}(?:sunny |rainy )?{_CHAIN}$",
    re.IGNORECASE,
)

_FINE = re.compile(
    r"\b(?:works?|worked|working|fine|ok|okay|succe(?:ed|eds|eded|ss|ssful|ssfully)|no (?:problems?|errors?|issues?|trouble|failures?|such)|nothing wrong|healthy|all good"
    r"|(?:finish(?:es|ed)?|runs?|ran|running|end(?:s|ed)?) (?:fine|well|ok|properly|correctly|normally|smoothly|cleanly|through)|unaffected|geht|läuft|funktioniert|marche|fonctionne"
    r"|last (?:year|month|time|summer|autumn|winter|spring)|in the past|previously|used to|(?:months?|years?) ago)\b"
    r"|\bwithout (?:any |a )?(?:trouble|problems?|errors?|issues?|failures?|hitch)",
    re.IGNORECASE,
)
_BROKEN = re.compile(
    r"(?:\b(?:not|never|no longer|nothing|none|stopped|neither|nor|cannot|no|nicht|pas|barely|hardly|don['\u2019]?t|doesn['\u2019]?t|won['\u2019]?t|isn['\u2019]?t|didn['\u2019]?t|can['\u2019]?t)\s(?:\w+\s){0,2}?"
    r"(?:work\w*|succe\w+|finish\w*|run\w*|ok|fine|geht|läuft|funktioniert|marche))"
    r"|\b(?:fail\w*|crash\w*|die[sd]?|dying|down|stuck|broken|aborts?|aborted|worked until|used to work|worked (?:fine )?(?:before|yesterday|last))\b",
    re.IGNORECASE,
)
_SET_ASIDE = re.compile(
    rf"(?:\b(?:unlike(?: \w+){{0,3}}|nothing (?:at|in|on)|mov(?:ed?|ing) (?:\w+ ){{0,2}}jobs (?:away )?from|not(?:\s(?:at|in|on|from|to|for|with))?|instead of|other than|rather than|except(?:\s(?:at|in|for))?|apart from|besides|outside(?: of)?"
    rf"|(?:recommended|advised|told|suggested|asked)\s(?:me |us |people )?(?:to )?(?:avoid|avoiding|exclude|ban|use|using)"
    rf"|excluded|excluding|blacklisted|banned|avoided|avoiding)|--?exclude\w*)[\s=:]{{1,2}}(?:the\s)?(?:site\s)?{_CHAIN}$",
    re.IGNORECASE,
)


def use(text: str, begin: int, end: int, *, only_a_name: bool) -> Use:
    """What the name that stands there is used for; `only_a_name`: prose has no such word."""
    if text[end : end + 1] == ")" and _IN_BRACKETS.search(text, max(0, begin - REACH), begin):
        return Use.SITE  # "all of them fail (PIC)"
    left = text[max(0, begin - REACH) : begin].rstrip(_OPENS)
    right = text[end : end + REACH].lstrip(_CLOSES)
    left, right = _until(_END, left, right)
    short = len(text) < SHORT
    if not only_a_name and not (short and _is_all(left, right)) and not _means_a_site(left, right):
        return Use.NONE
    return Use.ASIDE if _is_aside(left, right) else Use.SITE


def _until(borders: re.Pattern[str], left: str, right: str) -> tuple[str, str]:
    """What lies between the nearest borders on both sides."""
    begin = max((found.end() for found in borders.finditer(left)), default=0)
    stop = borders.search(right)
    return left[begin:], right[: stop.start()] if stop else right


def _is_all(left: str, right: str) -> bool:
    """Whether a line says nothing but a name: "It is PIC."."""
    before, behind = left.rpartition("\n")[2], right.partition("\n")[0]
    return len(before.split()) <= FEW and not behind.strip(" .,!") and not _GREETS.search(before)


def _means_a_site(left: str, right: str) -> bool:
    """Whether a word that may be another means a site here."""
    if _PEOPLE.search(left) or _OTHERS.match(right):
        return False
    known = _OWNED.match(right) or _CELL.match(right) or any(one.search(left) for one in _LEADS)
    placed = _BEFORE_IT.search(left) or (_PLACED.search(left) and _AFTER_IT.match(right))
    brokered = _BROKERED.search(left) and (_THING.search(left) or _THING.search(right))
    return bool(known or placed or brokered) or _is_subject(left, right)


def _is_subject(left: str, right: str) -> bool:
    """Whether a sentence is about the name: "PIC is down", "PIC: transfers fail", "PIC works", "It is PIC."."""
    if _IT_IS.fullmatch(left) and not right.strip(" .,!"):
        return True
    if _BEGINS.search(left) and _WORKS.match(right):
        return True
    says = _HEADS.match(right) or _DOES.match(right)
    return bool(_BEGINS.search(left) and says and _TROUBLE.search(right))


def _is_aside(left: str, right: str) -> bool:
    """Whether a site is named as one that works, worked once, or was left out."""
    if _SET_ASIDE.search(left):
        return True
    clause = " ".join(_until(_CLAUSE_END, left, right))
    return bool(_FINE.search(clause)) and not _BROKEN.search(clause)
