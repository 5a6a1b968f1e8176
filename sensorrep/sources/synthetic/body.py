"""The wearer's body: joint angles over time -> path of two sensors on two rigid shanks -> what they feel.

Earth is z-up. The body's frames, where the body stands upright: x forward, y left, z up. Pelvis, thigh and shank are
rigid; each shank turns with its thigh about (nearly) the thigh's long axis, which is the exercise.

Every joint's course is a sum of smooth steps and band-limited wander, so all motion is at least twice continuously
differentiable. Rates and accelerations come from the motion by fourth-order differences on a dense grid: relative
error (2 pi f / GRID_HZ)^4 / 30, that is below 1e-4 at 12 Hz.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import GRAVITY_M_S2, FloatArray, Foot
from sensorrep.sources.synthetic.anatomy import Build

GRID_HZ: Final = 400.0
ANKLE_ON_FLOOR_M: Final = 0.08
_STANCE_M: Final = 0.1
"""How far from the middle a rooted foot stands."""


class Joint(IntEnum):
    """Columns of the course: seven of the pelvis, then six per leg (see `of`). Degrees, or metres where so said."""

    PITCH = 0  # forward lean: prone 90, supine -90
    TWIST = 1  # about the trunk's long axis
    TURN = 2  # heading
    FORWARD_M = 3
    HEIGHT_M = 4
    PLANTED = 5  # 1: the feet stand and the pelvis follows them; 0: the pelvis lies and the feet follow it
    ROOTED = 6  # 1: each ankle stays on its own spot, whatever the hips do; 0: only the middle between them, if planted
    FLEXION = 7
    ABDUCTION = 8
    OPENING = 9  # internal rotation of the hip
    KNEE = 10
    JOLT_M = 11  # shank along its length: knocks
    TREMOR = 12  # amplitude of tremor in the opening

    def of(self, foot: Foot) -> int:
        """Column of this leg joint for one leg."""
        return int(self) + 6 * int(foot)


COLUMNS: Final = 19


class Step(NamedTuple):
    """A smooth move of one column by `change`; `ramp` is the share of the time spent speeding up (and slowing down)."""

    column: int
    start_s: float
    seconds: float
    change: float
    ramp: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Noise-free motion on the grid; leg on axis 0 where there is one."""

    time_s: FloatArray
    opening_deg: FloatArray
    """(n, 2)"""
    earth_sensor: FloatArray
    """(2, 3, 3, n) rotation matrices: sensor vectors to earth vectors."""
    position_m: FloatArray
    """(2, 3, n) of the sensors, in earth."""
    gyr_rad_s: FloatArray
    """(2, 3, n) angular rate in the sensor's frame."""
    acc_m_s2: FloatArray
    """(2, 3, n) specific force in the sensor's frame: what an ideal accelerometer reads, +g upward at rest."""


def progress(share: FloatArray, ramp: float) -> FloatArray:
    """Way done, 0 to 1, at each share (0 to 1) of a step's time: speed rises smoothly over `ramp`, holds, and falls.

    The speed's ramps are quintic, so position is three times continuously differentiable. `ramp` 0.5 is close to
    minimum jerk, small ones are close to steady speed.
    """
    early = np.minimum(share, 1.0 - share)
    up = np.minimum(early / ramp, 1.0)
    way = ramp * up**4 * (up * up - 3.0 * up + 2.5) + np.maximum(early - ramp, 0.0)
    way = way / (1.0 - ramp)
    done: FloatArray = np.where(share < 0.5, way, 1.0 - way)
    return done


def course(start: FloatArray, steps: Iterable[Step], points: int) -> FloatArray:
    """(COLUMNS, points) on the grid from time 0: the starting values plus all steps."""
    now = np.zeros((COLUMNS, points))
    done = np.zeros((COLUMNS, points))
    done[:, 0] = start
    for column, start_s, seconds, change, ramp in steps:
        first, end = (min(max(int(np.ceil(at_s * GRID_HZ)), 0), points) for at_s in (start_s, start_s + seconds))
        share = (np.arange(first, end) / GRID_HZ - start_s) / seconds
        now[column, first:end] += change * progress(share, ramp)
        if end < points:
            done[column, end] += change
    return now + np.cumsum(done, axis=1)


class Path(NamedTuple):
    """Where both sensors are and how they stand, two grid points longer at each end than the motion."""

    earth_sensor: FloatArray
    """(2, 3, 3, n + 4) rotation matrices: sensor vectors to earth vectors."""
    position_m: FloatArray
    """(2, 3, n + 4) in earth."""


