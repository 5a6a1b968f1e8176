"""Fuse: frames -> orientation of both shanks, by VQF without magnetometer."""

from typing import Final

import numpy as np
from vqf import VQF

from sensorrep import quaternion
from sensorrep.model import FRAME_RATE_HZ, POSE, BoolArray, FloatArray, Frames, Poses

UNSETTLED: Final = {"restThGyr": 0.6}
"""deg/s. Until a sensor has been seen at rest, how much its rate may vary there. By VQF's default of 2 a slow, steady
opening passes for rest, and its speed for bias: 3 deg of error in reps of 12 s."""
SETTLED: Final = {**UNSETTLED, "biasSigmaInit": 0.3, "restMinT": 5.0}
"""After the bias seen at rest was taken out (deg/s, s): it is known better, and trusting rest later than VQF does by
default keeps a hold that sags from being levelled out where gravity sees nothing."""
REST_S: Final = 1.0
REST_PARTS: Final = 5
REST_GYR_RAD_S: Final = float(np.radians(1.0))
REST_ACC_M_S2: Final = 0.15
"""A sensor may be at rest when its readings' spread (over all axes) from each fifth of REST_S to the next stays below
these: cheap gyroscopes are noisy and straps wobble a few times a second, but the means of fifths hardly show it. So may
one that turns at an even speed: the first rest is believed at once when the rate is a USUAL bias, else when it shows in
two such stretches in a row, and until a usual one is seen. What one stretch showed, two in a row that agree overrule;
once another has shown the same, all of the last MEMORY must say that the bias has moved: no hold that sags is as long.
"""
USUAL_RAD_S: Final = float(np.radians(2.0))
AGREE_RAD_S: Final = float(np.radians(1.0))
MEMORY: Final = 20
MOVED_RAD_S: Final = float(np.radians(0.7))
"""A bias that differs from the one taken out by more is taken out anew. Larger: VQF has to find it while the legs move.
Smaller: heading and levels begin anew more often."""
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
        if not len(frames):
            return []
        poses = np.empty(len(frames), POSE)
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
        self._length = REST_PARTS * round(REST_S * rate_hz / REST_PARTS)
        self._held: list[FloatArray] = []  # (n, 7) of gyr, acc, ok: together a stretch that is not complete
        self._count = 0
        self._recent: list[FloatArray | None] = []
        self.bias: FloatArray | None = None
        self._is_sure = False
        """Whether another stretch showed the same bias: it was rest, no slow stroke."""

    def push(self, gyr: FloatArray, acc: FloatArray, ok: BoolArray) -> list[tuple[int, FloatArray]]:
        """(rows of this block (n, 3), (n, 3), (n) after which it holds, new bias) in order."""
        self._held.append(np.concatenate([gyr, acc, ok[:, None]], axis=1))
        started, self._count = self._count, self._count + len(gyr)
        if self._count < self._length:
            return []
        readings = np.concatenate(self._held)
        count = self._count // self._length
        self._held = [readings[count * self._length :]]
        self._count -= count * self._length
        found = []
        for number, mean in enumerate(_rates_at_rest(readings[: count * self._length].reshape(count, -1, 7))):
            if mean is not None and self._is_new(mean):
                self.bias = mean
                found.append(((number + 1) * self._length - started, mean))
            self._recent = [*self._recent[-MEMORY + 1 :], mean]
        return found

    def _is_new(self, mean: FloatArray) -> bool:
        usual = _size(mean) < USUAL_RAD_S
        if self.bias is None:
            return usual or _agree(mean, self._recent[-1:])
        if usual and _size(self.bias) > USUAL_RAD_S:
            return True
        if _size(mean - self.bias) <= MOVED_RAD_S:
            self._is_sure = True
            return False
        if not self._is_sure:
            return usual and _agree(mean, self._recent[-1:])
        return len(self._recent) == MEMORY and _agree(mean, self._recent)


def _agree(mean: FloatArray, others: list[FloatArray | None]) -> bool:
    """Whether there are other stretches, and all of them were rests with about this rate."""
    return bool(others) and all(one is not None and _size(mean - one) < AGREE_RAD_S for one in others)


def _rates_at_rest(stretches: FloatArray) -> list[FloatArray | None]:
    """Mean rate (3) of the measured rows of each stretch (m, n, 7), None if the sensor moved or was away."""
    parts = _parts(stretches[:, :, :6])
    means = parts.mean(axis=1)
    steady = _is_steady(parts.var(axis=1))
    rates: list[FloatArray | None] = [rate if one else None for rate, one in zip(means[:, :3], steady, strict=True)]
    ok = stretches[:, :, 6] > 0.0
    for index in np.flatnonzero(~ok.all(axis=1)).tolist():
        seen = stretches[index, ok[index], :6]
        enough = len(seen) >= SEEN * stretches.shape[1]
        rates[index] = seen[:, :3].mean(axis=0) if enough and _is_steady(_parts(seen[None])[0].var(axis=0)) else None
    return rates


def _parts(stretches: FloatArray) -> FloatArray:
    """Stretches (m, n, k) -> (m, REST_PARTS, k) mean readings of their parts; what is left over at the end is not."""
    each = stretches.shape[1] // REST_PARTS
    parts: FloatArray = stretches[:, : REST_PARTS * each].reshape(len(stretches), REST_PARTS, each, -1).mean(axis=2)
    return parts


def _is_steady(variance: FloatArray) -> BoolArray:
    """Whether readings (..., 6) that vary like this may be those of a sensor at rest."""
    spread = np.sqrt(variance.reshape(*variance.shape[:-1], 2, 3).sum(axis=-1))
    steady: BoolArray = (spread[..., 0] < REST_GYR_RAD_S) & (spread[..., 1] < REST_ACC_M_S2)
    return steady


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
        self._yaw = (1.0, 0.0)
        self._last = np.array([1.0, 0.0, 0.0, 0.0])
        self._restarting = False
        self._absent = 0

    def push(self, gyr: FloatArray, acc: FloatArray, ok: BoolArray) -> tuple[FloatArray, FloatArray]:
        """((n, 4) orientation, (n, 3) rate without bias) of readings (n, 3), (n, 3), (n)."""
        biases = dict(self._rests.push(gyr, acc, ok))
        if not biases and ok.all():
            return self._run(gyr, acc, ok)
        q, rate = np.empty((len(gyr), 4)), np.empty((len(gyr), 3))
        changes = (np.flatnonzero(ok[1:] != ok[:-1]) + 1).tolist()
        start = 0
        for stop in sorted({*changes, *biases, len(ok)}):
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
        q = _turned(self._yaw, q)
        self._last = q[-1]
        return q, centred - estimate["bias"]

    def _restart(self, bias: FloatArray | None) -> None:
        """A new filter, with the bias if that is known; the heading goes on from where it was."""
        self._bias = bias
        self._vqf = VQF(1.0 / self._rate_hz, **(UNSETTLED if bias is None else SETTLED))
        self._restarting = True


def _heading(q: FloatArray) -> tuple[float, float]:
    """The part of a rotation that is about the vertical: w and z of its quaternion."""
    length = float(np.hypot(q[0], q[3]))
    return (float(q[0]) / length, float(q[3]) / length) if length > 1e-9 else (1.0, 0.0)


def _turned(yaw: tuple[float, float], q: FloatArray) -> FloatArray:
    """Orientations (n, 4) turned about the vertical: `quaternion.multiply` without the terms that are zero."""
    w, z = yaw
    out: FloatArray = w * q
    out += q[:, ::-1] * np.array([-z, -z, z, z])
    return out
