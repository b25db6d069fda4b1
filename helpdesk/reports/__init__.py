"""The week of a site as its contacts read it: what to fix first, where it stands, and how it compares (docs/reports.md).

    weeks      which week is meant, from when to when, in the site's own time
    counting   which jobs count: success, failure, or not the site's
    rates      intervals and tails of proportions       speed    events a second of a core, at the same mix of templates
    nodes      whether failures sit on some nodes       causes   what to fix: clusters of failures, the costliest first
    outages    hours out, by whose cause                week     all of it, from facts to figures
    wording    figures in words: the mail               pictures the same as PNG, where matplotlib is installed

Pure: the facts are read by `helpdesk.reporting`.
"""
