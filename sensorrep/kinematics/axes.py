"""About which axis, and in which direction, both legs turn together: a consensus over strokes.

A stroke is the net rotation of both shanks between two moments at which they hardly move, as a 6-vector: rotation
vector of the left shank, then of the right, each in its sensor's frame. An exercise repeats one stroke and its reverse,
so its strokes lie along one line through the origin of that 6-space, which holds both axes, which way each leg turns,
and their proportion. Stray movement lies anywhere. In the sensor's frame the line does not move when the heading
drifts.
"""

from typing import Final, NamedTuple

import numpy as np

from sensorrep import quaternion
from sensorrep.model import BoolArray, Check, FloatArray, IntArray

LEAST_TURN_RAD: Final = float(np.radians(30.0))
"""A change of position shows a common heading when it turns both shanks by at least this much."""
ALIGNMENT: Final = 0.8
"""Least cosine between strokes of one exercise. Larger: a shaky pelvis breaks sets. Smaller: stray strokes join in."""
HALF_LIFE_S: Final = 30.0
"""Votes of older strokes fade: what came before the set matters less and less."""
LONELY: Final = 0.4
"""Weight of a stroke in which one leg stands still. Larger: hands at the band outvote slow reps; smaller: a leg that
nearly stands still in its reps is overlooked."""
FULL_PART: Final = 0.25
"""A leg takes part in full when it turns by this share of the other's turn."""
SLOPED_ALIKE: Final = 0.5
"""Least sum of the sines of two axes' slopes that shows legs which turn the same way. Smaller: thighs of which one
slopes up and one down by 10 degrees pass for sway. Larger: sway in hook-lying is counted more often."""
SLOPED_APART: Final = 0.7
"""Least difference of these sines that shows legs which turn against each other."""
UNSURE: Final = 0.3
"""Cosine between directions that are too near a right angle to be told apart."""
SLANTED_RAD: Final = float(np.radians(28.0))
"""Thighs that slope more than this are those of a person on the back, the knees above the hips; less do lying on the
front and sitting."""
MOST_TURN_RAD: Final = float(np.radians(150.0))
"""Near a half turn a rotation vector may as well point the other way."""


class JointDirection(NamedTuple):
    """A line through the origin of stroke space."""

    direction: FloatArray
    """(6,) unit vector: left axis times its share, right axis times its share."""
    support: BoolArray
    """(k,) which strokes lie along it."""


def rotations(q_earth_sensor: FloatArray, begin: IntArray, end: IntArray) -> FloatArray:
    """(k, 2, 3) net rotation vectors of q (n, 2, 4) from each instant to another, in the sensors' frames."""
    return quaternion.rotation_vector(
        quaternion.multiply(quaternion.conjugate(q_earth_sensor[begin]), q_earth_sensor[end])
    )


def strokes_between(q_earth_sensor: FloatArray, edges: IntArray) -> FloatArray:
    """(k-1, 6) net rotations between the instants `edges` (k,) of q (n, 2, 4), in the sensors' frames."""
    return rotations(q_earth_sensor, edges[:-1], edges[1:]).reshape(-1, 6)


def consensus(
    strokes: FloatArray,
    least_rad: float,
    alignment: float,
    age_s: FloatArray,
    known: FloatArray | None = None,
    *,
    keep: bool = False,
) -> JointDirection | None:
    """The line along which most turning happened among strokes (k, 6) of at least `least_rad`; None without any.

    Every stroke proposes its own line, and so does a `known` one; the one whose followers (cosine at least `alignment`)
    turned furthest in sum wins, and is refined to the principal direction of its followers. A plain principal direction
    would be pulled away by one large stray stroke, this is not (RANSAC with every hypothesis tried; Fischler & Bolles
    1981, doi 10.1145/358669.358692). A stroke's vote is capped, so that one knee bend does not outvote a set of small
    reps; it fades with its `age_s` (k); and it counts less where one leg hardly takes part, as when a foot adjusts the
    band. To `keep` the known line means that only lines near it are proposed.
    """
    length = np.sqrt(np.einsum("ki,ki->k", strokes, strokes))
    large = length >= least_rad
    if not large.any():
        return None
    unit = np.where(large[:, None], strokes / np.where(large, length, 1.0)[:, None], 0.0)
    proposals = unit if known is None else np.concatenate([unit, known[None, :]])
    cosine = np.abs(proposals @ unit.T)
    parts = unit.reshape(-1, 2, 3)
    legs = np.sqrt(np.einsum("kfi,kfi->kf", parts, parts))
    both = np.minimum(legs.min(axis=1) / (FULL_PART * np.maximum(legs.max(axis=1), 1e-12)), 1.0)
    weight = np.minimum(length, path_quantile(length, 0.5)) * large * 0.5 ** (age_s / HALF_LIFE_S)
    weight = weight * (LONELY + (1.0 - LONELY) * both)
    follows = cosine >= alignment
    votes = (follows * weight[None, :]).sum(axis=1)
    if keep and known is not None:
        votes[np.abs(proposals @ known) < alignment] = -1.0
    best = int(np.argmax(votes))
    support = follows[best] & large
    if not support.any():
        return None
    members = unit[support] * np.sqrt(weight[support])[:, None]
    direction = np.linalg.eigh(members.T @ members)[1][:, -1]
    support = (np.abs((unit * direction).sum(axis=1)) >= alignment) & large
    return JointDirection(direction, support)


