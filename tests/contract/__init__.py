"""Suites that a fake and the real thing both have to pass."""
