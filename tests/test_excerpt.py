"""Excerpts: the author's words stay, whatever the client and the language; what others said before goes."""
# ruff: noqa: RUF001  other alphabets have letters and colons that look like ours

import pytest

from helpdesk.excerpts import Excerpt, excerpt

WORDS = """\
Hello Bob,

thank you, job 4711 runs now. But the one at the other
site still fails with error 1099:

    Traceback (most recent call last):
      File "run.py", line 3, in main
    IOError: no such dataset

- it fails since Monday
- the same code worked on Friday

Best regards,
Ann"""
OLD = """\
We have moved the dataset to the other disk server today.

Please run the job again, and tell us whether it still
cannot find its input files.

The support team"""
QUOTED = "\n".join(f"> {line}".rstrip() for line in OLD.split("\n"))
ANN = "Ann Example <ann@example.org>"


INTROS = [
    f"On Tue, Jun 9, 2009 at 8:30 AM {ANN} wrote:",
    "On 09/06/2009 08:30, Ann Example wrote:",
    "On Tue, 9 Jun 2009, Ann Example wrote:",
    f"{ANN} writes:",
    "Am 09.06.2009 um 08:30 schrieb Ann Example:",
    f"Am Di., 9. Juni 2009 um 08:30 Uhr schrieb {ANN}:",
    f"Le mar. 9 juin 2009 à 08:30, {ANN} a écrit :",
    "Le 09/06/2009 à 08:30, Ann Example a écrit :",
    f"Il giorno mar 9 giu 2009 alle ore 08:30 {ANN} ha scritto:",
    "El mar, 9 jun 2009 a las 8:30, Ann Example (<ann@example.org>) escribió:",
    f"Em ter., 9 de jun. de 2009 às 08:30, {ANN} escreveu:",
    f"Op di 9 jun 2009 om 08:30 schreef {ANN}:",
    f"wt., 9 cze 2009 o 08:30 {ANN} napisał(a):",
    f"út 9. 6. 2009 v 8:30 odesílatel {ANN} napsal:",
    f"вт, 9 июн. 2009 г. в 08:30, {ANN}:",
    f"Den tis 9 juni 2009 kl 08:30 skrev {ANN}:",
    "ti 9. kesäk. 2009 klo 8.30 Ann Example (ann@example.org) kirjoitti:",
    f"2009年6月9日(火) 8:30 {ANN}:",
    f"{ANN} 于2009年6月9日周二 08:30写道：",
    f"2009년 6월 9일 (화) 오전 8:30, {ANN}님이 작성:",
    f"{ANN}, 9 Haz 2009 Sal, 08:30 tarihinde şunu yazdı:",
    f"{ANN} ezt írta (időpont: 2009. jún. 9., K, 8:30):",
    f"---- On Tue, 09 Jun 2009 08:30:00 +0200 {ANN} wrote ----",
]
HEADERS = [
    ("From", "Sent", "To", "Subject"),
    ("Von", "Gesendet", "An", "Betreff"),
    ("De ", "Envoyé ", "À ", "Objet "),
    ("Da", "Inviato", "A", "Oggetto"),
    ("De", "Enviado", "Para", "Asunto"),
    ("Van", "Verzonden", "Aan", "Onderwerp"),
    ("От", "Отправлено", "Кому", "Тема"),
    ("差出人", "送信日時", "宛先", "件名"),
    ("发件人", "发送时间", "收件人", "主题"),
]


@pytest.mark.parametrize("intro", INTROS)
@pytest.mark.parametrize("quoted", [QUOTED, OLD], ids=["marked", "unmarked"])
def test_words_above_a_quoted_mail_stay(intro: str, quoted: str) -> None:
    """A reply above the mail that it answers is left without it, in any language, whether the client marks quotes or not."""
    assert excerpt(f"{WORDS}\n\n{intro}\n\n{quoted}\n").words == WORDS


