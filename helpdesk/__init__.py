"""A helpdesk without a helpdesk UI: one shared IMAP mailbox is the board.

A tour, from the outside in::

    cli  ->  app  ->  daemon  ->  cycle
                                    |
      observe      thread      decide       act         report
      mailbox/     mailbox/    rules/       mailbox/    journal
      sync         grouping    (pure)       apply       metrics

`model`, `bits`, `actions` and `ports` are the frozen vocabulary that everybody shares.  `rules` is docs/decisions.md in
Python: no clock, no I/O, no logging.  `store` keeps what mail cannot hold.  Each outside system has one door:
`mailbox.wire` (IMAP), `smtp` (SMTP), `store.db` (the database).  ARCHITECTURE.md tells the rest.
"""
