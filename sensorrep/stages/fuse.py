"""Fuse: frames -> orientation of both shanks, by VQF without magnetometer."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from vqf import VQF

from sensorrep.model import FRAME_RATE_HZ, POSE, FloatArray, Frames, Poses

VQF_PARAMS: Final[Mapping[str, float]] = {"biasClip": 10.0, "biasSigmaInit": 3.0}
"""Cheap gyroscopes are off by 5 deg/s, beyond VQF's default clip of 2; on BROAD both give the same tilt to 0.0001 deg."""


class Fuse:
    """Runs one VQF a foot: bias-free angular rate, and orientation in an earth frame whose heading is the foot's own.

    VQF (Laidig & Seel 2023, doi 10.1016/j.inffus.2022.10.014) keeps inclination and gyroscope bias in check by gravity
    and by moments of rest; nothing bounds heading, which drifts with the bias that is left. Orientation is held while a
    foot is away.

    Latency: none. State: the two filters and each foot's last orientation.
    """

    def __init__(self, rate_hz: float = FRAME_RATE_HZ) -> None:
        self._filters = [VQF(1.0 / rate_hz, **VQF_PARAMS) for _ in range(2)]

    def push(self, frames: Frames) -> list[Poses]:
        """Poses of these frames, one for one."""
        poses = np.zeros(len(frames), POSE)
        poses["time_s"] = frames["time_s"]
        poses["ok"] = frames["ok"]
        poses["acc_m_s2"] = frames["acc_m_s2"]
        for foot, vqf in enumerate(self._filters):
            gyr: FloatArray = np.ascontiguousarray(frames["gyr_rad_s"][:, foot])
            acc: FloatArray = np.ascontiguousarray(frames["acc_m_s2"][:, foot])
            estimate = vqf.updateBatch(gyr, acc)
            poses["q_earth_sensor"][:, foot] = estimate["quat6D"]
            poses["rate_rad_s"][:, foot] = gyr - estimate["bias"]
        return [Poses(poses)]

    def finish(self) -> list[Poses]:
        """Nothing is held back."""
        return []
