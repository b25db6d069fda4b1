"""Whose fault: what a mail names, beside what the robots know and what other threads say (docs/whose-fault.md).  Pure.

names ─┐
errors ┴► reading: a mail's mentions ─► judging: strong or not ─► wording: at most two lines
"""
