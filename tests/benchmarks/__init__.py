"""What the promises about speed and memory are measured with, beside the tools that people use today.

    python -m tests.benchmarks [NAME...] [--messages N] [--rounds R] [--json FILE]

Ours and the peer take turns in one run, so what slows the machine down slows down both.  docs/benchmarks.md has the
figures and says how to read them.
"""
