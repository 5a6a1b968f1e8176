"""Which way the knees hinge: what walking, sitting down and lying down show.

What turns a shank far is mostly the knee's hinge and the leg's swing, both about the same side-to-side axis, and now
and then rolling over, about the shank itself. In the sensor's frame these axes stay where they are for as long as the
strap does, so they need no heading and do not grow old. Heels apart turns a bent leg about its thigh, which is square
to the hinge, and nothing turns a leg far about that.
"""

from typing import Final

import numpy as np

from sensorrep.kinematics.spans import LIMITS
from sensorrep.model import FloatArray

FAR_RAD: Final = LIMITS["heels-apart"].most_range_rad
"""No hip turns a shank further in the exercise."""
LEAST_TURNED_RAD: Final = float(np.radians(90.0))
"""So much turning in sum shows the hinge: two strides."""
NO_TURNS: Final = np.zeros((2, 3, 3))


def with_stroke(turns: FloatArray, turned: FloatArray) -> FloatArray:
    """(2, 3, 3) sum of large rotations' outer products over their angles, and what a stroke (2, 3) adds to it."""
    angle = np.sqrt((turned**2).sum(axis=1))
    weight = np.where(angle > FAR_RAD, 1.0 / np.maximum(angle, FAR_RAD), 0.0)[:, None, None]
    total: FloatArray = turns + weight * turned[:, :, None] * turned[:, None, :]
    return total


def about_hinges(turns: FloatArray, axes: FloatArray) -> FloatArray:
    """(2,) share of each leg's large turns, given their sums (2, 3, 3), that were about its axis (2, 3).

    0 where too little was seen of the person walking or sitting down to say.
    """
    total = np.trace(turns, axis1=1, axis2=2)
    about = np.einsum("fi,fij,fj->f", axes, turns, axes)
    return np.where(total > LEAST_TURNED_RAD, about / np.maximum(total, LEAST_TURNED_RAD), 0.0)
