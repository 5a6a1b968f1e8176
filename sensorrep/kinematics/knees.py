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
ABOUT_HINGE: Final = 0.4
"""Share of the large turns that were about an axis if it is the hinge. In simulated reps it is 0.05 at most, in knee
bends 0.57 at least."""
NO_TURNS: Final = np.zeros((2, 3, 3))


def with_stroke(turns: FloatArray, turned: FloatArray) -> FloatArray:
    """(2, 3, 3) sum of large rotations' outer products over their angles, and what a stroke (2, 3) adds to it."""
    angle = np.sqrt((turned**2).sum(axis=1))
    weight = np.where(angle > FAR_RAD, 1.0 / np.maximum(angle, FAR_RAD), 0.0)[:, None, None]
    total: FloatArray = turns + weight * turned[:, :, None] * turned[:, None, :]
    return total


def bending(turns: FloatArray, axes: FloatArray) -> bool:
    """Whether both legs turn about their hinges, given an exercise's axes (2, 3): then the knees bend.

    False where too little was seen of the person walking or sitting down to say.
    """
    return min(_about_hinge(turned, axis) for turned, axis in zip(turns, axes, strict=True)) > ABOUT_HINGE


def _about_hinge(turned: FloatArray, axis: FloatArray) -> float:
    """Share of large turns, given their sum (3, 3), that were about an axis (3)."""
    total = float(np.trace(turned))
    return float(axis @ turned @ axis) / total if total > LEAST_TURNED_RAD else 0.0
