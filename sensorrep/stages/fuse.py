"""Fuse: frames -> orientation of both shanks, by VQF without magnetometer."""

from typing import Final

import numpy as np
from vqf import VQF

from sensorrep import quaternion
from sensorrep.model import FRAME_RATE_HZ, POSE, BoolArray, FloatArray, Frames, Poses

UNSETTLED: Final = {"restThGyr": 0.6}
"""deg/s. Until a sensor has been seen at rest: cheap gyroscopes are off by 5 deg/s, beyond VQF's usual clip of 2."""
SETTLED: Final = {"biasClip": 0.7, "biasSigmaInit": 0.3, "restMinT": 5.0}
"""After the bias seen at rest was taken out (deg/s, s). A larger clip takes a slow, steady opening for rest and its
speed for bias (12 s reps: 3 deg of error); a smaller one does not follow the bias. Trusting rest later than VQF does
by default keeps a hold that sags from being levelled out where gravity sees nothing."""
REST_S: Final = 1.0
REST_GYR_RAD_S: Final = float(np.radians(1.0))
REST_ACC_M_S2: Final = 0.35
"""A sensor may be at rest when its readings' spread (over all axes) stays below these for REST_S. So may one that turns
at an even speed: the first rest is believed at once when the rate is a USUAL bias, else when it shows in two such
stretches in a row, and until a usual one is seen; later on, all of the last MEMORY stretches must say that the bias
has moved: no hold that sags is as long."""
USUAL_RAD_S: Final = float(np.radians(2.0))
AGREE_RAD_S: Final = float(np.radians(1.0))
MEMORY: Final = 20
MOVED_RAD_S: Final = float(np.radians(0.7))
"""A bias that differs from the one taken out by more than VQF's clip is taken out anew."""
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


class _Rests:
    """Looks for rest in stretches of REST_S, and says when another bias is to be taken out."""

    def __init__(self, rate_hz: float) -> None:
        self._length = round(REST_S * rate_hz)
        self._readings = np.zeros((0, 7))  # gyr, acc, ok of a stretch that is not complete
        self._recent: list[FloatArray | None] = []
        self.bias: FloatArray | None = None

    def push(self, gyr: FloatArray, acc: FloatArray, ok: BoolArray) -> list[tuple[int, FloatArray]]:
        """(rows of this block (n, 3), (n, 3), (n) after which it holds, new bias) in order."""
        started = len(self._readings)
        readings = np.concatenate([self._readings, np.concatenate([gyr, acc, ok[:, None]], axis=1)])
        count = len(readings) // self._length
        stretches = readings[: count * self._length].reshape(count, self._length, 7)
        self._readings = readings[count * self._length :]
        found = []
        for number, stretch in enumerate(stretches):
            mean = _rate_at_rest(stretch)
            if mean is not None and self._is_new(mean):
                self.bias = mean
                found.append(((number + 1) * self._length - started, mean))
            self._recent = [*self._recent[-MEMORY + 1 :], mean]
        return found

    def _is_new(self, mean: FloatArray) -> bool:
        agree = [one is not None and _size(mean - one) < AGREE_RAD_S for one in self._recent]
        usual = _size(mean) < USUAL_RAD_S
        if self.bias is None:
            return usual or agree[-1:] == [True]
        if usual and _size(self.bias) > USUAL_RAD_S:
            return True
        return len(agree) == MEMORY and all(agree) and _size(mean - self.bias) > MOVED_RAD_S


def _rate_at_rest(stretch: FloatArray) -> FloatArray | None:
    """Mean rate (3) of the measured rows of a stretch (n, 7), None if the sensor moved or was away."""
    seen = stretch[stretch[:, 6] > 0.0]
    if len(seen) < SEEN * len(stretch):
        return None
    spread = np.sqrt(seen[:, :6].var(axis=0).reshape(2, 3).sum(axis=1))
    return seen[:, :3].mean(axis=0) if spread[0] < REST_GYR_RAD_S and spread[1] < REST_ACC_M_S2 else None


def _size(vector: FloatArray) -> float:
    """Length of a vector (3): how a sensor is strapped on does not matter."""
    return float(np.sqrt(vector @ vector))


class _Foot:
    """One foot's filter, restarted when rest shows another bias, and after long absences."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._vqf = VQF(1.0 / rate_hz, **UNSETTLED)
        self._rests = _Rests(rate_hz)
        self._bias: FloatArray | None = None
        self._yaw = np.array([1.0, 0.0, 0.0, 0.0])
        self._last = np.array([1.0, 0.0, 0.0, 0.0])
        self._restarting = False
        self._absent = 0

    def push(self, gyr: FloatArray, acc: FloatArray, ok: BoolArray) -> tuple[FloatArray, FloatArray]:
        """((n, 4) orientation, (n, 3) rate without bias) of readings (n, 3), (n, 3), (n)."""
        q, rate = np.empty((len(gyr), 4)), np.empty((len(gyr), 3))
        biases = dict(self._rests.push(gyr, acc, ok))
        changes = (np.flatnonzero(ok[1:] != ok[:-1]) + 1).tolist()
        start = 0
        for stop in sorted({*changes, *biases, len(ok)} - {0}):
            part = slice(start, stop)
            q[part], rate[part] = self._run(gyr[part], acc[part], ok[part])
            if stop in biases:
                self._restart(biases[stop])
            start = stop
        return q, rate

    def _run(self, gyr: FloatArray, acc: FloatArray, ok: BoolArray) -> tuple[FloatArray, FloatArray]:
        """The same for readings that are all there or all not."""
        away = round(AWAY_S * self._rate_hz)
        held = len(ok) if not ok[0] else 0
        if held and self._absent + held > away:
            there = max(away - self._absent, 0)
            q, rate = self._run(gyr[:there], acc[:there], ok[:there]) if there else (np.empty((0, 4)), np.empty((0, 3)))
            self._absent += held - there
            still = np.repeat(self._last[None, :], held - there, axis=0)
            return np.concatenate([q, still]), np.concatenate([rate, np.zeros((held - there, 3))])
        if ok[0] and self._absent > away:
            self._restart(self._bias)
        self._absent = self._absent + held if held else 0
        centred = gyr if self._bias is None else gyr - self._bias
        estimate = self._vqf.updateBatch(np.ascontiguousarray(centred), np.ascontiguousarray(acc))
        q = estimate["quat6D"]
        if self._restarting:
            self._yaw = _heading(quaternion.multiply(self._last, quaternion.conjugate(q[0])))
            self._restarting = False
        q = quaternion.multiply(self._yaw, q)
        self._last = q[-1]
        return q, centred - estimate["bias"]

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
