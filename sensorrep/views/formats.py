"""Numbers, times, counts and names as text. Pure."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

UNKNOWN: Final = "–"
"""Stands where a number is not known."""


def printable(text: str) -> str:
    """A name from outside, fit for a screen: no control characters, no broken Unicode."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def degrees(angle_rad: float | None, decimals: int = 1) -> str:
    """An angle (or, with rad/s, a speed) as digits in degrees."""
    return number(None if angle_rad is None else math.degrees(angle_rad), decimals)


def number(value: float | None, decimals: int = 1) -> str:
    """Digits, or a dash for what is unknown."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def signed_pct(value: float | None) -> str:
    """A change as ``+3 %``."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{round(value) + 0:+d} %"


def plural(count: int, noun: str) -> str:
    """``1 rep``, ``2 reps``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(parts: Iterable[str]) -> str:
    """``a, b and c``."""
    *most, last = list(parts) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def duration(seconds: float) -> str:
    """``3 min 05 s``, or ``42 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def when(started_at: str | None) -> str:
    """Local date and time of the start: ``2026-03-04 17:20``."""
    if started_at is None:
        return "date not known"
    try:
        return f"{datetime.fromisoformat(started_at):%Y-%m-%d %H:%M}"
    except ValueError:
        return printable(started_at)
