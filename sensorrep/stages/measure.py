"""Measure: poses -> how much the shanks move: stillness, and the moments of near standstill between strokes."""

import math
from itertools import zip_longest
from typing import Final

import numpy as np

from sensorrep import records
from sensorrep.model import HEEL, POSE, BoolArray, FloatArray, Foot, HeelSignal, Poses

STILL_RAD_S: Final = float(np.radians(1.0))
"""Speed of a shank below which it is still. Larger: slow reps look like rest. Smaller: noise looks like movement."""
WEIGHTS: Final = np.hanning(9)[1:-1] / np.hanning(9).sum()
"""Smoothing of speed over 7 frames (0.07 s), on top of `filter`'s: tremor and noise then make few moments of
standstill. More frames do not find more reps, and each two delay every event by 10 ms."""
LATENCY: Final = len(WEIGHTS) // 2 + 1
"""Frames by which the signal comes late: half the smoothing, and one to see the speed grow again."""
DIP: Final = 0.5
"""A standstill is slower than this share of the fastest since the last one."""
FAST_STROKE_S: Final = 0.4
"""Strokes of the fastest reps last so long. Larger: standstills of fast ones are told late."""


class Measure:
    """Passes poses on, LATENCY frames late, with what can be said of each instant.

    State: the poses held back, the fastest speed since the last standstill, and the speed just now.
    """

    def __init__(self, foot: Foot | None = None) -> None:
        self._feet = [0, 1] if foot is None else [int(foot)]
        self._still = STILL_RAD_S * len(self._feet)
        self._held = Poses(np.zeros(0, POSE))
        self._lead = LATENCY  # frames at the start that have no full neighbourhood: the first frame stands in for them
        self._fastest = 0.0
        self._speed = 0.0

    @property
    def ahead_s(self) -> float:
        """For how long a stroke that slows down to this share of its highest speed still goes on, if it is a fast one.

        Before a stroke has begun: the time from its highest speed to its end. By minimum jerk (Flash & Hogan 1985,
        doi:10.1523/JNEUROSCI.05-07-01688.1985) the speed at time t of a stroke of length T is
        16 (t/T)^2 (1 - t/T)^2 of the highest.
        """
        share = self._speed / self._fastest if self._fastest >= self._still else 1.0
        return FAST_STROKE_S * (1.0 - math.sqrt(1.0 - math.sqrt(share))) / 2.0

    def push(self, poses: Poses) -> list[HeelSignal]:
        """As many frames as have their neighbourhood complete."""
        if not len(poses):
            return []
        lead, self._lead = self._lead, 0
        poses = Poses(records.joined([self._held, *[poses[:1]] * lead, poses]))
        if len(poses) <= 2 * LATENCY:
            self._held = poses
            return []
        self._held = Poses(poses[-2 * LATENCY :])
        return [self._signal(poses)]

    def finish(self) -> list[HeelSignal]:
        """The last frames, as if the last one went on."""
        if not len(self._held):
            return []
        return self.push(Poses(self._held[[-1] * LATENCY]))

    def _signal(self, poses: Poses) -> HeelSignal:
        inner = poses[LATENCY:-LATENCY]
        signal = np.empty(len(inner), HEEL)
        records.begin(signal, inner)
        x, y, z = poses["rate_rad_s"].transpose(2, 0, 1).copy()
        smoothed = smooth(np.sqrt(x * x + y * y + z * z))  # from LATENCY - 1 to -(LATENCY - 1)
        signal["still"] = smoothed[1:-1] < STILL_RAD_S
        signal["turning_point"] = self._turning_points(smoothed[:, self._feet].sum(axis=1))
        return HeelSignal(signal)

    def _turning_points(self, speed: FloatArray) -> BoolArray:
        """Minima (n - 2) of speed (n) below DIP of the fastest since the last one; entering stillness is one too."""
        before, here, after = speed[:-2], speed[1:-1], speed[2:]
        still = self._still
        candidate = ((before > here) & (here <= after)) | ((before >= still) & (here < still))
        marks = np.zeros(len(here), bool)
        (at,) = candidate.nonzero()
        fastest = np.maximum.reduceat(here, np.append(0, at[at < len(here) - 1] + 1))  # up to each candidate, and after
        for index, until, slow in zip_longest(at.tolist(), fastest.tolist(), here[at].tolist()):
            self._fastest = max(self._fastest, until)
            if index is not None and self._fastest >= still and slow < DIP * self._fastest:
                marks[index] = True
                self._fastest = 0.0
        self._speed = float(here[-1])
        return marks


def smooth(values: FloatArray) -> FloatArray:
    """Weighted mean of each WEIGHTS-long neighbourhood (n - len(WEIGHTS) + 1, ...), summed term by term.

    Term by term because a library's convolution may add in another order for another length, and then where the stream
    is cut would show in the last bit.
    """
    count = len(values) - len(WEIGHTS) + 1
    total: FloatArray = WEIGHTS[0] * values[:count]
    for lag in range(1, len(WEIGHTS)):
        total += WEIGHTS[lag] * values[lag : lag + count]
    return total
