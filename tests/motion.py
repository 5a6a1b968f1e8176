"""Motion solvable by hand, for tests: openings of both legs -> poses, and what the stages after them find."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sensorrep import quaternion
from sensorrep.model import FRAME_RATE_HZ, GRAVITY_M_S2, POSE, FloatArray, Foot, HeelSignal, Movement, Poses, Rep
from sensorrep.stages.measure import Measure
from sensorrep.stages.segment import Finding, Segment, SetFound

STRAPS: Final = np.array([[0.8, 0.2, -0.4, 0.4], [0.1, 0.7, 0.7, -0.1]])
"""How the sensors sit on the shanks, anyhow."""
LEVEL: Final = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
"""Lying prone with the knees bent, the shanks turn about level axes, each the other way."""
ARM_M: Final = np.array([0.0, 0.2, 0.3])
"""From the knee to the sensor: lying prone, above it."""


def rise(time_s: FloatArray, start_s: float, lasts_s: float) -> FloatArray:
    """0 before, 1 after, half a cosine between."""
    share = np.clip((time_s - start_s) / lasts_s, 0.0, 1.0)
    out: FloatArray = 0.5 - 0.5 * np.cos(np.pi * share)
    return out


def course(seconds: float) -> FloatArray:
    """Times of the frames of so many seconds."""
    out: FloatArray = np.arange(round(seconds * FRAME_RATE_HZ)) / FRAME_RATE_HZ
    return out


def reps(
    time_s: FloatArray, starts_s: Sequence[float], *, out_s: float = 1.0, hold_s: float = 0.4, back_s: float = 1.2
) -> FloatArray:
    """Openings from 0 to 1 and back that begin at `starts_s`."""
    opening = np.zeros(len(time_s))
    for start_s in starts_s:
        opening += rise(time_s, start_s, out_s) - rise(time_s, start_s + out_s + hold_s, back_s)
    return opening


def poses(
    opening_deg: FloatArray, axes_earth: FloatArray = LEVEL, straps: FloatArray = STRAPS, arm_m: FloatArray = ARM_M
) -> Poses:
    """Shanks that turn by `opening_deg` (n, 2) about `axes_earth` (2, 3), seen by sensors strapped on anyhow."""
    return worn(quaternion.from_rotation_vector(np.radians(opening_deg)[:, :, None] * axes_earth), straps, arm_m)


def worn(turn: FloatArray, straps: FloatArray = STRAPS, arm_m: FloatArray = ARM_M) -> Poses:
    """Shanks that turn (n, 2, 4) in the room from where they rest; sensors sit on them, `arm_m` from the knee."""
    out = np.zeros(len(turn), POSE)
    out["time_s"] = np.arange(len(turn)) / FRAME_RATE_HZ
    out["ok"] = True
    out["q_earth_sensor"] = quaternion.multiply(turn, straps)
    around = out["q_earth_sensor"][[0, *range(len(turn)), -1]] if len(turn) else out["q_earth_sensor"]
    steps = quaternion.multiply(quaternion.conjugate(around[:-2]), around[2:])
    out["rate_rad_s"] = quaternion.rotation_vector(steps) * (0.5 * FRAME_RATE_HZ)
    place_m = quaternion.rotate(turn, arm_m)
    speed_m_s = np.gradient(place_m, 1.0 / FRAME_RATE_HZ, axis=0)
    force = np.gradient(speed_m_s, 1.0 / FRAME_RATE_HZ, axis=0) + np.array([0.0, 0.0, GRAVITY_M_S2])
    out["acc_m_s2"] = quaternion.rotate(quaternion.conjugate(out["q_earth_sensor"]), force)
    return Poses(out)


def signal(poses: Poses, foot: Foot | None = None) -> HeelSignal:
    """The poses through the measure stage."""
    stage = Measure(foot)
    return HeelSignal(np.concatenate([*stage.push(poses), *stage.finish()]))


def findings(poses: Poses, movement: Movement = "heels-apart", foot: Foot | None = None) -> list[Finding]:
    """The poses through measure and segment."""
    stage = Segment(movement, foot)
    return [*stage.push(signal(poses, foot)), *stage.finish()]


def sets(found: Sequence[Finding]) -> list[tuple[Rep, ...]]:
    """Reps of each finished set."""
    return [one.reps for one in found if isinstance(one, SetFound)]
