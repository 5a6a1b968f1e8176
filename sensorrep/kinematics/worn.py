"""How the sensors are worn: what a session has shown of it so far, and what follows for an exercise.

Walking shows each leg's directions in its sensor's frame, large turns show the knees' hinges, and the positions between
which the person moved tell the two earth frames' headings apart. Together they say which way the hips turn: so whether
an exercise takes the heels apart, and whether left and right are exchanged. All of it holds for as long as the straps
stay where they are; without any of it an exercise counts for what it looks like.
"""

import itertools
from typing import Final, NamedTuple

import numpy as np

from sensorrep import quaternion
from sensorrep.kinematics import axes as turning
from sensorrep.kinematics import gait, knees, sides
from sensorrep.kinematics.reps import Found
from sensorrep.kinematics.spans import LIMITS
from sensorrep.model import FRAME_RATE_HZ, Check, FloatArray, HeelSignal, Posture

ASKEW: Final = 0.3
"""Share of an axis that may lie along the knee's hinge and the shank, to which the thigh is square while the knee is
bent by 90 degrees; 0.3 is 33 degrees off. In simulated reps it is 0.21 at most on one leg, in knee bends, and in feet
that twist on the floor, 0.4 at least on both."""
CLEARLY: Final = 0.7
"""Cosine between an exercise's axis and the thigh's that says which hip it was. In simulated sets it is above 0.9."""
CERTAIN: Final = 1.0
"""Pieces of evidence for which way is open without which hips that open outward may as well be closing."""
AGREED: Final = 0.7
"""Least resultant length of headings that agree: 45 degrees to either side of two."""
NEW_POSE_RAD: Final = float(np.radians(20.0))
KEPT_POSES: Final = 16
FRESH_FRAMES: Final = round(240.0 * FRAME_RATE_HZ)
"""Older poses say nothing of the headings any more: these drift by some degrees a minute."""
QUIET_RAD_S: Final = float(np.radians(15.0))
QUIET_FRAMES: Final = round(0.3 * FRAME_RATE_HZ)
"""Poses are compared when both shanks were slower than this for so long: in mid-stride legs are not parallel."""


class Worn(NamedTuple):
    """What was seen up to some frame."""

    gait: gait.Gait
    turns: FloatArray
    """(2, 3, 3) large turns of each shank, summed as in `knees`."""
    poses: tuple[tuple[int, FloatArray], ...]
    """(frame, (2, 4) orientations) at rest, the last ones that differ from all later ones."""
    swapped: bool | None
    """Whether the first set that could tell it showed left and right exchanged."""


NOTHING_SEEN: Final = Worn(gait.NOT_SEEN, knees.NO_TURNS, (), None)


def with_frames(worn: Worn, part: HeelSignal, first_frame: int) -> Worn:
    """`worn`, and what the frames of `part`, numbered from `first_frame` on, add to it."""
    return worn._replace(gait=gait.gone_on(worn.gait, part, first_frame)) if len(part) else worn


def with_stroke(worn: Worn, turned: FloatArray) -> Worn:
    """`worn`, and what a stroke adds: rotation vectors (2, 3) of both shanks in their sensors' frames, rad.

    Sensors in someone's hands will be strapped on otherwise: what was seen before, and of the hands, says nothing then.
    """
    turns = knees.with_stroke(worn.turns, turned)
    if (turns != worn.turns).any() and knees.in_hands(turns):
        worn = worn._replace(gait=worn.gait._replace(legs=None), poses=(), swapped=None)
    return worn._replace(turns=turns)


def with_pose(worn: Worn, before: HeelSignal, frame: int) -> Worn:
    """`worn`, and the pose in the last of the frames `before` a standstill, number `frame`, if they were quiet."""
    rate = before["rate_rad_s"][-QUIET_FRAMES - 1 :]
    if float((rate**2).sum(axis=2).max()) > QUIET_RAD_S**2:
        return worn
    pose = before["q_earth_sensor"][-1].copy()
    others = [
        (seen, old)
        for seen, old in worn.poses[-KEPT_POSES + 1 :]
        if frame - seen < FRESH_FRAMES and (quaternion.angle_between(old, pose) > NEW_POSE_RAD).any()
    ]
    return worn._replace(poses=(*others, (frame, pose)))


def with_set(worn: Worn, found: Found, posture: Posture | None) -> Worn:
    """`worn`, and what a finished set tells of left and right: hips that clearly open outward are the other ones."""
    if worn.swapped is not None:
        return worn
    inward = gait.inward(worn.gait.legs, found.axes)
    if np.abs(inward).min() > CLEARLY and inward.prod() > 0.0:
        outward = bool(inward.max() < 0.0)
        return worn._replace(swapped=outward if not outward or found.evidence >= CERTAIN else None)
    opens = turning.opens(quaternion.rotate(found.q_rest, found.axes))
    if opens:
        return worn._replace(swapped=opens < 0.0 if opens > 0.0 or found.evidence >= CERTAIN else None)
    poses = [pose for _, pose in worn.poses]
    return worn._replace(swapped=sides.swapped(poses, found.q_rest, found.axes, posture))


def inward(worn: Worn) -> FloatArray | None:
    """(2, 3) axes in the sensors' frames about which the legs turn inward; None before walking has shown them."""
    legs = worn.gait.legs
    if legs is None:
        return None
    return -legs.inward if worn.swapped else legs.inward


def knees_bent(worn: Worn, found: Found) -> Check | None:
    """The rule that axes are the thighs', where both lie along the knees' hinges, or along the shanks."""
    along = knees.about_hinges(worn.turns, found.axes) + gait.about_shanks(worn.gait.legs, found.axes)
    if along.min() <= ASKEW:
        return None
    return Check("about neither knees' hinges nor shanks (share of the axis)", float(along.min()), ASKEW, passed=False)


def same_way(worn: Worn, found: Found) -> Check | None:
    """The rule that the legs turn against each other, where both turn the same way."""
    inward = gait.inward(worn.gait.legs, found.axes)
    surely = float(np.abs(inward).min())
    if surely <= turning.UNSURE:
        offset = _heading_offset([*(pose for _, pose in worn.poses), found.q_rest], found.axes)
        return turning.same_way(quaternion.rotate(found.q_rest, found.axes), offset)
    if inward.prod() > 0.0:
        return None
    return Check("hips that turn inward both (cosine of the one that does not)", surely, turning.UNSURE, passed=False)


def _heading_offset(poses: list[FloatArray], axes: FloatArray) -> float | None:
    """What the changes between any two poses say in common; None where they contradict each other, or say nothing.

    A change that hips can make about an exercise's axes (2, 3) is asked nothing: knees that fell apart, or heels that
    stayed apart for a while, turned the legs against each other as that exercise may, and not alike.
    """
    by_change = [
        turning.heading_offset(before, after)
        for before, after in itertools.combinations(poses, 2)
        if not _may_be_hips(before, after, axes)
    ]
    known = np.array([offset for offset in by_change if offset is not None])
    mean = np.exp(1j * known).mean() if len(known) else 0.0
    return float(np.angle(mean)) if abs(mean) > AGREED else None


def _may_be_hips(before: FloatArray, after: FloatArray, axes: FloatArray) -> bool:
    """Whether both legs turned about their axes (2, 3), and by no more than in the exercise position."""
    turned = quaternion.rotation_vector(quaternion.multiply(quaternion.conjugate(before), after))
    angle = np.sqrt((turned**2).sum(axis=1))
    about = np.abs((turned * axes).sum(axis=1))
    return bool((about > turning.ALIGNMENT * angle).all() and angle.max() < LIMITS["heels-apart"].gross_rad)
