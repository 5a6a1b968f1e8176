"""The lever arm from the axis to the sensor, and what it says against the exercise.

A shank that turns about its thigh swings the sensor on an arm as long as the shank, and the accelerometer feels it. So
without knowing how the sensor is strapped on, its own turning shows where the knee is. A foot that twists about its own
long axis has an arm as short as the ankle is thick, a shank above a foot that stands one as short as the sensor is
above the ankle; a straight leg that swings from the hip has one as long as the leg, or a level one.
"""

from collections.abc import Sequence
from functools import partial
from math import hypot, sqrt
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from sensorrep import quaternion
from sensorrep.kinematics.reps import Found
from sensorrep.kinematics.spans import Span
from sensorrep.model import FRAME_RATE_HZ, GRAVITY_M_S2, Check, FloatArray, HeelSignal

STEADY: Final = 0.15
"""Both sides of the equation are averaged twice over this share of a rep. Straps wobble and soft tissue shakes, and
gyroscopes are noisy; their angular acceleration is felt by no arm and would make it look shorter. Larger: the strokes
are lost as well. Smaller: straight legs in pted look as if they turned about their ankles."""
CORRELATED: Final = 10.0
"""Neighbouring residuals are alike (that mean, soft tissue), so the uncertainty is larger than for white noise."""
LEFT_SD_M_S2: Final = 0.1
"""What 1 % of gyroscope scale leaves of gravity a radian, as a standard uncertainty; by how far gravity at rest is not
g, an accelerometer's zero is off, and adds as much. Turning with the sensor, either makes a force that grows with the
opening, as an arm's does in even reps. Larger: arms are known less well, and who sits down over and over is counted.
Smaller: reps on cheap sensors seem to turn about the ankle."""
LEAST_SEEN: Final = 0.8
"""Share of the frames that must have been measured; what was interpolated between them does not count."""
FELT: Final = 3.0
"""An arm of so many standard uncertainties is felt."""
NO_ARM_M: Final = 0.04
"""Where all arms are surely shorter, the accelerometer shows gravity alone, as in fused data and in simulations, and
says nothing: no strap sits so near to an ankle's axis. Larger: feet that twist on the spot are counted. Smaller: reps
in such data are not, where those are noisy."""
SURE: Final = 2.0
"""Standard uncertainties by which an arm must be beyond a limit (one side of 95 % and more)."""
LEAST_ARM_M: Final = 0.18
"""A shorter arm than this is no shank's from its knee: half of a small adult's (0.246 of a stature of 1.5 m; Winter
2009, doi 10.1002/9780470549148), and sensors above the ankle are further from the knee. Larger: small people's reps are
lost. Smaller: shanks that turn about ankles, as in squats, are counted."""
LONGEST_ARM_M: Final = 0.5
"""From the knee to a sensor above the ankle, in the tallest people (0.246 of a stature of 2 m). Larger: straight legs
that spread are counted. Smaller: tall people's reps are not."""
LONGEST_LEG_M: Final = 1.0
"""From the hip (0.491 of a stature of 2 m). What seems longer is no arm, but what else moves with slow reps: these
accelerate a sensor by less than a slight roll of the pelvis makes it feel of gravity."""
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

    Across the axis u the accelerometer feels gravity g turned by the opening, the arm r times angular acceleration, the
    centripetal part, and its zero z: f = R(u, -opening) g + alpha (u x r) - rate^2 r + opening z, linear in all.
    Of z it is known beforehand that it is small (LEFT_SD_M_S2).
    """
    axis = found.axes[foot]
    if not axis.any():
        return None
    across = np.linalg.svd(axis[None, :])[2][1:]
    if float(np.dot(np.cross(axis, across[0]), across[1])) < 0.0:
        across[1] = -across[1]
    width = max(round(STEADY * median(span.length for span in spans)), 1)
    weights = np.convolve(np.ones(width), np.ones(width)) / width**2
    first = max(spans[0].leaves - width, 0)
    part = stretch[first : spans[-1].back + width + 1]
    seen = part["ok"][:, foot].copy()
    if seen.mean() < LEAST_SEEN:
        return None
    seen[:width] = seen[len(seen) - width :] = False
    rate = part["rate_rad_s"][:, foot] @ axis
    angle = quaternion.twist(part["q_earth_sensor"][:, foot], found.q_rest[foot], axis)
    smooth = partial(np.convolve, v=weights, mode="same")
    terms = (np.cos(angle), np.sin(angle), rate**2, np.gradient(rate) * FRAME_RATE_HZ, angle - angle[seen].mean())
    cosine, sine, pull, gain, opened = (smooth(term)[seen] for term in terms)
    none = np.zeros(len(opened))
    one, other = [cosine, sine, -pull, -gain, opened, none], [-sine, cosine, gain, -pull, none, opened]
    design = np.concatenate([one, other], axis=1).T
    force = np.concatenate([smooth(one)[seen] for one in across @ part["acc_m_s2"][:, foot].T])
    plain = design[:, :4]
    solution, _, rank, _ = np.linalg.lstsq(plain, force)
    if rank < plain.shape[1]:
        return None
    size = np.sqrt((part["acc_m_s2"][seen, foot] ** 2).sum(axis=1))
    left_sd = hypot(LEFT_SD_M_S2, float(np.median(size)) - GRAVITY_M_S2)
    noise = CORRELATED**2 * float(((force - plain @ solution) ** 2).mean())
    normal = design.T @ design + np.diag([0.0] * 4 + [noise / left_sd**2] * 2)
    solution, variance = np.linalg.solve(normal, design.T @ force), noise * np.linalg.inv(normal)
    vector = solution[2] * across[0] + solution[3] * across[1]
    return Arm(vector, float(np.sqrt(max(variance[2, 2], variance[3, 3]))))


def not_from_knees(found: Found, arms: Sequence[Arm | None], doubt: float = SURE) -> tuple[str, Check] | None:
    """The rule that both sensors turn about bent knees, unless gravity alone is felt; in words as well.

    An arm that is shorter than a shank shows a foot that twists on the spot, or stands while the shank turns about its
    ankle; a longer one, no longer than a leg, shows a leg that swings as a whole, as straight legs that spread: beyond
    doubt, since slow reps make arms seem longer. Where a thigh is level its shank stands or hangs; the arm of a
    straight leg is level. The hip rests turned by the angle between its arm and the vertical plane through the axis. So
    many standard uncertainties of `doubt` speak for the exercise.
    """
    known = [(foot, one) for foot, one in enumerate(arms) if one is not None]
    if all(one.length_m + SURE * one.sd_m < NO_ARM_M for _, one in known):
        return None
    at_most_m = _at_most_m([one for _, one in known], doubt)
    if at_most_m < LEAST_ARM_M:
        rule = "sensors that turn about knees, not where they are (m)"
        return "feet that twisted or stood on the spot", Check(rule, at_most_m, LEAST_ARM_M, passed=False)
    at_least_m = _mean_m([one for _, one in known], -max(doubt, FELT))
    if at_least_m > LONGEST_ARM_M and _mean_m([one for _, one in known], 0.0) < LONGEST_LEG_M:
        rule = "sensors that turn about knees, not further off (m)"
        return "legs that swung from the hip", Check(rule, at_least_m, LONGEST_ARM_M, passed=False)
    upright = min((_upright(found, foot, one, doubt) for foot, one in known if one.is_felt), default=1.0)
    if upright < LEAST_UPRIGHT:
        rule = "shanks that stand or hang from bent knees (cosine)"
        return "legs that swung from the hip", Check(rule, upright, LEAST_UPRIGHT, passed=False)
    return None


def _at_most_m(arms: Sequence[Arm], doubt: float) -> float:
    """Length that the shortest arm surely does not exceed, nor their mean, weighted by how well each is known.

    What both legs do they do alike, and where neither arm is known well enough, both together may be.
    """
    return min(_mean_m(arms, doubt), *(one.length_m + doubt * one.sd_m for one in arms))


def _mean_m(arms: Sequence[Arm], doubt: float) -> float:
    """Their mean length, weighted by how well each is known, and so many standard uncertainties of it."""
    weights = [max(one.sd_m, 1e-9) ** -2 for one in arms]
    mean_m = sum(weight * one.length_m for weight, one in zip(weights, arms, strict=True)) / sum(weights)
    return mean_m + doubt / sqrt(sum(weights))


def _upright(found: Found, foot: int, one: Arm, doubt: float) -> float:
    """Cosine of how far the hip rests turned, at the most; 1 where the axis is too steep to tell."""
    slope = float(quaternion.rotate(found.q_rest[foot], found.axes[foot])[2])
    if abs(slope) > TOO_STEEP:
        return 1.0
    up_m = abs(float(quaternion.rotate(found.q_rest[foot], one.vector_m)[2]))
    return (up_m + doubt * one.sd_m) / (one.length_m * float(np.sqrt(1.0 - slope**2)))
