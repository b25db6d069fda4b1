"""Who is on duty when: the team's calendar becomes a rota.

    source ─► content ─► icalendars ─► names ─► rota ─► problems
    file or    what we    RFC 5545      who      who is on duty,
    https      need of it (two libraries) is it   gaps, overlaps

`rota` (with `values`, `names`, `problems`, `wording` and `month`) is pure and knows nothing of calendars: it is what rules,
digests and commands use.  `keeper` brings it about: it reads the source within limits, has it expanded in a process of
its own (`bounded`, `expanding`), because a calendar can ask for more time and memory than there is, and keeps the last
good copy (`kept`), so that a dead server harms nothing.
"""
