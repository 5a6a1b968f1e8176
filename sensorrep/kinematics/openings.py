"""Opening of each leg over a whole session, on the axes of its sets: what plots show."""

from itertools import pairwise
from typing import Final

import numpy as np

from sensorrep import quaternion
from sensorrep.kinematics.spans import LIMITS
from sensorrep.model import BoolArray, FloatArray, HeelSignal, SessionSummary, SetSummary, Trace

BEFORE_FIRST_REP_S: Final = 0.3
"""The pose so long before a set's first rep is its rest."""


def trace(signal: HeelSignal, summary: SessionSummary) -> Trace:
    """Opening per foot of a session's signal (n), each stretch on the axes and from the rest of the nearest set.

    Not `ok` where a foot was away, has left the exercise position, or no set says what its axes are.
    """
    opening = np.zeros((len(signal), 2))
    ok = np.zeros((len(signal), 2), bool)
    middles = [0.5 * (before.end_s + after.start_s) for before, after in pairwise(summary.sets)]
    edges = np.searchsorted(signal["time_s"], [-np.inf, *middles, np.inf])
    for one, start, stop in zip(summary.sets, edges, edges[1:], strict=False):
        part = HeelSignal(signal[start:stop])
        opening[start:stop], in_position = _opening(part, one, LIMITS[summary.movement].gross_rad)
        ok[start:stop] = part["ok"] & in_position
    return Trace(signal["time_s"].copy(), ok, opening)


def _opening(part: HeelSignal, one: SetSummary, gross_rad: float) -> tuple[FloatArray, BoolArray]:
    """((n, 2) opening, (n, 2) whether the shank is in position) of the stretch around a set."""
    first = max(int(np.searchsorted(part["time_s"], one.reps[0].start_s - BEFORE_FIRST_REP_S)) - 1, 0)
    q_rest = part["q_earth_sensor"][first]
    axes = np.array([axis if axis is not None else (0.0, 0.0, 0.0) for axis in one.axes])
    away = quaternion.angle_between(q_rest, part["q_earth_sensor"]) > gross_rad
    return quaternion.twist(part["q_earth_sensor"], q_rest, axes), ~away & axes.any(axis=1)
