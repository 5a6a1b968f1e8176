"""Rotations as unit quaternions: w first, Hamilton, arrays of shape (..., 4); vectors (..., 3); angles in radians.

`q_a_b` maps vectors of frame b to frame a, so `multiply(q_a_b, q_b_c)` is `q_a_c`. Everything here is elementwise, so
results do not depend on how a series is cut into blocks.
"""

import numpy as np

from sensorrep.model import FloatArray


def multiply(p: FloatArray, q: FloatArray) -> FloatArray:
    """Hamilton product of p and q, broadcast over leading axes."""
    pw, px, py, pz = p[..., 0], p[..., 1], p[..., 2], p[..., 3]
    qw, qx, qy, qz = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    return np.stack(
        [
            pw * qw - px * qx - py * qy - pz * qz,
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
        ],
        axis=-1,
    )


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
    q = np.where(q[..., :1] < 0.0, -q, q)
    sine = np.sqrt(q[..., 1] ** 2 + q[..., 2] ** 2 + q[..., 3] ** 2)
    # angle / sin(angle / 2) tends to 2 where the rotation vanishes
    factor = np.where(sine > 1e-9, 2.0 * np.arctan2(sine, q[..., 0]) / np.where(sine > 1e-9, sine, 1.0), 2.0)
    vector: FloatArray = q[..., 1:] * factor[..., None]
    return vector


def from_rotation_vector(vector: FloatArray) -> FloatArray:
    """Unit quaternion of each rotation vector (..., 3)."""
    angle = np.sqrt((vector**2).sum(axis=-1, keepdims=True))
    safe = np.where(angle > 1e-12, angle, 1.0)
    axis_sine = vector * np.where(angle > 1e-12, np.sin(0.5 * angle) / safe, 0.5)
    return np.concatenate([np.cos(0.5 * angle), axis_sine], axis=-1)


def angle_between(p: FloatArray, q: FloatArray) -> FloatArray:
    """Angle of the rotation that takes p to q, in [0, pi]."""
    dot = np.abs((p * q).sum(axis=-1))
    angle: FloatArray = 2.0 * np.arccos(np.minimum(dot, 1.0))
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
