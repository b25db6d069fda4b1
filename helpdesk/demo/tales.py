"""What happens in the two weeks, as data: a support list of a grid experiment in June 2009.

A `Tale` is one issue: when it begins, and what people do about it, in hours after its beginning.  Who asks, and about
which site and dataset, is drawn when the story is made (`helpdesk.demo.story`).
"""

from helpdesk.demo.acts import Commands, Confirms, HandsOver, Releases, Says, Tags
from helpdesk.demo.scenes import FAULTS, SCENES
from helpdesk.demo.tale import DONE, WAIT, Tale

PROBLEMS = (
    Tale(
        "site", 1, 6.3, "All jobs fail at {site} since 04:00",
        (
            (0, Says("user", "Since four this morning all my jobs at {site} fail at stage-in:\n"
                     "  lcg-cp: Communication error on send\nYesterday the same code ran fine.")),
            (0.6, Says("shifter", "The robot's jobs fail there too, so it is the site and not your code.\n"
                       "We tell them; meanwhile exclude {site} with --excludedSite.")),
            (0.6, Tags(("ggus",))),
            (1.0, Says("GGUS", "Your ticket 48112 has been created.", machine=True,
                       subject="[GGUS-Ticket-ID: #48112] Ticket created: All jobs fail at {site}")),
            (26, Says("GGUS", "The site writes: a disk server was down, it is back since noon.", machine=True,
                      subject="[GGUS-Ticket-ID: #48112] All jobs fail at {site}")),
            (27, Says("shifter", "A disk server of {site} was down and is back. Please try again.")),
            (27, Tags(("ggus",), on=False)),
            (27.1, WAIT),
            (31, Says("user", "Works again, thank you!")),
            (32, DONE),
        ),
    ),
    Tale(
        "catalogue", 2, 3.1, "Catalogue does not answer, nothing can be submitted",
        (
            (0, Says("user", "dq2-ls hangs for everybody in our group, no job can be submitted at all.\n"
                     "Connection to the LFC timed out after 600 seconds")),
            (2.0, Tags(("urgent",))),
            (3.5, Says("shifter", "Sorry for the night: the catalogue was restarted at 06:20, please try now.")),
            (3.6, Tags(("urgent",), on=False)),
            (3.6, WAIT),
            (5, Says("user", "Submission works again here in {site}.")),
            (6, DONE),
        ),
    ),
    Tale(
        "crash", 2, 9.4, "Ganga 5.1.9 crashes when merging output",
        (
            (0, Says("user", "j.merge() ends with\n  AttributeError: 'NoneType' object has no attribute 'outputdir'\n"
                     "for every job that ran at {site}.")),
            (0.8, Says("shifter", "I can reproduce this and pass it on to the developers.")),
            (0.8, Tags(("ganga_expert",))),
            (25, Says("Gil Gomez", "Found: subjobs without output were not expected. It will be in 5.2.0, next week.")),
            (26, Says("shifter", "The developers have a fix; it comes with Ganga 5.2.0. We tell you when it is out.")),
            (26, Tags(("ganga_expert",), on=False)),
            (26.1, Tags(("fixed_in_next_release", "ganga"))),
            (218, Releases("Ganga", "5.2.0")),
            (240, Says("user", "Yes, 5.2.0 merges all of my jobs. Many thanks to the developers!")),
            (242, DONE),
        ),
    ),
    Tale(
        "transfer", 3, 13.2, "dq2-get hangs at 99 percent",
        (
            (0, Says("user", "dq2-get of {dataset} hangs at the last file, for two days now.")),
            (1.2, Says("shifter", "One replica is broken. I have put it into Savannah, as bug 51877.")),
            (1.2, Tags(("dq2_savannah",))),
        ),
    ),
    Tale(
        "quota", 9, 8.2, "No space left in scratch area of {site}",
        (
            (0, Says("user", "Outputs of my jobs cannot be written:\n  No space left on device\nIs there a quota?")),
            (0.9, Tags(("ggus",))),
            (1.3, Says("GGUS", "Your ticket 48390 has been created.", machine=True,
                       subject="[GGUS-Ticket-ID: #48390] Ticket created: No space left")),
            (28, Says("GGUS", "The cleaning of old files has begun.", machine=True,
                      subject="[GGUS-Ticket-ID: #48390] No space left in scratch area")),
            (29, Commands("helpdesk: tell user {id}")),
            (30, HandsOver("GGUS has begun to clean {site}; who asks about space there gets the same answer.\n"
                           "I have told {user}.")),
        ),
    ),
    Tale(
        "voms", 9, 13.2, "VOMS server refuses my role",
        (
            (0, Says("user", "voms-proxy-init --voms atlas:/atlas/Role=production ends with\n"
                     "  Error: none of the contacted servers is willing to sign\nAm I still a member of the group?")),
            (0.6, Tags(("ggus",))),
            (1.0, Commands("helpdesk: tell user {id}\nhelpdesk: note {id}: the whole production group has this")),
        ),
    ),
    Tale(
        "night", 13, 22.5, "Jobs at {site} wait since Friday",
        ((0, Says("user", "120 jobs are in state 'submitted' since Friday evening, other sites run fine.")),),
    ),
)  # fmt: skip
"""Sites, services and tools that fail."""

