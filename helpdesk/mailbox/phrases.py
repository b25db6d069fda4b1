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
    r"auto(?:mati[ck]|mated)?(?: e-?mail)?[- ]?(?:re(?:ply|sponse|sponder|plied)|answer|message)",
    r"(?:i am |i'm |am |currently )?out of (?:the |my )?office(?:[- ](?:auto-?)?(?:reply|response|message|notification|notice))?",
    r"(?:i am |i'm )?(?:away from (?:the |my )?(?:office|desk|mail|e-?mail)|on (?:vacation|annual leave|holidays?))",
    r"vacation (?:auto-?)?(?:reply|message|response|notice)", r"absence notification", r"away(?= until)",
    r"ooo", r"auto", r"\(auto\)",
    r"abwesen(?:d|heit)(?:s?-?notiz|smeldung|sassistent|sbenachrichtigung|sagent)?",
    r"automatische (?:antwort|abwesenheit(?:snotiz)?|e-?mail|nachricht)",
    r"ich bin (?:nicht im büro|abwesend|im urlaub)",
    r"r[ée]ponse automatique", r"message d'absence", r"absen(?:t|ce) du bureau", r"en vacances",
    r"respuesta autom[áa]tica", r"fuera de (?:la )?oficina", r"resposta autom[áa]tica", r"fora do escrit[óo]rio",
    r"risposta automatica", r"fuori (?:sede|ufficio)", r"automatisch antwoord", r"afwezig(?:heid)?(?:s|sbericht)?",
    r"autosvar", r"automatiskt? svar", r"automaattinen vastaus", r"poissaoloviesti",
    r"automatyczna odpowied[źz]", r"odpowied[źz] automatyczna", r"automatick[áa] odpov[ěe][ďd]",
    r"automatikus v[áa]lasz", r"r[ăa]spuns automat", r"otomatik yan[ıi]t", r"αυτόματη απάντηση",
    r"автоответ(?:чик)?", r"автоматический ответ", r"автоматична відповідь",
    r"自動返信", r"自動応答", r"不在(?:通知|連絡|のため)?", r"自动回复", r"自動回覆", r"자동 ?회신", r"부재 ?중",
    r"תשובה אוטומטית", r"رد تلقائي",
)  # fmt: skip
_AWAY_END = (
    r"\s*(?:$|[:：!.([–—-]|(?:until|till|from|through|next|today|bis|vom|ab|jusqu|du|hasta|fino|re)\b)"
)

FAILED = re.compile(f"{_TAGS}(?:{'|'.join(_FAILED)})", re.IGNORECASE)
"""A mail could not be delivered."""

AWAY = re.compile(f"{_TAGS}(?:{'|'.join(_AWAY)}){_AWAY_END}", re.IGNORECASE)
"""Somebody is out of the office; "Automatic reply to users" and "Out of office hours?" go on with other words."""

COMPLAINT = re.compile(r"complaint about message from \d")
"""A feedback loop that is no multipart/report."""

TICKET = re.compile(r"\[[^\[\]]{0,60}\d[^\[\]]{0,60}\]|\[JIRA\]", re.IGNORECASE)
"""A tracker's subject: the ticket comes first."""