def move(joints: FloatArray, builds: tuple[Build, Build]) -> Path:
    """Course of the joints (COLUMNS, n + 4) -> path of both sensors, as if they were one with the shanks."""
    pelvis = _identity(joints.shape[1])
    _turn(pelvis, 2, joints[Joint.TURN])
    _turn(pelvis, 1, joints[Joint.PITCH])
    _turn(pelvis, 2, joints[Joint.TWIST])
    legs = [_leg(pelvis, joints, builds[foot], foot) for foot in Foot]
    lying = np.stack([joints[Joint.FORWARD_M], np.zeros(joints.shape[1]), joints[Joint.HEIGHT_M]])
    middle = 0.5 * (legs[0].ankle_m + legs[1].ankle_m)
    standing = -middle
    standing[0] += joints[Joint.FORWARD_M]
    standing[2] += ANKLE_ON_FLOOR_M
    centre = lying + joints[Joint.PLANTED] * (standing - lying)
    position = np.stack([centre + leg.sensor_m for leg in legs])
    for foot, leg in zip(Foot, legs, strict=True):
        spot_m = np.array([0.0, (_STANCE_M, -_STANCE_M)[foot], 0.0])
        position[foot] += joints[Joint.ROOTED] * (spot_m[:, None] - leg.ankle_m + middle)
    return Path(np.stack([leg.earth_sensor for leg in legs]), position)


def sense(path: Path, joints: FloatArray) -> Motion:
    """What sensors on a path feel, beside the course of the joints (COLUMNS, n + 4) that led there."""
    force = _second(path.position_m)
    force[:, 2] += GRAVITY_M_S2
    kept = slice(2, -2)
    return Motion(
        time_s=np.arange(2, joints.shape[1] - 2) / GRID_HZ,
        opening_deg=np.stack([joints[Joint.OPENING.of(foot), kept] for foot in Foot], axis=1),
        earth_sensor=path.earth_sensor[..., kept],
        position_m=path.position_m[..., kept],
        gyr_rad_s=turning_rate(path.earth_sensor),
        acc_m_s2=np.einsum("lean,len->lan", path.earth_sensor[..., kept], force),
    )


class _Leg(NamedTuple):
    earth_sensor: FloatArray
    sensor_m: FloatArray  # from the pelvis' centre
    ankle_m: FloatArray


def _leg(pelvis: FloatArray, joints: FloatArray, build: Build, foot: Foot) -> _Leg:
    """Pelvis (3, 3, n) -> one leg's sensor and ankle."""
    outward = 1.0 if foot == Foot.LEFT else -1.0  # y is left: rotation and abduction are mirrored
    opening = joints[Joint.OPENING.of(foot)]
    frame = pelvis.copy()
    hip = outward * build.hip_m * frame[:, 1]
    _turn(frame, 1, -joints[Joint.FLEXION.of(foot)])
    _turn(frame, 0, outward * (joints[Joint.ABDUCTION.of(foot)] + build.abduction_coupling * opening))
    to_axis = _to_z(build.rotation_axis)
    frame = np.einsum("ean,ab->ebn", frame, to_axis)
    _turn(frame, 2, -outward * (opening + build.rest_rotation_deg))
    frame = np.einsum("ean,ba->ebn", frame, to_axis)
    knee = hip - build.thigh_m * frame[:, 2]
    _turn(frame, 1, joints[Joint.KNEE.of(foot)] + build.knee_coupling * opening)
    sensor = knee + np.einsum("ean,a->en", frame, build.sensor_m)
    sensor += joints[Joint.JOLT_M.of(foot)] * frame[:, 2]
    earth_sensor = np.einsum("ean,ab->ebn", frame, build.shank_sensor)
    return _Leg(earth_sensor, sensor, knee - build.shank_m * frame[:, 2])


def _identity(points: int) -> FloatArray:
    return np.repeat(np.eye(3)[:, :, None], points, axis=2)


def _turn(frame: FloatArray, axis: int, angle_deg: FloatArray) -> None:
    """Turn a frame (3 earth components, 3 axes, n) in place about one of its own axes."""
    angle = np.deg2rad(angle_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    first, second = frame[:, (axis + 1) % 3], frame[:, (axis + 2) % 3]
    frame[:, (axis + 1) % 3], frame[:, (axis + 2) % 3] = cos * first + sin * second, cos * second - sin * first


def _to_z(axis: FloatArray) -> FloatArray:
    """(3, 3) rotation whose third column is `axis`, the others as near to x and y as can be."""
    first = np.cross([0.0, 1.0, 0.0], axis)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(axis, first), axis], axis=1)


def _first(values: FloatArray) -> FloatArray:
    """Time derivative along the last axis, two points shorter at each end."""
    ahead, far = values[..., 3:-1] - values[..., 1:-3], values[..., 4:] - values[..., :-4]
    rate: FloatArray = (8.0 * ahead - far) * (GRID_HZ / 12.0)
    return rate


def _second(values: FloatArray) -> FloatArray:
    """Second time derivative along the last axis, two points shorter at each end."""
    near, far = values[..., 3:-1] + values[..., 1:-3], values[..., 4:] + values[..., :-4]
    rate: FloatArray = (16.0 * near - far - 30.0 * values[..., 2:-2]) * (GRID_HZ**2 / 12.0)
    return rate


def turning_rate(attitude: FloatArray) -> FloatArray:
    """(2, 3, 3, n + 4) attitudes -> (2, 3, n) angular rate in their own frame: the skew part of R' dR/dt."""
    now, change = attitude[..., 2:-2], _first(attitude)
    pairs = ((2, 1), (0, 2), (1, 0))
    return np.stack([np.einsum("len,len->ln", now[:, :, a], change[:, :, b]) for a, b in pairs], axis=1)
