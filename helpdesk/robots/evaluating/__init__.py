"""Policies side by side on the same worlds: `arena` plays, `scores` judges, `intervals` says how sure that is."""
