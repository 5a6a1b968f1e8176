"""How the legs sit in their sensors' frames: what walking shows.

Upright, the ground carries the body along the shanks: what an accelerometer feels, averaged over some steps, points up
along its shank. And a leg swings forward faster than it pushes back: the fastest turning is forward about the knee's
hinge. So a few steps tell up, left and forward of each shank, however the sensor is strapped on, without a heading and
for as long as the strap stays (the idea of functional calibration: McGrath, Fineman & Stirling 2018, doi
10.3390/s18061882). Heels apart turns each leg about its thigh, which points backward from a bent knee: so they tell as
well which way of turning opens. Fails where legs are shaken in turn so that they hit the floor.
"""

from typing import Final, NamedTuple

import numpy as np

from sensorrep.kinematics.absence import absences
from sensorrep.model import FRAME_RATE_HZ, GRAVITY_M_S2, FloatArray, HeelSignal

FAST_RAD_S: Final = 2.0
"""Faster turning is walking, sitting down, knee bends; reps are slower."""
LEAST_SWING: Final = round(0.1 * FRAME_RATE_HZ)
"""A leg that swings is fast for so many frames at least."""
ONE_SWING: Final = round(0.5 * FRAME_RATE_HZ)
"""A leg that is fast again so soon is still in the same swing."""
STEP: Final = (round(0.08 * FRAME_RATE_HZ), round(1.2 * FRAME_RATE_HZ))
"""Frames from the end of one leg's swing to that of the other's."""
STRIKE_M_S2: Final = 1.5 * GRAVITY_M_S2
"""A foot that meets the ground at each step feels this much; legs that are swung in the air hardly do."""
LEAST_STEPS: Final = 5
"""So many swings in which the legs take turns are a walk."""
ONE_WAY: Final = 0.12
"""Least share of fast turning that is about one side of one axis. Simulated walks have 0.14 to 0.3."""


class Legs(NamedTuple):
    """Directions of both shanks in their sensors' frames."""

    up: FloatArray
    """(2, 3) unit vectors from ankle to knee."""
    inward: FloatArray
    """(2, 3) unit axes about which a positive rotation turns each hip inward, the knee bent; 0 where unknown."""
    steps: int
    """How many steps showed them."""


class Swing(NamedTuple):
    """The end of a leg's swing."""

    foot: int
    frame: int
    sums: FloatArray


class Gait(NamedTuple):
    """What was seen of the person walking."""

    legs: Legs | None
    """None before the person was seen walking."""
    sums: FloatArray
    """(2, 7) of all frames so far: acceleration; fast turning, as speed squared times rate; and as speed cubed."""
    first: Swing | None
    """Of the walk that may be under way."""
    last: Swing | None
    steps: int
    """Swings of this walk so far, in which the legs took turns."""
    strike_m_s2: float
    """Largest acceleration felt since the last swing."""


NOT_SEEN: Final = Gait(None, np.zeros((2, 7)), None, None, 0, 0.0)


def gone_on(gait: Gait, part: HeelSignal, first_frame: int) -> Gait:
    """`gait`, and what the frames of `part`, numbered from `first_frame` on, add to it."""
    rate, force = part["rate_rad_s"], part["acc_m_s2"]
    speed = np.sqrt((rate**2).sum(axis=2))
    fast = speed > FAST_RAD_S
    weight = np.where(fast, speed**2, 0.0)[:, :, None]
    sums = np.cumsum(np.concatenate([force, weight * rate, weight * speed[:, :, None]], axis=2), axis=0) + gait.sums
    felt = np.sqrt((force**2).sum(axis=2).max(axis=1))
    swings = sorted(
        (stop, start, foot)
        for foot in range(2)
        for start, stop in absences(~fast[:, foot]).tolist()
        if stop - start >= LEAST_SWING
    )
    since = 0
    for stop, start, foot in swings:
        strike_m_s2 = max(gait.strike_m_s2, float(felt[since:stop].max(initial=0.0)))
        swing = Swing(foot, stop + first_frame, sums[stop - 1])
        gait = _with_swing(gait._replace(strike_m_s2=strike_m_s2), swing, start + first_frame)
        since = stop
    strike_m_s2 = max(gait.strike_m_s2, float(felt[since:].max(initial=0.0)))
    return gait._replace(sums=sums[-1], strike_m_s2=strike_m_s2)


def _with_swing(gait: Gait, swing: Swing, began: int) -> Gait:
    first, last = gait.first, gait.last
    strides = (
        last is not None
        and swing.foot != last.foot
        and STEP[0] <= swing.frame - last.frame <= STEP[1]
        and gait.strike_m_s2 > STRIKE_M_S2
    )
    goes_on = last is not None and swing.foot == last.foot and began - last.frame < ONE_SWING
    steps = gait.steps + strides if strides or goes_on else 1
    if first is None or steps == 1:
        first = swing
    legs = gait.legs
    # A walk that is much shorter than an earlier one may be none.
    if steps >= max(LEAST_STEPS, 0.5 * legs.steps if legs else 0):
        legs = _legs(swing.sums - first.sums, steps)
    return Gait(legs, gait.sums, first, swing, steps, 0.0 if not goes_on else gait.strike_m_s2)


def _legs(sums: FloatArray, steps: int) -> Legs:
    """What a walk shows whose frames add up to `sums` (2, 7)."""
    up = _unit(sums[:, :3])
    right = sums[:, 3:6]  # forward is about the axis that points right
    forward = _unit(np.cross(up, right))
    one_way = bool((np.sqrt((right**2).sum(axis=1)) > ONE_WAY * sums[:, 6]).all())
    return Legs(up, forward * np.array([[1.0], [-1.0]]) * one_way, steps)


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return np.asarray(vectors / np.where(length > 0.0, length, 1.0))


def about_shanks(legs: Legs | None, axes: FloatArray) -> FloatArray:
    """(2,) squared cosine between each leg's axis (2, 3) and its shank; 0 where the person was not seen walking."""
    return np.zeros(2) if legs is None else np.asarray((legs.up * axes).sum(axis=1) ** 2)


def inward(legs: Legs | None, axes: FloatArray) -> FloatArray:
    """(2,) how much positive turns about each leg's axis (2, 3) turn its hip inward: 1 fully, -1 outward, 0 unknown."""
    return np.zeros(2) if legs is None else np.asarray((legs.inward * axes).sum(axis=1))
