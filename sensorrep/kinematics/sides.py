"""Whether each sensor is on the foot it is said to be on: what the way into the exercise position tells."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sensorrep import quaternion
from sensorrep.model import FloatArray, Posture

SHANK_UP: Final[dict[Posture, float]] = {"prone": 1.0, "hook-lying": -1.0}
"""Whether the shank's direction, knee to ankle, is up or down at rest. Seated and table-top tell nothing: who sits down
keeps the shank where it was, who raises both hips and knees too."""
LEVEL: Final = 0.5
"""Highest sine of a slope that counts as level: a straight leg on the floor."""
LEAST_BEND_RAD: Final = float(np.radians(35.0))
MOST_BEND_RAD: Final = float(np.radians(130.0))
PURE: Final = 0.5
"""Highest cosine between the bend's axis and the shank: rolling over turns about the shank, bending the knee across it."""
CLEAR: Final = 0.5
"""Least cosine between what a leg does and what its side would do."""


def swapped(poses: Sequence[FloatArray], q_rest: FloatArray, axes: FloatArray, posture: Posture | None) -> bool | None:
    """Whether left and right are exchanged; None where nothing tells.

    Bending the knees from lying straight turns both shanks about the axis that points to the person's left, whichever
    foot it is; that and the shank's direction say where outward is for a left leg and for a right one. `poses` (2, 4)
    before the set, in order of time; `q_rest` (2, 4) and `axes` (2, 3) of the set, positive for opening. Each foot is
    judged in its own earth frame, so headings don't matter; both have to say the same. The latest straight pose counts.
    Fails (None) for who never lay straight.
    """
    if posture not in SHANK_UP or not axes.any(axis=1).all():
        return None
    verdicts = [_says(poses, q_rest, axes, foot, SHANK_UP[posture]) for foot in (0, 1)]
    # what the left leg does is to be positive, the right one negative
    if verdicts == [1.0, -1.0]:
        return False
    return True if verdicts == [-1.0, 1.0] else None


def _says(poses: Sequence[FloatArray], q_rest: FloatArray, axes: FloatArray, foot: int, up: float) -> float | None:
    """+1 where the foot opens as a left one does, -1 as a right one; None where it can't be told."""
    shank = np.array([0.0, 0.0, up])
    in_sensor = quaternion.rotate(quaternion.conjugate(q_rest[foot]), shank)
    for pose in reversed(poses):
        if abs(float(quaternion.rotate(pose[foot], in_sensor)[2])) > LEVEL:
            continue
        bend = quaternion.rotation_vector(quaternion.multiply(q_rest[foot], quaternion.conjugate(pose[foot])))
        angle = float(np.sqrt((bend**2).sum()))
        if not LEAST_BEND_RAD <= angle <= MOST_BEND_RAD:
            continue
        leftward = bend / angle
        if abs(float(leftward @ shank)) > PURE:
            continue
        outward = np.cross(shank, leftward)
        cosine = float(quaternion.rotate(q_rest[foot], axes[foot]) @ outward)
        return float(np.sign(cosine)) if abs(cosine) >= CLEAR else None
    return None