@pytest.mark.parametrize("intro", [intro for intro in INTROS if len(intro) > 60 and "---" not in intro])
def test_an_introduction_may_be_wrapped(intro: str) -> None:
    """Clients wrap "On ..., Ann <ann@x> wrote:" at any blank, also inside of the brackets."""
    cut = intro.index(" ", 40)
    wrapped = f"{intro[:cut]}\n{intro[cut + 1 :]}".replace("<ann", "<\nann")
    assert excerpt(f"{WORDS}\n\n{wrapped}\n\n{QUOTED}\n").words == WORDS


@pytest.mark.parametrize("labels", HEADERS)
@pytest.mark.parametrize("style", ["{0}: {1}", "*{0}:* {1}"])
@pytest.mark.parametrize(
    "above", ["", "________________________________\n", " ------------------------------\n\n"]
)
def test_a_header_ends_the_words(labels: tuple[str, ...], style: str, above: str) -> None:
    """Blocks like "From: ... Sent: ..." begin a quoted mail, in any language, with or without a rule above them."""
    values = (ANN, "9 June 2009 08:30", "grid-support@lists.example.org", "All jobs fail")
    block = "\n".join(style.format(label, value) for label, value in zip(labels, values, strict=True))
    assert excerpt(f"{WORDS}\n\n{above}{block}\n\n{OLD}\n").words == WORDS


@pytest.mark.parametrize(
    "divider",
    ["-----Original Message-----", "-----Ursprüngliche Nachricht-----", "*---- Mensaje original ----*"],
)
def test_a_divider_ends_the_words(divider: str) -> None:
    """So do dividers, where a header is below them."""
    text = f"{WORDS}\n\n{divider}\nFrom: Ann Example\nSent: 9 June 2009 08:30\n\n{OLD}\n"
    assert excerpt(text) == Excerpt(WORDS, 7, 0)


def test_an_english_divider_needs_no_header() -> None:
    """The words of a divider are enough where the library knows them."""
    assert excerpt(f"{WORDS}\n\n*-------- Original Message --------*\n\n{OLD}\n").words == WORDS


def test_a_header_may_be_spaced_and_folded() -> None:
    """Clients put blank lines into a header, and go on with long recipients in the next line."""
    header = f"From: {ANN}\n\nSent: Tuesday, 9 June 2009 08:30\n\nTo: Bob <bob@example.org>;\n grid-support@lists.example.org\nSubject: fails"
    assert excerpt(f"{WORDS}\n\n{header}\n\n{OLD}\n").words == WORDS


@pytest.mark.parametrize(
    "own",
    [
        "Site: DESY-HH\nUser: ann@example.org\nDate: 2009-06-09 10:30\nDataset: mc08.105802\nRelease: 15.0.0",
        "Data: mc08.105802\nSite: DESY-HH\nDate: 2009-06-09 10:30\nRelease: 15.0.0",
        "From: 2009-06-09 10:30\nTo: 2009-06-09 12:30\nSite: DESY-HH\nJobs: 200",
        "data:\n  fpga: axis\n  clock: 10:30\n  inputs:\n    in_1:\n      ports: 1",
        "Received: from mx.example.org; Tue, 9 Jun 2009 08:30:00 +0200\nFrom: ann@example.org\nTo: bob@example.org\nDate: 9 Jun 2009 08:30",
        "--Snippet from the log--\nJun  9 08:30:01 wn117 kernel: bad\nJun  9 08:30:02 wn117 kernel: worse",
        "10:30:01 INFO: stage in\n10:30:02 INFO: run\n10:30:03 ERROR: 1099\n10:30:04 INFO: end",
        "On the other hand, Bob wrote:",
        "In release 4.5 I did this, as of today:",
        "I found these:",
    ],
)
def test_what_only_looks_like_a_header_is_the_author_s(own: str) -> None:
    """Forms, logs, YAML and pasted headers are what the author wants to show."""
    text = f"Hello,\n\nthis is my problem:\n\n{own}\n\nIt fails with error 1099 since Monday. What can I do?"
    assert excerpt(text).words == text


