"""One leg's dimensions, its imperfections, and how its sensor sits in the strap."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sensorrep.model import FloatArray
from sensorrep.sources.synthetic.scenario import Sensor

_SHANK_RADIUS_M: Final = 0.045
_AXIS_DEG: Final = 2.0
"""Standard deviation, each way, of the angle between the axis of hip rotation and the thigh's long axis."""


HEELS_TOGETHER_DEG: Final = -5.5
"""Hip rotation at rest: a ball keeps the knees in line with the hips, and the heels touch."""


@dataclass(frozen=True, slots=True, eq=False)
class Build:
    """What does not change during a session. Frames as in `body`."""

    thigh_m: float
    shank_m: float
    hip_m: float
    """Sideways from the pelvis' centre."""
    rotation_axis: FloatArray
    """Unit axis of hip rotation in the thigh's frame: nearly (0, 0, 1)."""
    rest_rotation_deg: float
    knee_coupling: float
    """Knee flexion that comes with each degree of opening."""
    abduction_coupling: float
    sensor_m: FloatArray
    """Sensor in the shank's frame, from the knee."""
    shank_sensor: FloatArray
    """(3, 3) rotation matrix: sensor vectors to shank vectors."""


def draw_build(sensor: Sensor, body_rng: np.random.Generator, strap_rng: np.random.Generator) -> Build:
    """A leg from the first generator, its sensor's place from the second where the sensor leaves it open."""
    axis = np.append(np.tan(np.deg2rad(body_rng.normal(0.0, _AXIS_DEG, size=2))), 1.0)
    thigh, shank, rest, knee, abduction = body_rng.normal(size=5)
    around = strap_rng.uniform(0.0, 2.0 * np.pi)
    height_m = strap_rng.uniform(0.28, 0.38)
    strap = _strap(around, strap_rng)
    if sensor.height_m is not None:
        height_m = sensor.height_m
    if sensor.q_shank_sensor is not None:
        strap = rotation_matrix(np.array(sensor.q_shank_sensor))
    return Build(
        thigh_m=0.42 + 0.015 * thigh,
        shank_m=0.42 + 0.015 * shank,
        hip_m=0.09,
        rotation_axis=axis / np.linalg.norm(axis),
        rest_rotation_deg=HEELS_TOGETHER_DEG + 2.5 * rest,
        knee_coupling=0.06 * knee,
        abduction_coupling=0.05 * abduction,
        sensor_m=np.array([_SHANK_RADIUS_M * np.cos(around), _SHANK_RADIUS_M * np.sin(around), -height_m]),
        shank_sensor=strap,
    )


def _strap(around: float, rng: np.random.Generator) -> FloatArray:
    """(3, 3): face outward somewhere round the shank, long side along the leg either way up, all a bit askew."""
    face = np.array([np.cos(around), np.sin(around), 0.0])
    along = np.array([0.0, 0.0, rng.choice((-1.0, 1.0))])
    straight = np.stack([along, np.cross(face, along), face], axis=1)
    askew = np.append(1.0, 0.5 * np.deg2rad(rng.normal(0.0, 8.0, size=3)))
    return np.asarray(straight @ rotation_matrix(askew))


def rotation_matrix(q: FloatArray) -> FloatArray:
    """(3, 3) rotation matrix of a quaternion (w first) of any length."""
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ]
    )
