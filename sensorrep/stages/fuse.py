"""Fuse: frames -> orientation of both shanks, by VQF without magnetometer."""

from typing import Final

import numpy as np
from vqf import VQF

from sensorrep import quaternion
from sensorrep.model import FRAME_RATE_HZ, POSE, BoolArray, FloatArray, Frames, Poses

UNSETTLED: Final = {"biasClip": 10.0, "biasSigmaInit": 3.0}
"""deg/s. Until a sensor has been seen at rest: cheap gyroscopes are off by 5 deg/s, beyond VQF's usual clip of 2."""
SETTLED: Final = {"biasClip": 0.7, "biasSigmaInit": 0.3, "biasSigmaRest": 0.1, "restMinT": 2.5}
"""After the bias seen at rest was taken out (deg/s, s). A larger clip takes a slow, steady opening for rest and its speed
for bias (12 s reps: 3 deg of error); a smaller one does not follow the bias. Trusting rest less, and later, than VQF's
defaults keeps a hold that sags from being levelled out where gravity sees nothing."""
REST_S: Final = 1.0
REST_GYR_RAD_S: Final = float(np.radians(0.6))
REST_ACC_M_S2: Final = 0.25
"""A sensor is at rest when its readings' standard deviations stay below these for REST_S."""
SEEN: Final = 0.6
"""Least share of the frames of a rest that were measured."""
AWAY_S: Final = 0.25
"""After so long without samples, orientation starts again from gravity; heading is taken over."""


class Fuse:
    """Runs one VQF a foot: bias-free angular rate, and orientation in an earth frame whose heading is the foot's own.

    VQF (Laidig & Seel 2023, doi 10.1016/j.inffus.2022.10.014) keeps inclination and gyroscope bias in check by gravity
    and by moments of rest; nothing bounds heading, which drifts with the bias that is left. Orientation is held while a
    foot is away.

    Latency: none. State: both feet's filters.
    """

    def __init__(self, rate_hz: float = FRAME_RATE_HZ) -> None:
        self._feet = (_Foot(rate_hz), _Foot(rate_hz))

    def push(self, frames: Frames) -> list[Poses]:
        """Poses of these frames, one for one."""
        poses = np.zeros(len(frames), POSE)
        for name in ("time_s", "ok", "acc_m_s2"):
            poses[name] = frames[name]
        for index, foot in enumerate(self._feet):
            q, rate = foot.push(frames["gyr_rad_s"][:, index], frames["acc_m_s2"][:, index], frames["ok"][:, index])
            poses["q_earth_sensor"][:, index] = q
            poses["rate_rad_s"][:, index] = rate
        return [Poses(poses)]

    def finish(self) -> list[Poses]:
        """Nothing is held back."""
        return []


class _Foot:
    """One foot's filter, restarted at the first rest (with the bias seen there) and after long absences."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._vqf = VQF(1.0 / rate_hz, **UNSETTLED)
        self._bias: FloatArray | None = None
        self._window = round(REST_S * rate_hz)
        self._away = round(AWAY_S * rate_hz)
        self._gyr: list[FloatArray] = []  # since the last multiple of the window, until the first rest is found
        self._acc: list[FloatArray] = []
        self._ok: list[BoolArray] = []
        self._count = 0
        self._yaw = np.array([1.0, 0.0, 0.0, 0.0])
        self._last = np.array([1.0, 0.0, 0.0, 0.0])
        self._restarting = False
        self._absent = 0

    def push(self, gyr: FloatArray, acc: FloatArray, ok: BoolArray) -> tuple[FloatArray, FloatArray]:
        """((n, 4) orientation, (n, 3) rate without bias) of readings (n, 3), (n, 3), (n)."""
        q, rate = np.empty((len(gyr), 4)), np.empty((len(gyr), 3))
        start = 0
        for stop in self._cuts(ok):
            part = slice(start, stop)
            q[part], rate[part] = self._run(gyr[part], acc[part], ok[part])
            start = stop
        return q, rate

    def _cuts(self, ok: BoolArray) -> list[int]:
        """Where a block is cut: at whole windows while rest is looked for, where presence changes or is long missed.

        Cuts that are not needed change nothing; one that is missing would make the result depend on the blocks.
        """
        changes = (np.flatnonzero(ok[1:] != ok[:-1]) + 1).tolist()
        long = [self._away - self._absent, *(change + self._away for change in changes if not ok[change])]
        first = self._window - self._count % self._window
        windows = list(range(first, len(ok), self._window)) if self._bias is None else []
        return sorted({len(ok), *(cut for cut in (*changes, *long, *windows) if 0 < cut < len(ok))})

    def _run(self, gyr: FloatArray, acc: FloatArray, ok: BoolArray) -> tuple[FloatArray, FloatArray]:
        if not len(ok):
            return np.empty((0, 4)), np.empty((0, 3))
        if not ok[0] and self._absent >= self._away:
            self._absent += len(ok)
            if self._bias is None:
                self._look_for_rest(gyr, acc, ok)
            return np.repeat(self._last[None, :], len(ok), axis=0), np.zeros((len(ok), 3))
        if ok[0] and self._absent >= self._away:
            self._restart(self._bias)
        self._absent = 0 if ok[0] else self._absent + len(ok)
        known = np.zeros(3) if self._bias is None else self._bias
        centred = gyr - known
        estimate = self._vqf.updateBatch(np.ascontiguousarray(centred), np.ascontiguousarray(acc))
        q: FloatArray = estimate["quat6D"]
        if self._restarting:
            self._yaw = _heading(quaternion.multiply(self._last, quaternion.conjugate(q[0])))
            self._restarting = False
        q = quaternion.multiply(self._yaw, q)
        self._last = q[-1]
        if self._bias is None:
            self._look_for_rest(gyr, acc, ok)
        return q, centred - estimate["bias"]

    def _look_for_rest(self, gyr: FloatArray, acc: FloatArray, ok: BoolArray) -> None:
        self._gyr.append(gyr)
        self._acc.append(acc)
        self._ok.append(ok)
        self._count += len(ok)
        if self._count % self._window:
            return
        seen = np.concatenate(self._ok)
        if seen.mean() >= SEEN:
            window_gyr, window_acc = np.concatenate(self._gyr)[seen], np.concatenate(self._acc)[seen]
            if window_gyr.std(axis=0).max() < REST_GYR_RAD_S and window_acc.std(axis=0).max() < REST_ACC_M_S2:
                self._restart(window_gyr.mean(axis=0))
        self._gyr, self._acc, self._ok = [], [], []

    def _restart(self, bias: FloatArray | None) -> None:
        """A new filter, with the bias if that is known; the heading goes on from where it was."""
        self._bias = bias
        self._vqf = VQF(1.0 / self._rate_hz, **(UNSETTLED if bias is None else SETTLED))
        self._restarting = True


def _heading(q: FloatArray) -> FloatArray:
    """The part of a rotation that is about the vertical."""
    vertical = np.array([q[0], 0.0, 0.0, q[3]])
    length = float(np.hypot(q[0], q[3]))
    return vertical / length if length > 1e-9 else np.array([1.0, 0.0, 0.0, 0.0])
