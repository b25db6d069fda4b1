"""Static pages about all sites: a grid of sites and days, and a page for each (docs/reports.md).

`grid` is what a day looks like, `public` leaves out who decided, `build` makes the files.  They need no server and load nothing; nothing
of anybody's mail is on them.  Pure but for the templates, which lie beside this file.
"""
