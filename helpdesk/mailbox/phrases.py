"""The subjects of machines: bounces and answering machines, in the languages of our users.

Every pattern is anchored (behind a list's tag), because people write *about* bounces and automatic replies.  Each runs in
linear time: no group repeats what repeats.
"""
# ruff: noqa: RUF001  other alphabets have letters that look like ours, and that is the point

import re

_TAGS = r"(?:\[[^\[\]]{1,60}\]\s*)*"  # a list puts its name before everything

_FAILED = (
    r"failure notice", r"undeliver", r"un-?delivered", r"returned mail", r"returned to sender", r"non[- ]?deliver",
    r"(?:mail |message )?delivery (?:status|notification|failure|failed|has failed|error|problem|delayed|incomplete)",
    r"(?:mail|message) (?:system )?(?:error|failure|failed|not delivered|could not be|cannot be|undeliver|status)",
    r"(?:warning: )?could not send message", r"(?:nicht |un)zustellbar", r"non remis", r"non distribuable", r"échec de la remise",
    r"no se puede entregar", r"no entregado", r"não (?:é possível entregar|entregue)",
    r"impossibile recapitare", r"mancato recapito", r"onbestelbaar", r"kunde inte levereras", r"kunne ikke leveres",
    r"nie można dostarczyć", r"niedostarczon", r"nedoručitel",
    r"ваше сообщение не доставлено", r"недоставлен", r"не удалось доставить",
    r"メールエラー", r"メッセージを配信できません", r"配信不能", r"配信エラー", r"送信エラー", r"未送達",
    r"退信", r"系统退信", r"未送达", r"無法傳遞", r"배달되지 않음",
)  # fmt: skip
_AWAY = (
    r"auto(?:mati[ck]|mated)?(?: e-?mail)?[- ]?(?:re(?:ply|sponse|sponder|plied)|answer)",
    r"(?:i am |i'm |am |currently )?out of (?:the |my )?office(?:[- ](?:auto-?)?(?:reply|response|message|notification|notice))?",
    r"(?:i am |i'm )?(?:away from (?:the |my )?(?:office|desk|mail|e-?mail)|on (?:vacation|annual leave|holidays?))",
    r"vacation (?:auto-?)?(?:reply|message|response|notice)", r"absence notification", r"away(?= until)",
    r"ooo", r"\(auto\)",
    r"abwesen(?:d|heit)(?:s?-?notiz|smeldung|sassistent|sbenachrichtigung|sagent)?",
    r"autom(?:atische|\.) (?:antwort|abwesenheit(?:snotiz)?|e-?mail|nachricht)", r"eingangsbestätigung",
    r"ich bin (?:nicht im büro|abwesend|im urlaub)",
    r"r[ée]ponse automatique(?: d[\u2019']absence(?: du bureau)?)?", r"message d[\u2019']absence", r"absen(?:t|ce) du bureau", r"en vacances",
    r"respuesta autom[áa]tica(?: por ausencia(?: de la oficina)?)?", r"(?:fuera|ausente) de (?:la )?oficina",
    r"resposta autom[áaà]tica(?: para aus[êe]ncia(?: do escrit[óo]rio)?)?", r"fora do escrit[óo]rio",
    r"risposta automatica", r"fuori (?:sede|ufficio)", r"assente", r"automatisch antwoord", r"afwezig(?:heid)?(?:s|sbericht)?", r"niet op kantoor",
    r"autosvar", r"automatiskt? svar", r"frånvar(?:o|ande)", r"fravær(?:ende)?", r"ikke til stede", r"automaattinen vastaus", r"poissa(?:oloviesti)?",
    r"automatyczna odpowied[źz]", r"odpowied[źz] automatyczna", r"autoodpowied[źz]", r"poza biurem", r"nieobecn(?:y|a|ość)",
    r"automatick[áa] odpov[ěe][ďd]", r"mimo kancelář", r"nepřítomnost",
    r"(?:házon kívüli )?automatikus v[áa]lasz", r"távollét", r"r[ăa]spuns automat", r"otomatik yan[ıi]t", r"ofis dışında", r"αυτόματη απάντηση", r"εκτός γραφείου",
    r"samodejni odgovor(?: o odsotnosti(?: iz pisarne)?)?", r"automatski odgovor", r"automatinis atsakymas", r"automātisk[aā] atbilde",
    r"automa(?:at|atiline |tiline )vastus", r"erantzun automatikoa", r"balasan otomatis", r"trả lời tự động",
    r"автоответ(?:чик)?(?: при отсутствии.{0,20})?", r"автоматический ответ", r"автоматична відповідь", r"(?:извън офиса съм )?автоматичен отговор",
    r"вне офиса", r"нет на месте",
    r"(?:不在時の)?自動(?:返信|応答)", r"不在(?:通知|連絡|のため|のお知らせ)?", r"休暇のお知らせ",
    r"(?:外出时的|假期|郵件答錄機)?(?:自动|自動)(?:回复|答复|回覆|答覆)", r"(?:外出|休假)通知", r"(?:부재 ?중 ?)?자동 ?회신", r"부재 ?중",
    r"תשובה אוטומטית", r"رد تلقائي", r"الرد التلقائي", r"پاسخ خودکار", r"ตอบกลับอัตโนมัติ",
)  # fmt: skip
_ALONE = (  # people write these in front of a question, too: nothing may follow
    r"auto(?:mati[ck]|mated) (?:e-?mail )?message", r"on leave", r"in ferie", r"ferie", r"estoy de vacaciones", r"en congés?",
    r"(?:on )?(?:parental|maternity|paternity|sick|medical) leave(?: (?:until|till|from|through)\b[^?]*| ?\([^?]*)?", r"je suis absente?", r"jestem na urlopie", r"szabadságon", r"ich bin dann mal weg[^?]{0,40}", r"în concediu", r"(?:я )?в отпуске", r"(?:у )?відпустк[аи]", r"출장 ?중",
)  # fmt: skip
_SAYS_SO = (  # in the middle or at the end
    r"auto: [^?]{1,80}\bout of (?:the )?office(?: ?[-–:(,.][^?]*| (?:until|till|from|and)\b[^?]*)?",
    r"[^?:]{2,40} is (?:out of the office(?: (?:until|from|\()[^?]*)?|on leave (?:until|from|\()[^?]*)",
    r"(?!(?:re|aw|fwd?|wg|sv|vs|tr|rv) ?:)[^()\[\]]{2,100}[(\[](?:auto(?:mati[ck]|mated)?[- ]?(?:reply|response)|abwesenheitsnotiz|réponse automatique)[)\]]",
)  # fmt: skip
_AWAY_END = r"\s*(?:$|[:：!.([–—-]|(?:until|till|from|through|next|today|bis|vom|ab|jusqu|du|hasta|fino|re)\b(?![^?]*\?))"
_AWAY_TAG = r"\[(?:auto(?:mati[ck]|mated)?[- ]?(?:reply|response)|out of office|ooo|abwesenheitsnotiz)\]"

