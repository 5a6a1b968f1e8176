"""What no living body can leave off: breathing, swaying about a pose, tremor."""

from typing import Final

import numpy as np
from scipy.interpolate import BSpline
from scipy.signal import upfirdn

from sensorrep.model import FloatArray, Foot, Posture
from sensorrep.sources.synthetic.body import GRID_HZ, Joint

_RESTLESS: Final[dict[Posture, float]] = {"prone": 2.0, "table-top": 2.0, "hook-lying": 0.8, "seated": 1.2}
"""Shanks that balance in the air sway more than feet on the floor."""
_QUICK_DEG: Final = {Joint.FLEXION: 0.05, Joint.ABDUCTION: 0.08, Joint.OPENING: 0.06, Joint.KNEE: 0.1}
_SLOW_DEG: Final = {Joint.FLEXION: 0.1, Joint.ABDUCTION: 0.25, Joint.OPENING: 0.15, Joint.KNEE: 0.3}


def enliven(joints: FloatArray, posture: Posture, rng: np.random.Generator) -> None:
    """Add, in place, to a course (COLUMNS, n): wander about 0.5 Hz and 0.05 Hz, breathing about 0.25 Hz, tremor."""
    points = joints.shape[1]
    much = _RESTLESS[posture]
    for foot in Foot:
        for joint, quick_deg in _QUICK_DEG.items():
            joints[joint.of(foot)] += much * quick_deg * wander(points, 2.0, rng)
            joints[joint.of(foot)] += much * _SLOW_DEG[joint] * wander(points, 0.2, rng)
        shake = joints[Joint.TREMOR.of(foot)] * _tremor(points, rng)
        joints[Joint.OPENING.of(foot)] += shake
        joints[Joint.KNEE.of(foot)] += 0.4 * shake
    for joint, size_deg in ((Joint.TWIST, 0.06), (Joint.PITCH, 0.03)):
        joints[joint] += much * (size_deg * wander(points, 2.0, rng) + 2.0 * size_deg * wander(points, 0.2, rng))
    breath = _breath(points, rng)
    joints[Joint.PITCH] += 0.15 * breath
    joints[Joint.HEIGHT_M] += 0.003 * breath
    for foot in Foot:
        joints[Joint.FLEXION.of(foot)] -= 0.1 * breath


def wander(points: int, knots_hz: float, rng: np.random.Generator) -> FloatArray:
    """(points,) of smooth noise of unit variance, most of it below knots_hz / 3: a quintic spline of white knots."""
    spacing = round(GRID_HZ / knots_hz)
    kernel = BSpline.basis_element(np.arange(7.0), extrapolate=False)(np.arange(1, 6 * spacing) / spacing)
    kernel *= np.sqrt(spacing / np.sum(kernel**2))
    course = upfirdn(kernel, rng.normal(size=points // spacing + 8), up=spacing)
    return np.asarray(course[6 * spacing : 6 * spacing + points], dtype=np.float64)


def _tremor(points: int, rng: np.random.Generator) -> FloatArray:
    """(points,) of unit amplitude around one frequency between 8.5 and 11 Hz that wanders a little."""
    turns = np.arange(points) / GRID_HZ * rng.uniform(8.5, 11.0) + 0.25 * wander(points, 2.0, rng) + rng.random()
    return np.sin(2.0 * np.pi * turns) * (1.0 + 0.3 * wander(points, 3.0, rng))


def _breath(points: int, rng: np.random.Generator) -> FloatArray:
    """(points,) of unit amplitude at 0.2 to 0.3 Hz."""
    turns = np.arange(points) / GRID_HZ * rng.uniform(0.2, 0.3) + 0.15 * wander(points, 0.2, rng) + rng.random()
    return np.sin(2.0 * np.pi * turns)
