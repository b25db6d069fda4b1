"""`helpdesk demo`: two weeks of a support list on embedded servers, through the production cycle.

::

    show ─┬► stage    the board: its folder, configuration, database, clock; `cycle.run` of production
          ├► people   users, shifters, experts: real IMAP and SMTP clients
          ├► robots   test jobs at four sites: the production service, on `grid`, whose jobs are processes of this machine
          ├► beats    slow scenes, each checked against the servers; the fifth is `outage`
          ├► gallery  a page with every mail that the board sent, and why
          └► turn     the servers stay up, and the visitor goes on
                  on `imap` (pymap) and `post` (aiosmtpd), the embedded servers, in one `loop`

Nothing here decides, and no number on the screen is made up: it is read from reports, the database and the servers.
"""