FAILED = re.compile(f"{_TAGS}(?:{'|'.join(_FAILED)})", re.IGNORECASE)
"""A mail could not be delivered."""

_AWAY_FIRST = re.compile(
    f"{_TAGS}(?:{_AWAY_TAG}|(?:{'|'.join(_AWAY)}){_AWAY_END}|(?:{'|'.join(_ALONE)})[ .!]*$)", re.IGNORECASE
)
_AWAY_LATER = re.compile(f"{_TAGS}(?:{'|'.join(_SAYS_SO)})[ .!]*$", re.IGNORECASE)


def is_away(subject: str) -> bool:
    """Whether somebody is out of the office; "Automatic reply to users" and "Out of office hours?" go on with other words.

    An answer is a person's, and most subjects are those of answers.
    """
    if subject.startswith("Re: "):
        return False
    if _AWAY_FIRST.match(subject):
        return True
    later = " is o" in subject or subject.endswith((")", "]")) or subject[:5].upper() == "AUTO:"
    return later and _AWAY_LATER.match(subject) is not None


COMPLAINT = re.compile(r"complaint about message from \d")
"""A feedback loop that is no multipart/report."""

NOTICE = re.compile(
    r"\d+ \S+ moderator request\(s\) waiting|your message to \S+ awaits moderator approval|confirm [0-9a-f]{20,}$|forward of moderated message$"
    r"|request to mailing list \S+ rejected",
    re.IGNORECASE,
)
"""What a list's software says of itself."""

TICKET = re.compile(r"\[[^\[\]]{0,60}\d[^\[\]]{0,60}\]|\[JIRA\]", re.IGNORECASE)
"""A tracker's subject: the ticket comes first."""
