"""Accuracy and speed, measured: simulated sessions with known truth, real recordings, and what one would pick instead.

`tools/bench` runs it. `scoring` is pure; `conditions` is the list of what is measured.
"""