def test_an_answer_keeps_its_question() -> None:
    """Where an author answers in the middle of a mail, the paragraph above each answer stays; the rest of the mail goes."""
    text = f"""\
Hi Bob,

On 09/06/2009 08:30, {ANN} wrote:
> Hello Ann,
>
> could you tell us
> which site it was?

DESY-HH.

> > older words
>
> And the release?
15.0.0

> Thanks,
> Bob
> --
> The support team
> https://example.org
"""
    assert (
        excerpt(text).words
        == """\
Hi Bob,

> could you tell us
> which site it was?

DESY-HH.

> And the release?
15.0.0"""
    )


def test_of_a_long_question_the_end_stays() -> None:
    """A quoted paragraph without end does not hide the answer: its last lines are enough."""
    long = [f"> line {number}" for number in range(30)]
    text = "\n".join(("Ann wrote:", "> First?", "", "Yes.", "", *long, "", "No."))
    assert excerpt(text).words == "\n".join(("> First?", "", "Yes.", "", *long[-6:], "", "No."))


@pytest.mark.parametrize("after", ["", "\n\nWhat can I do?"])
def test_evidence_is_no_mail(after: str) -> None:
    """What an author marks with `>` where no mail is introduced is what he wants to show: all of it stays."""
    log = "\n".join(f"> 10:3{number} [ERROR] stage in failed: {number}" for number in range(9))
    text = f"Hello,\n\nI get this:\n{log}{after}"
    assert excerpt(text) == Excerpt(text, 0, 0)


@pytest.mark.parametrize(
    "block",
    [
        f"> On 9 Jun 2009, at 08:30, {ANN} wrote:\n>\n{QUOTED}",
        f"> Op 9 jun. 2009 om 08:30 heeft {ANN} het volgende geschreven:\n>\n{QUOTED}",
        f"> Subject: fails\n> From: {ANN}\n> Date: Tue, 9 Jun 2009 08:30:00 +0200\n>\n{QUOTED}",
        f"{QUOTED}\n> > an older one",
    ],
)
def test_a_block_may_introduce_itself(block: str) -> None:
    """Telephones mark the introduction, too, others a header; and who quotes a quote quotes a mail."""
    assert excerpt(f"{WORDS}\n\n{block}").words == WORDS


def test_an_answer_below_a_whole_mail_stands_alone() -> None:
    """Who answers below the whole mail, once, has not chosen a question: the mail was read before."""
    assert excerpt(f"On 09/06/2009 08:30, Ann Example wrote:\n{QUOTED}\n\n{WORDS}\n").words == WORDS


def test_an_answer_below_a_few_lines_keeps_them() -> None:
    """Who has cut the mail down to a few lines has chosen them."""
    assert excerpt("Ann wrote:\n> Which site?\n\nDESY-HH.").words == "> Which site?\n\nDESY-HH."


def test_answers_below_a_foreign_introduction_are_kept() -> None:
    """Where `>` lines with words below them follow, an unmarked "Ann wrote:" begins no mail that goes to the end."""
    text = f"On 09/06/2009 08:30, Bob Example wrote:\nOn 08/06/2009 08:30, Ann Example wrote:\n{QUOTED}\n> again?\n\n{WORDS}"
    assert WORDS in excerpt(text).words


@pytest.mark.parametrize(
    "intro",
    [
        "---------- Forwarded message ----------\nFrom: {ann}\nDate: Tue, Jun 9, 2009 at 8:30 AM\nSubject: fails\nTo: <bob@example.org>\n",
        "Begin forwarded message:\n\nFrom: {ann}\nSubject: fails\nDate: 9 June 2009 08:30\nTo: bob@example.org\n",
        "-------- Weitergeleitete Nachricht --------\nVon: {ann}\n",
        "----- Forwarded message from {ann} -----\n",
    ],
)
@pytest.mark.parametrize("own", ["Dear experts,\n\nthis is yours.\n\n", ""])
def test_what_is_forwarded_stays(intro: str, own: str) -> None:
    """A forwarded mail is the question, with the words above it and without."""
    text = f"{own}{intro.format(ann=ANN)}\n{OLD}"
    assert excerpt(text) == Excerpt(text, 0, 0)


