"""Whether each sensor is on the foot it is said to be on: what bending the knees, face down, tells."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sensorrep import quaternion
from sensorrep.model import FloatArray, Posture

LEVEL: Final = 0.5
"""Highest sine of a slope that counts as level: a straight leg on the floor."""
LEAST_BEND_RAD: Final = float(np.radians(45.0))
MOST_BEND_RAD: Final = float(np.radians(130.0))
"""Standing and walking are nearly upside down to a prone shank: a half turn, whose axis says nothing."""
PURE: Final = 0.5
"""Highest cosine between the bend's axis and the shank: rolling over turns about the shank, bending knees across it."""
CLEAR: Final = 0.7
"""Least cosine between what a leg does and what its side would do; larger: silent more often, smaller: wrong now and
then. In simulated sessions it is above 0.9."""
UP: Final = np.array([0.0, 0.0, 1.0])


def swapped(poses: Sequence[FloatArray], q_rest: FloatArray, axes: FloatArray, posture: Posture | None) -> bool | None:
    """Whether left and right are exchanged; None where nothing tells.

    Bending the knees from lying straight turns both shanks about the axis that points to the person's left, whichever
    foot it is; with the shank upright that says where outward is for a left leg and for a right one. `poses` (2, 4)
    before the set, in order of time; `q_rest` (2, 4) and `axes` (2, 3) of the set, positive for opening. Each foot is
    judged in its own earth frame, so headings don't matter, and both have to say the same. The latest straight pose
    counts. Only in prone: on the way into the other postures no shank goes from level to upright for sure. Fails (None)
    for who did not lie straight before.
    """
    if posture != "prone" or not axes.any(axis=1).all():
        return None
    verdicts = [_opens_like(poses, q_rest, axes, foot) for foot in (0, 1)]
    if verdicts == ["left", "right"]:
        return False
    return True if verdicts == ["right", "left"] else None


def _opens_like(poses: Sequence[FloatArray], q_rest: FloatArray, axes: FloatArray, foot: int) -> str | None:
    """Which foot this one opens like."""
    shank = quaternion.rotate(quaternion.conjugate(q_rest[foot]), UP)
    for pose in reversed(poses):
        bend = quaternion.rotation_vector(quaternion.multiply(q_rest[foot], quaternion.conjugate(pose[foot])))
        angle = float(np.sqrt((bend**2).sum()))
        level = abs(float(quaternion.rotate(pose[foot], shank)[2])) <= LEVEL
        if not (level and LEAST_BEND_RAD <= angle <= MOST_BEND_RAD and abs(bend[2]) <= PURE * angle):
            continue
        # a left leg opens about shank x leftward, which is its thigh from hip to knee; a right one against it
        cosine = float(quaternion.rotate(q_rest[foot], axes[foot]) @ np.cross(UP, bend / angle))
        if abs(cosine) < CLEAR:
            return None
        return "left" if cosine > 0.0 else "right"
    return None
