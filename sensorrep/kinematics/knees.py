"""Which way the knees hinge: what walking, sitting down and lying down show.

What turns a shank far is mostly the knee's hinge and the leg's swing, both about the same side-to-side axis, and now
and then rolling over, about the shank itself. In the sensor's frame these axes stay where they are for as long as the
strap does, so they need no heading and do not grow old. Heels apart turns a bent leg about its thigh, which is square
to the hinge, and nothing turns a leg far about that. A sensor in someone's hands turns far about all its axes.
"""

from typing import Final

import numpy as np

from sensorrep.kinematics.spans import LIMITS
from sensorrep.model import FloatArray

FAR_RAD: Final = LIMITS["heels-apart"].most_range_rad
"""No hip turns a shank further in the exercise."""
LEAST_TURNED_RAD: Final = float(np.radians(90.0))
"""So much turning in sum shows the hinge: two strides."""
KEPT: Final = 0.9
"""Share of the earlier turns that each further one keeps: the last ten or twenty tell. Larger: what was seen before a
sensor was strapped on otherwise misleads for longer. Smaller: a few odd steps look like turning every way."""
EVERY_WAY: Final = 0.05
"""Share of the turns about the axis that they are least about, above which they are no leg's: strokes of a leg would
have to be off the plane of hinge and shank by 13 degrees in the mean. Even turning has a third. Larger: handled sensors
are taken for legs, and reps for knee bends. Smaller: so is who sits down askew taken for hands, and knee bends count.
"""
NO_TURNS: Final = np.zeros((2, 3, 3))


def with_stroke(turns: FloatArray, turned: FloatArray) -> FloatArray:
    """(2, 3, 3) large rotations' outer products over their angles in a fading sum, with what a stroke (2, 3) adds."""
    angle = np.sqrt((turned**2).sum(axis=1))
    weight = np.where(angle > FAR_RAD, 1.0 / np.maximum(angle, FAR_RAD), 0.0)[:, None, None]
    total: FloatArray = np.where(weight > 0.0, KEPT, 1.0) * turns + weight * turned[:, :, None] * turned[:, None, :]
    return total


def in_hands(turns: FloatArray) -> bool:
    """Whether the large turns, given their sums (2, 3, 3), were about all axes of a sensor, as on no leg."""
    least, total = np.linalg.eigvalsh(turns)[:, 0], np.trace(turns, axis1=1, axis2=2)
    return bool(((total > LEAST_TURNED_RAD) & (least > EVERY_WAY * total)).any())


def about_hinges(turns: FloatArray, axes: FloatArray) -> FloatArray:
    """(2,) share of each leg's large turns, given their sums (2, 3, 3), that were about its axis (2, 3).

    0 where too little was seen of the person walking or sitting down to say, and where what was seen was no leg's.
    """
    if in_hands(turns):
        return np.zeros(2)
    total = np.trace(turns, axis1=1, axis2=2)
    about = np.einsum("fi,fij,fj->f", axes, turns, axes)
    return np.where(total > LEAST_TURNED_RAD, about / np.maximum(total, LEAST_TURNED_RAD), 0.0)