def test_what_a_client_forwards_as_a_quote_stays() -> None:
    """Apple Mail marks what it forwards with `>`."""
    quoted = "> Begin forwarded message:\n>\n> From: ann@example.org\n>\n" + QUOTED
    assert excerpt(f"Dear experts,\n\nthis is yours.\n\n{quoted}").words.endswith("> The support team")


def test_the_caller_may_know_that_it_is_forwarded() -> None:
    """Outlook forwards as it replies: the subject tells, and the caller says it."""
    block = f"From: {ANN}\nSent: 9 June 2009 08:30\nTo: bob@example.org\nSubject: fails"
    text = f"Dear experts,\n\nwhat is this?\n\n{block}\n\n{OLD}\n{QUOTED}"
    assert excerpt(text).words == "Dear experts,\n\nwhat is this?"
    assert excerpt(f"{text}\n-- \nBob", forwarded=True) == Excerpt(text, 0, 2)


@pytest.mark.parametrize(
    "pointer",
    ["FYI", "Please see my answers inline.", "See below, please.", "Siehe unten.", "cf. ci-dessous"],
)
def test_what_the_author_points_to_stays(pointer: str) -> None:
    """A few words that point to what follows are nothing without it."""
    text = f"{pointer}\n\nFrom: {ANN}\nSent: 9 June 2009 08:30\nTo: bob@example.org\nSubject: fails\n\n{OLD}"
    assert excerpt(text).words == text


@pytest.mark.parametrize(
    "words",
    [
        "FYI the problem ended up being that the configuration file requires an underscore, and now it runs.",
        "Thank you for all the tips about moving forward, I wish you all the best for the next years.",
        "I need to check the power amplifier inline and before the switch, and see whether it fits.",
        "I set it to something below 1 GHz, and the same thing happens again, with all of the boards.",
        "I also see this warning: Cannot forward action tx_event from Radio to its neighbour, none was found.",
    ],
)
def test_who_uses_such_words_for_something_else_points_to_nothing(words: str) -> None:
    """In a mail of more than a few words "FYI", "below", "inline" and "forward" must say that something follows."""
    text = f"{words}\n\nFrom: {ANN}\nSent: 9 June 2009 08:30\nTo: bob@example.org\nSubject: fails\n\n{OLD}"
    assert excerpt(text).words == words


@pytest.mark.parametrize(
    "words",
    [
        "Dear experts, a user of ours has sent me this today, and I do not know what to tell him: please see the mail below.",
        "Hello all, it took me a while, but now I have looked at everything that you asked: my answers are inline.",
        "Hello all, somebody from the other team wrote to me this morning, and I am forwarding it to you as it is.",
    ],
)
def test_longer_mails_may_point_to_what_follows(words: str) -> None:
    """Who says more and sends his reader down is followed."""
    text = f"{words}\n\nFrom: {ANN}\nSent: 9 June 2009 08:30\nTo: bob@example.org\nSubject: fails\n\n{OLD}"
    assert excerpt(text).words == text


@pytest.mark.parametrize(
    "text",
    [
        QUOTED,
        "",
        "\n\n",
        "> only a quote",
        "-- \nAnn Example",
        "Sent from my iPhone",
        f"On 09/06/2009 08:30, Ann Example wrote:\n{QUOTED}",
    ],
)
def test_where_nothing_would_remain_everything_does(text: str) -> None:
    """A mail of quotes or signatures alone is shown as it is."""
    assert excerpt(text) == Excerpt(text.strip("\n").replace("-- ", "--"), 0, 0)


