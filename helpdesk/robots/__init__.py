"""Realistic analysis jobs to every computing site, and a verdict on each (not built yet)."""
