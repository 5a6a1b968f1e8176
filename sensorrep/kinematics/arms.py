"""The lever arm from the axis to the sensor, and what it says against the exercise.

A shank that turns about its thigh swings the sensor on an arm as long as the shank, and the accelerometer feels it. So
without knowing how the sensor is strapped on, its own turning shows where the knee is. A foot that twists about its own
long axis has an arm as short as the ankle is thick; a straight leg that is raised from the hip has a level one.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sensorrep import quaternion
from sensorrep.kinematics.reps import Found
from sensorrep.kinematics.spans import Span
from sensorrep.model import FRAME_RATE_HZ, Check, FloatArray, HeelSignal

CORRELATED: Final = 5.0
"""Neighbouring residuals are alike (filter, soft tissue), so the uncertainty is larger than for white noise."""
LEAST_SEEN: Final = 0.8
"""Share of a rep's frames that must have been measured; what was interpolated between them does not count."""
FELT: Final = 3.0
"""An arm of so many standard uncertainties is felt. Where none is, the accelerometer shows gravity alone, as in fused
data and in simulations, and says nothing."""
SURE: Final = 2.0
"""Standard uncertainties by which an arm must be beyond a limit (one side of 95 % and more)."""
LEAST_ARM_M: Final = 0.15
"""A shorter arm than this is no shank: from the knee to a sensor above the ankle are twice as much in small adults."""
LEAST_UPRIGHT: Final = 0.5
"""Cosine of the furthest that a hip may rest turned from where a level thigh's shank stands or hangs: 60 degrees, more
than hips do. Larger: hips that rest turned far are not counted. Smaller: so are straight legs that swing from the hip.
"""
TOO_STEEP: Final = 0.7
"""Sine of a slope of the axis beyond which its shank is nearly level anyhow."""


class Arm(NamedTuple):
    """Where a sensor is, seen from the axis it turns about."""

    vector_m: FloatArray
    """(3,) across the axis, in the sensor's frame at rest."""
    sd_m: float
    """Standard uncertainty of either component."""

    @property
    def length_m(self) -> float:
        """How long the arm is."""
        return float(np.sqrt((self.vector_m**2).sum()))

    @property
    def is_felt(self) -> bool:
        """Whether there is an arm beyond doubt."""
        return self.length_m > FELT * self.sd_m


def arm(stretch: HeelSignal, found: Found, spans: Sequence[Span], foot: int) -> Arm | None:
    """Arm of one foot's sensor from the frames of some reps, by least squares; None where it can't be told.

    Across the axis u the accelerometer feels gravity g turned by the opening, the arm r times angular acceleration, and
    the centripetal part: f = R(u, -opening) g + alpha (u x r) - rate^2 r, linear in g and r.
    """
    axis = found.axes[foot]
    if not axis.any():
        return None
    across = np.linalg.svd(axis[None, :])[2][1:]
    if float(np.dot(np.cross(axis, across[0]), across[1])) < 0.0:
        across[1] = -across[1]
    first = spans[0].leaves
    part = stretch[first : spans[-1].back + 1]
    seen = np.zeros(len(part), bool)
    for span in spans:
        its = slice(span.leaves - first, span.back + 1 - first)
        ok = part["ok"][its, foot]
        if ok.mean() >= LEAST_SEEN:
            seen[its] = ok
    if not seen.any():
        return None
    rate = part["rate_rad_s"][:, foot] @ axis
    gain = (np.gradient(rate) * FRAME_RATE_HZ)[seen]
    angle = quaternion.twist(part["q_earth_sensor"][seen, foot], found.q_rest[foot], axis)
    cosine, sine, pull = np.cos(angle), np.sin(angle), rate[seen] ** 2
    one, other = [cosine, sine, -pull, -gain], [-sine, cosine, gain, -pull]
    design = np.concatenate([one, other], axis=1).T
    force = (across @ part["acc_m_s2"][seen, foot].T).ravel()
    normal = design.T @ design
    if np.linalg.matrix_rank(normal) < len(normal):
        return None
    solution = np.linalg.solve(normal, design.T @ force)
    residual = force - design @ solution
    variance = float(residual @ residual) / len(force) * np.linalg.inv(normal)
    vector = solution[2] * across[0] + solution[3] * across[1]
    return Arm(vector, CORRELATED * float(np.sqrt(max(variance[2, 2], variance[3, 3]))))


def not_from_knees(found: Found, arms: Sequence[Arm | None]) -> tuple[str, Check] | None:
    """The rule that sensors turn about knees, where arms are felt and none reaches to a bent knee; in words as well.

    An arm that is shorter than a shank shows a foot that twists about its own axis. Where a thigh is level its shank
    stands or hangs; the arm of a straight leg is level. The hip rests turned by the angle between its arm and the
    vertical plane through the axis.
    """
    felt = [(foot, one) for foot, one in enumerate(arms) if one is not None and one.is_felt]
    longest_m = {foot: one.length_m + SURE * one.sd_m for foot, one in felt}
    upright = {foot: _upright(found, foot, one) for foot, one in felt if longest_m[foot] >= LEAST_ARM_M}
    if not felt or max(upright.values(), default=0.0) >= LEAST_UPRIGHT:
        return None
    if upright:
        rule = "shanks that stand or hang from bent knees (cosine)"
        return "legs that swung from the hip", Check(rule, max(upright.values()), LEAST_UPRIGHT, passed=False)
    rule = "sensors that turn about a knee, not where they are (m)"
    return "feet that twisted on the spot", Check(rule, max(longest_m.values()), LEAST_ARM_M, passed=False)


def _upright(found: Found, foot: int, one: Arm) -> float:
    """Cosine of how far the hip rests turned, at the most; 1 where the axis is too steep to tell."""
    slope = float(quaternion.rotate(found.q_rest[foot], found.axes[foot])[2])
    if abs(slope) > TOO_STEEP:
        return 1.0
    up_m = abs(float(quaternion.rotate(found.q_rest[foot], one.vector_m)[2]))
    return (up_m + SURE * one.sd_m) / (one.length_m * float(np.sqrt(1.0 - slope**2)))
