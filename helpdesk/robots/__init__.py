"""Realistic analysis jobs to every computing site, and a verdict on each (docs/robots.md, docs/verdicts.md)."""
