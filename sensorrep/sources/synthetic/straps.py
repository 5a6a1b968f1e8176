"""Sensors that are not one with the shank: straps wobble, soft tissue shakes. The shank, and so the truth, does not.

Both are small turns of the sensor, put on its path before it is felt, so that gyroscope and accelerometer agree about
them. No measurement at the ankle of a lying person is known: all sizes, bands and damping ratios are assumed.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.signal import bilinear, lfilter

from sensorrep.model import FloatArray, Foot
from sensorrep.sources.synthetic.anatomy import Build
from sensorrep.sources.synthetic.body import GRID_HZ, Path, turning_rate
from sensorrep.sources.synthetic.scenario import Sensor

HARD_RAD_S2: Final = 5.0
"""Steady angular acceleration at which `Sensor.shake_deg` is reached: of a quick rep, a tenth of a step's."""
_TAUT: Final = 5.0
"""Skin is taut at so many times that lag: what steps make of it is not ten times as much."""
_STAND_OFF_M: Final = 0.01
"""From the skin, about which a strap tilts, to what senses."""
_WOBBLE_HZ: Final = 5.0
_WOBBLE_BAND_HZ: Final = 1.5
"""Standard deviation of the band about it: nearly all lies between 2 and 8 Hz."""
_LIVELY_RAD_S: Final = np.radians(5.0)
"""A leg that turns twice as fast wobbles fully; one that rests, and only breathes and sways, by a tenth."""
_CALMS_S: Final = 0.15
_SHAKE_HZ: Final = (5.0, 12.0)
_DAMPING: Final = (0.1, 0.3)


def loosen(path: Path, builds: Sequence[Build], sensors: Sequence[Sensor], rngs: Sequence[np.random.Generator]) -> Path:
    """The path of sensors on rigid shanks, as straps and soft tissue let it be; one build, sensor and generator a leg.

    Soft tissue turns about the bone, the strap on it about the skin.
    """
    if not any(one.wobble_deg or one.shake_deg for one in sensors):
        return path
    rates = np.pad(turning_rate(path.earth_sensor), ((0, 0), (0, 0), (2, 2)), mode="edge")
    attitude, position_m = path.earth_sensor.copy(), path.position_m.copy()
    for foot, build, sensor, rng in zip(Foot, builds, sensors, rngs, strict=True):
        wobble_rng, shake_rng = rng.spawn(2)
        from_bone_m = build.shank_sensor.T @ (build.sensor_m * (1.0, 1.0, 0.0))
        from_skin_m = from_bone_m * (_STAND_OFF_M / np.linalg.norm(from_bone_m))
        shake = np.radians(sensor.shake_deg) * shaken(rates[foot], shake_rng)
        wobble = np.radians(sensor.wobble_deg) * wobbled(rates[foot], wobble_rng)
        _turn(attitude[foot], position_m[foot], shake, from_bone_m)
        _turn(attitude[foot], position_m[foot], wobble, from_skin_m)
    return Path(attitude, position_m)


def wobbled(rate: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(3, n) noise about 5 Hz: of unit variance about each axis while a leg turns at a rate (3, n), less while not."""
    span_s = np.arange(-0.4, 0.4, 1.0 / GRID_HZ)
    kernel = np.exp(-0.5 * (2.0 * np.pi * _WOBBLE_BAND_HZ * span_s) ** 2) * np.cos(2.0 * np.pi * _WOBBLE_HZ * span_s)
    kernel /= np.sqrt(np.sum(kernel**2))
    white = rng.normal(size=(3, rate.shape[1] + len(kernel) - 1))
    noise = np.stack([np.convolve(one, kernel, "valid") for one in white])
    recent = np.exp(-0.5 * (span_s / _CALMS_S) ** 2)
    speed = np.sqrt(np.convolve((rate**2).sum(axis=0), recent / recent.sum(), "same"))
    wobble: FloatArray = np.tanh(speed / _LIVELY_RAD_S) * noise
    return wobble


def shaken(rate: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(3, n) turn of a mass that lags behind a leg's rate (3, n) and rings on: -1 where it speeds up at HARD_RAD_S2."""
    natural, damping = 2.0 * np.pi * rng.uniform(*_SHAKE_HZ), rng.uniform(*_DAMPING)
    transfer = bilinear([-(natural**2) / HARD_RAD_S2], [1.0, 2.0 * damping * natural, natural**2], GRID_HZ)
    lag = lfilter(*transfer, np.gradient(rate, 1.0 / GRID_HZ, axis=1))
    return np.asarray(_TAUT * np.tanh(lag / _TAUT), dtype=np.float64)


def _turn(attitude: FloatArray, position_m: FloatArray, turn: FloatArray, lever_m: FloatArray) -> None:
    """Turn a sensor (3, 3, n), (3, n) in place by rotation vectors (3, n) about what is `lever_m` below it.

    Turn and lever (3,) are seen in the sensor's own frame.
    """
    angle = np.sqrt((turn**2).sum(axis=0))
    x, y, z = turn
    none = np.zeros_like(x)
    skew = np.array([[none, -z, y], [z, none, -x], [-y, x, none]])
    by = np.sinc(angle / np.pi) * skew
    by += 0.5 * np.sinc(angle / (2.0 * np.pi)) ** 2 * np.einsum("abn,bcn->acn", skew, skew)
    position_m += np.einsum("ean,abn,b->en", attitude, by, lever_m)
    attitude += np.einsum("ean,abn->ebn", attitude, by)
