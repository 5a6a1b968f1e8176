"""The lever arm from the axis to the sensor, and what it tells: which posture this is, and whether feet moved at all.

A shank that turns about its thigh swings the sensor on an arm as long as the shank, and the accelerometer feels it. So
without knowing how the sensor is strapped on, its own turning shows where the knee is: below a prone person's ankle,
above a seated one's. A foot that twists about its own long axis has an arm as short as the ankle is thick.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sensorrep import quaternion
from sensorrep.kinematics.reps import Found
from sensorrep.kinematics.spans import Span
from sensorrep.model import FRAME_RATE_HZ, Check, FloatArray, HeelSignal, Posture

CORRELATED: Final = 5.0
"""Neighbouring residuals are alike (filter, soft tissue), so the uncertainty is larger than for white noise."""
LEAST_SEEN: Final = 0.8
"""Share of a rep's frames that must have been measured; what was interpolated between them does not count."""
LEAST_ARM_M: Final = 0.12
"""A shorter arm than this is no shank: the sensor sits above the ankle."""
FELT: Final = 3.0
"""An arm of so many standard uncertainties is felt. Where none is, the accelerometer shows gravity alone, as in fused
data and in simulations, and says nothing."""
STEEP_RAD: Final = float(np.radians(72.0))
SLANTED_RAD: Final = float(np.radians(28.0))


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
    def longest_m(self) -> float:
        """How long it may be (one side of 95 % and more)."""
        return self.length_m + 2.0 * self.sd_m

    @property
    def is_short(self) -> bool:
        """Whether there is an arm, and it is no shank's."""
        return self.length_m > FELT * self.sd_m and self.longest_m < LEAST_ARM_M


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
    first = spans[0].low
    part = stretch[first : spans[-1].next_low + 1]
    seen = np.zeros(len(part), bool)
    for span in spans:
        its = slice(span.low - first, span.next_low + 1 - first)
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
    solution, _, rank, _ = np.linalg.lstsq(design, force, rcond=None)
    if rank < 4:
        return None
    residual = force - design @ solution
    variance = float(residual @ residual) / len(force) * np.linalg.inv(design.T @ design)
    vector = solution[2] * across[0] + solution[3] * across[1]
    return Arm(vector, CORRELATED * float(np.sqrt(max(variance[2, 2], variance[3, 3]))))


def on_the_spot(stretch: HeelSignal, found: Found, spans: Sequence[Span]) -> Check | None:
    """The rule that sensors turn on an arm as long as a shank, where it is felt that both are on a shorter one.

    Then both feet only twisted about the shanks' own axes.
    """
    arms = [arm(stretch, found, spans, foot) for foot in (0, 1)]
    short = [one for one in arms if one is not None and one.is_short]
    if len(short) < len(arms):
        return None
    longest_m = max(one.longest_m for one in short)
    return Check("sensors that turn about a knee, not where they are (m)", longest_m, LEAST_ARM_M, passed=False)


def posture(stretch: HeelSignal, found: Found, spans: Sequence[Span], feet: tuple[int, ...]) -> Posture | None:
    """The posture in which these reps were done; None where the movement was too slow to tell prone from seated.

    The thighs' slope is that of the axes. With level thighs, the arm points up in prone and down when seated.
    """
    earth = quaternion.rotate(found.q_rest, found.axes)[list(feet)]
    slope = float(np.mean(np.arcsin(np.clip(np.abs(earth[:, 2]), 0.0, 1.0))))
    if slope > STEEP_RAD:
        return "table-top"
    if slope > SLANTED_RAD:
        return "hook-lying"
    height, weight = 0.0, 0.0
    for foot in feet:
        one = arm(stretch, found, spans, foot)
        if one is not None and one.sd_m > 0.0:
            up = float(quaternion.rotate(found.q_rest[foot], one.vector_m)[2])
            height += up / one.sd_m**2
            weight += 1.0 / one.sd_m**2
    if weight == 0.0 or abs(height) < 3.0 * np.sqrt(weight):
        return None
    return "prone" if height > 0.0 else "seated"
