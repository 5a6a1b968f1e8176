"""Which way the shanks point in their sensors' frames: what walking shows.

Upright, the ground carries the body along the shanks. So what the accelerometer feels, averaged over some steps, points
up along the shank, whatever way the sensor is strapped on and however the legs swing. Heels apart turns a bent leg
about its thigh, square to the shank; feet that twist on the floor turn about the shank itself, as when somebody stands
up from a chair and sits down again.
"""

from typing import Final, NamedTuple

import numpy as np

from sensorrep.kinematics.axes import FAST_RAD_S, absences
from sensorrep.model import FRAME_RATE_HZ, FloatArray, HeelSignal

LEAST_SWING: Final = round(0.1 * FRAME_RATE_HZ)
"""A leg that swings is fast for so many frames at least."""
ONE_SWING: Final = round(0.5 * FRAME_RATE_HZ)
"""A leg that is fast again so soon is still in the same swing."""
STEP: Final = (round(0.08 * FRAME_RATE_HZ), round(1.2 * FRAME_RATE_HZ))
"""Frames from the end of one leg's swing to that of the other's."""
STRIKE_M_S2: Final = 1.5 * 9.81
"""A foot that meets the ground at each step feels this much; legs that are swung in the air hardly do."""
LEAST_STEPS: Final = 5
"""So many swings in which the legs take turns are a walk."""


class Swing(NamedTuple):
    """The end of a leg's swing."""

    foot: int
    frame: int
    force: FloatArray
    """(2, 3) sum of all accelerations felt by then."""


class Gait(NamedTuple):
    """What was seen of the person walking."""

    shanks: FloatArray | None
    """(2, 3) unit vectors up along the shanks, in the sensors' frames; None before the person was seen walking."""
    force: FloatArray
    """(2, 3) sum of all accelerations felt so far."""
    first: Swing | None
    """Of the walk that may be under way."""
    last: Swing | None
    steps: int
    """Swings of this walk so far, in which the legs took turns."""
    strike_m_s2: float
    """Largest acceleration felt since the last swing."""


NOT_SEEN: Final = Gait(None, np.zeros((2, 3)), None, None, 0, 0.0)


def gone_on(gait: Gait, part: HeelSignal, first_frame: int) -> Gait:
    """With what the next frames show, of which the first has this number."""
    fast = (part["rate_rad_s"] ** 2).sum(axis=2) > FAST_RAD_S**2
    swings = sorted(
        (stop, start, foot)
        for foot in range(2)
        for start, stop in absences(~fast[:, foot]).tolist()
        if stop - start >= LEAST_SWING
    )
    force = np.cumsum(part["acc_m_s2"], axis=0) + gait.force
    felt = np.sqrt((part["acc_m_s2"] ** 2).sum(axis=2).max(axis=1))
    since = 0
    for stop, start, foot in swings:
        strike_m_s2 = max(gait.strike_m_s2, float(felt[since:stop].max(initial=0.0)))
        swing = Swing(foot, stop + first_frame, force[stop - 1])
        gait = _with_swing(gait._replace(strike_m_s2=strike_m_s2), swing, start + first_frame)
        since = stop
    strike_m_s2 = max(gait.strike_m_s2, float(felt[since:].max(initial=0.0)))
    return gait._replace(force=force[-1], strike_m_s2=strike_m_s2)


def _with_swing(gait: Gait, swing: Swing, began: int) -> Gait:
    last = gait.last
    if last is not None and swing.foot == last.foot and began - last.frame < ONE_SWING:
        return gait._replace(first=swing if gait.steps == 1 else gait.first, last=swing)
    walks = (
        last is not None
        and swing.foot != last.foot
        and STEP[0] <= swing.frame - last.frame <= STEP[1]
        and gait.strike_m_s2 > STRIKE_M_S2
    )
    first, steps = (gait.first, gait.steps + 1) if walks else (swing, 1)
    shanks = gait.shanks
    if first is not None and steps >= LEAST_STEPS:
        mean = swing.force - first.force
        shanks = mean / np.sqrt((mean**2).sum(axis=1, keepdims=True))
    return Gait(shanks, gait.force, first, swing, steps, 0.0)


def about_shanks(gait: Gait, axes: FloatArray) -> FloatArray:
    """(2,) squared cosine between each leg's axis (2, 3) and its shank; 0 where the person was not seen walking."""
    return np.zeros(2) if gait.shanks is None else np.asarray((gait.shanks * axes).sum(axis=1) ** 2)
