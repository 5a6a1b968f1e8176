"""Posture of a set, from gravity and the lever arm: the knee is below a prone person's ankle, above a seated one's."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sensorrep import quaternion
from sensorrep.kinematics.arms import SURE, arm
from sensorrep.kinematics.axes import SLANTED_RAD
from sensorrep.kinematics.reps import Found
from sensorrep.kinematics.spans import Span
from sensorrep.model import HeelSignal, Posture

STEEP_RAD: Final = float(np.radians(72.0))


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
    if weight == 0.0 or abs(height) < SURE * np.sqrt(weight):
        return None
    return "prone" if height > 0.0 else "seated"
