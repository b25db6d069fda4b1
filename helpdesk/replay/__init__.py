"""`helpdesk replay`: an archive of mail through the board's own threading and rules, in its own time.

A tour::

    archive ─► mbox, maildir     raw mails, one after the other, never all of them
       │
    reading  ─► book             parsed, classified, attributed by the board's code; half a kilobyte is kept of each mail
       │
    clock                        when each mail came, as far as its dates can be believed
       │
    grouping                     the threads, one after the other (helpdesk.mailbox.threads decides)
       │
    play     ─► cast, desk       one thread through `rules.decide.decide`: its mails, its clocks, an assumed shifter
       │
    tally    ─► document         the figures

Threads do not depend on each other and `decide` is pure, so they are played one after the other.  Nothing is written
anywhere, and `now` is an argument: it only tells which dates lie in the future.
"""
