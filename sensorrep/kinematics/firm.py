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
    columns = np.concatenate([opening, acc_m_s2.reshape(len(opening), -1)], axis=1)
    quick = columns - _parabolic(columns, half)
    turned, felt = quick[:, :2], quick[:, 2:].reshape(-1, 2, 3)
    gain = np.gradient(np.gradient(turned, axis=0), axis=0) * FRAME_RATE_HZ**2
    arm = np.einsum("nf,nfi->fi", gain, felt) / np.maximum((gain**2).sum(axis=0), np.finfo(float).tiny)[:, None]
    slack: FloatArray = np.maximum(1.0 - np.sqrt((arm**2).sum(axis=1)) / SHANK_M, 0.0)
    firmly: FloatArray = opening - slack * turned
    return firmly


def _parabolic(values: FloatArray, half: int) -> FloatArray:
    """Values (n, k) on the parabola that fits `half` frames to either side best (Savitzky & Golay 1964, table I)."""
    at = np.arange(-half, half + 1)
    weights = (3.0 * (3 * half * (half + 1) - 1 - 5 * at**2)) / ((2 * half - 1) * (2 * half + 1) * (2 * half + 3))
    padded = values[np.arange(-half, len(values) + half).clip(0, len(values) - 1)]
    return np.stack([np.convolve(one, weights, "valid") for one in padded.T], axis=1)