KNOWN = (
    Tale(
        "mc08 a", 1, 9.2, "Dataset mc08.105802 has no files at {site}",
        (
            (0, Says("user", "dq2-ls -f shows the dataset as complete at {site}, and lcg-ls finds nothing.")),
            (0.5, Says("shifter", "This is the known problem with mc08; it is being repaired.")),
            (98, DONE),
        ),
    ),
    Tale(
        "mc08 b", 2, 15.7, "mc08 simulation: file not found",
        (
            (0, Says("user", "Error [Errno 2] No such file: [/data/atlas/mc08] in job.log of {dataset}")),
            (65.5, DONE),
        ),
    ),
    Tale(
        "mc08 c", 4, 11.1, "Where did mc08.106050 go?",
        (
            (0, Says("user", "It was at {site} last week. Was it deleted?")),
            (22, DONE),
        ),
    ),
)  # fmt: skip
"""One common issue, labelled by a rule of the team until it is over."""

SILENT = (
    Tale(
        "register", 1, 13.4, "Output dataset not registered",
        (
            (0, Says("user", "My job finished at {site}, the output is not in the catalogue.")),
            (1.1, Says("shifter", "Which version of the client was this? Please send us the file job.log.")),
            (1.1, WAIT),
        ),
    ),
    Tale(
        "proxy", 2, 7.9, "Proxy expires after twelve hours",
        (
            (0, Says("user", "Long jobs at {site} die because my proxy expires. What can I do?")),
            (0.4, Says("shifter", "Use voms-proxy-init -valid 96:00. Does that help?")),
            (0.4, WAIT),
        ),
    ),
    Tale(
        "late", 8, 10.0, "Cannot open file through dcap",
        (
            (0, Says("user", 'At {site}: Server rejected "hello". Other doors work.')),
            (2, Says("shifter", "That door was replaced. Does gsidcap work for you?")),
            (2, WAIT),
        ),
    ),
    Tale(
        "athena", 10, 9.5, "Athena 14.5.2 not found at {site}",
        (
            (0, Says("user", "The release is listed in the information system, and setup fails.")),
            (1, Says("shifter", "It was installed again last night. Please try once more.")),
            (1, WAIT),
        ),
    ),
)  # fmt: skip
"""The user has the word, and says nothing."""

QUESTIONS = (
    Tale(
        "stuck", 1, 10.6, "Job stuck in submitting",
        (
            (0, Says("user", "Job 4711 is in state 'submitting' for three hours.")),
            (0.7, Says("shifter", "Please send us the output of job.backend.status.")),
            (0.7, WAIT),
            (22, Says("user", "I killed it and submitted again, now it runs at {site}.")),
            (23, DONE),
        ),
    ),
    Tale(
        "tag", 3, 16.0, "How do I select events with TAGs?",
        (
            (0, Says("user", "I want only events with two muons from {dataset}.")),
            (1.0, Says("other user", "There is a page in the wiki: TagForEventSelection. It worked for me.")),
            (18, Tags(("docs",))),
            (18, DONE),
        ),
    ),
    Tale(
        "roots", 4, 14.2, "Can I run plain ROOT on the grid?",
        (
            (0, Says("user", "I have a macro and no Athena code.")),
            (0.8, Says("shifter", "Yes: the application Root of Ganga. There is an example in its documentation.")),
            (1.0, DONE),
            (44, Says("user", "Thanks, that was all I needed.")),
            (45, DONE),
        ),
    ),
    Tale(
        "split", 8, 8.5, "How many files per subjob?",
        (
            (0, Says("user", "With one file in each subjob most of the time is waiting at {site}.")),
            (0.6, Says("shifter", "Ten to twenty files, so that a subjob takes some hours.")),
            (0.7, Commands("helpdesk: close {id}", in_sent=False)),
            (0.8, Confirms()),
        ),
    ),
    Tale(
        "newbie", 9, 13.3, "First steps",
        (
            (0, Says("user", "I am new. Where do I get a certificate, and what do I do then?")),
            (0.9, Says("shifter", "Welcome! Start with the tutorial in the wiki, and ask us at any time.")),
            (1.0, Tags(("docs",))),
            (1.0, DONE),
        ),
    ),
    Tale(
        "slow", 12, 15.3, "Reading {dataset} is very slow",
        ((0, Says("user", "Three events a second at {site}, fifty at home.")),),
    ),
    Tale(
        "weekend", 6, 11.8, "Are the queues at {site} down?",
        (
            (0, Says("user", "Nothing has started there since last night.")),
            (46, Says("shifter", "They had a downtime on Saturday; it is over.")),
            (46.1, DONE),
        ),
    ),
    Tale(
        "nagios", 5, 5.0, "** PROBLEM Service Alert: {site}/SRM-Put is CRITICAL **",
        ((0, Says("monitoring", "Info: timed out after 300 seconds", machine=True)),),
    ),
)  # fmt: skip
"""What users ask on ordinary days."""

TALES = (*PROBLEMS, *KNOWN, *SILENT, *QUESTIONS, *SCENES, *FAULTS)
