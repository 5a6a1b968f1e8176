"""Rotations as unit quaternions: w first, Hamilton, arrays of shape (..., 4); vectors (..., 3); angles in radians.

`q_a_b` maps vectors of frame b to frame a, so `multiply(q_a_b, q_b_c)` is `q_a_c`. Everything here is elementwise, so
results do not depend on how a series is cut into blocks. Most calls are for a few rotations: what counts for speed is
the number of numpy's steps.
"""

from typing import Final

import numpy as np

from sensorrep.model import FloatArray

TERM: Final = np.array([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]])
SIGN: Final = np.array([[1.0, -1.0, -1.0, -1.0], [1.0, 1.0, -1.0, 1.0], [1.0, 1.0, 1.0, -1.0], [1.0, -1.0, 1.0, 1.0]])
"""Which component of p, and with which sign, goes with each component of q in each component of their product."""


def multiply(p: FloatArray, q: FloatArray) -> FloatArray:
    """Hamilton product of p and q, broadcast over leading axes."""
    product: FloatArray = (np.take(p, TERM, axis=-1) * SIGN * q[..., None, :]).sum(axis=-1)
    return product


def conjugate(q: FloatArray) -> FloatArray:
    """Inverse rotation: q_b_a from q_a_b."""
    inverse: FloatArray = q * np.array([1.0, -1.0, -1.0, -1.0])
    return inverse


def rotate(q_a_b: FloatArray, vector_b: FloatArray) -> FloatArray:
    """Vector of frame b in frame a, broadcast over leading axes."""
    w = q_a_b[..., :1]
    xyz = q_a_b[..., 1:]
    twice = 2.0 * np.cross(xyz, vector_b)
    rotated: FloatArray = vector_b + w * twice + np.cross(xyz, twice)
    return rotated


def rotation_vector(q: FloatArray) -> FloatArray:
    """Rotation vector (axis times angle, angle in [0, pi]) of each quaternion: shape (..., 3)."""
    real, imaginary = q[..., 0], q[..., 1:]
    sine = np.sqrt(np.einsum("...i,...i", imaginary, imaginary))
    angle = 2.0 * np.arctan2(sine, np.abs(real))
    per_sine = np.copysign(angle / np.maximum(sine, np.finfo(float).tiny), real)  # no rotation is 0 over tiny
    vector: FloatArray = imaginary * per_sine[..., None]
    return vector


def from_rotation_vector(vector: FloatArray) -> FloatArray:
    """Unit quaternion of each rotation vector (..., 3)."""
    angle = np.sqrt((vector**2).sum(axis=-1, keepdims=True))
    safe = np.where(angle > 1e-12, angle, 1.0)
    axis_sine = vector * np.where(angle > 1e-12, np.sin(0.5 * angle) / safe, 0.5)
    return np.concatenate([np.cos(0.5 * angle), axis_sine], axis=-1)


def angle_between(p: FloatArray, q: FloatArray) -> FloatArray:
    """Angle (...) of the rotation that takes p (..., 4) to q (..., 4), in [0, pi]."""
    dot = np.abs((p * q).sum(axis=-1))
    angle: FloatArray = 2.0 * np.arccos(np.minimum(dot, 1.0))
    return angle


def tilt_between(q_earth_a: FloatArray, q_earth_b: FloatArray) -> FloatArray:
    """Angle (...) between the verticals that two orientations (..., 4) show, in [0, pi]: without what heading tells."""
    turned = multiply(q_earth_b, conjugate(q_earth_a))
    upright = np.sqrt(turned[..., 0] ** 2 + turned[..., 3] ** 2)
    angle: FloatArray = 2.0 * np.arccos(np.minimum(upright, 1.0))
    return angle


def twist(q: FloatArray, q_zero: FloatArray, axis: FloatArray) -> FloatArray:
    """Angle of the rotation from q_zero to q about a unit axis in its frame, in [-pi, pi]: swing-twist decomposition.

    Half of that angle has the tangent of the rotation's part along the axis over its real part, and both are dot
    products with q: of q_zero times the axis, and of q_zero.
    """
    no_angle = np.zeros_like(axis[..., :1])
    quarter_on = multiply(q_zero, np.concatenate([no_angle, axis], axis=-1))
    q = np.ascontiguousarray(q)
    angle = 2.0 * np.arctan2(np.einsum("...i,...i", q, quarter_on), np.einsum("...i,...i", q, q_zero))
    wrapped: FloatArray = angle - 2.0 * np.pi * np.round(angle / (2.0 * np.pi))
    return wrapped
