"""The digest: what a shifter wants to know as a shift starts, and nothing else.  Pure.

    facts ──► sorting ──► build ──► mail
    threads,   a thread    words,     the vocabulary of the
    shifts     in one part columns    templates, text and HTML

`helpdesk.gathering` reads the facts; who mails or shows the digest is none of this package's business.
"""
