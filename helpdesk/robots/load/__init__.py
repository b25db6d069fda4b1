"""Load tests: how much a site does, and at how many jobs at once it does no more (docs/loadtest.md).

`estimates`, `figures`, `steps` and `knee` are statistics over records; all of it is pure.
"""
