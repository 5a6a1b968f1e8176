"""What of a leg's quick turning is the shank's own, and what its strap's: one is felt on an arm, the other is not.

The highest of a course that wobbles lies above its top: a strap that tilts by half a degree makes ranges half a degree
too large. Averaging would take tremor, bounces and quick reps away with it. But a shank that turns about its knee
swings the sensor on an arm, and a strap that tilts on the skin, a centimetre below the sensor, does not.
"""

from typing import Final

import numpy as np

from sensorrep.model import FRAME_RATE_HZ, FloatArray

QUICK: Final = 0.15
"""What is quicker than a parabola over this share of a rep is asked about. Larger: more of the wobble goes, and where
the accelerometer feels gravity alone, tops are cut."""
LONGEST_FRAMES: Final = round(0.4 * FRAME_RATE_HZ)
"""The same for slow reps: straps wobble more often than that."""
SHANK_M: Final = 0.25
"""What is felt on so long an arm, or a longer one, is the shank's: from the knee to above the ankle in small adults."""


def firm(opening: FloatArray, acc_m_s2: FloatArray, length: int) -> FloatArray:
    """Openings (n, 2) in rad of a rep that lasts `length` frames, without what straps add; acceleration is (n, 2, 3).

    Of what is quick, the share stays that the accelerometer feels on a shank's arm, by least squares over the stretch.
    Fails where straps wobble as slowly as legs turn: below 4 Hz in reps of 3 s, and in reps as quick as their wobble.
    """
    half = min(round(QUICK * length), LONGEST_FRAMES) // 2
    if half < 2 or len(opening) < 3:
        return opening
    smooth = _parabolic(opening, half)
    quick, felt = opening - smooth, acc_m_s2 - _parabolic(acc_m_s2, half)
    gain = np.gradient(np.gradient(quick, axis=0), axis=0) * FRAME_RATE_HZ**2
    arm = np.einsum("nf,nfi->fi", gain, felt) / np.maximum((gain**2).sum(axis=0), np.finfo(float).tiny)[:, None]
    firmly: FloatArray = smooth + quick * np.minimum(np.sqrt((arm**2).sum(axis=1)) / SHANK_M, 1.0)
    return firmly


def _parabolic(values: FloatArray, half: int) -> FloatArray:
    """Values (n, ...) on the parabola that fits `half` frames to either side best (Savitzky & Golay 1964)."""
    at = np.arange(-half, half + 1)
    weights = np.linalg.pinv(np.stack([np.ones(len(at)), at, at**2], axis=1))[0]
    columns = values.reshape(len(values), -1).T
    padded = np.pad(columns, ((0, 0), (half, half)), mode="edge")
    return np.stack([np.convolve(one, weights, "valid") for one in padded], axis=1).reshape(values.shape)