@pytest.mark.parametrize(
    "code",
    [
        ">>> import ganga\n>>> jobs(117).status\n'failed'",
        ">>> print(1)\n1\n>>>",
        ">From the log I see that it fails.",
        "if x > 3:\n    y -> z",
    ],
)
def test_a_mark_that_quotes_nobody_is_the_author_s(code: str) -> None:
    """Python's prompt, and a "From" that was escaped on its way through a mailbox, are the author's."""
    text = f"Hello,\n\n{code}\n\nWhat is wrong?"
    assert excerpt(text).words == text


@pytest.mark.parametrize(
    ("ending", "lines"),
    [
        ("-- \nAnn Example\nInstitute of Physics\n+49 40 1234", 4),
        ("--\nAnn Example", 2),
        ("—\nAnn Example", 2),
        ("Sent from my iPhone", 1),
        ("Gesendet von meinem Telefon", 1),
        ("Von meinem iPad gesendet", 1),
        ("Envoyé depuis mon téléphone", 1),
        ("Get Outlook for Android<https://example.org/x>", 1),
        ("(sent from a phone)", 1),
        ("Sent via mobile", 1),
        ("Inviato da Outlook per Android", 1),
        ("Отправлено с моего телефона", 1),
        ("-- \nAnn\n\n-- \nYou received this message because you are subscribed to the group.", 4),
        ("_______________________________________________\nusers mailing list\nusers@lists.example.org\nhttps://lists.example.org/listinfo/users", 4),
        ("_______________________________________________\nusers mailing list -- users@lists.example.org\nTo unsubscribe send an email to users-leave@lists.example.org", 3),
        ("-- \nYou received this message because you are subscribed to the group users.\nTo unsubscribe, visit https://example.org/x", 3),
        ("To unsubscribe send an email to users+unsubscribe@lists.example.org", 1),
        ("-------------- next part --------------\nAn HTML attachment was scrubbed...\nURL: <https://lists.example.org/a.html>", 3),
        ("This e-mail and its attachments are confidential and intended solely for the addressee. If you are not\nthe intended recipient, please notify the sender and delete this message.", 2),
        ("Diese E-Mail ist vertraulich. Wenn Sie nicht der richtige Adressat sind oder diese E-Mail irrtümlich erhalten haben,\ninformieren Sie bitte den Absender und löschen Sie sie. Das unbefugte Kopieren ist nicht gestattet.", 2),
        ("========\n\n---", 2),
        ("________________________\nAnn Example, Ph.D.\nInstitute, Principal Engineer\nTel: +49 40 1234567\n________________________", 5),
        ("------------------------------\nDipl.-Ing. Ann Example\nPhone: 1234\nE-mail: ann@example.org", 4),
        ("=======\nAnn Example\nann@example.org", 3),
    ],
)  # fmt: skip
def test_what_nobody_says_goes(ending: str, lines: int) -> None:
    """Signatures with a delimiter, footers of lists, taglines and disclaimers go, alone and below one another."""
    assert excerpt(f"{WORDS}\n\n{ending}\n") == Excerpt(WORDS, 0, lines)
    assert excerpt(f"{WORDS}\n\n{ending}\n\n_____\nusers mailing list\n") == Excerpt(WORDS, 0, lines + 2)


