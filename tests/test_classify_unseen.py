"""Automatic mail as other systems and other languages send it, and people's mail that looks like it."""
# ruff: noqa: RUF001  other alphabets have letters that look like ours

import pytest

from helpdesk.model import Nature
from tests.test_classify import LIST, nature


@pytest.mark.parametrize(
    "subject",
    [
        "Réponse automatique d’absence du bureau: Jobs", "Respuesta automática por ausencia de la oficina", "Resposta automàtica: x",
        "Resposta automática para ausência do escritório", "Autoodpowiedź (poza biurem)", "Házon kívüli automatikus válasz",
        "Автоматичен отговор: x", "Извън офиса съм Автоматичен отговор", "Samodejni odgovor o odsotnosti", "Automatski odgovor: x",
        "Automatinis atsakymas: x", "Automātiska atbilde: x", "Automaatvastus: x", "自动答复: x", "外出时的自动答复", "郵件答錄機自動回覆",
        "不在時の自動応答", "부재중 자동회신", "الرد التلقائي: x", "پاسخ خودکار: x", "Balasan otomatis: x", "Trả lời tự động: x", "ตอบกลับอัตโนมัติ: x",
        "Erantzun automatikoa: x", "Ausente de la oficina", "En congé", "Niet op kantoor", "Frånvaro: x", "Fraværende: x", "Poissa: x", "Nieobecny",
        "Mimo kancelář: x", "Ofis dışında", "Εκτός γραφείου", "Вне офиса: x", "В отпуске", "休假通知", "Autom. Antwort: x",
        "On parental leave", "On leave", "[Auto-Reply] x", "[dast] [Auto-Reply] x", "Thank you for your message (automatic reply)",
        "AUTO: Ann Ash is out of the office (returning 06/15/2026)", "Ann Ash is out of the office", "Ann Ash is on leave until Monday",
    ],
)  # fmt: skip
def test_answering_machines_of_other_languages(subject: str) -> None:
    """Answering machines are known by their subjects beyond the commonest languages, and where the words come last."""
    assert nature(Subject=subject, **LIST) is Nature.AUTOMATIC


@pytest.mark.parametrize(
    "subject",
    [
        "Auto-retry of jobs", "Auto-setup fails", "auto: module not found", "Auto", "Automated message from pilot: what does it mean",
        "Automatic message passing fails in MPI job", "Out of office next week, who is on shift?", "On leave of absence, my account was closed",
        "In ferie: chi fa lo shift?", "Absent files", "Vacation: who takes my shift", "Re: Thank you for your message (automatic reply)",
        "Re: [Auto-Reply] x", "WG: Automatische Antwort: Jobs", "The site is out of sync (automatic failover)", "Which site is on leave?",
        "On maternity leave - please extend my account", "On sick leave: who takes the shift?", "Maria is on leave",
        "Auto: jobs out of the office network fail", "Is anybody on leave?", "confirm that jobs run", "3 jobs waiting", "Your message to RAL awaits an answer",
    ],
)  # fmt: skip
def test_people_whose_subjects_look_automatic(subject: str) -> None:
    """A person who writes of automatic things, of absences or of files that are absent, is a person."""
    assert nature(Subject=subject, **LIST) is Nature.HUMAN


@pytest.mark.parametrize(
    "fields",
    [
        {"X_JIRA_FingerPrint": "abc", "Subject": "[JIRA] (ABC-1) Created: x"},
        {"Content_Type": "text/calendar; charset=utf-8; method=REPLY"},
        {"From": "dast-bounces@lists.example.org", **LIST},
        {"From": "LISTSERV@x.example", "Subject": "Rejected posting"},
        {"From": "autoreply@x.example"},
        {"From": "dast-owner@lists.example.org", "Subject": "3 DAST moderator request(s) waiting", **LIST},
        {
            "From": "dast@lists.example.org",
            "Subject": "Your message to dast awaits moderator approval",
            **LIST,
        },
        {
            "From": "dast@lists.example.org",
            "Subject": "confirm 0123456789abcdef0123456789abcdef01234567",
            **LIST,
        },
        {"Precedence": "bulk", "Sender": "Ann Ash <ann@x.example>"},
        {"Auto_Submitted": 'auto-replied; owner-email="ann@x.example"'},
    ],
)
def test_machines_that_say_it_in_another_way(fields: dict[str, str]) -> None:
    """Trackers, answers to invitations, and what runs a list are machines."""
    assert nature(**fields) is Nature.AUTOMATIC


@pytest.mark.parametrize(
    "fields",
    [
        {"Precedence": "bulk", "Sender": "owner-dast@lists.example.org"},
        {"Precedence": "bulk", "Return_Path": "<dast-bounces+ann=x.example@lists.example.org>"},
        {"Content_Type": "text/calendar; method=REQUEST", "Subject": "Invitation: shift meeting"},
        {"From": "Ann Ash <bounces.fan@x.example>"},
        {"From": "Ann Ash <help-request@x.example>"},
        {"From": "dast-owner@lists.example.org", "Subject": "Welcome, and a question"},
    ],
)
def test_people_behind_old_lists_and_with_odd_addresses(fields: dict[str, str]) -> None:
    """An old list says no more than Precedence: bulk and its own envelope; an invitation is a person's, an answer by click is not."""
    assert nature(**fields) is Nature.HUMAN
