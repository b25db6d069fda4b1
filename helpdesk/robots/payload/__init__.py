"""A test job's own program: a real analysis that measures itself and checks its own answer.

It runs far away, so it imports nothing of `helpdesk` (import-linter proves it): `helpdesk.robots.payloads` packs this folder into
one file that any Python with uproot, awkward, hist and vector runs.  Its contract is docs/robots.md: one JSON result, one exit code.
"""