def path_quantile(lengths: FloatArray, share: float) -> float:
    """The length at which `share` of the whole path is made of shorter ones: many tiny strokes do not pull it down."""
    ordered = np.sort(lengths)
    path = np.cumsum(ordered)
    return float(ordered[np.searchsorted(path, share * path[-1])])


def leg_axes(direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """((2, 3) unit axes in the sensors' frames, (2,) shares of the legs) of a direction; a still leg has axis 0."""
    parts = direction.reshape(2, 3)
    share = np.sqrt((parts**2).sum(axis=1))
    axes = np.where(share[:, None] > 1e-6, parts / np.where(share > 1e-6, share, 1.0)[:, None], 0.0)
    return axes, share


def opening(q_earth_sensor: FloatArray, q_rest: FloatArray, axes: FloatArray) -> FloatArray:
    """(n, 2) rotation of each shank from its rest pose q_rest (2, 4) about its axis (2, 3)."""
    return quaternion.twist(q_earth_sensor, q_rest, axes)


def heading_offset(q_before: FloatArray, q_after: FloatArray) -> float | None:
    """Heading of the right foot's earth frame less that of the left's, from one reorientation of both shanks (2, 4).

    Two shanks that are parallel before and after a change of position turn alike in the room, whatever each did in
    between; so the two rotation vectors differ by the heading offset alone. None unless the change turned both shanks
    alike, by an angle whose axis is certain (not near a half turn), and about an axis that is level enough to show a
    heading.
    """
    turned = quaternion.rotation_vector(quaternion.multiply(q_after, quaternion.conjugate(q_before)))
    angle = np.sqrt((turned**2).sum(axis=1))
    level = np.sqrt((turned[:, :2] ** 2).sum(axis=1))
    certain = angle.min() > LEAST_TURN_RAD and angle.max() < MOST_TURN_RAD and (level > 0.5 * angle).all()
    alike = abs(angle[1] - angle[0]) < 0.25 * angle.max() and abs(turned[1, 2] - turned[0, 2]) < 0.75 * angle.max()
    if not (certain and alike):
        return None
    headings = np.arctan2(turned[:, 1], turned[:, 0])
    return float(headings[1] - headings[0])


def opens(axes_earth: FloatArray) -> float:
    """1 where positive turns about both axes (2, 3) take the heels apart, -1 where negative do, 0 for level thighs.

    Sloping thighs point up to the knee (SLANTED_RAD), and a hip that turns inward turns about its thigh: the left one
    upward, the right one downward. Each axis may be in its own earth frame, since headings don't matter.
    """
    left, right = axes_earth[:, 2].tolist()
    apart = 0.5 * (left - right)
    return float(np.sign(apart)) if abs(apart) > np.sin(SLANTED_RAD) else 0.0


def same_way(axes_earth: FloatArray, offset_rad: float | None) -> Check | None:
    """The rule that the legs turn against each other, where they turn the same way (sway, knee bend).

    `axes_earth` (2, 3) are the axes that both legs turn about, each in its own earth frame. Heels apart mirrors them:
    the vertical parts are opposite, whatever the headings. Level axes need the headings' offset.
    """
    left, right = axes_earth
    alike, apart = abs(float(left[2] + right[2])), abs(float(left[2] - right[2]))
    if alike > max(apart, SLOPED_ALIKE):
        return Check("thighs that do not slope up and down alike (sum of sines)", alike, SLOPED_ALIKE, passed=False)
    if apart > SLOPED_APART or offset_rad is None:
        return None
    cosine = float(np.cos(np.arctan2(right[1], right[0]) - np.arctan2(left[1], left[0]) - offset_rad))
    if cosine <= UNSURE:
        return None
    return Check("legs that turn against each other (cosine between their axes)", cosine, UNSURE, passed=False)