@pytest.mark.parametrize(
    "own",
    [
        "Sent from my desk, is much easier than from my mobile phone, as you see.",
        "--\ncommit 9f29b9a556634e41d13fa298f9634b67fdd0a749\nAuthor: Ann",
        "--\n10:30:01 [ERROR] no such dataset",
        "-- Configuring\n--\n-- Checking for Boost\n-- Enabling",
        "--\n" + "".join(f"line {number} of what I want to show\n" for number in range(20)),
        "Is this mailing list the right one? I could not unsubscribe.\nPlease tell me.",
        "Somebody on the mailing-list said so, and that I can unsubscribe, but how?",
        "Is there a mailing list for this?",
        "I wrote to the mailing list",
        "To post this to the list I had to wait",
        "------\nWe discussed this on the mailing list already, and I could not find out why.",
        "The file is confidential, so I cannot attach it.",
        "Sent on Monday to all sites, no answer.",
        "Sent by the pilot: error 1099",
        "Sent a mail to the site yesterday.",
        "Sent by mail to the site, too.",
        "Whenever I delete the dataset I get this message, the copy ends in error, and I am not sure\nwhether I am authorized to delete it.",
        "--\nfirst part\n\n--\nsecond part" + "\nand more" * 20,
        "That'd be great!\n- one\n- two",
        "Thanks,\nAnn",
        "----------------\nstep 2\n----------------",
        "--------\n[1] https://example.org/x\n[2] https://example.org/y",
        "=======\nscp x ann@example.org:/data\nThe copy hangs",
        "--------\nSite: example\nTel me more.",
        "--------\nPhone: 1234\nHow is this?",
    ],
)
def test_what_only_looks_like_an_ending_is_the_author_s(own: str) -> None:
    """Logs, lists, greetings and sentences about signatures and lists are not cut off."""
    text = f"Hello,\n\nthis happens:\n\n{own}".rstrip("\n")
    assert excerpt(text).words.rstrip("-\n") == text.rstrip("-\n")


def test_a_footer_takes_no_words_along() -> None:
    """What the author puts below a rule of his own stays above the rule of the list."""
    text = f"{WORDS}\n\n--------\n[1] https://example.org/x"
    assert excerpt(f"{text}\n\n_______\nusers mailing list\n") == Excerpt(text, 0, 2)


def test_a_disclaimer_takes_no_words_along() -> None:
    """Where a company glues its disclaimer to the last sentence, the sentence stays."""
    glued = "It works.\nThis message is confidential. If you have received it in error, notify the sender, delete it and forget what it says."
    assert excerpt(glued).words == "It works."


def test_a_picture_written_out_in_letters_goes() -> None:
    """A client that writes Markdown puts pictures into the text; nobody reads them there."""
    picture = f"![](data:image/png;base64,{'iVBORw0KGgo' * 400})"
    assert excerpt(f"It looks so:\n\n{picture}\n\nWhat now?").words == "It looks so:\n\nWhat now?"
    assert excerpt("See [the data](data: none)").words == "See [the data](data: none)"


def test_the_armour_of_pgp_goes() -> None:
    """A signed mail is read without its armour; its signature hidden behind "- -- " goes too."""
    text = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nIt works now.\n\n- -- \nAnn\n-----BEGIN PGP SIGNATURE-----\nVersion: GnuPG v1\n\n"
        "iEYEARECAAYFAkou\n=abcd\n-----END PGP SIGNATURE-----\n"
    )
    assert excerpt(text) == Excerpt("It works now.", 0, 9)


def test_an_open_armour_takes_no_words_along() -> None:
    """A block of PGP that was cut off ends where words begin again."""
    assert (
        excerpt("Hello.\n\n-----BEGIN PGP SIGNATURE-----\niEYEARECAAYFAkou\nIt works now.").words
        == "Hello.\n\nIt works now."
    )


def test_an_encrypted_mail_is_shown_as_it_is() -> None:
    """There is nothing else to show."""
    text = "-----BEGIN PGP MESSAGE-----\n\nhQIMA\n-----END PGP MESSAGE-----"
    assert excerpt(text).words == text


def test_what_was_left_out_is_counted() -> None:
    """A reader can be told how much is missing: lines with something on them, of other mails and of signatures."""
    text = f"It works.\n\n-- \nAnn\n\nOn 09/06/2009 08:30, Bob Example wrote:\n{QUOTED}\n\n_____\nusers mailing list\n"
    assert excerpt(text) == Excerpt("It works.", 7, 4)
